//! Moving a payment to its right user: who may, what is refused, and that of two at once one wins.

use futures_util::FutureExt as _;
use http::Method;
use ledger::decision::Reason;
use ledger::ids::{CaseId, Owner};
use serde_json::{Value, json};
use store::keys::KeyRole;
use store::log::{Origin, slot_of};
use testkit::wait_for;

use crate::answer::contended;
use crate::support::{Answer, NOW, World};

/// A payment `pi_1` of 500 credits that stands with `u_1`, one in review, and one that is not paid yet.
struct Credited {
    world: World,
    case: CaseId,
}

impl Credited {
    async fn new() -> Self {
        let world = World::new().await;
        for user in ["u_1", "u_2", "u_3"] {
            world.register(user).await;
        }
        world.tell(Origin::Stripe, "evt_1", "checkout.session.completed", b"{}").await;
        let case = CaseId::derive(world.tenant.tenant_id, "pi_2", "no_evidence");
        let [one, two, three] = ["u_1", "u_2", "u_3"].map(account);
        world
            .run(&format!(
                "INSERT INTO owner VALUES ($1, '{one}', 1, 'u_1'), ($1, '{two}', 1, 'u_2'), ($1, '{three}', 1, 'u_3');
                 INSERT INTO payment (tenant_id, root_key, owner_account, first_pos, paid, currency, status, facts, version) VALUES
                   ($1, 'pi_1', '{one}', 4, 1200, 'usd', 2, '{{\"objects\":{{\"cs_1\":{{}}}}}}', 1),
                   ($1, 'pi_2', NULL, 4, 1200, 'usd', 2, '{{}}', 0), ($1, 'pi_3', NULL, 4, 1200, 'usd', 1, '{{}}', 0);
                 INSERT INTO payment_alias VALUES ($1, 'pi_1', 'pi_1'), ($1, 'cs_1', 'pi_1'), ($1, 'pi_2', 'pi_2'),
                   ($1, 'pi_3', 'pi_3');
                 INSERT INTO review_case (tenant_id, case_id, pos, root_key, reason, state, version, opened_at)
                   VALUES ($1, '{}', 4, 'pi_2', 41, 1, 1, '{NOW}')",
                case.0
            ))
            .await;
        let credited = Self { world, case };
        credited.decide(4, Reason::Credited, "u_1").await;
        credited
    }

    async fn reassign(&self, payment: &str, body: Value) -> Answer {
        self.world.post(&format!("/v1/payments/{payment}/reassign"), body).await
    }

    /// The decision on an event after which `pi_1` stands with this user.
    async fn decide(&self, pos: i64, reason: Reason, user: &str) {
        let (outcome, reason) = (reason.outcome().code(), reason.code());
        self.world
            .run(&format!(
                "INSERT INTO decision (tenant_id, pos, slot, outcome, reason, root_key, account_id, rules_version, decided_at)
                 SELECT tenant_id, pos, slot, {outcome}, {reason}, 'pi_1', '{}', 1, '{NOW}' FROM event WHERE pos = {pos}",
                account(user)
            ))
            .await;
        self.world.notifier.notify_decided(self.world.tenant.tenant_id, []);
    }

    /// Does what the projector does with the act that comes: hands the payment over, or finds it stale.
    async fn decide_act(&self, takes_effect: bool) {
        let (pos, body) = wait_for("an act that is not decided", async || {
            let sql = "SELECT e.pos, convert_from(e.body, 'UTF8') FROM event e
                       WHERE e.origin = 2 AND NOT EXISTS (SELECT FROM decision d WHERE d.pos = e.pos)";
            let row = self.world.sql.query_opt(sql, &[]).await.unwrap()?;
            Some((row.get::<_, i64>(0), row.get::<_, String>(1)))
        })
        .await;
        if !takes_effect {
            return self.decide(pos, Reason::Stale, "u_1").await;
        }
        let said: Value = serde_json::from_str(&body).unwrap();
        let user = said["user"].as_str().unwrap();
        let sql = "UPDATE payment SET owner_account = '{}', version = version + 1 WHERE root_key = 'pi_1'";
        self.world.run(&sql.replace("{}", &account(user))).await;
        self.decide(pos, Reason::Operated, user).await;
    }

