//! Hints: they come, merged, on a new connection too, and nobody waits for them.

use ledger::ids::AccountId;
use store::PgUrl;
use store::notify::{Hint, Listener, Notifier};
use testkit::{WAIT_MAX, wait_for};
use tokio::sync::broadcast::Receiver;
use uuid::Uuid;

use crate::support::World;

async fn next(hints: &mut Receiver<Hint>) -> Hint {
    tokio::time::timeout(WAIT_MAX, hints.recv()).await.expect("a hint").unwrap()
}

#[tokio::test]
async fn what_was_told_arrives_merged() {
    let world = World::new().await;
    let listener = Listener::start(&world.url()).unwrap();
    let mut hints = listener.subscribe();
    assert_eq!(next(&mut hints).await, Hint::Reconnected);

    let notifier = Notifier::start(&world.url()).unwrap();
    notifier.notify_events(7, 1);
    notifier.clone().notify_events(7, 1 << 63);
    notifier.notify_decided(7, []);
    notifier.notify_pressed(7);
    notifier.notify_events(8, 2);
    assert_eq!(next(&mut hints).await, Hint::Events { tenant_id: 7, slots: 1 | 1 << 63 });
    assert_eq!(next(&mut hints).await, Hint::Events { tenant_id: 8, slots: 2 });
    assert_eq!(next(&mut hints).await, Hint::Decided { tenant_id: 7 });
    assert_eq!(next(&mut hints).await, Hint::Pressed { tenant_id: 7 });

    notifier.notify_decided(8, []);
    assert_eq!(next(&mut hints).await, Hint::Decided { tenant_id: 8 });
}

#[tokio::test]
async fn accounts_are_named_to_whoever_wants_to_know_them() {
    let world = World::new().await;
    let others = Listener::start(&world.url()).unwrap();
    let listener = Listener::start_with_accounts(&world.url()).unwrap();
    let (mut hints, mut other_hints) = (listener.subscribe(), others.subscribe());
    assert_eq!(next(&mut hints).await, Hint::Reconnected);
    assert_eq!(next(&mut other_hints).await, Hint::Reconnected);

    let notifier = Notifier::start(&world.url()).unwrap();
    let account = |number: u128| AccountId(Uuid::from_u128(number));
    let told = |numbers: &[u128]| Hint::Accounts {
        tenant_id: 7,
        accounts: numbers.iter().map(|number| account(*number)).collect(),
    };
    notifier.accounts_changed(7, [account(2), account(1)]);
    notifier.accounts_changed(7, [account(2)]);
    assert_eq!(next(&mut hints).await, told(&[1, 2]));
    // As many as fit into one notification each; too many are not named at all.
    notifier.accounts_changed(7, (1..=300).map(account));
    assert_eq!(next(&mut hints).await, told(&(1..=200).collect::<Vec<_>>()));
    assert_eq!(next(&mut hints).await, told(&(201..=300).collect::<Vec<_>>()));
    notifier.accounts_changed(7, (1..=2_001).map(account));
    assert_eq!(next(&mut hints).await, told(&[]));
    notifier.notify_decided(7, []);
    assert_eq!(next(&mut other_hints).await, Hint::Decided { tenant_id: 7 });
}

#[tokio::test]
async fn a_broken_connection_is_replaced_and_said() {
    let world = World::new().await;
    let listener = Listener::start(&world.url()).unwrap();
    let mut hints = listener.subscribe();
    let notifier = Notifier::start(&world.url()).unwrap();
    assert_eq!(next(&mut hints).await, Hint::Reconnected);
    notifier.notify_decided(1, []);
    assert_eq!(next(&mut hints).await, Hint::Decided { tenant_id: 1 });

    let client = world.database.superuser().await;
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                WHERE datname = current_database() AND application_name IN ('tally_listener', 'tally_login')";
    client.query_one(kill, &[]).await.unwrap();
    assert_eq!(next(&mut hints).await, Hint::Reconnected);
    wait_for("a hint on the new connections", async || {
        notifier.notify_decided(2, []);
        hints.try_recv().ok()
    })
    .await;
}

#[tokio::test]
async fn both_start_without_a_database_and_nobody_waits() {
    let nowhere = PgUrl::parse("postgres://nobody@/x?host=/nonexistent").unwrap();
    let listener = Listener::start(&nowhere).unwrap();
    let notifier = Notifier::start(&nowhere).unwrap();
    for tenant in 0..1000 {
        notifier.notify_events(tenant, u64::MAX);
    }
    assert!(listener.subscribe().try_recv().is_err());
}

#[tokio::test]
async fn dropping_them_ends_their_connections() {
    let world = World::new().await;
    let listener = Listener::start(&world.url()).unwrap();
    let mut hints = listener.subscribe();
    assert_eq!(next(&mut hints).await, Hint::Reconnected);
    drop(listener);
    let client = world.database.superuser().await;
    wait_for("the listener's session to end", async || {
        let sql = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tally_listener'";
        client.query_opt(sql, &[]).await.unwrap().is_none().then_some(())
    })
    .await;
}
