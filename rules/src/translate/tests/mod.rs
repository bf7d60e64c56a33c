//! Given an event, when it is translated, then it says this.

mod facts;

use serde_json::{Value, json};

use super::*;
use crate::evidence::{Evidence, Kind};
use crate::news::PaymentNews;
use crate::payment::{Door, Progress};

const UUID: &str = "7d6f1c6e-2d0a-4f6b-9f36-1d2f7f0a9b11";

const OTHER_UUID: &str = "0b6a4a0e-6a4d-4d0b-8a5e-3c1d9f1e2a77";

fn key() -> EvidenceKey {
    EvidenceKey::new(&[7; 32])
}

fn read(speaker: Speaker, body: &[u8]) -> News {
    let occurred_at = Timestamp::from_second(1_700_000_009).unwrap();
    let logged = Logged { pos: 5, speaker, occurred_at, body: Some(body), answers: None };
    translate(&logged, &Policy::default(), &key())
}

/// What an event of Stripe's about this object says.
fn told(event_type: &str, object: &Value) -> News {
    let body = json!({
        "id": "evt_1", "object": "event", "type": event_type, "created": 1_700_000_000, "data": {"object": object},
    });
    read(Speaker::Stripe, body.to_string().as_bytes())
}

#[track_caller]
fn payment(news: News) -> PaymentNews {
    let News::Payment(payment) = news else { panic!("no payment, but {news:?}") };
    *payment
}

/// How far the one object of the news says that its payment has come.
#[track_caller]
fn progress(news: News) -> Progress {
    let payment = payment(news);
    assert_eq!(payment.facts.objects.len(), 1);
    payment.facts.progress()
}

#[track_caller]
fn unreadable(news: News, expected: Reason) -> String {
    let News::Unreadable { reason, error } = news else { panic!("readable: {news:?}") };
    assert_eq!(reason, expected, "{error}");
    error
}

#[test]
fn sessions_by_mode() {
    let cases = [
        (json!({"mode": "setup"}), Reason::SetupMode),
        (json!({"mode": "invented"}), Reason::NotUnderstoodYet),
        (json!({"mode": null, "setup_intent": "seti_1"}), Reason::SetupMode),
    ];
    for (fields, reason) in cases {
        let mut session = json!({"id": "cs_1", "object": "checkout.session"});
        session.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let news = told("checkout.session.completed", &session);
        assert_eq!(news, News::Nothing(reason), "{fields}");
    }
    for mode in [json!("payment"), Value::Null] {
        let session = json!({
            "id": "cs_1", "mode": mode, "payment_status": "paid", "payment_intent": "pi_1", "setup_intent": "seti_1",
        });
        assert_eq!(progress(told("checkout.session.completed", &session)), Progress::Paid);
    }
}

#[test]
fn sessions_by_payment_status() {
    let session = |status: Value| {
        told(
            "checkout.session.completed",
            &json!({"id": "cs_1", "mode": "payment", "payment_status": status}),
        )
    };
    assert_eq!(progress(session(json!("paid"))), Progress::Paid);
    assert_eq!(progress(session(json!("no_payment_required"))), Progress::Paid);
    assert_eq!(progress(session(json!("unpaid"))), Progress::Pending);
    assert_eq!(progress(session(json!("invented"))), Progress::Pending);
    let error = unreadable(session(Value::Null), Reason::UnsupportedShape);
    assert_eq!(error, "`payment_status` is not there");
}

