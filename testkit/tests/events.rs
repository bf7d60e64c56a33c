//! The events of our own making are what the reader of Stripe's events understands.

use stripe::envelope::peek;
use testkit::events::{Customer, Purchase, metadata};

#[test]
fn one_purchase_has_three_doors() {
    let purchase = Purchase {
        customer: Some("cus_1".to_owned()),
        metadata: metadata(&[("user_id", "u_1")]),
        account: Some("acct_1".to_owned()),
        ..Purchase::new("1")
    };
    for event in [
        purchase.checkout_session_completed(),
        purchase.payment_intent_succeeded(),
        purchase.charge_succeeded(),
    ] {
        let text = String::from_utf8(event.body.clone()).unwrap();
        let start = format!("{{\n  \"id\": \"{}\",\n  \"object\": \"event\",", event.id);
        assert!(text.starts_with(&start), "{text}");
        assert!(text.contains("\"pi_1\""), "{text}");
        assert_eq!(peek(&event.body).unwrap().id, event.id);
    }
}

#[test]
fn event_delivered_again_differs_in_bytes_only() {
    let event = Customer::new("1").created_event();
    let again = event.delivered_again();
    assert_ne!(event.body, again.body);
    assert_eq!(peek(&event.body).unwrap().id, peek(&again.body).unwrap().id);
    assert_eq!(peek(&event.with_id("evt_2").body).unwrap().id, "evt_2");
}
