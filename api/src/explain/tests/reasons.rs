//! Why a payment waits, and what can be done about it.

use super::*;

/// The first decision of a session, and what to do about it.
#[track_caller]
fn check_case(
    reason: Reason,
    evidence: Value,
    detail: Value,
    waits: &[&str],
    why: &str,
    to_do: &str,
) {
    let material = payment(None, Status::Paid)
        .told(1, "checkout.session.completed")
        .decided(1, 1, None, reason, evidence)
        .case(reason, None, detail, waits);
    check_payment(
        &material,
        &format!("Payment pi_1 of 12.00 USD: waits in case {CASE}"),
        &[&format!(
            "01 Stripe told us that a checkout was completed (checkout.session.completed). {why} Case {CASE} was opened for \
             it."
        )],
        &format!("It waits in case {CASE} ({}). {to_do}", reason.name()),
    );
}

#[test]
fn every_reason_says_why_and_what_to_do() {
    let email = json!({"candidates": [{"user": "u_2", "why": "the e-mail in charge.receipt_email is their verified e-mail"}]});
    check_case(
        Reason::NoEvidence,
        json!([]),
        email,
        &["customer:cus_1"],
        "It could not be credited: nothing in it says for certain whose it is. It may belong to u_2 (the e-mail in \
         charge.receipt_email is their verified e-mail), but that alone proves nothing.",
        "It settles by itself once it is known whose the Stripe customer cus_1 is. Find out who paid, and assign the case to \
         that user.",
    );
    check_case(
        Reason::UnsignedOnly,
        json!([{"rank": 4, "kind": "client_reference", "at": "checkout.session.client_reference_id", "value": "u_3"}]),
        json!({"candidates": [{"user": "u_3", "why": "named by checkout.session.client_reference_id"}]}),
        &[],
        "It could not be credited: only checkout.session.client_reference_id names a user (u_3), and that is unsigned, so a \
         buyer could have typed it in.",
        "If it was u_3 who paid, assign the case to them.",
    );
    check_case(
        Reason::UnknownPrice,
        metadata("u_1"),
        json!({}),
        &["price:price_9"],
        "It could not be credited: nothing says how many credits it is worth.",
        "It settles by itself once the catalogue has the price price_9. Or assign the case, saying how many credits it is \
         worth.",
    );
    check_case(
        Reason::CreditsMismatch,
        metadata("u_1"),
        json!({"error": "metadata says 400 credits, the catalogue 500"}),
        &["price:price_1"],
        "It could not be credited: what is said about its worth does not fit together: metadata says 400 credits, the \
         catalogue 500.",
        "It settles by itself once the catalogue says something else of the price price_1 for when it was paid. Or assign \
         the case, saying how many credits it is really worth.",
    );
    check_case(
        Reason::Waiting,
        json!([]),
        json!({}),
        &[],
        "By itself it names no user, price or credits, so it waits a while for the checkout or the invoice that it may belong \
         to.",
        "If nothing comes, it is put aside as not ours at 2026-11-21T10:16:00Z. Somebody who knows better can assign it.",
    );
}
