"""What a set of Stripe events means for credits, recomputed from the whole set every time.

Written from STRIPE.md, DESIGN.md and CONTRACT.md alone. It is slow and plain on purpose: no state, no order, no
deltas. Whoever disagrees with it has found a mistake in one of two places. README.md lists how it reads the passages
that can be read in more than one way; [n] in a comment is a number of that list.
"""

from dataclasses import dataclass, field, fields

NAMING_KEYS = ("user_id", "user_id_backup", "session_user_id")
EMAIL_KEYS = ("session_email", "user_email")
ABSENT = {"", "undefined", "null", "None", "unknown", "00000000-0000-0000-0000-000000000000"}
PAID_INVOICE = ("invoice.paid", "invoice.payment_succeeded")
GIVEN_UP_INVOICE = ("invoice.voided", "invoice.marked_uncollectible")
DEFAULT_UNIT = "credits"


class OrderMatters(Exception):
    """The events' order would show: a history for which no outcome is promised."""


@dataclass
class Told:
    """What the events say of one Stripe object, or (merged) of one payment. Every field only ever grows."""

    ids: set = field(default_factory=set)
    paid: set = field(default_factory=set)  # amounts that were said to be paid, in minor units
    paid_whole: bool = False  # a session or an invoice said so: an intent may have paid a part of an invoice
    invoiced: bool = False  # an invoice was told
    pending: bool = False
    failed: bool = False
    is_sale: bool = False  # a session that sells, or an invoice: ours unless the catalogue says otherwise
    links: bool = False  # a subscription's session: says who the customer is, sells nothing
    metadata: list = field(default_factory=list)
    references: set = field(default_factory=set)
    emails: set = field(default_factory=set)
    subjects: set = field(default_factory=set)  # customers and subscriptions
    lines: dict = field(default_factory=dict)  # (invoice, line) -> (price, quantity)
    snapshots: list = field(default_factory=list)  # (created, charge, cumulative amount_refunded, of it never captured)
    refunds: dict = field(default_factory=dict)  # id -> Refund
    disputes: dict = field(default_factory=dict)  # id -> its moves

    @property
    def is_paid(self):
        return self.paid_whole if self.invoiced else bool(self.paid)

    def join(self, other):
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, bool):
                setattr(self, one.name, mine or theirs)
            elif isinstance(mine, list):
                mine.extend(theirs)
            else:
                mine.update(theirs)


@dataclass
class Refund:
    charge: str | None
    amount: int
    created: int
    failed_at: int | None = None  # when it was first told to have failed


# -- reading ---------------------------------------------------------------------------------------------------------


def reference(value):
    """An id, whether it stands as text or as an expanded object; None if it is absent."""
    return value.get("id") if isinstance(value, dict) else value or None


def present(value):
    text = "" if value is None else str(value).strip()
    return None if text in ABSENT else text


def listed(value):
    return (value or {}).get("data") or [] if isinstance(value, dict) else value or []


