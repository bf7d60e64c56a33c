//! Making and finding tenants.

use jiff::Timestamp;
use store::tenant::{ensure, find, list};
use store::{Kind, Role};

use crate::support::{login_for, store_at};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

#[tokio::test]
async fn a_tenant_is_made_once_with_its_log_and_slots() {
    let database = testkit::database().await;
    let admin = store_at(&database.url, Role::Login);
    let test = ensure(&admin, "shop", false, NOW).await.unwrap();
    let live = ensure(&admin, "shop", true, NOW).await.unwrap();
    assert_eq!((test.tenant_id, live.tenant_id), (1, 2));
    assert_ne!(test.evidence_key, live.evidence_key);
    assert!(!format!("{test:?}").contains("evidence_key"), "{test:?}");

    assert_eq!(ensure(&admin, "shop", false, NOW).await.unwrap(), test);
    let client = store_at(&database.url, Role::Projector).get().await.unwrap();
    assert_eq!(list(&client).await.unwrap(), [test, live.clone()]);
    assert_eq!(find(&client, "shop", true).await.unwrap(), Some(live));
    assert_eq!(find(&client, "other", true).await.unwrap(), None);

    let sql = "SELECT (SELECT count(*) FROM log_head), (SELECT count(*) FROM projection_slot), \
               (SELECT count(DISTINCT slot) FROM projection_slot)";
    let row = database.superuser().await.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1), row.get(2)), (2_i64, 128_i64, 64_i64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_make_the_same_tenant_all_get_the_same() {
    let database = testkit::database().await;
    let making = (0..12_u8).map(|n| {
        let admin = store_at(&database.url, Role::Login);
        tokio::spawn(async move { ensure(&admin, ["a", "b"][usize::from(n % 2)], true, NOW).await })
    });
    for made in making.collect::<Vec<_>>() {
        assert!(made.await.unwrap().unwrap().tenant_id <= 2);
    }
    let client = store_at(&database.url, Role::Api).get().await.unwrap();
    assert_eq!(list(&client).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_login_of_a_process_may_not_make_tenants() {
    let database = testkit::database().await;
    let store = store_at(&login_for(&database, Role::Ingest).await, Role::Ingest);
    let error = ensure(&store, "x", true, NOW).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused, "{error}");
}
