//! One purchase told by session, payment intent and charge, in every order, each twice, through three projectors at once:
//! one grant.

use serde_json::json;

use crate::harness::{Harness, charge, payment_intent, session};

/// The six orders of three things.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// Purchases of the test; the amounts differ, so that a double grant, or one that went astray, shows in the sum.
const PURCHASES: usize = 500;

#[tokio::test]
async fn one_purchase_by_three_doors_is_one_grant() {
    let world = Harness::new().await;
    world.register("u_1").await;
    world.drain().await;
    let mut expected = 0;
    for n in 0..PURCHASES {
        let credits = i64::try_from(n).unwrap() + 1;
        expected += credits;
        let name = format!("{n}");
        let metadata = json!({"user_id": "u_1", "credits": credits.to_string()});
        let silent = json!({});
        let told = [
            session(&name, &metadata),
            payment_intent(&name, if n % 2 == 0 { &silent } else { &metadata }),
            charge(&name, if n % 3 == 0 { &silent } else { &metadata }),
        ];
        for door in ORDERS[n % ORDERS.len()] {
            world.stripe(&told[door]).await;
            let mut again = told[door].clone();
            again["id"] = json!(crate::harness::unique("evt"));
            world.stripe(&again).await;
        }
        if n % 50 == 49 {
            let (second, third) = (world.another_projector(), world.another_projector());
            let (first, second, third) = tokio::join!(
                projector::drain(&world.projector, &world.tenant),
                projector::drain(&second, &world.tenant),
                projector::drain(&third, &world.tenant),
            );
            first.and(second).and(third).unwrap();
        }
    }
    world.drain().await;
    assert_eq!(world.balance("u_1").await, expected);
    let grants = "SELECT count(*) FROM credit_grant g JOIN owner o USING (tenant_id, account_id) WHERE o.kind = 1";
    assert_eq!(world.count(grants).await, i64::try_from(PURCHASES).unwrap());
    assert_eq!(world.count("SELECT count(*) FROM review_case WHERE state = 1").await, 0);
    world.check_invariants().await;
}
