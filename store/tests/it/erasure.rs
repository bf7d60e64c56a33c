//! Erasure: the body goes, everything else stays, and an event tells of it.

use jiff::Timestamp;
use store::Role;
use store::log::{Appended, Origin, append, event_get};
use tokio_postgres::{Client, Error};

use crate::support::{World, event, events};

async fn erase(client: &Client, tenant_id: i32, pos: i64) -> Result<i64, Error> {
    let sql = "SELECT tally.erase_event_body($1, $2, 'anna', 'asked by the customer', $3)";
    client.query_one(sql, &[&tenant_id, &pos, &Timestamp::UNIX_EPOCH]).await.map(|row| row.get(0))
}

async fn client_as(world: &World, role: &str) -> Client {
    let client = world.database.superuser().await;
    client.batch_execute(&format!("SET ROLE {role}")).await.unwrap();
    client
}

#[tokio::test]
async fn a_body_can_be_erased_and_its_hash_stays() {
    let world = World::new().await;
    let (store, id) = (world.store(Role::Ingest), world.tenant.tenant_id);
    let told = append(&store, id, &events(["evt_1", "evt_2"])).await.unwrap();
    assert_eq!(told, [Appended::Stored(1), Appended::Stored(2)]);

    let eraser = client_as(&world, "tally_eraser").await;
    assert_eq!(erase(&eraser, id, 1).await.unwrap(), 3);

    let client = store.get().await.unwrap();
    let erased = event_get(&client, id, 1).await.unwrap().unwrap();
    assert_eq!((erased.body, erased.body_sha256), (None, event("evt_1").body_sha256));
    let kept = event_get(&client, id, 2).await.unwrap().unwrap();
    assert_eq!(kept.body, Some(event("evt_2").body));
    let notice = event_get(&client, id, 3).await.unwrap().unwrap();
    assert_eq!(
        (notice.origin, notice.event_type.as_str()),
        (Origin::Operator, "tally.event.erased")
    );
    let body = String::from_utf8(notice.body.unwrap().to_vec()).unwrap();
    assert!(body.contains("\"pos\" : 1") && body.contains("\"actor\" : \"anna\""), "{body}");

    // A redelivery does not bring it back, and a second erasure finds nothing to erase.
    let again = append(&store, id, &events(["evt_1", "evt_3"])).await.unwrap();
    assert_eq!(again, [Appended::Duplicate(1), Appended::Stored(4)]);
    assert_eq!(erase(&eraser, id, 1).await.unwrap_err().code().unwrap().code(), "P0002");
}

#[tokio::test]
async fn nobody_else_may_erase_and_the_eraser_may_nothing_else() {
    let world = World::new().await;
    let id = world.tenant.tenant_id;
    let _ = append(&world.store(Role::Ingest), id, &events(["evt_1"])).await.unwrap();
    for role in ["ingest", "projector", "keeper", "relay", "api", "reader"] {
        let client = client_as(&world, &format!("tally_{role}")).await;
        client.batch_execute("SET tally.erasing = 'on'").await.unwrap();
        let error = erase(&client, id, 1).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "42501", "{role}");
        let error = client.batch_execute("UPDATE event SET body = NULL").await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "42501", "{role}");
    }
    let eraser = client_as(&world, "tally_eraser").await;
    for sql in ["SELECT FROM event", "UPDATE event SET body = NULL", "SELECT FROM log_head"] {
        assert_eq!(eraser.batch_execute(sql).await.unwrap_err().code().unwrap().code(), "42501");
    }
}

/// Erasing goes through the same lock as appending.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erasing_and_appending_at_once_leaves_no_hole() {
    const EACH: i64 = 30;
    let world = World::new().await;
    let (store, id) = (world.store(Role::Ingest), world.tenant.tenant_id);
    let first = append(&store, id, &events((1..=EACH).map(|n| format!("old_{n}")))).await.unwrap();
    let eraser = client_as(&world, "tally_eraser").await;
    let erasing = tokio::spawn(async move {
        for one in first {
            erase(&eraser, id, one.pos()).await.unwrap();
        }
    });
    for n in 0..EACH {
        let _ = append(&store, id, &events([format!("new_{n}")])).await.unwrap();
    }
    erasing.await.unwrap();
    let sql = "SELECT count(*), max(pos), count(*) FILTER (WHERE body IS NULL) FROM event";
    let row = world.database.superuser().await.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1), row.get(2)), (3 * EACH, 3 * EACH, EACH));
}
