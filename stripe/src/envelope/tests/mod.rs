//! What an event says of itself, from every form that it comes in.

mod agreement;
mod keys;

use serde_json::{Value, json};

use super::{Envelope, NotAnEvent, ThinPaths, data_object, peek, read, root_of, thin_paths};
use crate::testing;

/// Both ways of reading, which must not differ.
#[track_caller]
fn envelope(event: &Value) -> Result<Envelope, NotAnEvent> {
    let envelope = read(event);
    assert_eq!(peek(event.to_string().as_bytes()), envelope, "peek and read of {event}");
    envelope
}

/// A classic event with this object.
fn classic(object: &Value) -> Value {
    json!({"id": "evt_1", "object": "event", "type": "some.type", "data": {"object": object}})
}

#[test]
fn a_classic_event() {
    let event = json!({
        "id": "evt_1", "object": "event", "type": "charge.succeeded", "created": 1_677_834_000, "livemode": true,
        "account": "acct_1", "context": "ctx_1", "api_version": "2022-11-15", "request": "req_1",
        "data": {"object": {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "customer": "cus_1"}},
    });
    let expected = Envelope {
        id: "evt_1".into(),
        event_type: "charge.succeeded".into(),
        created: Some("2023-03-03T09:00:00Z".parse().unwrap()),
        livemode: Some(true),
        account: Some("acct_1".into()),
        api_version: Some("2022-11-15".into()),
        thin: false,
        object_type: Some("charge".into()),
        object_id: Some("ch_1".into()),
        root_key: Some("acct_1/pi_1".into()),
        routing_key: Some("acct_1/pi_1".into()),
    };
    assert_eq!(envelope(&event), Ok(expected));
}

#[test]
fn a_thin_event() {
    let event = json!({
        "id": "evt_1", "object": "v2.core.event", "type": "v1.payment_intent.succeeded", "livemode": false,
        "created": "2022-02-15T00:27:45.330Z", "context": "acct_1", "account": "acct_2",
        "related_object": {"id": "pi_1", "type": "payment_intent", "url": "/v1/payment_intents/pi_1"},
        "data": {"object": {"id": "ch_1", "object": "charge"}},
    });
    let expected = Envelope {
        id: "evt_1".into(),
        event_type: "v1.payment_intent.succeeded".into(),
        created: Some("2022-02-15T00:27:45.330Z".parse().unwrap()),
        livemode: Some(false),
        account: Some("acct_1".into()),
        api_version: None,
        thin: true,
        object_type: Some("payment_intent".into()),
        object_id: Some("pi_1".into()),
        root_key: Some("acct_1/pi_1".into()),
        routing_key: Some("acct_1/pi_1".into()),
    };
    assert_eq!(envelope(&event), Ok(expected));
}

#[test]
fn a_thin_event_leads_to_its_own_object_only() {
    let cases = [
        (json!({"id": "ch_1", "type": "charge"}), Some("ch_1")),
        (json!({"id": "cus_1", "type": "customer"}), Some("cus_1")),
        (
            json!({"id": "mtr_1", "type": "billing.meter", "charge": "ch_1", "customer": "cus_1"}),
            None,
        ),
        (json!({"type": "charge"}), None),
        (json!("ch_1"), None),
        (json!(null), None),
    ];
    for (related, expected) in cases {
        let event =
            json!({"id": "e", "object": "v2.core.event", "type": "t", "related_object": related});
        assert_eq!(envelope(&event).unwrap().routing_key.as_deref(), expected, "{related}");
    }
}

#[test]
fn what_a_thin_event_names_is_fetched_by_kind_and_id() {
    let cases = [
        (
            json!({"id": "ch_1", "type": "charge", "url": "/v1/charges/ch_1"}),
            Some("/v1/charges/ch_1"),
        ),
        (json!({"id": "cs_1", "type": "checkout.session"}), Some("/v1/checkout/sessions/cs_1")),
        // The address that it gives is not trusted.
        (
            json!({"id": "re_1", "type": "refund", "url": "https://example.com/v1/keys"}),
            Some("/v1/refunds/re_1"),
        ),
        (json!({"id": "../keys", "type": "charge", "url": "/v1/charges/ch_1"}), None),
        (
            json!({"id": "bm_123", "type": "billing.meter", "url": "/v1/billing/meters/bm_123"}),
            None,
        ),
        (json!({"type": "charge"}), None),
        (json!({"id": "ch_1"}), None),
        (json!(null), None),
    ];
    for (related, expected) in cases {
        let event = json!({"id": "e", "object": "v2.core.event", "type": "t", "related_object": related,
                           "data": {"object": {"id": "ch_9", "object": "charge"}}});
        let expected = ThinPaths { object: expected.map(str::to_owned), snapshot_event: None };
        assert_eq!(thin_paths(&event), expected, "{related}");
    }
    for (snapshot_event, expected) in [
        (json!("evt_1"), Some("/v1/events/evt_1")),
        (json!("evt_1/../../keys"), None),
        (json!({"id": "evt_1"}), None),
        (json!(null), None),
    ] {
        let event = json!({"id": "e", "object": "v2.core.event", "type": "t", "snapshot_event": snapshot_event});
        let expected = ThinPaths { object: None, snapshot_event: expected.map(str::to_owned) };
        assert_eq!(thin_paths(&event), expected, "{snapshot_event}");
    }
}

#[test]
fn the_least_that_is_an_event() {
    let least = [
        json!({"id": "e", "object": "event", "type": "t"}),
        json!({"id": "e", "object": "v2.core.event", "type": "t"}),
        json!({"id": "e", "type": "t", "data": {"object": {}}}),
        json!({"id": "e", "object": null, "type": "t", "data": {"object": {}}}),
        json!({"id": "e".repeat(255), "object": "event", "type": "é".repeat(255)}),
    ];
    for event in least {
        let envelope = envelope(&event).unwrap();
        assert_eq!((envelope.root_key, envelope.routing_key), (None, None), "{event}");
        assert_eq!(
            (envelope.created, envelope.livemode, envelope.account),
            (None, None, None),
            "{event}"
        );
    }
}

