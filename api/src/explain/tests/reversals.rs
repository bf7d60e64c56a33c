//! Money that goes back: what was said of it, what moved, and what may still move.

use super::*;

const BOUGHT: &str = "01 Stripe told us that a checkout was completed (checkout.session.completed). 500 credits (for the \
                      price price_1) went to user u_1, because the metadata that your server set names them \
                      (checkout.session.metadata.user_id). Their balance became 500 credits.";

/// Credited to `u_1` at 01.
fn bought() -> Material {
    payment(Some(user()), Status::Paid)
        .told(1, "checkout.session.completed")
        .decided(1, 1, None, Reason::Credited, metadata("u_1"))
        .moved(user(), SystemAccount::Sale, 500, 500)
}

fn refund(id: &str, amount: i64, status: &str) -> Value {
    json!({"id": id, "object": "refund", "amount": amount, "currency": "usd", "status": status})
}

fn dispute(status: &str) -> Value {
    json!({"id": "du_1", "object": "dispute", "amount": 1200, "currency": "usd", "status": status})
}

fn withdrawn(reinstated: bool, status: &str) -> Value {
    let movement = json!({"said_at": 1, "reinstated": reinstated, "amount": 1200});
    json!({"disputes": {"du_1": {"movement": movement, "status": [1, status]}}})
}

#[test]
fn two_refunds_of_which_one_fails() {
    let charge =
        json!({"id": "ch_1", "object": "charge", "amount_refunded": 300, "currency": "usd"});
    let material = bought()
        .said(2, "refund.created", refund("re_1", 300, "succeeded"))
        .decided(2, 2, None, Reason::Credited, metadata("u_1"))
        .moved(user(), SystemAccount::Refund, -125, 375)
        .said(3, "charge.refunded", charge)
        .decided(3, 3, None, Reason::Joined, metadata("u_1"))
        .said(4, "refund.created", refund("re_2", 600, "pending"))
        .decided(4, 4, None, Reason::Credited, metadata("u_1"))
        .moved(user(), SystemAccount::Refund, -250, -25)
        .said(5, "refund.failed", refund("re_2", 600, "failed"))
        .decided(5, 5, None, Reason::Credited, metadata("u_1"))
        .moved(user(), SystemAccount::Refund, 250, 225)
        .told(6, "charge.refund.updated")
        .decided(6, 6, None, Reason::Joined, metadata("u_1"))
        .taken(-125, 0);
    check_payment(
        &material,
        "Payment pi_1 of 12.00 USD: 375 credits for user u_1",
        &[
            BOUGHT,
            "02 Stripe told us that 3.00 USD were refunded (re_1) (refund.created). 125 credits were taken back from user \
             u_1, because the money was refunded. Their balance became 375 credits.",
            "03 Stripe told us that 3.00 USD of the charge ch_1 were refunded so far (charge.refunded). That changes nothing \
             of what we knew, so nothing moved.",
            "04 Stripe told us that a refund re_2 of 6.00 USD is on its way (refund.created). 250 credits were taken back \
             from user u_1, because the money was refunded. They owe 25 credits now, which the next credits pay first.",
            "05 Stripe told us that the refund re_2 of 6.00 USD failed, so that the money stayed (refund.failed). 250 credits \
             were given back to user u_1, because a refund failed. Their balance became 225 credits.",
            "06 Stripe told us that there is news of a refund (charge.refund.updated). That changes nothing of what we knew, \
             so nothing moved.",
        ],
        "Settled: 375 credits of this payment stand on the account of user u_1. Of 500 credits that were bought, refunds took \
         125 credits back. Nothing is open.",
    );
}