#[test]
fn a_session_with_everything() {
    let session = json!({
        "id": "cs_1", "object": "checkout.session", "mode": "payment", "payment_status": "paid",
        "payment_intent": {"id": "pi_1", "object": "payment_intent"}, "invoice": "in_1", "customer": {"id": "cus_1"},
        "client_reference_id": format!(" {OTHER_UUID} "), "amount_total": 1190, "currency": "EUR", "success_url": UUID,
        "customer_details": {"email": "Ada@Example.com", "name": "Ada"},
        "metadata": {
            "user_id": UUID, "session_user_id": "undefined", "user_email": "ada@example.com", "price": " price_1 ",
            "price_id": "price_2", "quantity": "2", "credits": "", "unit": "gpu_seconds", "order": UUID,
        },
    });
    let news = payment(told("checkout.session.completed", &session));
    assert_eq!(news.root_key, "pi_1");
    assert_eq!(Vec::from_iter(news.objects), ["cs_1", "in_1", "pi_1"]);
    let facts = news.facts;
    let object = &facts.objects["cs_1"];
    assert_eq!(
        (object.door, object.amount, object.currency.as_deref()),
        (Door::Session, Some(1190), Some("eur"))
    );
    assert_eq!(
        (facts.paid_at, facts.customers.first().map(String::as_str)),
        (Some(1_700_000_000), Some("cus_1"))
    );
    assert_eq!(Vec::from_iter(facts.claims.prices), ["price_1", "price_2"]);
    assert_eq!(Vec::from_iter(facts.claims.quantities), ["2"]);
    assert_eq!((facts.claims.credits.len(), facts.claims.units.len()), (0, 1));
    let email = key().hash_text("ada@example.com").unwrap();
    let name = key().hash_text("ada").unwrap();
    let evidence = [
        (Kind::Metadata, "metadata.user_id", UUID),
        (Kind::ClientReference, "client_reference_id", OTHER_UUID),
        (Kind::Email, "customer_details.email", &email),
        (Kind::Email, "metadata.user_email", &email),
        (Kind::IdShaped, "metadata.order", UUID),
        (Kind::IdShaped, "success_url", UUID),
        (Kind::Name, "customer_details.name", &name),
    ];
    let evidence = evidence.map(|(kind, at, value)| Evidence {
        kind,
        at: format!("checkout.session.{at}"),
        value: value.to_owned(),
    });
    assert_eq!(Vec::from_iter(facts.evidence), evidence);
}

