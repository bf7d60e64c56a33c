"""Stripe objects in the shapes of several API versions, with only the fields that matter or that a reader expects."""

from copy import deepcopy
from dataclasses import dataclass, field

OLD, MIDDLE, BASIL = "old", "middle", "basil"  # before 2022-11-15, before 2025-03-31.basil, since
ERAS = (OLD, MIDDLE, BASIL)
VERSIONS = {
    OLD: ("2018-02-28", "2020-08-27", "2022-08-01"),
    MIDDLE: ("2022-11-15", "2023-10-16", "2024-06-20"),
    BASIL: ("2025-03-31.basil", "2025-12-15.clover", "2026-10-28.endive"),
}
FIRST_SECOND = 1_760_000_000
ID_LETTERS = "0123456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
ID_LENGTH = 12
OBJECTS = {"cus": "customer", "pi": "payment_intent", "ch": "charge", "in": "invoice", "sub": "subscription", "price": "price"}


@dataclass
class Story:
    """A history while it is written: whoever is in it, what is for sale, and the events told so far."""

    rng: object
    era: str = MIDDLE
    users: list = field(default_factory=list)
    catalogue: list = field(default_factory=list)
    events: list = field(default_factory=list)
    now: int = FIRST_SECOND

    def id(self, prefix):
        return f"{prefix}_{''.join(self.rng.choices(ID_LETTERS, k=ID_LENGTH))}"

    def chance(self, share):
        return self.rng.random() < share

    def later(self):
        self.now += self.rng.randint(1, 90_000)
        return self.now

    def tell(self, kind, thing):
        """One event. The time is the last `later()`; a label of the API version can be absent or wrong."""
        version = self.rng.choice(VERSIONS[self.rng.choice(ERAS) if self.chance(0.05) else self.era])
        event = {"id": self.id("evt"), "object": "event", "api_version": version, "created": self.now, "type": kind}
        event |= {"livemode": False, "data": {"object": deepcopy(thing)}}
        if self.chance(0.08):
            del event["api_version"]
        self.events.append(event)

    def refer(self, one):
        """A reference as Stripe may send it: text, or now and then an expanded object."""
        if one and self.chance(0.08):
            return {"id": one, "object": OBJECTS[one.split("_")[0]]}
        return one


@dataclass
class Purchase:
    """One purchase with the ids and the metadata of all its objects. Ids that are None are not part of it."""

    amount: int
    currency: str = "usd"
    session: str | None = None
    intent: str | None = None
    charge: str | None = None
    invoice: str | None = None
    subscription: str | None = None
    customer: str | None = None
    created: int = 0
    email: str | None = None
    reference: str | None = None
    session_metadata: dict = field(default_factory=dict)
    intent_metadata: dict = field(default_factory=dict)
    subscription_metadata: dict = field(default_factory=dict)
    released: int = 0  # authorised beyond the amount, and never captured
    lines: list = field(default_factory=list)  # (line id, price, quantity, amount)
    refunds: list = field(default_factory=list)  # refund objects, as they stand now
    charge_is_tied: bool = False  # something told said which payment intent the charge belongs to

    @property
    def net_refunded(self):
        return sum(each["amount"] for each in self.refunds if each["status"] not in ("failed", "canceled"))


def with_metadata(story, thing, metadata):
    """Empty metadata is absent as often as it is empty."""
    if metadata or story.chance(0.5):
        thing["metadata"] = dict(metadata)
    return thing


def session(story, buy, payment_status="paid", status="complete", mode="payment"):
    thing = {
        "id": buy.session, "object": "checkout.session", "amount_total": buy.amount, "currency": buy.currency,
        "client_reference_id": buy.reference, "customer": story.refer(buy.customer), "mode": mode,
        "payment_intent": None if mode == "subscription" else story.refer(buy.intent),
        "payment_status": payment_status, "status": status,
    }  # fmt: skip
    if buy.email:
        thing["customer_details"] = {"email": buy.email}
    if buy.invoice:
        thing["invoice"] = story.refer(buy.invoice)
    if mode == "subscription":
        thing["subscription"] = story.refer(buy.subscription)
    return with_metadata(story, thing, buy.session_metadata)


