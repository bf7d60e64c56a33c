//! Cases: what staff see, and what they do.

use futures_util::FutureExt as _;
use http::Method;
use ledger::decision::Reason;
use ledger::ids::{CaseId, Owner};
use serde_json::{Value, json};
use store::keys::KeyRole;
use store::log::Origin;
use testkit::wait_for;

use crate::answer::contended;
use crate::support::{Answer, NOW, World};

/// A payment of 500 credits that names a stranger, and a second one whose worth nobody knows.
struct Waiting {
    world: World,
    priced: CaseId,
    unpriced: CaseId,
}

impl Waiting {
    async fn new() -> Self {
        let world = World::new().await;
        world.register("u_1").await;
        let id = world.tenant.tenant_id;
        let priced = CaseId::derive(id, "pi_1", "unknown_user");
        let unpriced = CaseId::derive(id, "pi_2", "unknown_price");
        let unclaimed = Owner::Unclaimed("pi_1".into()).account_id().0;
        world
            .tell(Origin::Stripe, "evt_1", "checkout.session.completed", b"{\"id\":\"evt_1\"}")
            .await;
        world.tell(Origin::Stripe, "evt_2", "checkout.session.completed", b"\xff").await;
        world.decide(2, Reason::UnknownUser, Some("pi_1")).await;
        world.decide(3, Reason::UnknownPrice, Some("pi_2")).await;
        let detail = json!({
            "evidence": [{"rank": 3, "kind": "metadata", "at": "checkout.session.metadata.user_id", "value": "u_9"}],
            "candidates": [{"user": "u_9", "why": "named by checkout.session.metadata.user_id, but is not in the directory"}],
            "credits": 500, "unit": "credits", "paid": 1200, "currency": "usd", "error": null,
        });
        world
            .run(&format!(
                "INSERT INTO owner VALUES ($1, '{unclaimed}', 2, 'pi_1');
                 INSERT INTO payment (tenant_id, root_key, owner_account, claimant, first_pos, paid, currency, status, facts) VALUES
                   ($1, 'pi_1', '{unclaimed}', 'u_9', 2, 1200, 'usd', 2, '{{\"objects\":{{\"cs_1\":{{}}}}}}'),
                   ($1, 'pi_2', NULL, 'u_1', 3, 700, 'usd', 2, '{{}}');
                 INSERT INTO payment_alias VALUES ($1, 'pi_1', 'pi_1'), ($1, 'cs_1', 'pi_1'), ($1, 'pi_2', 'pi_2');
                 INSERT INTO payment_leg (tenant_id, root_key, line, leg, unit, expected, target, posted)
                   VALUES ($1, 'pi_1', 'credits', 1, 'credits', 500, 500, 500);
                 INSERT INTO review_case (tenant_id, case_id, pos, root_key, reason, state, version, opened_at, detail) VALUES
                   ($1, '{priced}', 2, 'pi_1', 40, 1, 1, '{NOW}', '{detail}'),
                   ($1, '{unpriced}', 3, 'pi_2', 44, 1, 1, '2026-11-21T11:00:00Z', '{{}}');
                 INSERT INTO case_wait VALUES ($1, 'user:u_9', '{priced}'), ($1, 'price:price_1', '{unpriced}');
                 INSERT INTO case_event VALUES ($1, '{priced}', 2), ($1, '{unpriced}', 3)",
                priced = priced.0,
                unpriced = unpriced.0,
            ))
            .await;
        Self { world, priced, unpriced }
    }

    async fn act(&self, case: CaseId, act: &str, body: Value) -> Answer {
        self.world.post(&format!("/v1/cases/{case}/{act}"), body).await
    }

