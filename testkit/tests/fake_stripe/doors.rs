//! The doors that a purchase comes through, and what is told of each.

use serde_json::json;
use testkit::fake_stripe::FakeStripe;

use crate::{alone, id, newest, pay, price, told};

/// Buys two of a price on a payment page with this payment method.
async fn check_out(stripe: &FakeStripe, mode: &str, payment_method: &[(&str, &str)]) {
    let price = price(stripe, mode == "subscription").await;
    let (reference, data) = match mode {
        "subscription" => ("u_1", "subscription_data[metadata][user_id]"),
        _ => ("u_1", "payment_intent_data[metadata][user_id]"),
    };
    let form = [
        ("mode", mode),
        ("line_items[0][price]", id(&price)),
        ("line_items[0][quantity]", "2"),
        ("client_reference_id", reference),
        ("metadata[order]", "o_1"),
        (data, "u_1"),
    ];
    let session = stripe.post("/v1/checkout/sessions", &form).await;
    let page = format!("/v1/payment_pages/{}", id(&session));
    assert_eq!(stripe.get(&page).await["session_id"], session["id"]);
    let method = stripe.post("/v1/payment_methods", payment_method).await;
    let form = [("payment_method", id(&method)), ("expected_amount", "3000")];
    stripe.post(&format!("{page}/confirm"), &form).await;
}

#[tokio::test]
async fn checkout_is_told_by_intent_charge_and_session() {
    let stripe = alone().await;
    let card = [
        ("type", "card"),
        ("card[token]", "tok_visa"),
        ("billing_details[email]", "ada@example.com"),
    ];
    check_out(&stripe, "payment", &card).await;
    let expected = [
        "product.created",
        "price.created",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ];
    assert_eq!(told(&stripe).await, expected);

    let session = newest(&stripe, "checkout.session.completed").await;
    let intent = newest(&stripe, "payment_intent.succeeded").await;
    let charge = newest(&stripe, "charge.succeeded").await;
    assert_eq!(session["payment_intent"], intent["id"]);
    assert_eq!(intent["latest_charge"], charge["id"]);
    assert_eq!(session["payment_status"], "paid");
    assert_eq!(session["amount_total"], 3000);
    assert_eq!(session["customer_details"]["email"], "ada@example.com");
    assert_eq!(session["client_reference_id"], "u_1");
    assert_eq!(session["metadata"], json!({ "order": "o_1" }));
    // A session hands nothing down but what it was told to.
    assert_eq!(intent["metadata"], json!({ "user_id": "u_1" }));
    assert_eq!(charge["metadata"], intent["metadata"]);
}

#[tokio::test]
async fn declined_card_can_be_followed_by_another() {
    let stripe = alone().await;
    let form = [("amount", "100"), ("currency", "usd"), ("payment_method", "pm_card_visa")];
    let intent = stripe.post("/v1/payment_intents", &form).await;
    let path = format!("{}/v1/payment_intents/{}/confirm", stripe.url(), id(&intent));
    for (card, status) in
        [("chargeDeclined", 402), ("chargeDeclined", 402), ("visa", 200), ("visa", 400)]
    {
        let request = reqwest::Client::new()
            .post(&path)
            .bearer_auth("sk_test_1")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("payment_method=pm_card_{card}"));
        assert_eq!(request.send().await.unwrap().status(), status, "{card}");
    }
    let charges = stripe.get(&format!("/v1/charges?payment_intent={}", id(&intent))).await;
    let statuses: Vec<_> =
        charges["data"].as_array().unwrap().iter().map(|one| one["status"].as_str()).collect();
    assert_eq!(statuses, [Some("succeeded"), Some("failed"), Some("failed")]);
}

