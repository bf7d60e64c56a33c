//! A payment, by the id of any of its objects.

use ledger::decision::Reason;
use ledger::ids::Owner;
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

#[tokio::test]
async fn a_payment_shows_what_went_back_and_from_where() {
    let world = World::new().await;
    let account = Owner::User("u_1".into()).account_id().0;
    let facts = json!({"objects": {"pi_1": {}, "ch_1": {}}, "reversals": {
        "refunds": {
            "re_1": {"state": "given", "amount": 300, "given_at": 1_763_719_200, "failed_at": null},
            "re_2": {"state": "failed", "amount": 200, "given_at": 1_763_719_200, "failed_at": 1_763_722_800},
        },
        "figures": {"ch_1": {"said_at": 1_763_719_200, "amount": 500}},
        "disputes": {
            "dp_1": {"movement": {"said_at": 1_763_722_800, "reinstated": false, "amount": 400},
                     "status": [1_763_722_800, "under_review"]},
            "dp_2": {"movement": {"said_at": 1_763_722_800, "reinstated": true, "amount": 100}, "status": [1, "won"]},
            "dp_3": {"movement": null, "status": [1, "warning_closed"]},
            "dp_4": {"movement": null, "status": null},
        },
    }});
    world
        .run(&format!(
            "INSERT INTO owner VALUES ($1, '{account}', 1, 'u_1');
             INSERT INTO payment (tenant_id, root_key, owner_account, first_pos, paid, currency, status, facts)
               VALUES ($1, 'pi_1', '{account}', 1, 1000, 'usd', 2, '{facts}');
             INSERT INTO payment_alias VALUES ($1, 'pi_1', 'pi_1');
             INSERT INTO payment_leg (tenant_id, root_key, line, leg, unit, expected, target, posted) VALUES
               ($1, 'pi_1', 'price:a', 1, 'credits', 100, 100, 100), ($1, 'pi_1', 'price:a', 2, 'credits', 0, -30, -30),
               ($1, 'pi_1', 'price:a', 3, 'credits', 0, -40, -40), ($1, 'pi_1', 'price:b', 1, 'tokens', 7, 7, 7)"
        ))
        .await;
    let payment = world.get("/v1/payments/pi_1").await.ok();
    let leg = |leg: &str, credits: i64| json!({"leg": leg, "target": credits, "posted": credits, "forgiven": 0});
    let (early, late) = ("2025-11-21T10:00:00Z", "2025-11-21T11:00:00Z");
    for (member, expected) in [
        ("user", json!("u_1")),
        (
            "lines",
            json!([
                {"line": "price:a", "unit": "credits", "expected": 100, "target": 30, "posted": 30,
                 "legs": [leg("purchase", 100), leg("refund", -30), leg("dispute", -40)]},
                {"line": "price:b", "unit": "tokens", "expected": 7, "target": 7, "posted": 7, "legs": [leg("purchase", 7)]},
            ]),
        ),
        (
            "refunds",
            json!([
                {"id": "re_1", "amount": 300, "state": "given", "created": early, "failed": null},
                {"id": "re_2", "amount": 200, "state": "failed", "created": early, "failed": late},
            ]),
        ),
        ("refunded", json!([{"charge": "ch_1", "amount": 500, "as_of": early}])),
        (
            "disputes",
            json!([
                {"id": "dp_1", "amount": 400, "state": "withdrawn", "status": "under_review", "open": true, "moved": late},
                {"id": "dp_2", "amount": 100, "state": "reinstated", "status": "won", "open": false, "moved": late},
                {"id": "dp_3", "amount": null, "state": "inquiry", "status": "warning_closed", "open": false, "moved": null},
                {"id": "dp_4", "amount": null, "state": "inquiry", "status": null, "open": true, "moved": null},
            ]),
        ),
    ] {
        assert_eq!(payment[member], expected, "{member}");
    }
}