def intent(story, buy, status="succeeded"):
    received = buy.amount if status == "succeeded" else 0
    thing = {
        "id": buy.intent, "object": "payment_intent", "amount": buy.amount + buy.released, "amount_received": received,
        "currency": buy.currency, "customer": story.refer(buy.customer), "created": buy.created, "status": status,
    }  # fmt: skip
    if story.era != BASIL:
        thing["invoice"] = buy.invoice
    if story.era == OLD:
        data = [{"id": buy.charge, "object": "charge", "amount": buy.amount}] if buy.charge and received else []
        thing["charges"] = {"object": "list", "data": data}
    else:
        thing["latest_charge"] = story.refer(buy.charge) if received else None
    return with_metadata(story, thing, buy.intent_metadata)


def charge(story, buy):
    thing = {
        "id": buy.charge, "object": "charge", "amount": buy.amount + buy.released, "amount_captured": buy.amount,
        "amount_refunded": buy.net_refunded + buy.released, "captured": True, "created": buy.created, "currency": buy.currency,
        "customer": story.refer(buy.customer), "paid": True, "payment_intent": story.refer(buy.intent),
        "refunded": buy.net_refunded >= buy.amount > 0, "status": "succeeded",
    }  # fmt: skip
    if story.era != BASIL:
        thing["invoice"] = buy.invoice
    return with_metadata(story, thing, buy.intent_metadata)


def invoice(story, buy, **more):
    thing = {
        "id": buy.invoice, "object": "invoice", "amount_due": buy.amount, "amount_paid": buy.amount,
        "billing_reason": "subscription_create" if buy.subscription else "manual", "currency": buy.currency,
        "customer": story.refer(buy.customer), "status": "paid", "total": buy.amount,
        "lines": {"object": "list", "has_more": False, "data": [line(story, buy, *each) for each in buy.lines]},
    }  # fmt: skip
    if buy.email:
        thing["customer_email"] = buy.email
    details = {"metadata": dict(buy.subscription_metadata)}
    if story.era == BASIL:
        details["subscription"] = buy.subscription
        parent = {"type": "subscription_details", "subscription_details": details} if buy.subscription else None
        return thing | {"parent": parent} | more
    thing |= {"paid": True, "charge": story.refer(buy.charge), "payment_intent": story.refer(buy.intent)}
    thing |= {"subscription": story.refer(buy.subscription)}
    if buy.subscription_metadata:
        thing["subscription_details"] = details
    return thing | more


def line(story, buy, one, price, quantity, amount):
    thing = {"id": one, "object": "line_item", "amount": amount, "currency": buy.currency, "quantity": quantity}
    if story.era == BASIL:
        return thing | {"pricing": {"type": "price_details", "price_details": {"price": price}}}
    return thing | {"price": {"id": price, "object": "price"}}


def invoice_payment(story, buy):
    return {
        "id": story.id("inpay"), "object": "invoice_payment", "amount_paid": buy.amount, "currency": buy.currency,
        "invoice": story.refer(buy.invoice), "is_default": True, "status": "paid",
        "payment": {"type": "payment_intent", "payment_intent": story.refer(buy.intent)},
    }  # fmt: skip


def named_intent(story, buy):
    """Old refunds and disputes name the charge alone."""
    return None if story.era == OLD and buy.charge_is_tied and story.chance(0.3) else buy.intent


def refund(story, buy, amount, status="succeeded"):
    return {
        "id": story.id("re"), "object": "refund", "amount": amount, "charge": buy.charge, "created": story.now,
        "currency": buy.currency, "payment_intent": named_intent(story, buy), "status": status,
    }  # fmt: skip


def dispute(story, buy, amount, status="needs_response"):
    return {
        "id": story.id("dp"), "object": "dispute", "amount": amount, "charge": buy.charge, "created": story.now,
        "currency": buy.currency, "payment_intent": named_intent(story, buy), "reason": "fraudulent", "status": status,
    }  # fmt: skip
