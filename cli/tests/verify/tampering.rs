//! Ways to tamper with what is stored, as a superuser can who turns the triggers off, and the check that each one fails.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ledger::account::{Cause, ClawbackPolicy, Source, SystemAccount, Terms};
use ledger::ids::Owner;
use ledger::movement::{Change, Movement};
use store::books::{Decided, evaluate_in_tx};
use store::verify::Extent;

use crate::world::World;

/// What refuses a change of history, turned off.
const WITHOUT_TRIGGERS: &str =
    "ALTER TABLE event DISABLE TRIGGER USER; ALTER TABLE decision DISABLE TRIGGER USER;
    ALTER TABLE command DISABLE TRIGGER USER; ALTER TABLE posting DISABLE TRIGGER USER; ALTER TABLE grant_move DISABLE TRIGGER USER";

/// Tampers with a history and looks for what the check `name` says of it.
async fn shows(tampering: &str, name: &str, says: &str) {
    let world = World::with_history().await;
    world.sql.batch_execute(WITHOUT_TRIGGERS).await.unwrap();
    world.sql.batch_execute(tampering).await.unwrap();
    assert_shows(&world, tampering, name, says).await;
}

async fn assert_shows(world: &World, tampering: &str, name: &str, says: &str) {
    let checks = world.verify(Extent::Full).await;
    let found = checks.iter().find(|check| check.name == name).unwrap();
    let is_named = found.differences.iter().any(|difference| difference.contains(says));
    assert!(is_named, "{tampering}\n{name} does not say “{says}”: {checks:#?}");
}

#[tokio::test]
async fn of_the_log() {
    shows("DELETE FROM event WHERE pos = 5", "positions", "positions 5 to 5 hold no event").await;
    let tail = "DELETE FROM event WHERE pos = (SELECT max(pos) FROM event)";
    shows(tail, "event_keys", "names position 10, which does not hold it").await;
    let key = "DELETE FROM event_key WHERE source_id = 'evt_checkout_session_completed_1'";
    shows(key, "event_keys", "event evt_checkout_session_completed_1 at position 4 has no key")
        .await;
    let moved = "UPDATE event_key SET pos = 4 WHERE source_id = 'evt_payment_intent_succeeded_1'";
    shows(moved, "event_keys", "names position 4, which does not hold it").await;
}

#[tokio::test]
async fn of_the_bytes() {
    let other = "convert_to(replace(convert_from(body, 'UTF8'), 'u_1', 'u_2'), 'UTF8')";
    let body = format!("UPDATE event SET body = {other} WHERE pos = 4");
    shows(&body, "bodies", "the bytes at position 4 are not what was stored").await;
    let gone = "UPDATE event SET body = NULL WHERE pos = 4";
    shows(gone, "bodies", "the bytes at position 4 are gone").await;
    // Whoever changes the SHA-256 as well still cannot sign.
    let other = "convert_to(replace(convert_from(body, 'UTF8'), '500', '501'), 'UTF8')";
    let both =
        format!("UPDATE event SET body = {other}, body_sha256 = sha256({other}) WHERE pos = 5");
    shows(&both, "signatures", "the signature at position 5 does not fit its bytes").await;
    let unsigned = "UPDATE event SET signature = NULL WHERE pos = 4";
    shows(unsigned, "signatures", "the delivery at position 4 has no signature").await;
    shows("UPDATE event SET signature = 'x' WHERE pos = 4", "signatures", "is none").await;
}

#[tokio::test]
async fn of_the_decisions() {
    let first = "DELETE FROM decision WHERE pos = 5";
    shows(first, "first_decisions", "position 5 was passed over").await;
    let revision = "UPDATE decision SET rev = 7 WHERE rev = 1 AND pos = 6";
    shows(revision, "revisions", "revision 7 of position 6 follows revision 0").await;
    let invented = "INSERT INTO decision (tenant_id, pos, slot, outcome, reason, rules_version, decided_at)
                    SELECT tenant_id, 99, slot, 1, 10, rules_version, decided_at FROM decision WHERE pos = 4";
    shows(invented, "revisions", "position 99 is decided, but no event of its lane stands there")
        .await;
    shows(invented, "outcomes", "10 were received").await;
    let closed =
        "UPDATE review_case SET state = 2, resolution = 3, closed_at = opened_at WHERE state = 1";
    shows(closed, "cases", "position 10 is in review, but no open case holds it").await;
    shows("DELETE FROM case_event", "cases", "is open and holds no event").await;
}

#[tokio::test]
async fn of_the_postings() {
    let amount = "UPDATE posting SET amount = 5000, balance_after = 5000 WHERE root_key = 'pi_1'";
    shows(amount, "chains", "does not have the hash of what it says").await;
    let contra = "UPDATE posting SET contra = 6 WHERE root_key = 'pi_1'";
    shows(contra, "chains", "does not have the hash of what it says").await;
    let tail = "DELETE FROM posting WHERE root_key = 'pi_2' AND amount < 0";
    shows(tail, "chains", "does not say where its postings end").await;
    let cause = "DELETE FROM decision WHERE pos = 4";
    shows(cause, "causes", "its decision, revision 0 of position 4, is not there").await;
    let event = "DELETE FROM event WHERE pos = 4";
    shows(event, "causes", "its event at position 4 is not there").await;
}

