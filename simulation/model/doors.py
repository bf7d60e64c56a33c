"""Stories of purchases: by every door and in every state, subscriptions among them."""

from dataclasses import replace

from shapes import BASIL, MIDDLE, OLD, intent, invoice, invoice_payment, session
from telling import (
    PLACEHOLDERS, aftermath, buying, called, give_back, goods, invoiced, part, people, price, some_doors,
    subscribed, told_by,
)  # fmt: skip

# -- doors -----------------------------------------------------------------------------------------------------------


def one_session(story):
    told_by(story, buying(story, called(story, people(story)[0]["user"])), "session")


def three_doors_old(story):
    story.era = OLD
    told_by(story, buying(story, called(story, people(story)[0]["user"])), "session", "intent", "charge")


def three_doors(story):
    story.era = story.rng.choice((MIDDLE, BASIL))
    buy = buying(story, called(story, people(story)[0]["user"]))
    if story.chance(0.3):
        story.tell("payment_intent.created", intent(story, buy, "requires_payment_method"))
    told_by(story, buy, "session", "intent", "charge")


def async_success(story):
    buy = buying(story, called(story, people(story)[0]["user"]))
    story.tell("checkout.session.completed", session(story, buy, "unpaid"))
    told_by(story, buy, *story.rng.choice(((), ("intent",), ("charge", "intent"))))
    if len(story.events) == 1 or story.chance(0.7):
        story.later()
        story.tell("checkout.session.async_payment_succeeded", session(story, buy))
    aftermath(story, buy)


def async_failure(story):
    buy = buying(story, called(story, people(story)[0]["user"]))
    story.tell("checkout.session.completed", session(story, buy, "unpaid"))
    story.later()
    story.tell("checkout.session.async_payment_failed", session(story, buy, "unpaid"))


def still_pending(story):
    buy = buying(story, called(story, people(story)[0]["user"]) if story.chance(0.5) else {})
    story.tell("checkout.session.completed", session(story, buy, "unpaid"))
    story.tell("payment_intent.created", intent(story, buy, "processing"))


def session_expired(story):
    buy = buying(story, called(story, people(story)[0]["user"]))
    buy.intent = None
    if story.chance(0.3):
        story.tell("checkout.session.completed", session(story, buy, "unpaid"))
    story.later()
    story.tell("checkout.session.expired", session(story, buy, "unpaid", "expired"))
    other = told_by(story, buying(story, called(story, story.users[0]["user"])), "session")
    aftermath(story, other)


def bare_intent(story):
    buy = buying(story, called(story, people(story)[0]["user"]))
    buy.intent_metadata = buy.session_metadata
    told_by(story, buy, "intent", *story.rng.choice(((), ("charge",))))
    aftermath(story, buy)


def bare_charge(story):
    buy = buying(story, called(story, people(story)[0]["user"]))
    buy.intent_metadata, buy.intent = buy.session_metadata, None
    told_by(story, buy, "charge")
    aftermath(story, buy)


def not_yet_ours(story):
    """A bare payment of which nothing says that it is ours: it waits for its session or invoice."""
    buy = buying(story, {}, {})
    buy.intent_metadata = story.rng.choice(({}, {"order": "6735"}, {"user_id": story.rng.choice(PLACEHOLDERS)}))
    told_by(story, buy, *story.rng.choice((("intent",), ("charge",), ("intent", "charge"))))


def names_here_goods_there(story):
    """The session names the user and the payment intent the price, or the other way round."""
    buy = buying(story, called(story, people(story)[0]["user"]), {})
    buy.intent_metadata = goods(story)
    if story.chance(0.5):
        buy.session_metadata, buy.intent_metadata = buy.intent_metadata, buy.session_metadata
    told_by(story, buy, "session", story.rng.choice(("intent", "charge")))
    aftermath(story, buy)


def session_with_invoice(story):
    """A one-time purchase with invoice creation: its price stands in the metadata and on the invoice's line."""
    one = price(story)
    buy = buying(story, called(story, people(story)[0]["user"]), {"price": one})
    buy.invoice, buy.lines = story.id("in"), [(story.id("il"), one, 1, buy.amount)]
    told_by(story, buy, "session", *story.rng.choice(((), ("intent",), ("charge",))))
    invoiced(story, buy)
    aftermath(story, buy)