#[test]
fn payment_intents() {
    let intent = |fields: Value| {
        let mut intent =
            json!({"id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 5});
        intent.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        told("payment_intent.succeeded", &intent)
    };
    assert_eq!(progress(intent(json!({"status": "canceled"}))), Progress::Failed);
    for status in ["processing", "requires_capture", "invented"] {
        assert_eq!(progress(intent(json!({"status": status}))), Progress::Pending, "{status}");
    }
    assert_eq!(progress(intent(json!({"status": null}))), Progress::Pending);
    let new = payment(intent(json!({"latest_charge": "ch_1", "amount_received": 7})));
    assert_eq!(Vec::from_iter(&new.objects), ["ch_1", "pi_1"]);
    assert_eq!(new.facts.objects["pi_1"].amount, Some(7));
    // Before 2022-11-15.
    let old = payment(intent(
        json!({"charges": {"data": [{"id": "ch_2"}, {"id": "ch_1"}]}, "invoice": "in_1"}),
    ));
    assert_eq!(Vec::from_iter(&old.objects), ["ch_1", "ch_2", "in_1", "pi_1"]);
    assert_eq!((old.root_key.as_str(), old.facts.objects["pi_1"].amount), ("pi_1", Some(5)));
}

#[test]
fn charges_of_all_ages() {
    let cases = [
        (json!({"status": "succeeded", "paid": true, "captured": true}), Progress::Paid),
        (json!({"status": "succeeded", "paid": true}), Progress::Paid),
        (json!({"status": "succeeded"}), Progress::Paid),
        (json!({"status": "succeeded", "paid": true, "captured": false}), Progress::Pending),
        (json!({"status": "succeeded", "paid": false, "captured": true}), Progress::Pending),
        (json!({"status": "pending", "paid": true, "captured": true}), Progress::Pending),
        (json!({"status": "failed"}), Progress::Pending),
        (json!({"paid": true}), Progress::Paid),
        (json!({"paid": true, "captured": false}), Progress::Pending),
        (json!({}), Progress::Pending),
    ];
    for (fields, expected) in cases {
        let mut charge = json!({"id": "ch_1", "object": "charge"});
        charge.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let news = told("charge.succeeded", &charge);
        let facts = payment(news.clone()).facts;
        assert_eq!(facts.paid_at.is_some(), expected == Progress::Paid, "{fields}");
        assert_eq!(progress(news), expected, "{fields}");
    }
    let expired = json!({"id": "ch_1", "status": "succeeded", "captured": false});
    assert_eq!(progress(told("charge.expired", &expired)), Progress::Failed);
    assert_eq!(progress(told("charge.updated", &expired)), Progress::Pending);
    let roots = [
        (json!({"payment_intent": "pi_1", "invoice": "in_1"}), "pi_1"),
        (json!({"payment_intent": null, "invoice": "in_1"}), "in_1"),
        (json!({}), "ch_1"),
    ];
    for (mut charge, root_key) in roots {
        charge["id"] = "ch_1".into();
        let news = payment(told("charge.succeeded", &charge));
        assert_eq!(news.root_key, root_key);
        assert!(news.objects.contains("ch_1") && news.objects.contains(root_key));
    }
}

#[test]
fn invoices_of_all_ages() {
    for (fields, expected) in [
        (json!({"status": "paid"}), Progress::Paid),
        (json!({"status": "paid", "paid": true}), Progress::Paid),
        (json!({"status": "draft"}), Progress::Pending),
        (json!({"status": "open", "paid": false}), Progress::Pending),
        (json!({"status": "void"}), Progress::Failed),
        (json!({"status": "uncollectible"}), Progress::Failed),
        // Where there is a status, it decides.
        (json!({"status": "void", "paid": true}), Progress::Failed),
        (json!({"status": "open", "paid": true}), Progress::Pending),
        (json!({"paid": true}), Progress::Paid),
        (json!({"paid": false}), Progress::Pending),
        (json!({}), Progress::Pending),
    ] {
        let mut invoice = json!({"id": "in_1", "object": "invoice"});
        invoice.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        for event_type in ["invoice.paid", "invoice.payment_succeeded", "invoice.voided"] {
            assert_eq!(progress(told(event_type, &invoice)), expected, "{event_type} {fields}");
        }
    }
}

/// The one customer, or subscription, that news are of.
#[track_caller]
fn one_customer(news: News) -> (String, crate::customer::Facts) {
    let News::Customers(told) = news else { panic!("{news:?}") };
    let mut told: Vec<_> = told.into_iter().collect();
    assert_eq!(told.len(), 1, "{told:?}");
    told.remove(0)
}

#[test]
fn customers() {
    let customer = json!({"id": "cus_1", "email": "ada@example.com", "metadata": {"user_id": "u_1", "price": "price_1"}});
    for event_type in ["customer.created", "customer.updated"] {
        let (name, facts) = one_customer(told(event_type, &customer));
        assert_eq!((name.as_str(), facts.object.said_at, facts.pos), ("cus_1", 1_700_000_000, 5));
        let kinds: Vec<_> = facts.evidence().map(|piece| (piece.kind, piece.at.as_str())).collect();
        let expected =
            [(Kind::Metadata, "customer.metadata.user_id"), (Kind::Email, "customer.email")];
        assert_eq!(kinds, expected);
    }
}

#[test]
fn thin_events_wait_for_their_object_or_are_unhandled() {
    let thin = |event_type: &str| {
        let body = json!({
            "id": "evt_1", "object": "v2.core.event", "type": event_type,
            "related_object": {"id": "pi_1", "type": "payment_intent"},
        });
        read(Speaker::Stripe, body.to_string().as_bytes())
    };
    for event_type in ["v1.payment_intent.succeeded", "v1.charge.refunded", "v1.customer.updated"] {
        let expected = News::ToFetch("pull:/v1/payment_intents/pi_1@5".into());
        assert_eq!(thin(event_type), expected, "{event_type}");
    }
    for event_type in [
        "v1.plan.created",
        "v2.core.health.event_generation_failure.resolved",
        "payment_intent.succeeded",
    ] {
        assert_eq!(thin(event_type), News::Nothing(Reason::UnhandledType), "{event_type}");
    }
}

#[test]
fn other_types_by_whether_they_may_move_money() {
    // Its object is not looked at: the shape of what is not understood decides nothing.
    let detached = told("invoice_payment.detached", &json!([]));
    assert_eq!(detached, News::Nothing(Reason::NotUnderstoodYet));
    for event_type in ["payment_intent.created", "charge.failed", "plan.created", "invented.type"] {
        assert_eq!(
            told(event_type, &json!({})),
            News::Nothing(Reason::UnhandledType),
            "{event_type}"
        );
    }
}

#[test]
fn what_stripe_says_in_our_name_is_still_stripes() {
    for event_type in [
        "tally.case.assigned",
        "tally.user.registered",
        "tally.catalogue.set",
        "tally.event.erased",
    ] {
        let body = json!({
            "id": "evt_1", "object": "event", "type": event_type, "case": UUID, "version": 1, "user": "u_1",
            "price": "price_1", "credits": 5, "data": {"object": {}},
        });
        let news = read(Speaker::Stripe, body.to_string().as_bytes());
        assert_eq!(news, News::Nothing(Reason::UnhandledType), "{event_type}");
    }
    let body = json!({"object": "tally.event", "type": "tally.case.assigned", "case": UUID, "version": 1, "user": "u_1"});
    unreadable(read(Speaker::Stripe, body.to_string().as_bytes()), Reason::Malformed);
}

#[test]
fn what_cannot_be_read_says_why_without_its_values() {
    for body in [
        &b""[..],
        b"{",
        b"[]",
        b"\xff",
        b"{\"id\":1,\"id\":2}",
        b"{\"object\":\"event\",\"id\":\"evt_1\"}",
    ] {
        unreadable(read(Speaker::Stripe, body), Reason::Malformed);
    }
    let shapes = [
        ("charge.succeeded", json!({"id": "ch_1", "object": "refund"})),
        ("charge.succeeded", json!({"id": "ch_1", "amount": "secret"})),
        ("charge.succeeded", json!({"object": "charge"})),
        ("payment_intent.succeeded", json!({"id": "pi_1", "metadata": ["secret"]})),
        (
            "checkout.session.completed",
            json!({"id": "cs_1", "mode": "payment", "payment_status": ["secret"]}),
        ),
        ("customer.created", json!({})),
        ("customer.created", Value::Null),
    ];
    for (event_type, object) in shapes {
        let error = unreadable(told(event_type, &object), Reason::UnsupportedShape);
        assert!(!error.contains("secret"), "{error}");
    }
    let erased = Logged {
        pos: 5,
        speaker: Speaker::Stripe,
        occurred_at: Timestamp::UNIX_EPOCH,
        body: None,
        answers: None,
    };
    unreadable(translate(&erased, &Policy::default(), &key()), Reason::Malformed);
}

#[test]
fn objects_of_a_connected_account_are_its_own() {
    let body = json!({
        "id": "evt_1", "object": "event", "type": "charge.succeeded", "account": "acct_1",
        "data": {"object": {"id": "ch_1", "payment_intent": "pi_1", "customer": "cus_1"}},
    });
    let news = payment(read(Speaker::Stripe, body.to_string().as_bytes()));
    assert_eq!(Vec::from_iter(news.objects), ["acct_1/ch_1", "acct_1/pi_1"]);
    assert_eq!(news.root_key, "acct_1/pi_1");
    assert_eq!(Vec::from_iter(news.facts.customers), ["acct_1/cus_1"]);
    assert!(news.facts.objects.keys().eq(["acct_1/ch_1"]));
    // It does not say when, so the log does.
    let body = json!({
        "id": "evt_1", "object": "event", "type": "customer.created", "account": "acct_1",
        "data": {"object": {"id": "cus_1"}},
    });
    let (key, facts) = one_customer(read(Speaker::Stripe, body.to_string().as_bytes()));
    assert_eq!((key.as_str(), facts.object.said_at), ("acct_1/cus_1", 1_700_000_009));
}

#[test]
fn aliases_and_policy_decide_what_names_a_user() {
    let policy = Policy { user_id_keys: vec!["account".into()], ..Policy::default() };
    let body = json!({
        "id": "evt_1", "object": "event", "type": "payment_intent.succeeded",
        "data": {"object": {"id": "pi_1", "metadata": {"user_id": "u_1", "account": UUID}}},
    });
    let body = body.to_string();
    let logged = Logged {
        pos: 5,
        speaker: Speaker::Stripe,
        occurred_at: Timestamp::UNIX_EPOCH,
        body: Some(body.as_bytes()),
        answers: None,
    };
    let news = payment(translate(&logged, &policy, &key()));
    let evidence: Vec<_> =
        news.facts.evidence.iter().map(|one| (one.kind, one.value.as_str())).collect();
    assert_eq!(evidence, [(Kind::Metadata, UUID)]);
}