    /// Does what the projector does with the act that comes: closes the case as `resolution`, or finds it stale.
    async fn decide_act(&self, case: CaseId, resolution: Option<i16>) {
        let world = &self.world;
        let pos = wait_for("an act that is not decided", async || {
            let sql = "SELECT e.pos FROM event e WHERE e.origin = 2 AND NOT EXISTS (SELECT FROM decision d WHERE d.pos = e.pos)";
            world.sql.query_opt(sql, &[]).await.unwrap().map(|row| row.get::<_, i64>(0))
        })
        .await;
        if let Some(resolution) = resolution {
            world
                .run(&format!(
                    "UPDATE review_case SET state = 2, resolution = {resolution}, version = 2, closed_at = '{NOW}',
                     closed_pos = {pos} WHERE case_id = '{}'",
                    case.0
                ))
                .await;
        }
        let reason = if resolution.is_some() { Reason::Operated } else { Reason::Stale };
        world.decide(pos, reason, Some("pi_1")).await;
    }

    async fn acts(&self) -> Vec<Value> {
        let sql = "SELECT convert_from(body, 'UTF8') FROM event WHERE origin = 2 ORDER BY pos";
        let rows = self.world.sql.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(row.get(0)).unwrap()).collect()
    }
}

#[tokio::test]
async fn cases_are_listed_and_found() {
    let waiting = Waiting::new().await;
    let (world, priced, unpriced) =
        (&waiting.world, waiting.priced.to_string(), waiting.unpriced.to_string());
    let both = [unpriced.clone(), priced.clone()];
    world.run(&format!("INSERT INTO review_case (tenant_id, case_id, pos, reason, state, resolution, version, opened_at, closed_at)
        VALUES ($1, gen_random_uuid(), 1, 46, 2, 3, 2, '2026-11-20T00:00:00Z', '{NOW}')")).await;
    for (query, ids) in [
        ("status=open", &both[..]),
        ("status=open&limit=1", &both[..1]),
        ("reason=unknown_user", &both[1..]),
        ("user=u_9", &both[1..]),
        ("user=u_1", &both[..1]),
        ("user=u_2", &[]),
        ("q=cs_1", &both[1..]),
        ("q=pi_2", &both[..1]),
        ("q=evt_1", &both[1..]),
        ("q=price_1", &both[..1]),
        ("q=u_9", &both[1..]),
        (&format!("q={priced}"), &both[1..]),
        ("q=nothing", &[]),
        (&format!("status=open&starting_after={unpriced}"), &both[1..]),
        (&format!("ending_before={priced}"), &both[..1]),
    ] {
        assert_eq!(world.get(&format!("/v1/cases?{query}")).await.ids(), ids, "{query}");
    }
    assert_eq!(world.get("/v1/cases").await.ids().len(), 3);
    let closed = world.get("/v1/cases?status=closed").await.ok();
    assert_eq!(
        (&closed["data"][0]["resolution"], &closed["data"][0]["reason"]),
        (&json!("dismissed"), &json!("malformed"))
    );
    for (query, code, param) in [
        ("status=waiting", "parameter_invalid", "status"),
        ("reason=credited", "parameter_invalid", "reason"),
        ("starting_after=case_1", "parameter_invalid", "starting_after"),
        ("state=open", "parameter_unknown", "state"),
    ] {
        world.get(&format!("/v1/cases?{query}")).await.refused(400, code, Some(param));
    }
}

#[tokio::test]
async fn a_case_shows_all_that_a_person_needs() {
    let waiting = Waiting::new().await;
    let case = waiting.world.get(&format!("/v1/cases/{}", waiting.priced)).await.ok();
    for (member, expected) in [
        ("object", json!("case")),
        ("status", json!("open")),
        ("reason", json!("unknown_user")),
        ("waits_for", json!(["user:u_9"])),
        ("version", json!(1)),
        ("credits", json!(500)),
        ("paid", json!(1200)),
        ("events", json!([2])),
        (
            "evidence",
            json!([{"rank": 3, "kind": "metadata", "at": "checkout.session.metadata.user_id", "value": "u_9"}]),
        ),
    ] {
        assert_eq!(case[member], expected, "{member}");
    }
    assert_eq!(case["candidates"][0]["user"], "u_9");
    assert_eq!(case["payment_so_far"]["unclaimed"], true);
    assert_eq!(
        (&case["payload"]["encoding"], &case["payload"]["text"]),
        (&json!("utf-8"), &json!("{\"id\":\"evt_1\"}"))
    );
    let case = waiting.world.get(&format!("/v1/cases/{}", waiting.unpriced)).await.ok();
    assert_eq!(
        (&case["payload"]["encoding"], &case["payload"]["text"]),
        (&json!("base64"), &json!("/w=="))
    );
    for id in ["case_1", "pi_1", "case_00000000000000000000000000000000"] {
        waiting.world.get(&format!("/v1/cases/{id}")).await.refused(
            404,
            "case_not_found",
            Some("id"),
        );
    }
}

#[tokio::test]
async fn assigning_appends_an_act_and_shows_what_came_of_it() {
    let waiting = Waiting::new().await;
    let body = json!({"user": "u_1", "reason": "she sent the receipt", "version": 1});
    let (answer, ()) = tokio::join!(
        waiting.act(waiting.priced, "assign", body.clone()),
        waiting.decide_act(waiting.priced, Some(2))
    );
    let case = answer.ok();
    assert_eq!(
        (&case["status"], &case["resolution"], &case["version"]),
        (&json!("closed"), &json!("assigned"), &json!(2))
    );
    let acts = waiting.acts().await;
    let actor = acts[0]["actor"].as_str().unwrap().to_owned();
    assert_eq!(
        acts,
        [
            json!({"object": "tally.event", "type": "tally.case.assigned", "case": waiting.priced.0, "version": 1,
                "user": "u_1", "reason": "she sent the receipt", "actor": actor})
        ]
    );
    // Whoever comes later is told who was faster.
    let refusal = waiting.act(waiting.priced, "assign", body).await.refused(409, "conflict", None);
    assert_eq!(
        (&refusal["actor"], &refusal["at"]),
        (&json!(format!("admin of shop ({actor})")), &json!(NOW))
    );
    let detail = format!("The case is closed: admin of shop ({actor}) assigned it at {NOW}.");
    assert_eq!(refusal["detail"], detail);
}

#[tokio::test]
async fn of_two_at_once_one_wins_and_the_other_is_told_who() {
    let waiting = Waiting::new().await;
    let dismiss = json!({"reason": "a test purchase", "write_off": true});
    let assign = json!({"user": "u_1", "reason": "she sent the receipt"});
    let acts = [
        waiting.act(waiting.priced, "assign", assign).boxed_local(),
        waiting.act(waiting.priced, "dismiss", dismiss).boxed_local(),
    ];
    let (won, lost) = contended(acts, waiting.decide_act(waiting.priced, Some(2))).await;
    assert_eq!(won.ok()["status"], "closed");
    let refusal = lost.refused(409, "conflict", None);
    assert!(refusal["detail"].as_str().unwrap().contains("admin of shop (key_"), "{refusal}");
    assert_eq!(waiting.acts().await.len(), 1);
}

#[tokio::test]
async fn an_act_that_came_to_nothing_does_not_stand_in_the_way() {
    let waiting = Waiting::new().await;
    let body = json!({"user": "u_1", "reason": "she sent the receipt"});
    let (answer, ()) = tokio::join!(
        waiting.act(waiting.priced, "assign", body.clone()),
        waiting.decide_act(waiting.priced, None)
    );
    answer.refused(409, "conflict", None);
    let (answer, ()) = tokio::join!(
        waiting.act(waiting.priced, "assign", body),
        waiting.decide_act(waiting.priced, Some(2))
    );
    assert_eq!(answer.ok()["status"], "closed");
    assert_eq!(waiting.acts().await.len(), 2);
}

#[tokio::test]
async fn an_assignment_that_cannot_be_is_refused() {
    let waiting = Waiting::new().await;
    let reason = "she sent the receipt";
    for (case, body, status, code, param) in [
        (
            waiting.priced,
            json!({"user": "u_9", "reason": reason}),
            404,
            "user_not_found",
            Some("user"),
        ),
        (waiting.priced, json!({"user": "u_1"}), 400, "parameter_missing", Some("reason")),
        (
            waiting.priced,
            json!({"user": "u_1", "reason": " "}),
            400,
            "parameter_invalid",
            Some("reason"),
        ),
        (
            waiting.priced,
            json!({"user": "u_1", "reason": "x".repeat(501)}),
            400,
            "parameter_invalid",
            Some("reason"),
        ),
        (waiting.priced, json!({"reason": reason}), 400, "parameter_missing", Some("user")),
        (
            waiting.priced,
            json!({"user": "u_1", "reason": reason, "credits": 5}),
            400,
            "parameter_invalid",
            Some("credits"),
        ),
        (
            waiting.priced,
            json!({"user": "u_1", "reason": reason, "version": 2}),
            409,
            "conflict",
            Some("version"),
        ),
        (
            waiting.priced,
            json!({"user": "u_1", "reason": reason, "by": "me"}),
            400,
            "parameter_unknown",
            Some("by"),
        ),
        (
            waiting.unpriced,
            json!({"user": "u_1", "reason": reason}),
            400,
            "parameter_missing",
            Some("credits"),
        ),
        (
            waiting.unpriced,
            json!({"user": "u_1", "reason": reason, "credits": 0}),
            400,
            "parameter_invalid",
            Some("credits"),
        ),
    ] {
        waiting.act(case, "assign", body).await.refused(status, code, param);
    }
    assert!(waiting.acts().await.is_empty());
}

#[tokio::test]
async fn credits_that_stand_unclaimed_are_written_off_by_an_approver_only() {
    let waiting = Waiting::new().await;
    let path = format!("/v1/cases/{}/dismiss", waiting.priced);
    let refusal = waiting
        .act(waiting.priced, "dismiss", json!({"reason": "a test"}))
        .await
        .refused(409, "conflict", None);
    assert_eq!(refusal["unclaimed"], 500);
    let body = json!({"reason": "a test", "write_off": true});
    let answer = waiting.world.ask(KeyRole::Support, Method::POST, &path, Some(body.clone())).await;
    answer.refused(403, "forbidden", Some("write_off"));
    let (answer, ()) = tokio::join!(
        waiting.world.ask(KeyRole::Approver, Method::POST, &path, Some(body)),
        waiting.decide_act(waiting.priced, Some(3)),
    );
    assert_eq!(answer.ok()["resolution"], "dismissed");
    let acts = waiting.acts().await;
    assert_eq!(
        (&acts[0]["type"], &acts[0]["write_off"]),
        (&json!("tally.case.dismissed"), &json!(true))
    );
    // Where nothing stands unclaimed, support staff suffice.
    let path = format!("/v1/cases/{}/dismiss", waiting.unpriced);
    let (answer, ()) = tokio::join!(
        waiting.world.ask(KeyRole::Support, Method::POST, &path, Some(json!({"reason": "a test"}))),
        waiting.decide_act(waiting.unpriced, Some(3)),
    );
    assert_eq!(answer.ok()["resolution"], "dismissed");
}

#[tokio::test]
async fn a_retry_asks_for_nothing() {
    let waiting = Waiting::new().await;
    let path = format!("/v1/cases/{}/retry", waiting.unpriced);
    let (answer, ()) = tokio::join!(
        waiting.world.ask(KeyRole::Support, Method::POST, &path, None),
        waiting.decide_act(waiting.unpriced, Some(1)),
    );
    assert_eq!(answer.ok()["resolution"], "healed");
    assert_eq!(waiting.acts().await[0]["type"], "tally.case.retried");
}
