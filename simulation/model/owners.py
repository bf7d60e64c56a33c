"""Stories of purchases whose owner or worth cannot be said, or is said elsewhere."""

from telling import (
    GHOST, PLACEHOLDERS, aftermath, buying, called, invoiced, paid_for, people, price, some_doors, subscribed,
    told_by,
)  # fmt: skip

# -- nobody, or nothing ----------------------------------------------------------------------------------------------


def conflict(story):
    """Two users, or a ghost and a user, in one object."""
    ada, bob = people(story, 2)
    one, other = story.rng.choice(((ada["user"], bob["user"]), (ada["user"], GHOST), (GHOST, bob["user"])))
    if story.chance(0.5):
        buy = buying(story, {"user_id": one, story.rng.choice(("user_id_backup", "session_user_id")): other})
    else:
        buy = buying(story, {"user_id": one}, reference=other)
    buy.intent_metadata = {}
    told_by(story, buy, *some_doors(story))
    aftermath(story, buy)


def conflict_with_email(story):
    """The named user, known or not, is not the one whose verified e-mail paid."""
    ada, bob = people(story, 2)
    names = {"user_id": story.rng.choice((ada["user"], GHOST))}
    if story.chance(0.4):
        invoiced(story, subscribed(story, names, email=bob["email"]))
        return
    buy = buying(story, names, email=bob["email"])
    buy.intent_metadata = {}
    told_by(story, buy, *some_doors(story))
    aftermath(story, buy)


def email_of_unverified(story):
    """Somebody registered another's address and never proved it: that must not block its owner."""
    ada = people(story)[0]
    story.users.append({"user": "u_squatter", "email": "shared@example.com", "email_verified": False})
    told_by(story, buying(story, called(story, ada["user"]), email="shared@example.com"), *some_doors(story))


def own_email(story):
    ada = people(story)[0]
    buy = buying(story, called(story, ada["user"]), email=story.rng.choice((ada["email"], "stranger@example.com")))
    buy.reference = story.rng.choice((ada["user"], "undefined", None))
    aftermath(story, told_by(story, buy, *some_doors(story)))


def unknown_user(story):
    people(story)
    aftermath(story, paid_for(story, {"user_id": GHOST}))


def unsigned_only(story):
    ada = people(story)[0]
    buy = buying(story, {}, reference=ada["user"], email=story.rng.choice((None, ada["email"])))
    buy.intent_metadata = {}
    aftermath(story, told_by(story, buy, *some_doors(story)))


def no_evidence(story):
    """Nobody is named; an e-mail alone is never enough."""
    ada = people(story)[0]
    names = story.rng.choice(({}, {"user_id": story.rng.choice(PLACEHOLDERS)}))
    aftermath(story, paid_for(story, names, story.rng.choice((None, ada["email"], "stranger@example.com"))))


def unknown_price(story):
    names = story.rng.choice((called(story, people(story)[0]["user"]), {}))
    if story.chance(0.3):
        invoiced(story, subscribed(story, names, [(story.id("price"), 1)]))
        return
    told_by(story, buying(story, names, story.rng.choice(({}, {"price": story.id("price")}))), "session")


def credits_of_unknown_price(story):
    """The catalogue does not know the price, the server's metadata say the credits."""
    what = {"price": story.id("price"), "credits": str(story.rng.randint(1, 500))}
    aftermath(story, told_by(story, buying(story, called(story, people(story)[0]["user"]), what), *some_doors(story)))


def credits_mismatch(story):
    names = story.rng.choice((called(story, people(story)[0]["user"]), {}))
    told_by(story, buying(story, names, {"price": price(story, 100), "credits": "150"}), *some_doors(story))


def not_ours(story):
    one = price(story, not_ours=True)
    if story.chance(0.3):
        invoiced(story, subscribed(story, {}, [(one, 1)]))
        return
    aftermath(story, told_by(story, buying(story, called(story, people(story)[0]["user"]), {"price": one}), *some_doors(story)))


# -- customers -------------------------------------------------------------------------------------------------------


def customer_fact(story):
    """The customer's own metadata name the user of its payments."""
    ada = people(story)[0]
    buy = paid_for(story, {})
    buy_customer = buy.customer or story.id("cus")
    for event in story.events:
        if "customer" in event["data"]["object"]:
            event["data"]["object"]["customer"] = buy_customer
    thing = {"id": buy_customer, "object": "customer", "metadata": called(story, ada["user"])}
    story.tell(story.rng.choice(("customer.created", "customer.updated")), thing)
    buy.customer = buy_customer
    aftermath(story, buy)


def subscription_fact(story):
    ada = people(story)[0]
    buy = invoiced(story, subscribed(story, {}))
    thing = {"id": buy.subscription, "object": "subscription", "customer": buy.customer, "status": "active"}
    thing["metadata"] = called(story, ada["user"])
    story.tell(story.rng.choice(("customer.subscription.created", "customer.subscription.updated")), thing)


def second_payment_unnamed(story):
    """The first payment writes the customer's link; the second names nobody and hangs on it."""
    ada = people(story)[0]
    customer = story.id("cus")
    first = told_by(story, buying(story, called(story, ada["user"]), customer=customer), *some_doors(story))
    second = buying(story, {}, customer=customer, reference=story.rng.choice((None, ada["user"])))
    second.intent_metadata = second.session_metadata
    told_by(story, second, *story.rng.choice((("session",), ("intent",), ("session", "charge"))))
    aftermath(story, story.rng.choice((first, second)))


def link_against_email(story):
    """The customer is linked to one user, the second payment's e-mail is verified to be another's."""
    ada, bob = people(story, 2)
    customer = story.id("cus")
    told_by(story, buying(story, called(story, ada["user"]), customer=customer), "session")
    second = buying(story, {}, customer=customer, email=bob["email"])
    second.intent_metadata = {}
    told_by(story, second, "session")


def two_payments_named(story):
    """Two payments of one customer, or of two users with two customers."""
    pair = people(story, story.rng.randint(1, 2))
    customer = story.id("cus")
    for at, user in enumerate((pair[0], pair[-1])):
        whose = customer if len(pair) == 1 or at == 0 else story.id("cus")
        buy = told_by(story, buying(story, called(story, user["user"]), customer=whose), *some_doors(story))
    aftermath(story, buy)
