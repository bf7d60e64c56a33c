//! Refunds and disputes.

use serde_json::json;

use crate::{alone, id, newest, pay, told};

#[tokio::test]
async fn refunds_in_parts_add_up() {
    let stripe = alone().await;
    let intent = pay(&stripe, "pm_card_visa").await;
    for (amount, so_far, is_all) in [("30", 30, false), ("70", 100, true)] {
        let form = [("payment_intent", id(&intent)), ("amount", amount)];
        stripe.post("/v1/refunds", &form).await;
        let charge = newest(&stripe, "charge.refunded").await;
        assert_eq!(
            (&charge["amount_refunded"], &charge["refunded"]),
            (&json!(so_far), &json!(is_all))
        );
        assert_eq!(charge["metadata"]["user_id"], "u_1");
    }
    let event = stripe.get("/v1/events?type=charge.refunded").await["data"][0].clone();
    let before = &event["data"]["previous_attributes"];
    assert_eq!(before, &json!({ "amount_refunded": 30, "refunded": false }));
}

#[tokio::test]
async fn refund_can_fail_after_it_succeeded() {
    let stripe = alone().await;
    let intent = pay(&stripe, "pm_card_refundFail").await;
    stripe.post("/v1/refunds", &[("payment_intent", id(&intent))]).await;
    let names = told(&stripe).await;
    let expected = [
        "refund.created",
        "charge.refunded",
        "refund.failed",
        "refund.updated",
        "charge.refund.updated",
    ];
    assert_eq!(names[names.len() - expected.len()..], expected);
    assert_eq!(newest(&stripe, "refund.created").await["status"], "succeeded");
    assert_eq!(newest(&stripe, "refund.failed").await["status"], "failed");
    let path = format!("/v1/charges/{}", intent["latest_charge"].as_str().unwrap());
    assert_eq!(stripe.get(&path).await["amount_refunded"], 0);
}

#[tokio::test]
async fn dispute_withdraws_funds_and_reinstates_them_when_won() {
    let stripe = alone().await;
    let intent = pay(&stripe, "pm_card_createDispute").await;
    let withdrawn = newest(&stripe, "charge.dispute.funds_withdrawn").await;
    assert_eq!(withdrawn["status"], "needs_response");
    assert_eq!(withdrawn["balance_transactions"][0]["amount"], -100);

    let path = format!("/v1/disputes?payment_intent={}", id(&intent));
    let dispute = stripe.get(&path).await["data"][0].clone();
    let path = format!("/v1/disputes/{}", id(&dispute));
    let won = stripe.post(&path, &[("evidence[uncategorized_text]", "winning_evidence")]).await;
    assert_eq!(won["status"], "won");
    let reinstated = newest(&stripe, "charge.dispute.funds_reinstated").await;
    assert_eq!(reinstated["balance_transactions"][1]["amount"], 100);
    assert_eq!(reinstated["charge"], intent["latest_charge"]);
}

#[tokio::test]
async fn dispute_given_up_is_lost() {
    let stripe = alone().await;
    pay(&stripe, "pm_card_createDispute").await;
    let dispute = newest(&stripe, "charge.dispute.created").await;
    stripe.post(&format!("/v1/disputes/{}/close", id(&dispute)), &[]).await;
    assert_eq!(newest(&stripe, "charge.dispute.closed").await["status"], "lost");
}

#[tokio::test]
async fn inquiry_moves_no_funds() {
    let stripe = alone().await;
    pay(&stripe, "pm_card_createDisputeInquiry").await;
    let inquiry = newest(&stripe, "charge.dispute.created").await;
    assert_eq!(inquiry["status"], "warning_needs_response");
    stripe.post(&format!("/v1/disputes/{}/close", id(&inquiry)), &[]).await;
    assert_eq!(newest(&stripe, "charge.dispute.closed").await["status"], "warning_closed");
    let names = told(&stripe).await;
    assert!(!names.iter().any(|name| name.contains("funds")), "{names:?}");
}
