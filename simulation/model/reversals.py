"""Stories of money that goes back: refunds and disputes."""

from dataclasses import replace

from shapes import BASIL, OLD, charge, dispute, invoice_payment
from telling import (
    buying, called, fails, give_back, invoiced, lost, paid_for, part, people, style_of, subscribed, told_by, withdraw, won,
)  # fmt: skip

# -- refunds ---------------------------------------------------------------------------------------------------------


def partial_refunds(story, style):
    buy = paid_for(story)
    left = buy.amount
    for _ in range(story.rng.randint(1, 4)):
        amount = story.rng.randint(1, max(1, left // 2))
        give_back(story, buy, amount, style)
        left -= amount
    if left and story.chance(0.3):
        give_back(story, buy, left, style)


def refunds_by_id(story):
    partial_refunds(story, "id")


def refunds_by_sum(story):
    partial_refunds(story, "sum")


def refunds_by_both(story):
    partial_refunds(story, "both")


def refunds_inline(story):
    story.era = OLD
    partial_refunds(story, "inline")


def refunds_some_by_id(story):
    """The first refund is told by its id alone, the newest by the cumulative figure that contains both."""
    buy = paid_for(story)
    give_back(story, buy, part(story, buy, 0.4), "id")
    give_back(story, buy, part(story, buy, 0.4), story.rng.choice(("sum", "both")))


def refund_fails(story):
    buy = paid_for(story)
    style = style_of(story)
    if story.chance(0.4):
        give_back(story, buy, part(story, buy, 0.3), style)
    one = give_back(story, buy, part(story, buy, 0.6), style)
    fails(story, one)


def refund_fails_and_again(story):
    buy = paid_for(story)
    style = style_of(story)
    amount = part(story, buy)
    one = give_back(story, buy, amount, style)
    fails(story, one)
    give_back(story, buy, story.rng.choice((amount, part(story, buy))), style)
    if story.chance(0.3):  # told once more: it did not fail a second time
        story.later()
        story.tell("refund.updated", one)


def refund_pending_first(story):
    buy = paid_for(story)
    one = give_back(story, buy, part(story, buy), "id", "pending")
    end = story.rng.choice(("succeeded", "failed", "canceled"))
    if end == "succeeded":
        story.later()
        one["status"] = end
        story.tell("refund.updated", one)
    else:
        fails(story, one, end)


def captured_in_part(story):
    """More was authorised than is taken. What is released counts as refunded in the charge's figure."""
    buy = buying(story, called(story, people(story)[0]["user"]))
    buy.intent_metadata, buy.released = buy.session_metadata, story.rng.randint(1, 5000)
    buy.charge_is_tied = True
    if story.chance(0.7):
        story.tell("charge.succeeded", charge(story, buy) | {"captured": False, "amount_captured": 0, "amount_refunded": 0})
    story.later()
    story.tell("charge.captured", charge(story, buy))
    told_by(story, buy, *story.rng.choice(((), ("intent",))))
    if story.chance(0.7):
        one = give_back(story, buy, story.rng.choice((buy.amount, part(story, buy))), style_of(story))
        if story.chance(0.3):
            fails(story, one)


def two_charges(story):
    """An invoice that two charges paid: each has a figure and refunds of its own."""
    story.era = BASIL
    buy = subscribed(story, called(story, people(story)[0]["user"]))
    first = replace(buy, amount=part(story, buy), refunds=[])
    second = replace(buy, amount=buy.amount - first.amount, intent=story.id("pi"), charge=story.id("ch"), refunds=[])
    for each in (first, second):
        story.later()
        story.tell("charge.succeeded", charge(story, each))
        story.tell("invoice_payment.paid", invoice_payment(story, each))
    invoiced(story, buy, tied=False)
    one = give_back(story, first, part(story, first), style_of(story))
    if story.chance(0.5):
        give_back(story, second, part(story, second), style_of(story))
    if story.chance(0.5):
        fails(story, one)


# -- disputes --------------------------------------------------------------------------------------------------------


def dispute_lost(story):
    buy = paid_for(story)
    lost(story, withdraw(story, buy))


def dispute_won(story):
    buy = paid_for(story)
    won(story, withdraw(story, buy, story.rng.choice((buy.amount, part(story, buy)))))


def dispute_closed_only(story):
    """Won or not: while nothing says that the money came back, it is gone."""
    one = withdraw(story, paid_for(story))
    story.later()
    one["status"] = "won"
    story.tell("charge.dispute.closed", one)


def dispute_without_money(story):
    """An inquiry, or one that was prevented."""
    buy = paid_for(story)
    story.later()
    states = story.rng.choice((("warning_needs_response", "warning_under_review", "warning_closed"), ("prevented",)))
    one = dispute(story, buy, buy.amount, states[0])
    for kind, state in zip(("created", "updated", "closed"), states, strict=False):
        one["status"] = state
        story.tell(f"charge.dispute.{kind}", one)


def inquiry_becomes_dispute(story):
    buy = paid_for(story)
    story.later()
    one = dispute(story, buy, buy.amount, "warning_needs_response")
    story.tell("charge.dispute.created", one)
    story.later()
    one["status"] = "needs_response"
    story.tell("charge.dispute.funds_withdrawn", one)
    if story.chance(0.5):
        won(story, one)


def dispute_of_another_amount(story):
    buy = paid_for(story)
    one = withdraw(story, buy, story.rng.choice((part(story, buy), buy.amount + story.rng.randint(1, 500))))
    if story.chance(0.3):
        lost(story, one)


def two_disputes(story):
    buy = paid_for(story)
    pair = [withdraw(story, buy, part(story, buy)) for _ in range(2)]
    if story.chance(0.6):
        won(story, story.rng.choice(pair))


def dispute_after_refund(story):
    buy = paid_for(story)
    give_back(story, buy, part(story, buy), story.rng.choice(("id", "sum", "both")))
    one = withdraw(story, buy, story.rng.choice((buy.amount, buy.amount - buy.net_refunded, part(story, buy))))
    if story.chance(0.5):
        won(story, one)


def dispute_and_failing_refund(story):
    buy = paid_for(story)
    one = give_back(story, buy, part(story, buy), story.rng.choice(("id", "both")))
    withdraw(story, buy, part(story, buy))
    fails(story, one)
