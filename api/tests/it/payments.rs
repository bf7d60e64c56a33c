//! A payment, by the id of any of its objects.

use ledger::decision::Reason;
use serde_json::json;
use store::log::Origin;

use crate::support::World;

#[tokio::test]
async fn every_object_leads_to_the_payment_that_survived() {
    let world = World::new().await;
    let pos = world.tell(Origin::Stripe, "evt_1", "checkout.session.completed", b"{}").await;
    world
        .run(
            "INSERT INTO payment (tenant_id, root_key, claimant, first_pos, paid, currency, status, facts, merged_into) VALUES
               ($1, 'pi_1', 'u_1', 1, 1200, 'usd', 1, '{\"objects\":{\"pi_1\":{},\"cs_1\":{}}}', NULL),
               ($1, 'cs_1', NULL, 1, NULL, NULL, 0, '{}', 'pi_1');
             INSERT INTO payment_alias VALUES ($1, 'cs_1', 'cs_1'), ($1, 'pi_1', 'pi_1');
             INSERT INTO payment_leg (tenant_id, root_key, line, leg, unit, expected, target, posted)
               VALUES ($1, 'pi_1', 'price:price_1', 1, 'credits', 500, 0, 0)",
        )
        .await;
    world.decide(pos, Reason::Pending, Some("cs_1")).await;
    let payment = world.get("/v1/payments/pi_1").await.ok();
    for (member, expected) in [
        ("object", json!("payment")),
        ("id", json!("pi_1")),
        ("status", json!("pending")),
        ("paid", json!(1200)),
        ("currency", json!("usd")),
        ("user", json!(null)),
        ("claimant", json!("u_1")),
        ("aliases", json!(["cs_1", "pi_1"])),
        // The event told of it when it was called otherwise.
        ("events", json!([1])),
        ("cases", json!([])),
        ("postings", json!([])),
    ] {
        assert_eq!(payment[member], expected, "{member}");
    }
    assert_eq!(payment["lines"][0]["expected"], 500);
    assert_eq!(world.get("/v1/payments/cs_1").await.ok(), payment);
    world.get("/v1/payments/pi_9").await.refused(404, "payment_not_found", Some("id"));
}
