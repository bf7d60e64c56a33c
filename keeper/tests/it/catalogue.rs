//! The configuration's prices: what differs from the catalogue in force is told of, once.

use keeper::catalogue::PriceEntry;
use store::read::catalogue::catalogue_get;

use crate::world::World;

fn entry(price: &str, credits: Option<i64>) -> PriceEntry {
    let worth = credits.map(|credits| (credits, "credits".to_owned()));
    PriceEntry { price: price.to_owned(), worth }
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

    let changed = [entry("price_50", Some(60)), entry("price_shirt", None)];
    assert_eq!(sync(&changed).await, 1);
    world.drain().await;
    assert_eq!(sync(&first).await, 1, "and back again");
    world.drain().await;

    let client = world.keeper.store.get().await.unwrap();
    for (price, worth) in [("price_50", Some((50, "credits".to_owned()))), ("price_shirt", None)] {
        let stored = catalogue_get(&client, world.tenant_id, price).await.unwrap().unwrap();
        assert_eq!(stored.worth, worth, "{price}");
    }
}
