//! Payments from their first event to where they stand.

use super::*;

#[test]
fn a_purchase_told_by_two_doors() {
    let material = payment(Some(user()), Status::Paid)
        .told(1, "checkout.session.completed")
        .told(2, "charge.succeeded")
        .decided(1, 1, None, Reason::Credited, metadata("u_1"))
        .moved(user(), SystemAccount::Sale, 500, 740)
        .decided(2, 2, None, Reason::Joined, json!([]));
    check_payment(
        &material,
        "Payment pi_1 of 12.00 USD: 500 credits for user u_1",
        &[
            "01 Stripe told us that a checkout was completed (checkout.session.completed). 500 credits (for the price \
             price_1) went to user u_1, because the metadata that your server set names them \
             (checkout.session.metadata.user_id). Their balance became 740 credits.",
            "02 Stripe told us that a charge succeeded (charge.succeeded). It tells of a purchase that we knew already, so \
             nothing moved.",
        ],
        "Settled: 500 credits of this payment stand on the account of user u_1. Nothing is open.",
    );
    let proof = super::super::story::tell(&material).beats[0].proof.clone();
    assert_eq!(
        proof.as_deref(),
        Some("event evt_1, position 1, signed bytes with SHA-256 abababababab…")
    );
}

#[test]
fn a_stranger_who_registers_later() {
    let waiting = |owner, closed| {
        payment(Some(owner), Status::Paid)
            .told(1, "checkout.session.completed")
            .told(2, "payment_intent.succeeded")
            .decided(1, 1, None, Reason::UnknownUser, metadata("u_1"))
            .moved(unclaimed(), SystemAccount::Sale, 500, 500)
            .decided(2, 2, None, Reason::UnknownUser, metadata("u_1"))
            .case(
                Reason::UnknownUser,
                closed,
                json!({}),
                if closed.is_some() { &[] } else { &["user:u_1"] },
            )
    };
    let first = format!(
        "01 Stripe told us that a checkout was completed (checkout.session.completed). It could not be credited: it names \
         user u_1 (in checkout.session.metadata.user_id), and the directory knows no such user. The 500 credits (for the \
         price price_1) were set aside until somebody claims them. Case {CASE} was opened for it."
    );
    let second = format!(
        "02 Stripe told us that a payment succeeded (payment_intent.succeeded). It tells of the purchase that waits in case \
         {CASE}, so nothing else happened."
    );
    check_payment(
        &waiting(unclaimed(), None),
        &format!("Payment pi_1 of 12.00 USD: waits in case {CASE}"),
        &[&first, &second],
        &format!(
            "It waits in case {CASE} (unknown_user). 500 credits stand unclaimed meanwhile. It settles by itself once the \
             app registers user u_1 (PUT /v1/users/u_1). If that id is wrong, find the right user and assign the case."
        ),
    );
    let healed = waiting(user(), Some((Resolution::Healed, 7)))
        .fact(7, Origin::Directory, "tally.user.registered", json!({"user": "u_1"}))
        .decided(7, 1, Some(7), Reason::Credited, metadata("u_1"))
        .moved(unclaimed(), SystemAccount::Unclaimed, -500, 0)
        .moved(user(), SystemAccount::Unclaimed, 500, 500)
        .decided(7, 2, Some(7), Reason::Joined, metadata("u_1"));
    check_payment(
        &healed,
        "Payment pi_1 of 12.00 USD: 500 credits for user u_1",
        &[
            &first,
            &second,
            "07 The app registered user u_1.",
            &format!(
                "07 So case {CASE} healed by itself and is closed. The 500 credits that were set aside went to user u_1, \
                 because the metadata that your server set names them (checkout.session.metadata.user_id). Their balance \
                 became 500 credits."
            ),
        ],
        "Settled: 500 credits of this payment stand on the account of user u_1. Nothing is open.",
    );
}

#[test]
fn a_contradiction_that_a_person_settles() {
    let detail = json!({"candidates": [
        {"user": "u_1", "why": "named by checkout.session.metadata.user_id"},
        {"user": "u_2", "why": "the e-mail in checkout.session.customer_details.email is their verified e-mail"},
    ]});
    let act = json!({"actor": "key_1", "case": case_id().0, "user": "u_1", "reason": "u_1 sent the receipt"});
    let late =
        json!({"actor": "key_1", "case": case_id().0, "user": "u_2", "reason": "looks right"});
    let mut material = payment(Some(user()), Status::Paid)
        .told(1, "checkout.session.completed")
        .decided(1, 1, None, Reason::Conflict, metadata("u_1"))
        .moved(unclaimed(), SystemAccount::Sale, 500, 500)
        .fact(4, Origin::Operator, "tally.case.assigned", act)
        .decided(4, 4, None, Reason::Operated, json!([]))
        .decided(
            4,
            1,
            Some(4),
            Reason::Credited,
            json!([{"rank": 0, "kind": "staff", "at": "staff", "value": "u_1"}]),
        )
        .moved(unclaimed(), SystemAccount::Unclaimed, -500, 0)
        .moved(user(), SystemAccount::Unclaimed, 500, 500)
        .fact(5, Origin::Operator, "tally.case.assigned", late)
        .case(Reason::Conflict, Some((Resolution::Assigned, 4)), detail, &[]);
    material.events.get_mut(&5).unwrap().verdict =
        Some(Verdict { outcome: Outcome::Ignored, reason: Reason::Stale });
    check_payment(
        &material,
        "Payment pi_1 of 12.00 USD: 500 credits for user u_1",
        &[
            &format!(
                "01 Stripe told us that a checkout was completed (checkout.session.completed). It could not be credited, \
                 because the evidence contradicts itself. It may belong to u_1 (named by \
                 checkout.session.metadata.user_id) or u_2 (the e-mail in checkout.session.customer_details.email is \
                 their verified e-mail). The 500 credits (for the price price_1) were set aside until somebody claims \
                 them. Case {CASE} was opened for it."
            ),
            &format!(
                "04 Maria (key_1) assigned case {CASE} to user u_1. The reason given: “u_1 sent the receipt”."
            ),
            &format!(
                "04 So case {CASE} is closed as assigned. The 500 credits that were set aside went to user u_1, because a \
                 person decided so. Their balance became 500 credits."
            ),
            &format!(
                "05 Maria (key_1) assigned case {CASE} to user u_2. The reason given: “looks right”. By then it had \
                 changed, so this had no effect."
            ),
        ],
        "Settled: 500 credits of this payment stand on the account of user u_1. Nothing is open.",
    );
}