    async fn acts(&self) -> Vec<(String, i16, Value)> {
        let sql = "SELECT source_id, slot, convert_from(body, 'UTF8') FROM event WHERE origin = 2 ORDER BY pos";
        let rows = self.world.sql.query(sql, &[]).await.unwrap();
        let act = |row: &tokio_postgres::Row| {
            (row.get(0), row.get(1), serde_json::from_str(row.get(2)).unwrap())
        };
        rows.iter().map(act).collect()
    }
}

fn account(user: &str) -> String {
    Owner::User(user.to_owned()).account_id().0.to_string()
}

#[tokio::test]
async fn reassigning_appends_an_act_and_shows_the_payment() {
    let credited = Credited::new().await;
    let body = json!({"user": "u_2", "reason": "she sent the receipt", "version": 1});
    let path = "/v1/payments/cs_1/reassign";
    let (answer, ()) = tokio::join!(
        credited.world.ask(KeyRole::Support, Method::POST, path, Some(body)),
        credited.decide_act(true)
    );
    let payment = answer.ok();
    let acts = credited.acts().await;
    let actor = acts[0].2["actor"].clone();
    let said = json!({"object": "tally.event", "type": "tally.payment.reassigned", "payment": "pi_1", "version": 1,
                      "user": "u_2", "reason": "she sent the receipt", "actor": actor});
    assert_eq!(acts, [("payment:pi_1:1".to_owned(), slot_of("pi_1"), said.clone())]);
    let owner = |user: &str, position: i64, actor: &Value, reason: Value| json!({"user": user, "since": NOW, "position": position, "actor": actor, "reason": reason});
    for (member, expected) in [
        ("object", json!("payment")),
        ("id", json!("pi_1")),
        ("user", json!("u_2")),
        ("version", json!(2)),
        (
            "owners",
            json!([
                owner("u_1", 4, &Value::Null, Value::Null),
                owner("u_2", 5, &actor, json!("she sent the receipt"))
            ]),
        ),
    ] {
        assert_eq!(payment[member], expected, "{member}");
    }
    assert_eq!(credited.world.get("/v1/payments/pi_1").await.ok(), payment);
    let audited = credited.world.get("/v1/audit").await.ok();
    let audited = &audited["data"][0];
    assert_eq!(
        (&audited["said"], &audited["actor"], &audited["outcome"]),
        (&said, &actor, &json!("applied"))
    );
}

#[tokio::test]
async fn of_two_at_once_one_wins_and_the_other_is_told_who() {
    let credited = Credited::new().await;
    let body = |user: &str| json!({"user": user, "reason": "looks right"});
    let acts = [
        credited.reassign("pi_1", body("u_2")).boxed_local(),
        credited.reassign("cs_1", body("u_3")).boxed_local(),
    ];
    let (won, lost) = contended(acts, credited.decide_act(true)).await;
    let refusal = lost.refused(409, "conflict", None);
    let acts = credited.acts().await;
    assert_eq!((acts.len(), &won.ok()["user"]), (1, &acts[0].2["user"]));
    let who = format!("admin of shop ({})", acts[0].2["actor"].as_str().unwrap());
    assert_eq!(refusal["actor"], who);
    assert_eq!((&refusal["at"], &refusal["position"]), (&json!(NOW), &json!(5)));
    let detail = format!("{who} reassigned this payment at {NOW}, before you. Look at it again.");
    assert_eq!(refusal["detail"], detail);
    // So is whoever had looked at it before and comes later.
    let late = json!({"user": "u_1", "reason": "looks right", "version": 1});
    let refusal = credited.reassign("pi_1", late).await.refused(409, "conflict", Some("version"));
    assert_eq!((&refusal["actor"], &refusal["at"]), (&json!(who), &json!(NOW)));
}