#[tokio::test]
async fn bank_debits_are_paid_later_or_never() {
    for (iban, status, end) in [
        ("AT611904300234573201", "paid", "checkout.session.async_payment_succeeded"),
        ("AT861904300235473202", "unpaid", "checkout.session.async_payment_failed"),
    ] {
        let stripe = alone().await;
        check_out(&stripe, "payment", &[("type", "sepa_debit"), ("sepa_debit[iban]", iban)]).await;
        let completed = newest(&stripe, "checkout.session.completed").await;
        assert_eq!(completed["payment_status"], "unpaid");
        assert_eq!(newest(&stripe, end).await["payment_status"], status);
        assert_eq!(told(&stripe).await.last().unwrap(), end);
    }
}

#[tokio::test]
async fn checkout_of_a_subscription_is_told_by_its_invoice() {
    let stripe = alone().await;
    check_out(&stripe, "subscription", &[("type", "card")]).await;
    let session = newest(&stripe, "checkout.session.completed").await;
    let invoice = newest(&stripe, "invoice.paid").await;
    assert_eq!(session["invoice"], invoice["id"]);
    assert_eq!(session["payment_intent"], json!(null));
    assert_eq!(invoice["billing_reason"], "subscription_create");
    let details = &invoice["parent"]["subscription_details"];
    assert_eq!(details["subscription"], session["subscription"]);
    assert_eq!(details["metadata"], json!({ "user_id": "u_1" }));
    let line = &invoice["lines"]["data"][0];
    assert_eq!((&line["quantity"], &line["amount"]), (&json!(2), &json!(3000)));
    // The payment intent knows nothing of all that: only the invoice payment ties them.
    let payment = newest(&stripe, "invoice_payment.paid").await;
    assert_eq!(payment["invoice"], invoice["id"]);
    assert_eq!(
        payment["payment"]["payment_intent"],
        newest(&stripe, "payment_intent.succeeded").await["id"]
    );
    let subscription = newest(&stripe, "customer.subscription.updated").await;
    assert_eq!(subscription["status"], "active");
}

#[tokio::test]
async fn invoice_collects_what_waits_for_it() {
    let stripe = alone().await;
    let customer = stripe.post("/v1/customers", &[("email", "ada@example.com")]).await;
    let path = "/v1/payment_methods/pm_card_visa/attach";
    let method = stripe.post(path, &[("customer", id(&customer))]).await;
    let form = [("customer", id(&customer)), ("amount", "2000"), ("currency", "usd")];
    stripe.post("/v1/invoiceitems", &form).await;
    let form = [("customer", id(&customer)), ("pending_invoice_items_behavior", "include")];
    let invoice = stripe.post("/v1/invoices", &form).await;
    assert_eq!((&invoice["status"], &invoice["total"]), (&json!("draft"), &json!(2000)));
    let path = format!("/v1/invoices/{}/pay", id(&invoice));
    let paid = stripe.post(&path, &[("payment_method", id(&method))]).await;
    assert_eq!((&paid["status"], &paid["amount_paid"]), (&json!("paid"), &json!(2000)));
    let names = told(&stripe).await;
    assert_eq!(names[names.len() - 2..], ["invoice.paid", "invoice.payment_succeeded"]);
}

#[tokio::test]
async fn authorised_is_not_paid() {
    let stripe = alone().await;
    let form = [
        ("amount", "100"),
        ("currency", "usd"),
        ("capture_method", "manual"),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
    ];
    let intent = stripe.post("/v1/payment_intents", &form).await;
    assert_eq!(intent["status"], "requires_capture");
    assert_eq!(newest(&stripe, "charge.succeeded").await["captured"], false);
    let path = format!("/v1/payment_intents/{}/capture", id(&intent));
    assert_eq!(stripe.post(&path, &[]).await["status"], "succeeded");
    assert_eq!(newest(&stripe, "charge.captured").await["captured"], true);
}

#[tokio::test]
async fn same_seed_makes_the_same_ids() {
    let (one, other) = (alone().await, alone().await);
    assert_eq!(id(&pay(&one, "pm_card_visa").await), id(&pay(&other, "pm_card_visa").await));
}