#[test]
fn a_dismissal_that_writes_off() {
    let act =
        json!({"actor": "key_1", "case": case_id().0, "reason": "our own test", "write_off": true});
    let material = payment(None, Status::Paid)
        .told(1, "checkout.session.completed")
        .decided(1, 1, None, Reason::NoEvidence, json!([]))
        .moved(unclaimed(), SystemAccount::Sale, 500, 500)
        .fact(4, Origin::Operator, "tally.case.dismissed", act)
        .decided(4, 4, None, Reason::Operated, json!([]))
        .decided(4, 1, Some(4), Reason::Dismissed, json!([]))
        .moved(unclaimed(), SystemAccount::WriteOff, -500, 0)
        .case(Reason::NoEvidence, Some((Resolution::Dismissed, 4)), json!({}), &[]);
    check_payment(
        &material,
        "Payment pi_1 of 12.00 USD: nothing is credited",
        &[
            &format!(
                "01 Stripe told us that a checkout was completed (checkout.session.completed). It could not be credited: \
                 nothing in it says whose it is. The 500 credits (for the price price_1) were set aside until somebody \
                 claims them. Case {CASE} was opened for it."
            ),
            &format!(
                "04 Maria (key_1) dismissed case {CASE} and wrote its credits off. The reason given: “our own test”."
            ),
            &format!(
                "04 So case {CASE} is closed as dismissed. The 500 credits that were set aside were written off. A person \
                 decided that no credits are due."
            ),
        ],
        "Nothing is open: it was dismissed, and nothing of it is credited.",
    );
}

#[test]
fn what_is_not_paid_yet_and_what_was_decided_late() {
    let material = payment(None, Status::Pending).told(1, "checkout.session.completed").decided(
        9,
        1,
        None,
        Reason::Pending,
        json!([]),
    );
    check_payment(
        &material,
        "Payment pi_1 of 12.00 USD: worth 500 credits, the money is not in yet",
        &[
            "01 Stripe told us that a checkout was completed (checkout.session.completed).",
            "09 The event at position 1 was decided. The money is not in yet, so nothing was credited.",
        ],
        "The money is not in yet. As soon as Stripe tells us that it is, 500 credits go to user u_1.",
    );
}

#[test]
fn an_event_that_belongs_to_no_payment() {
    let material = Material::default().told(1, "product.created").decided(
        1,
        1,
        None,
        Reason::UnhandledType,
        json!([]),
    );
    check_payment(
        &material,
        "Event evt_1 at position 1",
        &[
            "01 Stripe told us of an event of type product.created. Events of this type move no credits: it was kept, and \
           nothing else.",
        ],
        "Nothing is open: the event is ignored (unhandled_type).",
    );
    let material = Material::default()
        .told(1, "")
        .decided(1, 1, None, Reason::Malformed, json!([]))
        .case(Reason::Malformed, None, json!({"error": "it is not JSON"}), &[]);
    check_payment(
        &material,
        "Event evt_1 at position 1",
        &[&format!(
            "01 Stripe told us something that is no event. The bytes cannot be read as an event: it is not JSON. Case {CASE} \
             was opened for it."
        )],
        &format!(
            "It waits in case {CASE} (malformed). Look at the bytes: if they concern credits, see to them in Stripe; then \
             dismiss the case, or retry it with a newer version."
        ),
    );
}

#[test]
fn what_newer_rules_understand() {
    let material = payment(Some(user()), Status::Paid)
        .told(1, "invoice.paid")
        .decided(1, 1, None, Reason::NotUnderstoodYet, json!([]))
        .decided(30, 1, None, Reason::Credited, metadata("u_1"))
        .moved(user(), SystemAccount::Sale, 1, 1);
    check_payment(
        &material,
        "Payment pi_1 of 12.00 USD: 500 credits for user u_1",
        &[
            "01 Stripe told us that an invoice was paid (invoice.paid). It may move credits, but this version does not \
             understand it yet: it is kept, and will be decided by one that does.",
            "30 It was decided anew by newer rules (version 2). 1 credit (for the price price_1) went to user u_1, because \
             the metadata that your server set names them (checkout.session.metadata.user_id). Their balance became 1 \
             credit.",
        ],
        "Settled: 500 credits of this payment stand on the account of user u_1. Nothing is open.",
    );
}