class Reader:
    """Collects what each object is told to be, and which objects are one payment."""

    def __init__(self):
        self.told = {}
        self.parent = {}
        self.refunds = {}  # id -> Refund
        self.disputes = {}  # id -> {(created, is it reinstated, amount)}
        self.named_subjects = {}  # customer or subscription -> users that its own metadata name

    def find(self, one):
        self.parent.setdefault(one, one)
        while self.parent[one] != one:
            one = self.parent[one]
        return one

    def tie(self, *ids):
        ids = [one for one in map(reference, ids) if one]
        for other in ids[1:]:
            self.parent[self.find(other)] = self.find(ids[0])
        if ids:
            self.find(ids[0])
        return ids[0] if ids else None

    def of(self, one):
        return self.told.setdefault(one, Told())

    def payments(self):
        """One Told for each group of objects that are tied together."""
        groups = {}
        for one in self.parent:
            group = groups.setdefault(self.find(one), Told())
            group.ids.add(one)
            group.join(self.told.get(one, Told()))
        return [groups[root] for root in sorted(groups)]

    def read(self, event):
        kind, thing = event["type"], event["data"]["object"]
        if kind.startswith("checkout.session."):
            self.session(kind, thing)
        elif kind == "payment_intent.succeeded":
            self.intent(thing)
        elif kind in ("charge.succeeded", "charge.captured", "charge.refunded"):
            self.charge(thing, event["created"])
        elif kind in PAID_INVOICE + GIVEN_UP_INVOICE:
            self.invoice(kind, thing)
        elif kind == "invoice_payment.paid":
            payment = thing.get("payment") or {}
            self.tie(thing.get("invoice"), payment.get("payment_intent"), payment.get("charge"))
        elif kind.startswith("refund.") or kind == "charge.refund.updated":
            about = self.tie(thing.get("payment_intent"), thing.get("charge"))
            self.refund(about, thing, event["created"])
        elif kind in ("charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"):
            self.dispute(thing, event["created"], kind.endswith("reinstated"))
        elif kind.startswith(("customer.subscription.", "customer.created", "customer.updated")):
            self.named_subjects.setdefault(thing["id"], set()).update(named([thing.get("metadata") or {}]))

    def common(self, one, thing):
        told = self.of(one)
        told.metadata.append(thing.get("metadata") or {})
        subjects = (thing.get("customer"), thing.get("customer_account"), thing.get("subscription"))
        told.subjects.update(filter(None, map(reference, subjects)))
        details = (thing.get("customer_details") or {}, thing.get("billing_details") or {})
        emails = [thing.get("customer_email"), thing.get("receipt_email"), *(each.get("email") for each in details)]
        emails += [told.metadata[-1].get(key) for key in EMAIL_KEYS]
        told.emails.update(each.lower() for each in map(present, emails) if each)
        return told

    def session(self, kind, thing):
        if thing.get("mode") == "setup":
            return
        told = self.common(self.tie(thing["id"], thing.get("payment_intent"), thing.get("invoice")), thing)
        if present(thing.get("client_reference_id")):
            told.references.add(present(thing["client_reference_id"]))
        if thing.get("mode") == "subscription":
            told.links = kind.endswith(".completed")
            return
        told.is_sale = True
        if kind.endswith((".expired", ".async_payment_failed")):
            told.failed = True
        elif kind.endswith(".async_payment_succeeded") or thing.get("payment_status") in ("paid", "no_payment_required"):
            told.paid.add(thing.get("amount_total") or 0)
            told.paid_whole = True
        else:
            told.pending = True

    def intent(self, thing):
        charges = [thing.get("latest_charge"), *listed(thing.get("charges"))]
        told = self.common(self.tie(thing["id"], thing.get("invoice"), *charges), thing)
        told.paid.add(thing.get("amount_received") or thing["amount"])

    def charge(self, thing, at):
        one = self.tie(thing["id"], thing.get("payment_intent"), thing.get("invoice"))
        told = self.common(one, thing)
        if thing.get("captured") is False:
            told.pending = True
            return
        told.paid.add(thing.get("amount_captured") or thing["amount"])  # a charge that was refunded was paid [9]
        given_back, rest = thing.get("amount_refunded") or 0, thing["amount"] - thing.get("amount_captured", thing["amount"])
        released = rest if rest <= given_back else 0  # [14]
        told.snapshots.append((at, thing["id"], given_back - released, released))
        for refund in listed(thing.get("refunds")):
            self.refund(one, refund | {"charge": thing["id"]}, at)

    def invoice(self, kind, thing):
        intents = [each.get("payment") or {} for each in listed(thing.get("payments"))]
        intents = [each.get("payment_intent") or each.get("charge") for each in intents]
        one = self.tie(thing["id"], thing.get("payment_intent"), thing.get("charge"), *intents)
        told = self.common(one, thing)
        details = thing.get("subscription_details") or (thing.get("parent") or {}).get("subscription_details") or {}
        told.metadata.append(details.get("metadata") or {})
        told.subjects.update(filter(None, [reference(details.get("subscription"))]))
        told.is_sale = told.invoiced = True
        if kind in PAID_INVOICE:
            told.paid.add(thing.get("amount_paid") or 0)
            told.paid_whole = True
        else:
            told.failed = True
        for line in listed(thing.get("lines")):
            basil = ((line.get("pricing") or {}).get("price_details") or {}).get("price")
            quantity = 1 if line.get("quantity") is None else line["quantity"]
            told.lines[thing["id"], line["id"]] = (reference(line.get("price") or basil), quantity)

    def refund(self, about, thing, at):
        made = thing.get("created") or at
        refund = self.refunds.setdefault(thing["id"], Refund(reference(thing.get("charge")), thing["amount"], made))
        self.of(about).refunds[thing["id"]] = refund
        if thing.get("status") in ("failed", "canceled"):
            refund.failed_at = min(at, refund.failed_at or at)

    def dispute(self, thing, at, reinstated):
        about = self.tie(thing.get("payment_intent"), thing.get("charge"))
        moves = self.disputes.setdefault(thing["id"], set())
        moves.add((at, reinstated, thing["amount"]))
        self.of(about).disputes[thing["id"]] = moves


