//! Whatever id is asked about, the story comes. Its words are tested beside the code that makes them.

use ledger::decision::Reason;
use ledger::ids::{CaseId, GrantId, Owner, PostingId};
use serde_json::json;
use store::log::Origin;

use crate::support::{NOW, World};

/// A purchase at position 3 that named a stranger, who was registered at position 1: the case of it healed.
async fn healed(world: &World) -> (CaseId, PostingId) {
    let pos = world.tell(Origin::Stripe, "evt_1", "checkout.session.completed", b"{}").await;
    let account = Owner::User("u_1".into()).account_id();
    let case = CaseId::derive(world.tenant.tenant_id, "pi_1", "unknown_user");
    world
        .run(&format!(
            "INSERT INTO owner VALUES ($1, '{account}', 1, 'u_1');
             INSERT INTO account (tenant_id, account_id, unit, version, posted) VALUES ($1, '{account}', 'credits', 1, 500);
             INSERT INTO payment (tenant_id, root_key, owner_account, first_pos, paid, currency, status, facts)
               VALUES ($1, 'pi_1', '{account}', {pos}, 1200, 'usd', 2, '{{\"objects\":{{\"cs_1\":{{}},\"pi_1\":{{}}}}}}');
             INSERT INTO payment_alias VALUES ($1, 'cs_1', 'pi_1'), ($1, 'pi_1', 'pi_1');
             INSERT INTO payment_leg (tenant_id, root_key, line, leg, unit, expected, target, posted)
               VALUES ($1, 'pi_1', 'credits', 1, 'credits', 500, 500, 500);
             INSERT INTO posting (tenant_id, account_id, unit, seq, contra, amount, balance_after, cause_kind, cause_pos,
                                  cause_rev, effect_no, root_key, line, effective_at, recorded_at, hash)
               VALUES ($1, '{account}', 'credits', 1, 8, 500, 500, 1, {pos}, 1, 0, 'pi_1', 'credits', '{NOW}', '{NOW}', sha256('x'));
             INSERT INTO review_case (tenant_id, case_id, pos, root_key, reason, state, resolution, version, opened_at,
                                      closed_at, closed_pos)
               VALUES ($1, '{case}', {pos}, 'pi_1', 40, 2, 1, 2, '{NOW}', '{NOW}', 1)",
            account = account.0,
            case = case.0,
        ))
        .await;
    world.decide(pos, Reason::UnknownUser, Some("pi_1")).await;
    world
        .run(&format!(
            "INSERT INTO decision (tenant_id, pos, rev, slot, outcome, reason, root_key, rank, rules_version, evidence, cause_pos, decided_at)
             SELECT $1, {pos}, 1, slot, 1, 10, 'pi_1', 3, 1,
                    '[{{\"rank\":3,\"kind\":\"metadata\",\"at\":\"charge.metadata.user_id\",\"value\":\"u_1\"}}]', 1, '{NOW}'
             FROM event WHERE pos = {pos}"
        ))
        .await;
    (case, PostingId { account, unit: "credits".into(), seq: 1 })
}

#[tokio::test]
async fn every_id_leads_to_its_story() {
    let world = World::new().await;
    world.register("u_1").await;
    world.register("7").await;
    let (case, posting) = healed(&world).await;
    let other = world.tell(Origin::Stripe, "evt_2", "product.created", b"{}").await;
    world.decide(other, Reason::UnhandledType, None).await;
    let payment = world.get("/v1/explain/pi_1").await.ok();
    assert_eq!(payment["title"], "Payment pi_1 of 12.00 USD: 500 credits for user u_1");
    assert_eq!(
        (&payment["object"], &payment["subject"]),
        (&json!("explanation"), &json!("payment"))
    );
    let told: Vec<_> =
        payment["story"].as_array().unwrap().iter().map(|beat| &beat["position"]).collect();
    // Registered at 1, told at 3, and decided anew because of the registration.
    assert_eq!(told, [1, 3, 3]);
    let healed = format!(
        "So case {case} healed by itself and is closed. The 500 credits that were set aside went to user u_1, because the \
         metadata that your server set names them (charge.metadata.user_id). Their balance became 500 credits."
    );
    assert_eq!(payment["story"][1]["text"], healed);
    let ids = [
        "cs_1",
        "evt_1",
        "3",
        &case.to_string(),
        &posting.to_string(),
        &GrantId(posting).to_string(),
    ];
    for id in ids {
        let answer = world.get(&format!("/v1/explain/{id}")).await.ok();
        assert_eq!((&answer["id"], &answer["story"]), (&json!(id), &payment["story"]), "{id}");
    }
    for (id, subject, title) in [
        ("u_1", "user", "User u_1: 500 credits available"),
        ("7", "user", "User 7: 0 credits available"),
        ("evt_2", "event", "Event evt_2 at position 4"),
        ("4", "event", "Event evt_2 at position 4"),
        ("1", "event", "Event user:u_1:00000000-0000-7000-8000-000000000000 at position 1"),
    ] {
        let answer = world.get(&format!("/v1/explain/{id}")).await.ok();
        assert_eq!(
            (&answer["subject"], &answer["title"]),
            (&json!(subject), &json!(title)),
            "{id}"
        );
    }
    for id in ["9", "u_9", "case_1", "pst_1", "case_00000000000080008000000000000000"] {
        world.get(&format!("/v1/explain/{id}")).await.refused(404, "not_found", Some("id"));
    }
}

#[tokio::test]
async fn the_story_of_a_user_tells_of_all_that_he_has() {
    let world = World::new().await;
    world.register("u_1").await;
    let account = Owner::User("u_1".into()).account_id().0;
    world
        .run(&format!(
            "INSERT INTO owner VALUES ($1, '{account}', 1, 'u_1');
             INSERT INTO account (tenant_id, account_id, unit, version, posted) VALUES
               ($1, '{account}', 'images', 1, 9), ($1, '{account}', 'seats', 1, 2)"
        ))
        .await;
    let answer = world.get("/v1/explain/u_1").await.ok();
    assert_eq!(answer["title"], "User u_1: 9 images and 2 seats available");
    assert_eq!(answer["now"], "9 images can be spent; 2 seats can be spent.");
}
