//! The log as staff look at it, and what people did.

use http::header;
use ledger::decision::Reason;
use serde_json::json;
use store::log::Origin;

use crate::support::{NOW, World};

/// Four events: two decided, one in review, one not decided.
async fn world() -> World {
    let world = World::new().await;
    world.tell(Origin::Stripe, "evt_1", "charge.succeeded", b"{\"n\": 1}").await;
    world.tell(Origin::Stripe, "evt_2", "customer.created", b"\xff\xfe").await;
    world.tell(Origin::Stripe, "evt_3", "charge.succeeded", b"{}").await;
    world.tell(Origin::Operator, "case:x:1", "tally.case.retried", b"{\"actor\":\"key_1\"}").await;
    world.decide(1, Reason::Credited, Some("pi_1")).await;
    world.decide(2, Reason::Evidence, None).await;
    world.decide(3, Reason::NoEvidence, Some("pi_3")).await;
    world
}

#[tokio::test]
async fn events_are_listed_from_the_newest_and_filtered() {
    let world = world().await;
    for (query, ids) in [
        ("", &["case:x:1", "evt_3", "evt_2", "evt_1"][..]),
        ("?limit=1", &["case:x:1"]),
        ("?starting_after=evt_3", &["evt_2", "evt_1"]),
        ("?ending_before=evt_2&limit=1", &["evt_3"]),
        ("?type=charge.succeeded", &["evt_3", "evt_1"]),
        ("?outcome=applied", &["evt_2", "evt_1"]),
        ("?outcome=pending", &["case:x:1"]),
        ("?outcome=in_review&type=charge.succeeded", &["evt_3"]),
        ("?reason=evidence", &["evt_2"]),
        (
            "?created[gte]=2026-11-21T10:00:00Z&created[lte]=2026-11-21T10:00:00Z&limit=1",
            &["case:x:1"],
        ),
        ("?created[gt]=2026-11-21T10:00:00Z", &[]),
        ("?created[lt]=2026-11-21T10:00:00Z", &[]),
    ] {
        assert_eq!(world.get(&format!("/v1/events{query}")).await.ids(), ids, "{query}");
    }
    for (query, code, param) in [
        ("outcome=lost", "parameter_invalid", "outcome"),
        ("reason=", "parameter_invalid", "reason"),
        ("sort=type", "parameter_unknown", "sort"),
        ("starting_after=evt_9", "parameter_invalid", "starting_after"),
    ] {
        world.get(&format!("/v1/events?{query}")).await.refused(400, code, Some(param));
    }
}

#[tokio::test]
async fn an_event_shows_its_envelope_and_every_decision() {
    let world = world().await;
    world
        .run(&format!(
            "INSERT INTO decision (tenant_id, pos, rev, slot, outcome, reason, root_key, rank, rules_version, evidence, cause_pos, decided_at)
             SELECT $1, 3, 1, slot, 1, 10, 'pi_3', 3, 1, '[{{\"rank\":3}}]', 4, '{NOW}' FROM event WHERE pos = 3"
        ))
        .await;
    let event = world.get("/v1/events/evt_3").await.ok();
    for (member, expected) in [
        ("object", json!("event")),
        ("id", json!("evt_3")),
        ("position", json!(3)),
        ("type", json!("charge.succeeded")),
        ("origin", json!("stripe")),
        ("signed", json!(true)),
        ("outcome", json!("applied")),
        ("reason", json!("credited")),
        ("body_bytes", json!(2)),
    ] {
        assert_eq!(event[member], expected, "{member}");
    }
    let reasons: Vec<_> =
        event["decisions"].as_array().unwrap().iter().map(|one| one["reason"].clone()).collect();
    assert_eq!(reasons, ["no_evidence", "credited"]);
    assert_eq!(event["decisions"][1]["cause_position"], 4);
    // By position as well.
    assert_eq!(world.get("/v1/events/3").await.ok(), event);
    for id in ["evt_9", "5", "0", "-1", "99999999999999999999", "%00"] {
        let answer = world.get(&format!("/v1/events/{id}")).await;
        assert_eq!(answer.status, 404, "{id}");
    }
}

#[tokio::test]
async fn a_payload_is_the_exact_bytes() {
    let world = world().await;
    let json = world.get("/v1/events/evt_1/payload").await;
    assert_eq!((json.status.as_u16(), json.bytes.as_slice()), (200, &b"{\"n\": 1}"[..]));
    assert_eq!(json.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(json.headers["x-stripe-signature"], "t=1,v1=00");
    assert_eq!(json.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(json.headers[header::CACHE_CONTROL], "no-store");
    let bytes = world.get("/v1/events/2/payload").await;
    assert_eq!((bytes.status.as_u16(), bytes.bytes.as_slice()), (200, &b"\xff\xfe"[..]));
    assert_eq!(bytes.headers[header::CONTENT_TYPE], "application/octet-stream");
    world.get("/v1/events/evt_9/payload").await.refused(404, "event_not_found", Some("id"));
    world.run("SELECT erase_event_body($1, 1, 'dpo', 'asked', now())").await;
    world.get("/v1/events/evt_1/payload").await.refused(404, "event_not_found", Some("id"));
}

#[tokio::test]
async fn the_audit_lists_what_people_did() {
    let world = world().await;
    world
        .tell(
            Origin::Catalogue,
            "price:p:1",
            "tally.catalogue.set",
            b"{\"actor\":\"key_2\",\"price\":\"p\"}",
        )
        .await;
    world.decide(4, Reason::Stale, None).await;
    let page = world.get("/v1/audit").await;
    assert_eq!(page.ids(), ["price:p:1", "case:x:1"]);
    let acts = page.ok();
    assert_eq!(acts["data"][0]["outcome"], "pending");
    assert_eq!(acts["data"][1]["outcome"], "ignored");
    assert_eq!(acts["data"][1]["actor"], "key_1");
    assert_eq!(world.get("/v1/audit?starting_after=price:p:1").await.ids(), ["case:x:1"]);
    assert_eq!(world.get("/v1/audit?ending_before=case:x:1").await.ids(), ["price:p:1"]);
}
