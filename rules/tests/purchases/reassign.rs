//! A credited payment is moved to its right user: its credits, its links, and whatever becomes of its money later.

use ledger::account::{MoveKind, SystemAccount};
use ledger::decision::Reason::{
    Conflict, Credited, Joined, NoEvidence, Operated, Pending, Stale, UnknownPrice,
};
use ledger::ids::Owner;
use ledger::movement::Change;
use proptest::prelude::*;
use proptest::sample::select;
use rules::world::Resolution;
use serde_json::{Value, json};

use super::bodies::{
    ADA, BOB, PRICE, at, charge, charge_refunded, dispute, intent, intent_of, names, not_ours,
    priced, refund, registered_as, session, session_of, with,
};
use super::engine::Engine;

/// A third user.
const CAROL: &str = "u_carol";

/// A purchase of 100 credits by customer `cus_1`, credited to Ada; Bob and Carol are known as well.
fn bought() -> Engine {
    let mut engine = Engine::with_users();
    engine.tell(&registered_as(CAROL, "carol@example.com"));
    engine.tell(&session(json!({"customer": "cus_1", "metadata": names(ADA)})));
    assert_eq!(have(&engine), [100, 0, 0]);
    engine
}

/// What Ada, Bob and Carol have.
fn have(engine: &Engine) -> [i64; 3] {
    [ADA, BOB, CAROL].map(|user| engine.balance(user))
}

/// What a person says who saw this version.
fn act(payment: &str, version: i64, user: &str) -> Value {
    json!({
        "object": "tally.event", "type": "tally.payment.reassigned", "payment": payment, "version": version,
        "user": user, "reason": "a test", "actor": "key_1",
    })
}

/// Version of the payment that an object leads to.
fn version(engine: &Engine, object: &str) -> i64 {
    engine.world.payments[&engine.world.aliases[object]].version
}

/// A person who looks at the payment now reassigns it; the position of the act.
pub(crate) fn reassign(engine: &mut Engine, object: &str, user: &str) -> i64 {
    let act = act(object, version(engine, object), user);
    engine.tell(&act)
}

#[test]
fn the_credits_move_and_the_act_says_why() {
    let mut engine = bought();
    let pos = reassign(&mut engine, "cs_1", BOB);
    assert_eq!(have(&engine), [0, 100, 0]);
    let decision = engine.latest(pos);
    let bob = Owner::User(BOB.into()).account_id();
    assert_eq!((decision.reason, decision.rank, decision.account), (Operated, Some(0), Some(bob)));
    assert_eq!(decision.root_key.as_deref(), Some("pi_1"));
    assert_eq!(decision.evidence[0].value, BOB, "what outranks all comes first");
    assert_eq!(engine.open_cases(), []);
    let source =
        engine.accounts[&(Owner::User(BOB.into()), "credits".into())].grants[0].source.clone();
    assert_eq!(source.map(|source| source.root_key).as_deref(), Some("pi_1"));
}

#[test]
fn it_is_a_correction_on_both_accounts() {
    let engine = bought();
    let mut batch = engine.world.clone();
    let said = act("pi_1", version(&engine, "pi_1"), BOB).to_string();
    let logged = rules::translate::Logged {
        pos: 99,
        speaker: rules::translate::Speaker::Ourselves,
        occurred_at: batch.now,
        body: Some(said.as_bytes()),
        answers: None,
    };
    let news = rules::translate::translate(&logged, &batch.policy, &Engine::key());
    let telling = rules::cases::Telling { pos: 99, rev: 0, slot: 0, cause_pos: None };
    rules::decide::decide_event(&mut batch, telling, news);
    let moved = batch.effects.movements.iter();
    let moved: Vec<_> =
        moved.map(|one| (one.owner.key(), one.change, one.contra, one.amount)).collect();
    let way = SystemAccount::Adjustment;
    let taken = Change::Take(MoveKind::Moved);
    assert_eq!(moved, [(ADA, taken, way, 100), (BOB, Change::Grant, way, 100)]);
    assert_eq!(batch.effects.unlinked, [("cus_1".to_owned(), 99)]);
    let made = &batch.effects.links[0];
    assert_eq!(
        (made.customer.as_str(), made.user.as_str(), made.pos, made.until),
        ("cus_1", BOB, 99, None)
    );
}

