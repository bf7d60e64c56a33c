//! The trace of refused deliveries: kept, and never more than its limit.

use jiff::{SignedDuration, Timestamp};
use store::Role;
use store::rejected::{KEPT, Reason, Rejected, insert_batch};
use uuid::Uuid;

use crate::support::World;

fn rejected(number: i64) -> Rejected {
    Rejected {
        id: Uuid::from_u128(u128::try_from(number).unwrap()),
        at: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(number),
        reason: Reason::NoMatch,
        endpoint: Some("main".to_owned()),
        user_agent: Some("curl\0".to_owned()),
        peer: None,
        body_sha256: Some([7; 32]),
    }
}

#[tokio::test]
async fn a_refused_delivery_leaves_its_trace() {
    let world = World::new().await;
    let (store, id) = (world.store(Role::Ingest), world.tenant.tenant_id);
    insert_batch(&store, id, &[rejected(5)]).await.unwrap();
    insert_batch(&store, id, &[]).await.unwrap();
    let client = world.database.superuser().await;
    let sql = "SELECT reason, endpoint, user_agent, peer, body_sha256, at FROM rejected_delivery";
    let row = client.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1), row.get(2)), (5_i16, "main", "curl\u{fffd}"));
    assert_eq!(row.get::<_, Option<&str>>(3), None);
    assert_eq!(row.get::<_, &[u8]>(4), [7; 32]);
    assert_eq!(row.get::<_, Timestamp>(5), rejected(5).at);
}

#[tokio::test]
async fn the_oldest_go_when_there_are_too_many() {
    let world = World::new().await;
    let (store, id) = (world.store(Role::Ingest), world.tenant.tenant_id);
    let all: Vec<_> = (1..=KEPT + 300).map(rejected).collect();
    for batch in all.chunks(2_060) {
        insert_batch(&store, id, batch).await.unwrap();
    }
    let client = world.database.superuser().await;
    let sql = "SELECT count(*), min(at), max(at) FROM rejected_delivery";
    let row = client.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), (KEPT, rejected(301).at));
    assert_eq!(row.get::<_, Timestamp>(2), rejected(KEPT + 300).at);
}
