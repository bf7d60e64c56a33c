//! A fact that a case waits for (a registration, a price, another price, a link) is committed at the same time as the purchase that opens the case, by another projector:
//! whoever is second sees the other, and no case stays open.

use serde_json::json;

use crate::harness::{Harness, session, unique};

/// Races of each kind: a registration, a catalogue entry, a link.
const RACES: usize = 2_000 / 3 + 1;

/// Races that run at once.
const AT_ONCE: usize = 32;

#[tokio::test]
async fn no_case_stays_open() {
    let world = Harness::new().await;
    world.register("known").await;
    world.drain().await;
    let mut bought = 0;
    for start in (0..RACES).step_by(AT_ONCE) {
        for n in start..(start + AT_ONCE).min(RACES) {
            world.set_price(&format!("differs{n}"), 1).await;
        }
        world.drain().await;
        for n in start..(start + AT_ONCE).min(RACES) {
            world
                .stripe(&session(
                    &format!("user{n}"),
                    &json!({"user_id": format!("late{n}"), "credits": "1"}),
                ))
                .await;
            world.register(&format!("late{n}")).await;
            world
                .stripe(&session(
                    &format!("price{n}"),
                    &json!({"user_id": "known", "price": format!("price{n}")}),
                ))
                .await;
            world.set_price(&format!("price{n}"), 1).await;
            world
                .stripe(&session(&format!("link{n}"), &json!({"user_id": "known", "credits": "1"})))
                .await;
            world.stripe(&differing(n)).await;
            world.set_price(&format!("differs{n}"), 2).await;
            let mut nobody = session(&format!("nobody{n}"), &json!({"credits": "1"}));
            nobody["data"]["object"]["customer"] = json!(format!("cus_link{n}"));
            nobody["id"] = json!(unique("evt"));
            world.stripe(&nobody).await;
            bought += 6;
        }
        let (second, third) = (world.another_projector(), world.another_projector());
        let (first, second, third) = tokio::join!(
            projector::drain(&world.projector, &world.tenant),
            projector::drain(&second, &world.tenant),
            projector::drain(&third, &world.tenant),
        );
        first.and(second).and(third).unwrap();
    }
    world.drain().await;
    assert_eq!(world.count("SELECT count(*) FROM review_case WHERE state = 1").await, 0);
    let users = "SELECT coalesce(sum(a.posted), 0)::bigint FROM account a JOIN owner o USING (tenant_id, account_id) WHERE o.kind = 1";
    assert_eq!(world.count(users).await, bought);
    assert!(
        world.count("SELECT count(*) FROM review_case WHERE resolution = 1").await > 0,
        "the races were none"
    );
    world.check_invariants().await;
}

/// A purchase whose metadata says two credits, while the catalogue says one, and then two.
fn differing(n: usize) -> serde_json::Value {
    let metadata = json!({"user_id": "known", "price": format!("differs{n}"), "credits": "2"});
    session(&format!("differs{n}"), &metadata)
}