#[test]
fn it_can_be_taken_back() {
    let mut engine = bought();
    let before = engine.payment().clone();
    reassign(&mut engine, "pi_1", BOB);
    reassign(&mut engine, "pi_1", CAROL);
    reassign(&mut engine, "pi_1", ADA);
    assert_eq!(have(&engine), [100, 0, 0]);
    let after = engine.payment();
    assert_eq!((&after.owner, &after.legs), (&before.owner, &before.legs));
    assert_eq!(after.version, before.version + 3);
    assert_eq!(engine.world.links["cus_1"], ADA);
}

#[test]
fn what_becomes_of_the_money_later_follows_it() {
    let refund = |id, amount, made| refund(id, amount, made, "succeeded");
    // Told one by one after the payment was moved to Bob: what he has then.
    let tables: [&[(Value, i64)]; 4] = [
        &[(refund("re_1", 595, 10), 50), (refund("re_2", 595, 20), 0)],
        &[(at(10, charge_refunded(119, json!({}))), 90), (refund("re_1", 119, 10), 90)],
        &[
            (dispute("funds_withdrawn", "dp_1", 1190, 10), 0),
            (dispute("funds_reinstated", "dp_1", 1190, 20), 100),
        ],
        &[(charge(json!({})), 100), (session_of(names(ADA)), 100), (intent_of(names(ADA)), 100)],
    ];
    for told in tables {
        for moved_after in 0..=told.len() {
            let mut engine = bought();
            for (body, credits) in &told[..moved_after] {
                engine.tell(body);
                assert_eq!(have(&engine), [*credits, 0, 0]);
            }
            reassign(&mut engine, "pi_1", BOB);
            // What was told before changes nothing when it is told again.
            for (number, (body, _)) in told.iter().enumerate() {
                engine.tell(body);
                let expected = told[number.max(moved_after.saturating_sub(1))].1;
                assert_eq!(
                    have(&engine),
                    [0, expected, 0],
                    "after {number}, moved after {moved_after}"
                );
            }
            assert_eq!(engine.open_cases(), []);
        }
    }
}

#[test]
fn what_was_taken_back_whole_is_given_again_to_the_new_owner() {
    let mut engine = bought();
    engine.tell(&dispute("funds_withdrawn", "dp_1", 1190, 10));
    assert_eq!(have(&engine), [0, 0, 0]);
    let pos = reassign(&mut engine, "pi_1", BOB);
    assert_eq!((engine.reasons(&[pos]), have(&engine)), (vec![Operated], [0, 0, 0]));
    engine.tell(&dispute("funds_reinstated", "dp_1", 1190, 20));
    assert_eq!(have(&engine), [0, 100, 0]);
}

#[test]
fn what_it_is_worth_stays_as_it_was() {
    let mut engine = bought();
    engine.tell(&priced(PRICE, 7));
    reassign(&mut engine, "pi_1", BOB);
    assert_eq!(have(&engine), [0, 100, 0]);
    // Also what a person said.
    let mut engine = bought();
    let open = json!({"id": "cs_2", "payment_intent": "pi_2", "metadata": {"user_id": ADA}});
    engine.tell(&session(open));
    assert_eq!(engine.open_reasons(), [UnknownPrice]);
    engine.act("assigned", json!({"user": ADA, "credits": 25}));
    reassign(&mut engine, "pi_2", CAROL);
    engine
        .tell(&intent(json!({"id": "pi_2", "latest_charge": null, "metadata": {"price": PRICE}})));
    assert_eq!(have(&engine), [100, 0, 25]);
}

#[test]
fn of_two_at_once_one_wins_and_a_replay_does_nothing() {
    let mut engine = bought();
    let seen = version(&engine, "pi_1");
    let told = engine.tell_all(&[act("pi_1", seen, BOB), act("cs_1", seen, CAROL)]);
    assert_eq!((engine.reasons(&told), have(&engine)), (vec![Operated, Stale], [0, 100, 0]));
    engine.replay(told[0], told[1]);
    engine.replay(told[1], told[1]);
    assert_eq!((engine.reasons(&told), have(&engine)), (vec![Operated, Stale], [0, 100, 0]));
    reassign(&mut engine, "pi_1", ADA);
    engine.replay(told[0], told[1]);
    assert_eq!(have(&engine), [100, 0, 0], "what was decided later stands");
}

