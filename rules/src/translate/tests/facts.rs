//! Our own facts.

use ledger::ids::CaseId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::*;
use super::{UUID, key, read, unreadable};
use crate::catalogue::{Credits, Entry};
use crate::news::{Act, ActKind, CatalogueNews, Reassignment};
use crate::payment::StaffVerdict;

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
    let told = |entry: Entry, valid_from: Option<&str>| {
        let valid_from = valid_from.map(|text| text.parse().unwrap());
        News::Price(CatalogueNews {
            key: "price_1".into(),
            entry,
            valid_from,
            told_at: Timestamp::from_second(1_700_000_009).unwrap(),
        })
    };
    let worth = |credits: i64, unit: &str| Credits {
        credits,
        unit: unit.into(),
        expires: None,
        priority: 0,
    };
    let credits = |credits: i64, unit: &str| told(Entry::Credits(worth(credits, unit)), None);
    assert_eq!(entry(json!({"credits": 5})), credits(5, "credits"));
    assert_eq!(entry(json!({"credits": 5, "unit": "gpu_seconds"})), credits(5, "gpu_seconds"));
    let moment = "2027-01-31T12:00:00Z";
    let expiring = Credits { expires: "P1M".parse().ok(), priority: 2, ..worth(5, "credits") };
    let fields = json!({"credits": 5, "expires": "P1M", "priority": 2, "valid_from": moment});
    assert_eq!(entry(fields), told(Entry::Credits(expiring), Some(moment)));
    assert_eq!(entry(json!({"not_ours": true})), told(Entry::NotOurs, None));
    for fields in [
        json!({}),
        json!({"credits": 0}),
        json!({"credits": -1}),
        json!({"credits": 1_000_000_000_000_001_i64}),
        json!({"credits": 5, "not_ours": true}),
        json!({"credits": 5, "unit": ""}),
        json!({"credits": "5"}),
        json!({"credits": 5, "expires": "1M"}),
        json!({"credits": 5, "priority": 32_768}),
        json!({"credits": 5, "valid_from": "today"}),
        json!({"credits": 5, "valid_from": "1969-12-31T23:59:59Z"}),
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

#[test]
fn reassignments() {
    let said = json!({
        "object": "tally.event", "type": "tally.payment.reassigned", "payment": "cs_1", "version": 2, "user": "u_1",
        "reason": "x", "actor": "key_1",
    });
    let (payment, user) = ("cs_1".to_owned(), "u_1".to_owned());
    assert_eq!(fact(&said), News::Reassigned(Reassignment { payment, version: 2, user }));
    let nobody = json!({"type": "tally.payment.reassigned", "payment": "cs_1", "version": 2});
    unreadable(fact(&nobody), Reason::Malformed);
}