#[test]
fn what_is_no_event_says_why() {
    use NotAnEvent::{BadAccount, BadId, BadType, NotAnObject, OtherObject};
    let cases = [
        (json!(null), NotAnObject),
        (json!([]), NotAnObject),
        (json!("x"), NotAnObject),
        (json!(1), NotAnObject),
        (json!({}), OtherObject),
        (json!({"id": "e", "type": "t"}), OtherObject),
        (json!({"id": "e", "type": "t", "data": {"object": "ch_1"}}), OtherObject),
        (json!({"id": "e", "type": "t", "object": "Event", "data": {"object": {}}}), OtherObject),
        (json!({"id": "ch_1", "object": "charge"}), OtherObject),
        (json!({"id": "e", "type": "t", "object": {"event": 1}}), OtherObject),
        (json!({"object": "event", "type": "t"}), BadId),
        (json!({"id": null, "object": "event", "type": "t"}), BadId),
        (json!({"id": "", "object": "event", "type": "t"}), BadId),
        (json!({"id": " \t", "object": "event", "type": "t"}), BadId),
        (json!({"id": 1, "object": "event", "type": "t"}), BadId),
        (json!({"id": {"id": "e"}, "object": "event", "type": "t"}), BadId),
        (json!({"id": "e".repeat(256), "object": "event", "type": "t"}), BadId),
        (json!({"id": "e", "object": "event"}), BadType),
        (json!({"id": "e", "object": "event", "type": ""}), BadType),
        (json!({"id": "e", "object": "event", "type": ["t"]}), BadType),
        (json!({"id": "e", "object": "v2.core.event", "type": 2}), BadType),
        (json!({"id": "e", "object": "event", "type": "t", "account": 1}), BadAccount),
        (
            json!({"id": "e", "object": "event", "type": "t", "account": {"id": "acct_1"}}),
            BadAccount,
        ),
        (
            json!({"id": "e", "object": "event", "type": "t", "account": "a".repeat(256)}),
            BadAccount,
        ),
        (json!({"id": "e", "object": "v2.core.event", "type": "t", "context": true}), BadAccount),
    ];
    for (document, expected) in cases {
        assert_eq!(envelope(&document), Err(expected), "{document}");
    }
}

#[test]
fn claims_of_a_strange_type_are_absent() {
    let event = json!({
        "id": "e", "object": "event", "type": "t", "livemode": "true", "api_version": 2022, "account": "",
        "created": {"seconds": 1}, "data": [1, 2],
    });
    let envelope = envelope(&event).unwrap();
    assert_eq!((envelope.livemode, envelope.api_version), (None, None));
    assert_eq!((envelope.created, envelope.account), (None, None));
}

#[test]
fn the_time_is_seconds_or_text_since_1970() {
    let known = [
        (json!(0), "1970-01-01T00:00:00Z"),
        (json!(1_677_834_000), "2023-03-03T09:00:00Z"),
        (json!("2022-02-15T00:27:45.330Z"), "2022-02-15T00:27:45.33Z"),
        (json!("2022-02-15T01:27:45+01:00"), "2022-02-15T00:27:45Z"),
    ];
    for (created, expected) in known {
        for object in ["event", "v2.core.event"] {
            let event = json!({"id": "e", "object": object, "type": "t", "created": created});
            assert_eq!(
                envelope(&event).unwrap().created,
                Some(expected.parse().unwrap()),
                "{created}"
            );
        }
    }
    let unknown = [
        json!(-1),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1.5),
        json!(true),
        json!(""),
        json!("yesterday"),
        json!("1969-12-31T23:59:59Z"),
        json!("2022-02-15"),
        json!("1677834000"),
    ];
    for created in unknown {
        let event = json!({"id": "e", "object": "event", "type": "t", "created": created});
        assert_eq!(envelope(&event).unwrap().created, None, "{created}");
    }
}

#[test]
fn nul_does_not_leave() {
    let event = json!({"id": "e\0", "object": "event", "type": "t\0", "account": "a\0",
                       "data": {"object": {"id": "c\0", "object": "charge"}}});
    let envelope = envelope(&event).unwrap();
    assert_eq!(envelope.id, "e\u{FFFD}");
    assert_eq!(envelope.event_type, "t\u{FFFD}");
    assert_eq!(envelope.root_key.as_deref(), Some("a\u{FFFD}/c\u{FFFD}"));
}

#[test]
fn every_recorded_event_has_an_envelope() {
    for (name, body) in testing::bodies() {
        let document = crate::json::parse(&body).unwrap();
        let envelope = read(&document).unwrap_or_else(|problem| panic!("{name}: {problem}"));
        assert_eq!(peek(&body), Ok(envelope.clone()), "{name}");

        assert_eq!(document["id"], envelope.id.as_str(), "{name}");
        assert_eq!(document["type"], envelope.event_type.as_str(), "{name}");
        assert_eq!(
            envelope.created.is_some(),
            document["created"].is_number() || document["created"].is_string(),
            "{name}"
        );
        assert_eq!(envelope.thin, document["object"] == "v2.core.event", "{name}");
        assert_eq!(
            envelope.account.is_some(),
            document["account"].is_string() || document["context"].is_string(),
            "{name}"
        );
        if let Some(object) = data_object(&document) {
            let root = root_of(object).map(|root| envelope.key(&root));
            assert_eq!(root, envelope.root_key, "{name}");
        }
    }
}