#[test]
fn what_cannot_be_moved_stays() {
    let engine = bought();
    let seen = version(&engine, "pi_1");
    for (said, why) in [
        (act("pi_9", seen, BOB), "there is no such payment"),
        (act("pi_1", seen, "u_nobody"), "there is no such user"),
        (act("pi_1", seen, ADA), "it is theirs already"),
        (act("pi_1", seen + 1, BOB), "nobody saw that version"),
        (act("pi_1", seen - 1, BOB), "it has changed since"),
    ] {
        let mut engine = engine.clone();
        let pos = engine.tell(&said);
        assert_eq!((engine.reasons(&[pos]), have(&engine)), (vec![Stale], [100, 0, 0]), "{why}");
        assert_eq!(engine.world.links["cus_1"], ADA);
    }
    for (told, reason) in [
        (session_of(json!({"price": PRICE})), NoEvidence),
        (session(json!({"payment_status": "unpaid", "metadata": names(ADA)})), Pending),
    ] {
        let mut engine = Engine::with_users();
        let first = engine.tell(&told);
        let pos = reassign(&mut engine, "cs_1", BOB);
        assert_eq!((engine.reasons(&[first, pos]), engine.balance(BOB)), (vec![reason, Stale], 0));
    }
    let mut engine = Engine::with_users();
    engine.tell(&not_ours("price_shirt"));
    engine.tell(&session_of(json!({"user_id": ADA, "price": "price_shirt"})));
    let shirt = reassign(&mut engine, "cs_1", BOB);
    assert_eq!(engine.reasons(&[shirt]), [Stale]);
}

#[test]
fn evidence_that_names_a_third_user_is_a_conflict_and_moves_nothing() {
    let contested = || {
        let mut engine = bought();
        reassign(&mut engine, "pi_1", BOB);
        // That it names Ada is known.
        let known = engine.tell(&charge(json!({"metadata": names(ADA)})));
        let new = engine.tell(&intent_of(json!({"user_id": CAROL})));
        assert_eq!(engine.reasons(&[known, new]), [Joined, Conflict]);
        assert_eq!(have(&engine), [0, 100, 0]);
        engine
    };
    let mut engine = contested();
    let (id, case) = engine.open_case();
    let users: Vec<_> = case.detail.candidates.iter().map(|one| one.user.as_str()).collect();
    assert!([ADA, BOB, CAROL].iter().all(|user| users.contains(user)), "{users:?}");
    assert_eq!((case.detail.credits, case.waits_for.len()), (Some(100), 0));
    let pos = reassign(&mut engine, "pi_1", CAROL);
    assert_eq!(engine.reasons(&[pos]), [Stale], "it is the case that is to be assigned");
    engine.act_now(id, "retried", json!({}));
    assert_eq!(engine.open_reasons(), [Conflict]);
    engine.tell(&priced(PRICE, 7));
    engine.act("assigned", json!({"user": CAROL}));
    assert_eq!((have(&engine), engine.open_cases().len()), ([0, 0, 100], 0));

    let mut engine = contested();
    let (id, _) = engine.open_case();
    engine.act("dismissed", json!({}));
    assert_eq!(engine.world.cases[&id].resolution, Some(Resolution::Dismissed));
    engine.tell(&intent_of(json!({"user_id": CAROL})));
    engine.tell(&refund("re_1", 595, 10, "succeeded"));
    assert_eq!(
        (have(&engine), engine.open_cases().len()),
        ([0, 50, 0], 0),
        "it stays, and goes on"
    );
}

#[test]
fn the_next_purchase_of_the_customer_goes_right() {
    let next = |metadata| {
        session(
            json!({"id": "cs_2", "payment_intent": "pi_2", "customer": "cus_1", "metadata": metadata}),
        )
    };
    let mut engine = bought();
    reassign(&mut engine, "pi_1", BOB);
    let pos = engine.tell(&next(json!({"price": PRICE})));
    assert_eq!((engine.latest(pos).rank, have(&engine)), (Some(2), [0, 200, 0]));
    // One that came before and contradicted the wrong link heals by the right one.
    let mut engine = bought();
    let pos = engine.tell(&next(names(BOB)));
    assert_eq!(engine.reasons(&[pos]), [Conflict]);
    reassign(&mut engine, "pi_1", BOB);
    assert_eq!((engine.reasons(&[pos]), have(&engine)), (vec![Credited], [0, 200, 0]));
}

#[test]
fn a_link_that_another_payment_made_stays() {
    let mut engine = bought();
    let other = json!({
        "id": "cs_2", "payment_intent": "pi_2", "customer": "cus_1", "metadata": {"price": PRICE},
    });
    engine.tell(&session(other));
    reassign(&mut engine, "pi_2", BOB);
    assert_eq!((have(&engine), engine.world.links["cus_1"].as_str()), ([100, 100, 0], ADA));
}

