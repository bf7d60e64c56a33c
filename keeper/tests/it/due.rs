//! A payment that nothing makes ours waits a quarter of an hour, by the clock, and is then told of once.

use jiff::SignedDuration;
use keeper::{Tenant, run};
use ledger::decision::Reason;
use service::shutdown::{DRAIN_MAX, Shutdown};
use service::telemetry::Metrics;
use store::status::counts;
use testkit::events::Purchase;

use crate::world::World;

/// Longer than a bare payment waits.
const LONG_ENOUGH: SignedDuration = SignedDuration::from_secs(15 * 60 + 1);

#[tokio::test]
async fn case_is_told_of_once_when_its_time_is_over() {
    let world = World::new().await;
    let bare = world.deliver(Purchase::new("1").payment_intent_succeeded()).await;
    world.drain().await;
    assert_eq!(world.keeper.tell_due(world.tenant_id).await.unwrap(), 0);

    world.hands.advance(LONG_ENOUGH);
    assert_eq!(world.keeper.tell_due(world.tenant_id).await.unwrap(), 1);
    assert_eq!(world.keeper.tell_due(world.tenant_id).await.unwrap(), 0, "the same fact again");

    world.drain().await;
    assert_eq!(world.reasons(bare).await, [Reason::Waiting, Reason::NotOurs]);
    assert_eq!(world.keeper.tell_due(world.tenant_id).await.unwrap(), 0, "it is closed");
}

#[tokio::test]
async fn running_keeper_looks_by_itself_and_ends_with_its_process() {
    let world = World::new().await;
    let _bare = world.deliver(Purchase::new("1").payment_intent_succeeded()).await;
    world.drain().await;
    world.hands.advance(LONG_ENOUGH);

    // The recorder belongs to the process; no other test of this one runs a whole keeper.
    let metrics = Metrics::install().unwrap();
    let shutdown = Shutdown::new();
    let tenants = vec![Tenant { tenant_id: world.tenant_id, directory: None }];
    run(&world.keeper, tenants, &shutdown);
    testkit::wait_for("the clock's fact", async || {
        let client = world.keeper.store.get().await.unwrap();
        let counts = counts(&client, world.tenant_id).await.unwrap();
        (counts.received == 2 && counts.pending == 1).then_some(())
    })
    .await;
    testkit::wait_for("the gauges of open cases", async || {
        let text = metrics.render();
        let lines = [
            r#"tally_cases_open{tenant="1",reason="waiting"} 1"#,
            r#"tally_cases_open{tenant="1",reason="conflict"} 0"#,
            r#"tally_cases_oldest_age_seconds{tenant="1"} 901"#,
        ];
        lines.iter().all(|line| text.contains(line)).then_some(())
    })
    .await;
    shutdown.begin();
    shutdown.drained(DRAIN_MAX).await.unwrap();
}