#[test]
fn credits_that_are_gone_when_the_money_is_refunded() {
    let material = bought()
        .said(2, "refund.created", refund("re_1", 1200, "succeeded"))
        .decided(2, 2, None, Reason::Credited, metadata("u_1"))
        .moved(user(), SystemAccount::Expiry, 40, 340)
        .moved(user(), SystemAccount::Refund, -500, -160)
        .moved(user(), SystemAccount::WriteOff, 160, 0)
        .said(3, "refund.failed", refund("re_1", 1200, "failed"))
        .decided(3, 3, None, Reason::Credited, metadata("u_1"))
        .moved(user(), SystemAccount::Refund, 500, 500)
        .moved(user(), SystemAccount::WriteOff, -160, 340);
    let told = crate::explain::story::tell(&material).beats;
    let told: Vec<&str> = told[1..].iter().map(|beat| beat.text.as_str()).collect();
    assert_eq!(
        told,
        [
            "Stripe told us that 12.00 USD were refunded (re_1) (refund.created). 40 credits that had expired were called back \
             to user u_1, to be taken back. Their balance became 340 credits. 500 credits were taken back from user u_1, because \
             the money was refunded. They owe 160 credits now, which the next credits pay first. 160 credits of them were gone \
             already and written off: user u_1 owes nothing for them. Their balance became 0 credits.",
            "Stripe told us that the refund re_1 of 12.00 USD failed, so that the money stayed (refund.failed). 500 credits were \
             given back to user u_1, because a refund failed. Their balance became 500 credits. 160 credits were taken back from \
             user u_1, because they had been written off. Their balance became 340 credits.",
        ]
    );
}

/// Disputed at 02 and 03, when all credits went.
fn disputed() -> Material {
    bought()
        .said(2, "charge.dispute.created", dispute("needs_response"))
        .decided(2, 2, None, Reason::Joined, metadata("u_1"))
        .said(3, "charge.dispute.funds_withdrawn", dispute("needs_response"))
        .decided(3, 3, None, Reason::Credited, metadata("u_1"))
        .moved(user(), SystemAccount::Dispute, -500, 0)
        .taken(0, -500)
}

const DISPUTED: [&str; 3] = [
    BOUGHT,
    "02 Stripe told us that the payer disputes 12.00 USD (du_1) (charge.dispute.created). That alone moves no money, so \
     nothing moved.",
    "03 Stripe told us that the bank took 12.00 USD for the dispute du_1 (charge.dispute.funds_withdrawn). 500 credits were \
     taken back from user u_1, because the bank took the disputed money. Their balance became 0 credits.",
];

#[test]
fn a_dispute_that_is_open_and_then_lost() {
    let open = disputed().reversals(&withdrawn(false, "needs_response"));
    let title = "Payment pi_1 of 12.00 USD: user u_1's, but all of its credits were taken back";
    check_payment(
        &open,
        title,
        &DISPUTED,
        "Settled: it is user u_1's, but none of its credits stand on the account any more. Of 500 credits that were bought, \
         disputes took 500 credits back. The dispute du_1 is open: should the bank give its money back, the credits \
         come back, too.",
    );
    let lost = disputed()
        .said(4, "charge.dispute.closed", dispute("lost"))
        .decided(4, 4, None, Reason::Joined, metadata("u_1"))
        .reversals(&withdrawn(false, "lost"));
    let closed = "04 Stripe told us that the dispute du_1 is over: the bank found for the payer (charge.dispute.closed). \
                  That alone moves no money, so nothing moved.";
    check_payment(
        &lost,
        title,
        &[DISPUTED.as_slice(), &[closed]].concat(),
        "Settled: it is user u_1's, but none of its credits stand on the account any more. Of 500 credits that were bought, \
         disputes took 500 credits back. Nothing is open.",
    );
}

#[test]
fn a_dispute_whose_money_comes_back() {
    let mut material = disputed()
        .said(5, "charge.dispute.funds_reinstated", dispute("won"))
        .decided(5, 5, None, Reason::Credited, metadata("u_1"))
        .moved(user(), SystemAccount::Dispute, 500, 500)
        .reversals(&withdrawn(true, "won"));
    material.legs.truncate(1);
    let back = "05 Stripe told us that the bank gave 12.00 USD of the dispute du_1 back (charge.dispute.funds_reinstated). \
                500 credits were given back to user u_1, because the bank gave the disputed money back. Their balance \
                became 500 credits.";
    check_payment(
        &material,
        "Payment pi_1 of 12.00 USD: 500 credits for user u_1",
        &[DISPUTED.as_slice(), &[back]].concat(),
        "Settled: 500 credits of this payment stand on the account of user u_1. Nothing is open.",
    );
}