#[tokio::test]
async fn an_act_that_came_to_nothing_does_not_stand_in_the_way() {
    let credited = Credited::new().await;
    let body = json!({"user": "u_2", "reason": "she sent the receipt"});
    let (answer, ()) =
        tokio::join!(credited.reassign("pi_1", body.clone()), credited.decide_act(false));
    answer.refused(409, "conflict", None);
    let (answer, ()) = tokio::join!(credited.reassign("pi_1", body), credited.decide_act(true));
    assert_eq!(answer.ok()["user"], "u_2");
    let ids: Vec<_> = credited.acts().await.into_iter().map(|(id, ..)| id).collect();
    assert_eq!(ids, ["payment:pi_1:1", "payment:pi_1:1:5"]);
}

#[tokio::test]
async fn an_act_is_not_said_to_be_done_before_it_is() {
    let credited = Credited::new().await;
    let body = json!({"user": "u_2", "reason": "she sent the receipt"});
    // The projector is behind.
    let refusal =
        credited.reassign("pi_1", body.clone()).await.refused(503, "not_decided_yet", None);
    assert_eq!(refusal["position"], 5);
    // And then it parks it.
    credited.decide(5, Reason::Error, "u_1").await;
    let parking = async {
        let pos = wait_for("the next act", async || {
            let row = credited
                .world
                .sql
                .query_opt("SELECT pos FROM event WHERE pos = 6", &[])
                .await
                .unwrap();
            row.map(|row| row.get::<_, i64>(0))
        });
        credited.decide(pos.await, Reason::Error, "u_1").await;
    };
    let (answer, ()) = tokio::join!(credited.reassign("pi_1", body), parking);
    assert_eq!(answer.refused(409, "conflict", None)["position"], 6);
}

#[tokio::test]
async fn what_cannot_be_moved_is_refused() {
    let credited = Credited::new().await;
    let to = |user: &str| json!({"user": user, "reason": "she sent the receipt"});
    let case = credited.case.to_string();
    let refusals = [
        ("pi_9", to("u_2"), 404, "payment_not_found", Some("id")),
        ("pi_1", to("u_9"), 404, "user_not_found", Some("user")),
        ("pi_1", to("u_1"), 409, "conflict", Some("user")),
        ("pi_2", to("u_2"), 409, "conflict", None),
        ("pi_3", to("u_2"), 409, "conflict", None),
        ("pi_1", json!({"user": "u_2"}), 400, "parameter_missing", Some("reason")),
        ("pi_1", json!({"reason": "x"}), 400, "parameter_missing", Some("user")),
        ("pi_1", json!({"user": "u_2", "reason": " "}), 400, "parameter_invalid", Some("reason")),
        (
            "pi_1",
            json!({"user": "u_2", "reason": "x", "by": "me"}),
            400,
            "parameter_unknown",
            Some("by"),
        ),
        (
            "pi_1",
            json!({"user": "u_2", "reason": "x", "version": 7}),
            409,
            "conflict",
            Some("version"),
        ),
    ];
    for (payment, body, status, code, param) in refusals {
        let refusal = credited.reassign(payment, body).await.refused(status, code, param);
        let detail = refusal["detail"].as_str().unwrap().to_owned();
        let expected = match (payment, param) {
            ("pi_1", Some("user")) if status == 409 => "The payment is user u_1's already.",
            ("pi_2", _) => &format!("The payment is in review: assign its case {case} instead."),
            ("pi_3", _) => {
                "Nothing of this payment is credited or written off, so there is nothing to move."
            }
            _ => continue,
        };
        assert_eq!(detail, expected);
    }
    assert!(credited.acts().await.is_empty());
}

#[tokio::test]
async fn what_was_written_off_can_be_given_to_its_user() {
    let credited = Credited::new().await;
    credited
        .world
        .run(
            "INSERT INTO payment_leg (tenant_id, root_key, line, leg, unit, expected, target, posted)
             VALUES ($1, 'pi_1', 'price:price_1', 1, 'credits', 500, 500, 500);
             UPDATE payment SET owner_account = NULL WHERE root_key = 'pi_1'",
        )
        .await;
    let body = json!({"user": "u_2", "reason": "she sent the receipt"});
    let (answer, ()) = tokio::join!(credited.reassign("pi_1", body), credited.decide_act(true));
    assert_eq!(answer.ok()["user"], "u_2");
}
