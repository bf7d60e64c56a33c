//! The configuration's prices: what differs from the catalogue in force is told of, once.

use jiff::{SignedDuration, Timestamp};
use keeper::catalogue::PriceEntry;
use store::read::catalogue::{Worth, catalogue_versions};

use crate::world::World;

fn entry(key: &str, credits: Option<i64>) -> PriceEntry {
    let worth = credits.map(|credits| Worth {
        credits,
        unit: "credits".to_owned(),
        expires: Some("P1Y".to_owned()),
        priority: 3,
    });
    PriceEntry { key: key.to_owned(), worth, valid_from: None }
}

#[tokio::test]
async fn only_what_differs_is_told() {
    let world = World::new().await;
    let sync = async |entries: &[PriceEntry]| {
        world.keeper.sync_catalogue(world.tenant_id, entries).await.unwrap()
    };
    let first = [entry("price_50", Some(50)), entry("price_shirt", None)];
    assert_eq!(sync(&first).await, 2);
    assert_eq!(sync(&first).await, 0, "told by another process, not decided yet");
    world.drain().await;
    assert_eq!(sync(&first).await, 0, "in force");

    let mut other_terms = entry("price_50", Some(50));
    other_terms.worth.as_mut().unwrap().expires = None;
    for changed in [entry("price_50", Some(60)), other_terms, entry("price_50", Some(50))] {
        let changed = [changed, entry("price_shirt", None)];
        assert_eq!(sync(&changed).await, 1, "{changed:?}");
        world.drain().await;
    }

    let client = world.keeper.store.get().await.unwrap();
    for expected in &first {
        let stored = catalogue_versions(&client, world.tenant_id, &expected.key).await.unwrap();
        let current = stored.current(world.keeper.clock.now()).unwrap();
        assert_eq!(current.worth, expected.worth, "{}", expected.key);
        assert_eq!(current.actor.as_deref(), Some("configuration"));
    }
}

#[tokio::test]
async fn what_was_said_elsewhere_and_is_not_decided_yet_is_overruled_once() {
    let world = World::new().await;
    let sync = async |credits| {
        world
            .keeper
            .sync_catalogue(world.tenant_id, &[entry("price_50", Some(credits))])
            .await
            .unwrap()
    };
    assert_eq!(sync(50).await, 1);
    world.drain().await;
    assert_eq!([sync(60).await, sync(50).await, sync(50).await], [1, 1, 0]);
    world.drain().await;
    let client = world.keeper.store.get().await.unwrap();
    let stored = catalogue_versions(&client, world.tenant_id, "price_50").await.unwrap();
    let current = stored.current(world.keeper.clock.now()).unwrap();
    assert_eq!((&current.worth, stored.decided.len()), (&entry("price_50", Some(50)).worth, 3));
}

#[tokio::test]
async fn what_is_to_come_is_told_once_and_changes_nothing_yet() {
    let world = World::new().await;
    let tomorrow = world.keeper.clock.now().checked_add(SignedDuration::from_hours(24)).unwrap();
    let tomorrow = Timestamp::from_second(tomorrow.as_second()).unwrap();
    let now = entry("price_50", Some(50));
    let to_come = PriceEntry { valid_from: Some(tomorrow), ..entry("price_50", Some(60)) };
    for (entries, told) in [(&now, 1), (&to_come, 1), (&now, 0), (&to_come, 0)] {
        let entries = std::slice::from_ref(entries);
        let count = world.keeper.sync_catalogue(world.tenant_id, entries).await.unwrap();
        assert_eq!(count, told, "{entries:?}");
        world.drain().await;
    }
    let client = world.keeper.store.get().await.unwrap();
    let stored = catalogue_versions(&client, world.tenant_id, "price_50").await.unwrap();
    let moments: Vec<_> = stored.decided.iter().map(|version| version.valid_from).collect();
    assert_eq!(moments, [Some(tomorrow), None]);
    assert_eq!(stored.current(world.keeper.clock.now()).unwrap().worth, now.worth);
}
