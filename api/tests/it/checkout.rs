//! What became of a checkout, told to whoever comes back from Stripe's page.

use std::time::Duration;

use ledger::decision::Reason;
use ledger::ids::Owner;
use serde_json::json;
use store::log::Origin;

use crate::support::{NOW, World};

const BODY: &[u8] = br#"{"type":"checkout.session.completed","data":{"object":{"id":"cs_1"}}}"#;

async fn credited(world: &World) {
    let account = Owner::User("u_1".into()).account_id().0;
    world
        .run(&format!(
            "INSERT INTO owner VALUES ($1, '{account}', 1, 'u_1');
             INSERT INTO payment (tenant_id, root_key, owner_account, first_pos, status, facts, merged_into) VALUES
               ($1, 'pi_1', '{account}', 1, 2, '{{}}', NULL), ($1, 'cs_1', NULL, 1, 2, '{{}}', 'pi_1');
             INSERT INTO payment_alias VALUES ($1, 'cs_1', 'cs_1'), ($1, 'pi_1', 'pi_1');
             INSERT INTO payment_leg (tenant_id, root_key, line, leg, unit, expected, target, posted) VALUES
               ($1, 'pi_1', 'credits', 1, 'credits', 500, 500, 500)"
        ))
        .await;
}

#[tokio::test]
async fn it_is_unknown_then_received_then_credited() {
    let world = World::new().await;
    let unknown = json!({
        "object": "checkout_session", "id": "cs_1", "status": "unknown", "credits": null, "unit": null, "user": null,
        "payment": null, "as_of": NOW,
    });
    assert_eq!(world.get("/v1/checkout_sessions/cs_1").await.ok(), unknown);
    let pos = world.tell(Origin::Stripe, "evt_1", "checkout.session.completed", BODY).await;
    assert_eq!(world.get("/v1/checkout_sessions/cs_1").await.ok()["status"], "received");
    assert_eq!(world.get("/v1/checkout_sessions/cs_2").await.ok()["status"], "unknown");
    credited(&world).await;
    world.decide(pos, Reason::Credited, Some("pi_1")).await;
    let expected = json!({
        "object": "checkout_session", "id": "cs_1", "status": "credited", "credits": 500, "unit": "credits",
        "user": "u_1", "payment": "pi_1", "as_of": NOW,
    });
    assert_eq!(world.get("/v1/checkout_sessions/cs_1").await.ok(), expected);
}

#[tokio::test]
async fn who_waits_is_told_as_soon_as_it_is_decided() {
    let world = World::new().await;
    let pos = world.tell(Origin::Stripe, "evt_1", "checkout.session.completed", BODY).await;
    let deciding = async {
        credited(&world).await;
        world.decide(pos, Reason::Credited, Some("pi_1")).await;
    };
    let waiting = world.get("/v1/checkout_sessions/cs_1?wait=30");
    let both = async { tokio::join!(waiting, deciding) };
    let (answer, ()) = tokio::time::timeout(Duration::from_secs(20), both).await.unwrap();
    assert_eq!(answer.ok()["status"], "credited");
}

#[tokio::test]
async fn who_waits_in_vain_is_told_what_is_known() {
    let world = World::new().await;
    assert_eq!(world.get("/v1/checkout_sessions/cs_1?wait=1").await.ok()["status"], "unknown");
    for wait in ["31", "-1", "x", "1.5", ""] {
        let path = format!("/v1/checkout_sessions/cs_1?wait={wait}");
        world.get(&path).await.refused(400, "parameter_invalid", Some("wait"));
    }
}
