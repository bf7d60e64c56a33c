//! Payments that a person moved to another user.

use super::*;

fn other() -> Owner {
    Owner::User("u_2".into())
}

fn staff() -> Value {
    json!([{"rank": 0, "kind": "staff", "at": "staff", "value": "u_2"}])
}

/// Credited to `u_1`, then moved to `u_2` by Maria.
fn moved() -> Material {
    let act = json!({"actor": "key_1", "payment": "pi_1", "user": "u_2", "reason": "her card"});
    payment(Some(other()), Status::Paid)
        .told(1, "checkout.session.completed")
        .decided(1, 1, None, Reason::Credited, metadata("u_1"))
        .moved(user(), SystemAccount::Sale, 500, 740)
        .fact(4, Origin::Operator, "tally.payment.reassigned", act)
        .decided(4, 4, None, Reason::Operated, staff())
        .moved(user(), SystemAccount::Adjustment, -500, 240)
        .moved(other(), SystemAccount::Adjustment, 500, 500)
}

const BOUGHT: &str = "01 Stripe told us that a checkout was completed (checkout.session.completed). 500 credits (for the \
                      price price_1) went to user u_1, because the metadata that your server set names them \
                      (checkout.session.metadata.user_id). Their balance became 740 credits.";
const MOVED: &str = "04 Maria (key_1) moved payment pi_1 to user u_2. The reason given: “her card”. 500 credits left the \
                     account of user u_1. Their balance became 240 credits. The 500 credits went to user u_2, because a \
                     person decided so. Their balance became 500 credits.";

#[test]
fn who_moved_it_and_why() {
    let late = json!({"actor": "key_1", "payment": "pi_1", "user": "u_3", "reason": "a guess"});
    let material = moved().fact(5, Origin::Operator, "tally.payment.reassigned", late).decided(
        5,
        5,
        None,
        Reason::Stale,
        json!([]),
    );
    check_payment(
        &material,
        "Payment pi_1 of 12.00 USD: 500 credits for user u_2",
        &[
            BOUGHT,
            MOVED,
            "05 Maria (key_1) moved payment pi_1 to user u_3. The reason given: “a guess”. By then it had changed, so this \
             had no effect.",
        ],
        "Settled: 500 credits of this payment stand on the account of user u_2. Nothing is open.",
    );
}

#[test]
fn what_contradicts_it_since() {
    let candidates = json!([
        {"user": "u_2", "why": "named by staff"},
        {"user": "u_3", "why": "named by charge.metadata.user_id"},
    ]);
    let detail = json!({"candidates": candidates, "evidence": staff()});
    let material = moved()
        .told(6, "charge.succeeded")
        .decided(6, 6, None, Reason::Conflict, staff())
        .case(Reason::Conflict, None, detail, &[]);
    check_payment(
        &material,
        &format!("Payment pi_1 of 12.00 USD: waits in case {CASE}"),
        &[
            BOUGHT,
            MOVED,
            &format!(
                "06 Stripe told us that a charge succeeded (charge.succeeded). It contradicts what a person decided, so \
                 nothing moved. The payment may belong to u_2 (named by staff) or u_3 (named by charge.metadata.user_id). \
                 Case {CASE} was opened for it."
            ),
        ],
        &format!(
            "It waits in case {CASE} (conflict). 500 credits stay with user u_2 meanwhile. Find out whether it was u_2 or \
             u_3 who paid, and assign the case; if it stands with the right user, dismiss it."
        ),
    );
}
