//! Our own facts.

use ledger::ids::CaseId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::*;
use super::{UUID, key, read, unreadable};
use crate::news::{Act, ActKind};
use crate::payment::StaffVerdict;
use crate::world::Entry;

/// What a fact of our own says.
fn fact(body: &Value) -> News {
    read(Speaker::Ourselves, body.to_string().as_bytes())
}

#[test]
fn registrations() {
    let body = json!({
        "object": "tally.event", "type": "tally.user.registered", "user": "u_1", "email": "Ada@Example.com",
        "email_verified": true, "name": "Ada", "metadata": {"plan": "pro"},
    });
    let News::User(user) = fact(&body) else { panic!() };
    assert_eq!((user.user.as_str(), user.email.as_deref()), ("u_1", Some("Ada@Example.com")));
    assert_eq!((user.email_hash, user.email_verified), (key().hash_text("ada@example.com"), true));
    assert_eq!(
        (user.name_hash, user.metadata.as_str()),
        (key().hash_text("ada"), r#"{"plan":"pro"}"#)
    );
    let News::User(user) = fact(&json!({"type": "tally.user.registered", "user": "u_1"})) else {
        panic!()
    };
    assert_eq!((user.email, user.email_hash, user.email_verified), (None, None, false));
}

#[test]
fn catalogue_entries() {
    let entry = |fields: Value| {
        let mut body = json!({"type": "tally.catalogue.set", "price": "price_1"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        fact(&body)
    };
    let credits = |credits: i64, unit: &str| News::Price {
        price: "price_1".into(),
        entry: Entry::Credits { credits, unit: unit.into() },
    };
    assert_eq!(entry(json!({"credits": 5})), credits(5, "credits"));
    assert_eq!(entry(json!({"credits": 5, "unit": "gpu_seconds"})), credits(5, "gpu_seconds"));
    let not_ours = News::Price { price: "price_1".into(), entry: Entry::NotOurs };
    assert_eq!(entry(json!({"not_ours": true})), not_ours);
    for fields in [
        json!({}),
        json!({"credits": 0}),
        json!({"credits": -1}),
        json!({"credits": 1_000_000_000_000_001_i64}),
        json!({"credits": 5, "not_ours": true}),
        json!({"credits": 5, "unit": ""}),
        json!({"credits": "5"}),
    ] {
        unreadable(entry(fields), Reason::Malformed);
    }
}

#[test]
fn acts() {
    let act = |what: &str, fields: Value| {
        let mut body = json!({"type": format!("tally.case.{what}"), "case": UUID, "version": 3});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        fact(&body)
    };
    let expected = |kind: ActKind| {
        News::Act(Act { case: CaseId(Uuid::try_parse(UUID).unwrap()), version: 3, kind })
    };
    let assign = |worth: Option<(i64, &str)>| ActKind::Settle {
        verdict: StaffVerdict::Assign {
            user: "u_1".into(),
            worth: worth.map(|(credits, unit)| (credits, unit.to_owned())),
        },
        write_off: false,
    };
    let dismiss = |write_off: bool| ActKind::Settle { verdict: StaffVerdict::Dismiss, write_off };
    let cases = [
        ("assigned", json!({"user": "u_1", "reason": "x", "actor": "key_1"}), assign(None)),
        ("assigned", json!({"user": "u_1", "credits": 5}), assign(Some((5, "credits")))),
        ("assigned", json!({"user": "u_1", "credits": 5, "unit": "s"}), assign(Some((5, "s")))),
        ("dismissed", json!({"reason": "x"}), dismiss(false)),
        ("dismissed", json!({"write_off": true}), dismiss(true)),
        ("retried", json!({}), ActKind::Retry),
        ("due", json!({}), ActKind::Due),
    ];
    for (what, fields, kind) in cases {
        assert_eq!(act(what, fields), expected(kind), "{what}");
    }
    unreadable(act("assigned", json!({})), Reason::Malformed);
    unreadable(act("invented", json!({})), Reason::Malformed);
    assert_eq!(fact(&json!({"type": "tally.event.erased", "pos": 3})), News::Erased);
}