#[tokio::test]
async fn of_the_accounts() {
    let posted = "UPDATE account SET posted = 5000 WHERE posted = 50";
    shows(posted, "chains", "does not say where its postings end").await;
    shows(posted, "balances", "has 5000 with 0 held, but its grants have 50 with 0 held").await;
    let owner = "UPDATE owner SET key = 'mallory' WHERE key = 'u_1'";
    shows(owner, "owners", "is not that of mallory, whom it names").await;
    shows("DELETE FROM owner WHERE key = 'u_1'", "owners", "belongs to nobody").await;
}

#[tokio::test]
async fn of_the_grants() {
    let remaining = "UPDATE credit_grant SET remaining = 49 WHERE root_key = 'pi_1'";
    shows(remaining, "grants", "49 of 50 remain, but 0 were drawn").await;
    let granted =
        "UPDATE credit_grant SET granted = 5000, remaining = 5000 WHERE root_key = 'pi_1'";
    shows(granted, "grants", "its posting granted something else").await;
    shows(
        "UPDATE credit_grant SET is_open = false WHERE root_key = 'pi_1'",
        "grants",
        "it is closed",
    )
    .await;
    let moved = "UPDATE grant_move SET amount = 29 WHERE amount = 30";
    shows(moved, "moves", "leave it -1 beyond its grants, but it has 0, and they have 0").await;
    shows(moved, "chains", "does not have the hash of what it says").await;
    // A kind that nobody writes: the chain cannot be followed, and that is told, not failed with.
    shows("UPDATE grant_move SET kind = 1 WHERE amount = 30", "chains", "posting").await;
    shows("DELETE FROM credit_grant WHERE root_key = 'pi_2'", "moves", "which are not both there")
        .await;
}

#[tokio::test]
async fn of_the_holds() {
    let reserved = "UPDATE hold SET reserved = '{}' WHERE state = 1";
    shows(reserved, "holds", "has 2 held, but holds reserve 0 of it").await;
    let amount = "UPDATE hold SET amount = 1 WHERE state = 1";
    shows(amount, "holds", "it is of 1, but reserves 2").await;
    shows(
        amount,
        "balances",
        "has 8 with 2 held, but its grants have 8 with 2 held, and its holds reserve 1",
    )
    .await;
    let state = "UPDATE hold SET state = 3, reserved = '{}' WHERE state = 1";
    shows(state, "balances", "and its holds reserve 0").await;
    shows("DELETE FROM command WHERE step = 6", "holds", "no command made it").await;
}

#[tokio::test]
async fn of_the_commands() {
    let last = "DELETE FROM command WHERE step = 6";
    shows(last, "steps", "counts 6 commands, but the last is step 5").await;
    let middle = "DELETE FROM command WHERE step = 3";
    shows(middle, "steps", "is step 4 after 2").await;
    shows(middle, "causes", "its command 00000000-0000-0000-0000-000000000003 is not there").await;
    let more = "UPDATE command SET version_after = version_after + 1 WHERE step = 6";
    shows(more, "steps", "says that it made 1 postings, but 0 are there").await;
    let other = "UPDATE command SET account_id = gen_random_uuid() WHERE step = 6";
    shows(other, "steps", "is step 6 after 0").await;
    let grant = "DELETE FROM command WHERE step = 1";
    shows(grant, "origins", "it comes from no payment, and no command").await;
}

#[tokio::test]
async fn of_the_payments() {
    let leg = "UPDATE payment_leg SET target = 51 WHERE root_key = 'pi_1'";
    shows(leg, "sums", "93 credits were bought, but 80 are granted, 7 unclaimed and 5 written off")
        .await;
    let origin = "UPDATE payment SET first_pos = 1 WHERE root_key = 'pi_1'";
    shows(origin, "origins", "payment pi_1 begins at position 1, which Stripe did not sign").await;
}

#[tokio::test]
async fn by_somebody_who_keeps_the_books_in_order() {
    let world = World::with_history().await;
    let forged = Movement {
        owner: Owner::User("u_2".to_owned()),
        unit: "credits".to_owned(),
        source: Source { root_key: "pi_forged".to_owned(), line: "price:price_1".to_owned() },
        change: Change::Grant,
        contra: SystemAccount::Sale,
        amount: 1_000,
        terms: Terms::default(),
        cause: Cause::Decision { pos: 4, rev: 0, effect_no: 9 },
        effective_at: Timestamp::UNIX_EPOCH,
    };
    let tx = world.projector.store.begin().await.unwrap();
    let tenant_id = world.tenant.tenant_id;
    let decided = Decided {
        movements: &[forged],
        new_terms: &[],
        owners: &BTreeSet::new(),
        clawback: ClawbackPolicy::Debt,
    };
    let moved = evaluate_in_tx(&tx, tenant_id, Timestamp::UNIX_EPOCH, decided).await.unwrap();
    tx.write(&moved.writes()).await.unwrap();
    tx.commit().await.unwrap();
    let how = "a posting through the one door, for a payment that never was";
    assert_shows(&world, how, "origins", "payment pi_forged is not known").await;
    assert_shows(&world, how, "sums", "92 credits were bought, but 1080 are granted").await;
}
