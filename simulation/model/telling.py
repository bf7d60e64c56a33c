"""How a story is told: who buys what, by which doors Stripe says so, and how money goes back."""

from shapes import BASIL, OLD, Purchase, charge, dispute, intent, invoice, invoice_payment, refund, session

PEOPLE = (
    ("u_ada", "ada@example.com", True),
    ("u_bob", "bob@example.com", True),
    ("1042", "cleo@example.com", True),
    ("7c9e6679-7425-40de-944b-e07fc1f90ae7", "dan@example.com", True),
)
PLACEHOLDERS = ("undefined", "null", "None", "unknown", "", "  ", "00000000-0000-0000-0000-000000000000")
GHOST = "u_ghost"

# -- who and what ----------------------------------------------------------------------------------------------------


def people(story, count=1, verified=True):
    """`count` different users, registered."""
    chosen = story.rng.sample(PEOPLE, count)
    known = [{"user": user, "email": email, "email_verified": verified} for user, email, _ in chosen]
    story.users += [each for each in known if each not in story.users]
    return known


def price(story, credits=None, unit="credits", **more):
    """A price in the catalogue."""
    one = story.id("price")
    what = more or {"credits": credits or story.rng.choice((1, 7, 50, 100, 333, 1000)), "unit": unit}
    story.catalogue.append({"price": one} | what)
    return one


def goods(story):
    """Metadata that say what was bought: a price, credits, or both and agreeing."""
    credits, unit = story.rng.randint(1, 999), story.rng.choice(("credits", "credits", "tokens"))
    way = story.rng.randrange(6)
    if way == 0:
        return {"credits": str(credits)}
    if way == 1:
        return {"credits": str(credits), "unit": unit}
    if way == 2:
        return {"price": price(story, credits, unit), "credits": str(credits), "unit": unit}
    if way == 3:
        return {"price": price(story, credits, unit), "quantity": str(story.rng.randint(2, 11))}
    return {story.rng.choice(("price", "price_id")): price(story, credits, unit)}


def called(story, user):
    """Metadata that name a user, under one alias or several, now and then beside words that mean nobody."""
    keys = story.rng.sample(("user_id", "user_id", "user_id_backup", "session_user_id"), story.rng.randint(1, 2))
    names = {key: user for key in keys}
    if "user_id" not in names and story.chance(0.3):
        names["user_id"] = story.rng.choice(PLACEHOLDERS)
    return names


def buying(story, names, what=None, **more):
    """A purchase of all three objects; its payment intent repeats the session's metadata or has none."""
    metadata = names | (goods(story) if what is None else what)
    more.setdefault("amount", story.rng.randint(300, 9900))
    buy = Purchase(session=story.id("cs_test"), intent=story.id("pi"), charge=story.id("ch"), created=story.later(), **more)
    buy.session_metadata = metadata
    buy.intent_metadata = metadata if story.chance(0.5) else {}
    if buy.customer is None and story.chance(0.4):
        buy.customer = story.id("cus")
    return buy


def told_by(story, buy, *doors):
    """The doors in the order in which Stripe opens them; a test tells them in every order."""
    story.later()
    buy.charge_is_tied = buy.charge_is_tied or "charge" in doors or "intent" in doors
    if "charge" in doors:
        story.tell("charge.succeeded", charge(story, buy))
    if "intent" in doors:
        story.tell("payment_intent.succeeded", intent(story, buy))
    if "session" in doors:
        story.later()
        story.tell("checkout.session.completed", session(story, buy))
    return buy


def some_doors(story):
    return ("session", *story.rng.choice(((), (), ("intent",), ("charge",), ("charge", "intent"))))


def subscribed(story, names, lines=None, **more):
    """A subscription's invoice that was paid. `names` stand in the subscription's metadata."""
    more.setdefault("amount", story.rng.randint(300, 9900))
    more.setdefault("customer", story.id("cus"))
    more.setdefault("subscription", story.id("sub"))
    buy = Purchase(intent=story.id("pi"), charge=story.id("ch"), invoice=story.id("in"), created=story.later(), **more)
    buy.subscription_metadata = names
    if lines is None:
        lines = [(price(story, unit=story.rng.choice(("credits", "tokens"))), story.rng.choice((1, 1, 1, 3, 11)))]
    share = buy.amount // len(lines)
    buy.lines = [(story.id("il"), one, quantity, share) for one, quantity in lines]
    return buy


def invoiced(story, buy, tied=True):
    """`tied`: since Basil only `invoice_payment.paid` says which payment intent paid an invoice."""
    story.later()
    kinds = story.rng.choice((("invoice.paid",), ("invoice.paid", "invoice.payment_succeeded"), ("invoice.payment_succeeded",)))
    for kind in kinds:
        story.tell(kind, invoice(story, buy))
    if story.era == BASIL and tied:
        story.tell("invoice_payment.paid", invoice_payment(story, buy))
    return buy


def paid_for(story, names=None, email=None):
    """Any purchase that is paid, by any door."""
    if names is None:
        names = called(story, people(story)[0]["user"])
    if story.chance(0.3):
        return invoiced(story, subscribed(story, names, email=email))
    return told_by(story, buying(story, names, email=email), *some_doors(story))


# -- money that goes back --------------------------------------------------------------------------------------------


def give_back(story, buy, amount, style, status="succeeded"):
    """One refund, told by id, by the charge's cumulative figure, by both, or by a charge that lists its refunds."""
    story.later()
    one = refund(story, buy, amount, status)
    buy.refunds.append(one)
    if style in ("id", "both"):
        story.tell("refund.created", one)
        if story.chance(0.3):
            story.tell(story.rng.choice(("refund.updated", "charge.refund.updated")), one)
    if style in ("sum", "both"):
        story.tell("charge.refunded", charge(story, buy))
    if style == "inline":
        refunds = {"object": "list", "has_more": False, "data": buy.refunds[::-1]}
        story.tell("charge.refunded", charge(story, buy) | {"refunds": refunds})
    return one


def style_of(story):
    return story.rng.choice(("id", "sum", "both", "inline") if story.era == OLD else ("id", "sum", "both"))


def fails(story, one, status="failed"):
    """A refund's money comes back, told under one or two names."""
    story.later()
    one["status"] = status
    kinds = ["refund.updated", "charge.refund.updated"] + ["refund.failed"] * (status == "failed")
    for kind in story.rng.sample(kinds, story.rng.randint(1, 2)):
        story.tell(kind, one)


def withdraw(story, buy, amount=None):
    """A dispute that takes its money."""
    story.later()
    one = dispute(story, buy, buy.amount if amount is None else amount)
    if story.chance(0.5):
        story.tell("charge.dispute.created", one)
    story.tell("charge.dispute.funds_withdrawn", one)
    return one


def won(story, one):
    story.later()
    one["status"] = "won"
    if story.chance(0.6):
        story.tell("charge.dispute.closed", one)
    story.tell("charge.dispute.funds_reinstated", one)


def lost(story, one):
    story.later()
    one["status"] = "lost"
    story.tell("charge.dispute.closed", one)


def part(story, buy, most=0.9):
    """An uneven part of the price."""
    return story.rng.randint(1, max(1, int(buy.amount * most)))


def aftermath(story, buy):
    """Something is taken back, or nothing."""
    way = story.rng.randrange(5)
    if way == 0:
        give_back(story, buy, part(story, buy), "both")
    if way == 1:
        give_back(story, buy, buy.amount, story.rng.choice(("id", "sum")))
    if way == 2:
        withdraw(story, buy, part(story, buy))