#[test]
fn merged_payments_keep_the_newest_reassignment_of_either() {
    let untied = || session(json!({"payment_intent": null, "metadata": names(ADA)}));
    for session_first in [false, true] {
        for moved in [&["cs_1"][..], &["pi_1"], &["cs_1", "pi_1"], &["pi_1", "cs_1"]] {
            let mut engine = Engine::with_users();
            engine.tell(&registered_as(CAROL, "carol@example.com"));
            let told = [untied(), intent_of(names(ADA))];
            engine.tell(&told[usize::from(!session_first)]);
            engine.tell(&told[usize::from(session_first)]);
            assert_eq!(have(&engine), [200, 0, 0]);
            let users = [BOB, CAROL];
            for (object, user) in moved.iter().zip(users) {
                reassign(&mut engine, object, user);
            }
            let seen = ["cs_1", "pi_1"].map(|object| version(&engine, object));
            engine.tell(&session(json!({"metadata": names(ADA)})));
            let expected = if moved.len() == 1 { [0, 100, 0] } else { [0, 0, 100] };
            assert_eq!((have(&engine), engine.open_cases().len()), (expected, 0), "{moved:?}");
            // Whoever looked at one of the two did not see both.
            let late = ["cs_1", "pi_1"].map(|object| {
                let seen = seen[usize::from(object == "pi_1")];
                engine.tell(&act(object, seen, ADA))
            });
            assert_eq!(engine.reasons(&late), [Stale; 2]);
        }
    }
}

/// News of the one purchase, that never name anybody but Ada.
fn news() -> impl Strategy<Value = Value> {
    let amounts = select(&[119, 595, 1190][..]);
    let refunds = (1..=3_u8, amounts.clone(), 1..50_i64, select(&["succeeded", "failed"][..]));
    let refunds = refunds
        .prop_map(|(id, amount, made, status)| refund(&format!("re_{id}"), amount, made, status));
    let disputes =
        (select(&["funds_withdrawn", "funds_reinstated"][..]), amounts.clone(), 1..50_i64);
    let disputes = disputes.prop_map(|(what, amount, said)| dispute(what, "dp_1", amount, said));
    let figures = (amounts, 1..50_i64);
    let figures = figures.prop_map(|(amount, said)| at(said, charge_refunded(amount, json!({}))));
    let customer = json!({"customer": "cus_1"});
    let doors = select(vec![
        session(with(customer.clone(), json!({"metadata": names(ADA)}))),
        intent_of(names(ADA)),
        charge(customer),
    ]);
    prop_oneof![2 => doors, 2 => refunds, 2 => disputes, 1 => figures]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whenever it is moved, and in whatever batches: in the end the last owner has what Ada would have had otherwise,
    /// and the others as if they never had had it.
    #[test]
    fn the_last_owner_ends_with_the_sum(
        told in prop::collection::vec((news(), prop::option::of(select(&[ADA, BOB, CAROL][..]))), 1..14),
        batch in 1..4_usize,
    ) {
        let mut plain = Engine::with_users();
        let mut engine = Engine::with_users();
        engine.tell(&registered_as(CAROL, "carol@example.com"));
        let mut owner = ADA;
        for told in told.chunks(batch) {
            let mut batch = Vec::new();
            for (body, user) in told {
                plain.tell(body);
                batch.push(body.clone());
                let known = engine.world.aliases.contains_key("pi_1");
                let seen = if known { version(&engine, "pi_1") } else { 0 };
                batch.extend(user.map(|user| act("pi_1", seen, user)));
            }
            let positions = engine.tell_all(&batch);
            for (pos, said) in positions.iter().zip(&batch) {
                if engine.latest(*pos).reason == Operated {
                    owner = [ADA, BOB, CAROL].into_iter().find(|user| *user == said["user"]).unwrap();
                }
            }
        }
        let expected = [ADA, BOB, CAROL].map(|user| if user == owner { plain.balance(ADA) } else { 0 });
        prop_assert_eq!(have(&engine), expected);
        prop_assert_eq!(engine.unclaimed(), plain.unclaimed());
        prop_assert_eq!(&engine.payment().legs, &plain.payment().legs);
        prop_assert_eq!(engine.open_reasons(), plain.open_reasons());
        if let Some(user) = engine.world.links.get("cus_1") {
            prop_assert_eq!(user, owner);
        }
    }
}