# -- whose -----------------------------------------------------------------------------------------------------------


def named(metadata):
    return {present(each.get(key)) for each in metadata for key in NAMING_KEYS} - {None}


def whose(told, evidence, users):
    """(user, None), or (None, why nobody). `evidence`: customer or subscription -> the users that it stands for."""
    strong = named(told.metadata).union(*(evidence.get(each, set()) for each in told.subjects))
    everyone = strong | told.references
    if len(everyone) > 1:
        return None, "conflict"
    verified = {
        each["user"] for each in users if each.get("email_verified") and (each.get("email") or "").lower() in told.emails
    }
    if everyone and verified - everyone:
        return None, "conflict"
    if not everyone:
        return None, "no_evidence"
    user = next(iter(everyone))
    if user not in {each["user"] for each in users}:
        return None, "unknown_user"
    return (user, None) if strong else (None, "unsigned_only")


def resolve(payments, named_subjects, users):
    """The verdict on each payment, with the links that the resolved ones write, until no link is new."""
    evidence = {subject: set(names) for subject, names in named_subjects.items()}
    verdicts = [(None, None)] * len(payments)
    while True:
        before = {subject: set(names) for subject, names in evidence.items()}
        for at, told in enumerate(payments):
            user, reason = whose(told, before, users)
            if verdicts[at][0] not in (None, user):
                raise OrderMatters(f"{sorted(told.ids)} was {verdicts[at][0]}'s before another payment's link")
            verdicts[at] = (user, reason)
            if user and (told.is_paid or told.links):
                for subject in told.subjects:
                    evidence.setdefault(subject, set()).add(user)
        if evidence == before:
            return verdicts


# -- what ------------------------------------------------------------------------------------------------------------


def worth(told, catalogue):
    """([(unit, credits)], why it cannot be said, is it ours). One entry for each line that has a price."""
    asked = {key: {present(each.get(key)) for each in told.metadata} - {None} for key in ("credits", "unit", "quantity")}
    prices = {present(each.get("price") or each.get("price_id")) for each in told.metadata} - {None}
    if not (told.is_sale or named(told.metadata) or prices or asked["credits"]):
        return [], "waiting", True
    lines = by_price(told.lines.values())
    if not lines:
        if len(prices) > 1:
            return [], "credits_mismatch", True
        quantity = max(map(int, asked["quantity"]), default=1)
        lines = [(price, quantity) for price in prices]
    entries = [(catalogue.get(price), quantity) for price, quantity in lines]
    if entries and all(entry and entry.get("not_ours") for entry, _ in entries):
        return [], None, False
    said = [(each.get("unit") or DEFAULT_UNIT, int(each["credits"])) for each in told.metadata if present(each.get("credits"))]
    priced = [(entry["unit"], entry["credits"] * quantity) for entry, quantity in entries if entry and not entry.get("not_ours")]
    unknown = any(entry is None for entry, _ in entries)
    if len(set(said)) > 1:
        return [], "credits_mismatch", True
    if priced and said and not unknown and totals(priced) != totals(said[:1]):
        return [], "credits_mismatch", True
    if not priced and said:
        return said[:1], None, True
    return priced, "unknown_price" if unknown or not priced else None, True