def nothing_to_pay(story):
    buy = buying(story, called(story, people(story)[0]["user"]), amount=0)
    buy.intent = None
    story.tell("checkout.session.completed", session(story, buy, "no_payment_required"))


def zero_decimal(story):
    buy = buying(story, called(story, people(story)[0]["user"]), amount=story.rng.choice((80, 800, 12_345)), currency="jpy")
    told_by(story, buy, *some_doors(story))
    give_back(story, buy, part(story, buy), story.rng.choice(("id", "both")))


# -- subscriptions ---------------------------------------------------------------------------------------------------


def subscription(story):
    buy = subscribed(story, called(story, people(story)[0]["user"]))
    invoiced(story, buy)
    if story.chance(0.5):
        told_by(story, buy, *story.rng.choice((("intent",), ("charge",), ("charge", "intent"))))
    aftermath(story, buy)


def subscription_by_session(story):
    """The subscription's session names the user, the invoice nobody."""
    buy = subscribed(story, {})
    buy.session, buy.session_metadata = story.id("cs_test"), called(story, people(story)[0]["user"])
    if story.chance(0.4):
        buy.session_metadata["price"] = buy.lines[0][1]
        buy.session_metadata |= {} if buy.lines[0][2] == 1 else {"quantity": str(buy.lines[0][2])}
    thing = session(story, buy, mode="subscription")
    if story.chance(0.25):
        del thing["invoice"]  # then only the customer and the subscription say whose it is
    story.tell("checkout.session.completed", thing)
    invoiced(story, buy)
    aftermath(story, buy)


def renewal(story):
    names = called(story, people(story)[0]["user"])
    first = invoiced(story, subscribed(story, names))
    again = [(one, quantity) for _, one, quantity, _ in first.lines]
    names = names if story.chance(0.5) else {}
    second = subscribed(story, names, again, customer=first.customer, subscription=first.subscription, amount=first.amount)
    invoiced(story, second)
    aftermath(story, story.rng.choice((first, second)))


def paid_without_charge(story):
    """A trial's invoice of nothing, or one that was paid out of band."""
    free = story.chance(0.6)
    buy = subscribed(story, called(story, people(story)[0]["user"]), **({"amount": 0} if free else {}))
    buy.intent = buy.charge = None
    story.later()
    for kind in story.rng.choice((("invoice.paid",), ("invoice.paid", "invoice.payment_succeeded"))):
        story.tell(kind, invoice(story, buy, paid_out_of_band=not free))


def many_lines(story):
    """Several lines, units and quantities, among them twice the same price."""
    first = price(story)
    lines = [(first, 1), (price(story, unit="tokens"), 2)] + [(first, 3)] * story.rng.randint(0, 1)
    if story.chance(0.4):
        lines.append((price(story, not_ours=True), 1))
    buy = invoiced(story, subscribed(story, called(story, people(story)[0]["user"]), lines))
    give_back(story, buy, part(story, buy), story.rng.choice(("id", "both")))


def given_up(story):
    """A part of an invoice was paid, and the rest never comes; or it does after all."""
    story.era = BASIL
    buy = subscribed(story, called(story, people(story)[0]["user"]))
    first = replace(buy, amount=part(story, buy))
    story.tell("payment_intent.succeeded", intent(story, first))
    story.tell("invoice_payment.paid", invoice_payment(story, first))
    story.later()
    kind, status = story.rng.choice((("invoice.voided", "void"), ("invoice.marked_uncollectible", "uncollectible")))
    story.tell(kind, invoice(story, buy, status=status, amount_paid=first.amount))
    if story.chance(0.4):
        invoiced(story, buy, tied=False)


def invoice_and_a_stranger(story):
    """Since Basil nothing but `invoice_payment.paid` ties a payment intent to its invoice; here it never comes."""
    story.era = BASIL
    buy = invoiced(story, subscribed(story, called(story, people(story)[0]["user"])), tied=False)
    buy.customer = None
    told_by(story, buy, "intent")