#[test]
fn disputed_money_that_is_refunded_as_well_counts_once() {
    let material = disputed()
        .said(4, "refund.created", refund("re_1", 300, "succeeded"))
        .decided(4, 4, None, Reason::Credited, metadata("u_1"))
        .moved(user(), SystemAccount::Dispute, 125, 125)
        .moved(user(), SystemAccount::Refund, -125, 0);
    let beats = super::super::story::tell(&material).beats;
    assert_eq!(
        beats.last().unwrap().text,
        "Stripe told us that 3.00 USD were refunded (re_1) (refund.created). 125 credits were given back to user u_1, because \
         what is refunded does not count as disputed as well. Their balance became 125 credits. 125 credits were taken back \
         from user u_1, because the money was refunded. Their balance became 0 credits."
    );
}

#[test]
fn what_comes_before_the_purchase_and_what_nobody_claimed() {
    let material = payment(Some(unclaimed()), Status::Paid)
        .said(1, "refund.created", refund("re_1", 1200, "succeeded"))
        .decided(1, 1, None, Reason::Pending, json!([]))
        .told(2, "checkout.session.completed")
        .decided(2, 2, None, Reason::UnknownUser, metadata("u_1"))
        .moved(unclaimed(), SystemAccount::Sale, 500, 500)
        .moved(unclaimed(), SystemAccount::Refund, -500, 0)
        .case(
            Reason::UnknownUser,
            None,
            json!({}),
            &["user:u_1", "pull:/v1/checkout/sessions/cs_1?expand[]=line_items"],
        )
        .taken(-500, 0);
    check_payment(
        &material,
        &format!("Payment pi_1 of 12.00 USD: waits in case {CASE}"),
        &[
            "01 Stripe told us that 12.00 USD were refunded (re_1) (refund.created). What was bought with that money we do \
             not know yet. Once we do, this counts.",
            &format!(
                "02 Stripe told us that a checkout was completed (checkout.session.completed). It could not be credited: it \
                 names user u_1 (in checkout.session.metadata.user_id), and the directory knows no such user. The 500 \
                 credits (for the price price_1) were set aside until somebody claims them. 500 credits that were set aside \
                 were taken back, because the money was refunded. Case {CASE} was opened for it."
            ),
        ],
        &format!(
            "It waits in case {CASE} (unknown_user). It settles by itself once the app registers user u_1 (PUT \
             /v1/users/u_1), or once Stripe answers what we ask it for (/v1/checkout/sessions/cs_1). If that id is wrong, \
             find the right user and assign the case."
        ),
    );
}

#[test]
fn what_stripe_was_asked_for_and_all_that_was_weighed() {
    let evidence = json!([
        {"rank": 3, "kind": "metadata", "at": "checkout.session.metadata.user_id", "value": "u_1"},
        {"rank": 5, "kind": "email", "at": "checkout.session.customer_details.email", "value": "00ff"},
        {"rank": 6, "kind": "id_shaped", "at": "checkout.session.success_url", "value": "u_77"},
    ]);
    let pulled = json!({"id": "cs_1", "object": "checkout.session"});
    let mut material = payment(Some(user()), Status::Paid)
        .told(1, "checkout.session.completed")
        .decided(1, 1, None, Reason::UnknownPrice, evidence.clone())
        .said(2, "tally.pulled", pulled)
        .decided(2, 2, None, Reason::Credited, evidence)
        .moved(user(), SystemAccount::Sale, 500, 500);
    material.events.get_mut(&2).unwrap().source = Source::Backfill;
    let beats = super::super::story::tell(&material).beats;
    assert_eq!(
        beats[1].text,
        "We asked Stripe for the checkout session cs_1, and kept what it answered. 500 credits (for the price price_1) went \
         to user u_1, because the metadata that your server set names them (checkout.session.metadata.user_id). Their \
         balance became 500 credits. Weighed as well: the e-mail in checkout.session.customer_details.email and what looks \
         like an id in checkout.session.success_url (u_77)."
    );
}
