//! `peek` and `read` say the same of whatever bytes there are, also of those that are no JSON.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::{NotAnEvent, peek, read};
use crate::json;

/// Names that the envelope looks at, in and out of place, and one that it does not.
const KEYS: [&str; 19] = [
    "id",
    "object",
    "type",
    "created",
    "livemode",
    "account",
    "context",
    "api_version",
    "related_object",
    "data",
    "payment_intent",
    "payment",
    "invoice",
    "charge",
    "subscription",
    "customer",
    "customer_account",
    "metadata",
    r"\u0069d",
];

/// Values that mean something in one place or another.
const SCALARS: [&str; 16] = [
    "null",
    "true",
    "0",
    "-1",
    "1677834000",
    "1e999",
    "1.5",
    r#""""#,
    r#""event""#,
    r#""v2.core.event""#,
    r#""payment_intent""#,
    r#""charge""#,
    r#""pi_1""#,
    r#""acct_1""#,
    r#""2022-02-15T00:27:45Z""#,
    r#""\u0000""#,
];

/// JSON as text, so that a key may stand twice.
fn document() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(&SCALARS[..]).prop_map(str::to_owned);
    scalar.prop_recursive(5, 60, 8, |inner| {
        let pair = (prop::sample::select(&KEYS[..]), inner.clone())
            .prop_map(|(key, value)| format!(r#""{key}":{value}"#));
        let object = vec(pair, 0..8).prop_map(|pairs| format!("{{{}}}", pairs.join(",")));
        prop_oneof![
            8 => object,
            1 => vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(","))),
        ]
    })
}

/// An event whose every part is as good as it gets, or anything at all.
fn event() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(&[r#""event""#, r#""v2.core.event""#, "null"][..]);
    (kind, document(), document(), document(), document()).prop_map(
        |(kind, object, account, related, created)| {
            format!(
                r#"{{"id":"evt_1","object":{kind},"type":"t","account":{account},"context":{account},
                "related_object":{related},"created":{created},"data":{{"object":{object}}}}}"#
            )
        },
    )
}

#[track_caller]
fn check(body: &[u8]) {
    let read_from_parsed =
        json::parse(body).map_err(NotAnEvent::from).and_then(|value| read(&value));
    assert_eq!(peek(body), read_from_parsed, "{}", String::from_utf8_lossy(body));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn on_arbitrary_json(document in document()) {
        check(document.as_bytes());
    }

    #[test]
    fn on_arbitrary_events(event in event()) {
        check(event.as_bytes());
    }

    #[test]
    fn on_events_with_one_byte_changed(event in event(), at: prop::sample::Index, byte: u8) {
        let mut body = event.into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        check(&body);
    }

    #[test]
    fn on_arbitrary_bytes(body: Vec<u8>) {
        check(&body);
    }
}