def by_price(lines):
    """The lines of one price are one line: a session that names the price must come to the same as its invoice."""
    quantities = {}
    for price, quantity in lines:
        quantities[price] = quantities.get(price, 0) + quantity
    return list(quantities.items())


def totals(lines):
    total = {}
    for unit, credits in lines:
        total[unit] = total.get(unit, 0) + credits
    return {unit: credits for unit, credits in sorted(total.items()) if credits}


# -- what was taken back ---------------------------------------------------------------------------------------------


def refunded(told):
    """What all the charges of a payment gave back. A refund that names no charge is the first one's."""
    charges = sorted({charge for _, charge, _, _ in told.snapshots} | {each.charge for each in told.refunds.values() if each.charge})
    total = 0
    for charge in charges or [None]:
        snapshots = [(at, amount, released) for at, one, amount, released in told.snapshots if one == charge]
        refunds = [each for each in told.refunds.values() if (each.charge or (charges or [None])[0]) == charge]
        total += refunded_of_charge(refunds, snapshots)
    return total


def refunded_of_charge(refunds, snapshots):
    """Refunds known by id and the charge's newest cumulative figure are the same money: the larger of the two."""
    good = [each for each in refunds if each.failed_at is None]
    by_id = sum(each.amount for each in good)
    if not snapshots:
        return by_id
    until, figure, released = max(snapshots)
    figure -= sum(  # it contained them, and they failed after it
        each.amount for each in refunds if each.failed_at and each.failed_at > until >= each.created
    )
    figure += sum(each.amount for each in good if each.created > until)  # it is too old to contain them [7]
    return max(by_id - released, figure)


def withdrawn(told):
    total = 0
    for moves in told.disputes.values():
        _, reinstated, _ = max(moves)
        if not reinstated:
            total += max(amount for _, back, amount in moves if not back)
    return total


def due(lines, told):
    """What each line is worth now, summed per unit."""
    paid = max(told.paid)
    taken = min(max(refunded(told), 0) + withdrawn(told), paid)
    if paid == 0:
        return totals(lines)
    return totals((unit, granted - granted * taken // paid) for unit, granted in lines)


# -- all of it -------------------------------------------------------------------------------------------------------


def outcome(told, verdict, catalogue):
    """One payment's row, and the user whose balance holds it (None: unclaimed)."""
    row = {"ids": sorted(told.ids), "status": "pending", "owner": None, "bought": {}, "case": None}
    if not told.is_paid:
        row["status"] = "failed" if told.failed else "pending"
        return row
    row["status"] = "paid"
    lines, unpriced, ours = worth(told, catalogue)
    if not ours:
        return row
    user, unresolved = verdict
    if unpriced == "waiting":
        unresolved = unpriced
    row["case"] = unresolved or unpriced
    row["bought"] = due(lines, told)
    row["owner"] = user if lines and not unresolved else None
    return row


def evaluate(history):
    """The outcome that the history's users, catalogue and events call for, whatever the events' order."""
    reader = Reader()
    for event in {event["id"]: event for event in history["events"]}.values():
        reader.read(event)
    payments = reader.payments()
    users = history["setup"]["users"]
    catalogue = {entry["price"]: entry for entry in history["setup"]["catalogue"]}
    verdicts = resolve(payments, reader.named_subjects, users)
    rows = [
        outcome(told, verdict, catalogue)
        for told, verdict in zip(payments, verdicts, strict=True)
        if told.paid or told.pending or told.failed
    ]
    owners = sorted({row["owner"] for row in rows} - {None})
    balances = {user: held([row for row in rows if row["owner"] == user]) for user in owners}
    return {
        "balances": {user: balance for user, balance in balances.items() if balance},
        "unclaimed": held([row for row in rows if row["owner"] is None]),
        "payments": sorted(rows, key=lambda row: row["ids"]),
        "open_cases": sorted(row["case"] for row in rows if row["case"]),
    }


def held(rows):
    return totals(pair for row in rows for pair in row["bought"].items())
