"""Stories on which the documents can be read in more than one way. README.md says which reading the model takes.

They are told only by `generate --open-readings`, so that a difference there starts a conversation, not an alarm.
"""

import telling as told
from shapes import charge, invoice, session


def refund_newer_than_the_figure(story):
    """[7] The cumulative figure is older than a refund that is known by id."""
    buy = told.paid_for(story)
    told.give_back(story, buy, told.part(story, buy, 0.4), "sum")
    told.give_back(story, buy, told.part(story, buy, 0.4), "id")


def failure_of_a_newer_refund(story):
    """[7] A refund that the figure never contained fails after it."""
    buy = told.paid_for(story)
    told.give_back(story, buy, told.part(story, buy, 0.4), "sum")
    told.fails(story, told.give_back(story, buy, told.part(story, buy, 0.4), "id"))


def refund_still_pending(story):
    """[8] A pending refund counts until it fails, as it does in the charge's own figure."""
    buy = told.paid_for(story)
    told.give_back(story, buy, told.part(story, buy), "id", "pending")


def refund_of_an_untold_charge(story):
    """[9] `charge.refunded` is the only news of a charge: it was paid, and the rest of it is still owed."""
    buy = told.buying(story, told.called(story, told.people(story)[0]["user"]))
    buy.intent_metadata = buy.session_metadata
    told.give_back(story, buy, told.part(story, buy), "sum")


def withdrawn_again(story):
    """[10] A dispute's newest movement counts."""
    buy = told.paid_for(story)
    one = told.withdraw(story, buy)
    told.won(story, one)
    story.later()
    one["status"] = "lost"
    story.tell("charge.dispute.funds_withdrawn", one)


def one_line_without_price(story):
    """[5] The lines that have a price are credited, the other one opens the case."""
    lines = [(told.price(story), 1), (story.id("price"), 1)]
    told.invoiced(story, told.subscribed(story, told.called(story, told.people(story)[0]["user"]), lines))


def quantity_of_credits(story):
    """[4] `credits` in metadata is what the whole purchase gives, not one piece of it."""
    credits = story.rng.randint(1, 99)
    what = {"credits": str(3 * credits), "quantity": "3"}
    if story.chance(0.5):
        what["price"] = told.price(story, credits)
    buy = told.buying(story, told.called(story, told.people(story)[0]["user"]), what)
    told.told_by(story, buy, "session")


def credits_of_the_session(story):
    """[3] An invoice's lines say what was bought; credits in its session's metadata must agree with them."""
    buy = told.subscribed(story, {}, [(told.price(story, 100), 1)])
    buy.session, buy.session_metadata = story.id("cs_test"), told.called(story, told.people(story)[0]["user"])
    buy.session_metadata["credits"] = story.rng.choice(("100", "150"))
    story.tell("checkout.session.completed", session(story, buy, mode="subscription"))
    told.invoiced(story, buy)


def email_in_capitals(story):
    """[11] E-mails are compared without regard to case."""
    ada, bob = told.people(story, 2)
    buy = told.buying(story, {"user_id": ada["user"]}, email=bob["email"].upper())
    told.told_by(story, buy, "session")


def reference_to_nobody(story):
    """[12] An unsigned reference that names no user of ours still disagrees with the user in the metadata."""
    buy = told.buying(story, {"user_id": told.people(story)[0]["user"]}, reference="order_6735")
    told.told_by(story, buy, "session")


def only_reference_to_nobody(story):
    """[12] Alone, it waits for that user."""
    buy = told.buying(story, {}, reference="order_6735")
    told.told_by(story, buy, "session")


def name_on_the_invoice(story):
    """[13] An invoice's own metadata are read as its subscription's are."""
    buy = told.subscribed(story, {})
    names = told.called(story, told.people(story)[0]["user"])
    story.tell("invoice.paid", invoice(story, buy, metadata=names))


def failed_and_paid(story):
    """[2] A session that is told to have failed and to be paid is paid."""
    buy = told.buying(story, told.called(story, told.people(story)[0]["user"]))
    story.tell("checkout.session.async_payment_failed", session(story, buy, "unpaid"))
    story.later()
    story.tell("charge.succeeded", charge(story, buy))


STORIES = {
    each: 1
    for each in (
        refund_newer_than_the_figure, failure_of_a_newer_refund, refund_still_pending, refund_of_an_untold_charge,
        withdrawn_again, one_line_without_price, quantity_of_credits, credits_of_the_session, email_in_capitals,
        reference_to_nobody, only_reference_to_nobody, name_on_the_invoice, failed_and_paid,
    )
}  # fmt: skip
