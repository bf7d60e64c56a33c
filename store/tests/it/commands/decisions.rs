//! What decisions take back of what was spent: the tenant's policy says who bears it, and what comes back later is not
//! given twice.

use std::collections::BTreeSet;

use ledger::account::{
    Cause, ClawbackPolicy, MoveKind, Posting, Refusal, Source, SystemAccount, Terms,
};
use ledger::ids::{HoldId, Owner, SpendId};
use ledger::movement::{Change, Movement};
use store::Role;
use store::books::{Decided, Posted, evaluate_in_tx};
use store::commands::{Command, Done, Outcome};

use super::kit::{Shop, capture, gift, hold, reverse, second, spend, until};

fn movement(user: &str, pos: i64, change: Change, contra: SystemAccount, amount: i64) -> Movement {
    Movement {
        owner: Owner::User(user.into()),
        unit: "credits".into(),
        source: Source { root_key: "pi_1".into(), line: "1".into() },
        change,
        contra,
        amount,
        terms: Terms::default(),
        cause: Cause::Decision { pos, rev: 0, effect_no: i32::from(change == Change::Grant) },
        effective_at: second(pos),
    }
}

fn bought(user: &str, pos: i64, amount: i64) -> Movement {
    movement(user, pos, Change::Grant, SystemAccount::Sale, amount)
}

fn refunded(user: &str, pos: i64, amount: i64) -> Movement {
    movement(user, pos, Change::Take(MoveKind::ClawedBack), SystemAccount::Refund, amount)
}

fn moved(from: &str, to: &str, pos: i64, amount: i64) -> [Movement; 2] {
    let way = SystemAccount::Adjustment;
    let take = Change::Take(MoveKind::Moved);
    [movement(from, pos, take, way, amount), movement(to, pos, Change::Grant, way, amount)]
}

async fn decide(shop: &Shop, movements: &[Movement], clawback: ClawbackPolicy) -> Vec<Posted> {
    let tx = shop.world.store(Role::Projector).begin().await.unwrap();
    let owners = BTreeSet::new();
    let decided = Decided { movements, new_terms: &[], owners: &owners, clawback };
    let tenant_id = shop.world.tenant.tenant_id;
    let now = movements[0].effective_at;
    let moved = evaluate_in_tx(&tx, tenant_id, now, decided).await.unwrap();
    tx.write(&moved.writes()).await.unwrap();
    let posted = moved.posted;
    tx.commit().await.unwrap();
    posted
}

/// Amounts and other sides.
fn amounts(posted: &Posted) -> Vec<(SystemAccount, i64)> {
    posted.postings.iter().map(|posting: &Posting| (posting.contra, posting.amount)).collect()
}

async fn posted(shop: &Shop, user: &str) -> i64 {
    let sql = format!(
        "SELECT posted FROM account a JOIN owner o USING (tenant_id, account_id)
         WHERE a.tenant_id = $1 AND o.key = '{user}'"
    );
    shop.number(&sql).await
}

#[tokio::test]
async fn what_is_gone_is_owed_and_the_next_grant_pays_it() {
    let shop = Shop::new(&["ada"]).await;
    decide(&shop, &[bought("ada", 1, 50)], ClawbackPolicy::Debt).await;
    shop.does(2, spend("ada", 40)).await;
    let taken = decide(&shop, &[refunded("ada", 3, 50)], ClawbackPolicy::Debt).await;
    assert_eq!(amounts(&taken[0]), [(SystemAccount::Refund, -50)]);
    assert_eq!(posted(&shop, "ada").await, -40);
    let paid = shop.does(4, gift("ada", 100, Terms::default())).await;
    assert_eq!(paid.after.available, 60);
    assert_eq!(paid.postings[0].moves[0].kind, MoveKind::PaidDebt);
}

#[tokio::test]
async fn a_clawback_takes_what_a_hold_had_reserved_and_the_hold_stays_valid() {
    let shop = Shop::new(&["ada"]).await;
    decide(&shop, &[bought("ada", 1, 50)], ClawbackPolicy::Debt).await;
    let held = shop.does(2, hold("ada", 30, 100)).await;
    decide(&shop, &[refunded("ada", 3, 50)], ClawbackPolicy::Debt).await;
    assert_eq!(posted(&shop, "ada").await, 0);
    let reserved =
        "SELECT count(*) FROM hold WHERE tenant_id = $1 AND state = 1 AND reserved = '{}'";
    assert_eq!(shop.number(reserved).await, 1);
    let captured = shop.does(4, capture(held.hold.unwrap().hold_id, None)).await;
    assert_eq!((captured.after.debt, captured.after.posted), (30, -30));
}

#[tokio::test]
async fn what_was_written_off_is_not_given_when_it_comes_back() {
    let shop = Shop::new(&["ada"]).await;
    decide(&shop, &[bought("ada", 1, 50)], ClawbackPolicy::WriteOff).await;
    shop.does(2, spend("ada", 40)).await;
    let taken = decide(&shop, &[refunded("ada", 3, 50)], ClawbackPolicy::WriteOff).await;
    assert_eq!(amounts(&taken[0]), [(SystemAccount::Refund, -50), (SystemAccount::WriteOff, 40)]);
    assert_eq!((taken[0].forgiven, posted(&shop, "ada").await), (40, 0));
    // The refund fails in parts. Of what comes back, what he spent is not his.
    let back = |pos, amount| movement("ada", pos, Change::Grant, SystemAccount::Refund, amount);
    let first = decide(&shop, &[back(4, 15)], ClawbackPolicy::WriteOff).await;
    assert_eq!(amounts(&first[0]), [(SystemAccount::Refund, 15), (SystemAccount::WriteOff, -15)]);
    assert_eq!((first[0].forgiven, posted(&shop, "ada").await), (-15, 0));
    let second = decide(&shop, &[back(5, 35)], ClawbackPolicy::WriteOff).await;
    assert_eq!(amounts(&second[0]), [(SystemAccount::Refund, 35), (SystemAccount::WriteOff, -25)]);
    assert_eq!(posted(&shop, "ada").await, 10);
}

/// What was spent or held when it was refunded, and comes back by a command, is his as little as what a decision gives back.
#[tokio::test]
async fn what_was_written_off_and_a_command_brings_back_is_taken() {
    let shop = Shop::new(&["ada"]).await;
    let policy = ClawbackPolicy::WriteOff;
    let sold = Movement { terms: until(90), ..bought("ada", 1, 50) };
    decide(&shop, &[sold], policy).await;
    let spend_id = SpendId(shop.does(2, spend("ada", 20)).await.command_id);
    let hold_of = |done: Done| HoldId(done.command_id);
    let released = hold_of(shop.does(2, hold("ada", 10, 80)).await);
    let captured = hold_of(shop.does(2, hold("ada", 10, 80)).await);
    shop.does(2, hold("ada", 10, 100)).await;
    assert_eq!(decide(&shop, &[refunded("ada", 3, 50)], policy).await[0].forgiven, 50);
    let commands =
        [reverse(spend_id), Command::Release { hold_id: released }, capture(captured, Some(4))];
    for (command, taken) in commands.into_iter().zip([20, 10, 6]) {
        let done = shop.does(4, command).await;
        let [.., last] = done.postings.as_slice() else { panic!("{done:?}") };
        assert_eq!((last.contra, last.amount), (SystemAccount::WriteOff, -taken));
        assert_eq!(done.after.available, 0);
    }
    // By the next command the last hold is over, and its grant: what it had lapses, and nobody bears it.
    assert_eq!(shop.does(100, gift("ada", 1, Terms::default())).await.after.posted, 1);
    let borne = "SELECT sum(amount)::bigint FROM posting WHERE tenant_id = $1 AND contra = 9";
    assert_eq!(shop.number(borne).await, 4);
    // The refund fails: of all that, he used four.
    let back = movement("ada", 101, Change::Grant, SystemAccount::Refund, 50);
    assert_eq!(decide(&shop, &[back], policy).await[0].forgiven, -4);
    assert_eq!(posted(&shop, "ada").await, 47);
}

#[tokio::test]
async fn a_refund_and_its_failure_in_one_batch_end_as_they_began() {
    let shop = Shop::new(&["ada"]).await;
    decide(&shop, &[bought("ada", 1, 50)], ClawbackPolicy::WriteOff).await;
    shop.does(2, spend("ada", 40)).await;
    let back = movement("ada", 4, Change::Grant, SystemAccount::Refund, 50);
    decide(&shop, &[refunded("ada", 3, 50), back], ClawbackPolicy::WriteOff).await;
    assert_eq!(posted(&shop, "ada").await, 10);
}

#[tokio::test]
async fn a_purchase_that_moves_to_another_and_back_leaves_nobody_more_than_he_had() {
    for policy in ClawbackPolicy::ALL {
        let shop = Shop::new(&["ada", "bob"]).await;
        decide(&shop, &[bought("ada", 1, 50)], policy).await;
        shop.does(2, spend("ada", 20)).await;
        decide(&shop, &moved("ada", "bob", 3, 50), policy).await;
        let left = if policy == ClawbackPolicy::WriteOff { 0 } else { -20 };
        assert_eq!(
            (posted(&shop, "ada").await, posted(&shop, "bob").await),
            (left, 50),
            "{policy:?}"
        );
        decide(&shop, &moved("bob", "ada", 4, 50), policy).await;
        assert_eq!((posted(&shop, "ada").await, posted(&shop, "bob").await), (30, 0), "{policy:?}");
    }
}

/// A hold is over at its deadline, whether the keeper has closed it by then or not: so a refund or a reassignment finds its
/// credits, and those of the promotion are nobody's debt.
#[tokio::test]
async fn whether_the_keeper_or_a_decision_comes_first_changes_no_balance() {
    let ways = [vec![refunded("ada", 300, 50)], moved("ada", "bob", 300, 50).to_vec()];
    let ways = ClawbackPolicy::ALL
        .into_iter()
        .flat_map(|policy| ways.iter().map(move |way| (policy, way)));
    for (policy, way) in ways {
        for (ends, is_closed_first) in
            [(None, false), (None, true), (Some(100), false), (Some(100), true)]
        {
            let shop = Shop::new(&["ada", "bob"]).await;
            let terms = ends.map_or_else(Terms::default, until);
            decide(&shop, &[Movement { terms, ..bought("ada", 1, 50) }], policy).await;
            let held = shop.does(2, hold("ada", 50, 200)).await;
            shop.does(3, gift("ada", 50, Terms::default())).await;
            let close = || Command::ExpireHold { hold_id: HoldId(held.command_id) };
            if is_closed_first {
                shop.does(300, close()).await;
            }
            let taken = decide(&shop, way, policy).await;
            assert_eq!(taken[0].forgiven, 0, "nobody used any");
            if !is_closed_first {
                shop.does(300, close()).await;
            }
            assert_eq!(shop.does(300, spend("ada", 50)).await.after.posted, 0, "{policy:?}");
        }
    }
}

#[tokio::test]
async fn the_policy_freeze_leaves_the_account_to_be_looked_at() {
    let shop = Shop::new(&["ada"]).await;
    decide(&shop, &[bought("ada", 1, 50)], ClawbackPolicy::Freeze).await;
    shop.does(2, spend("ada", 20)).await;
    decide(&shop, &[refunded("ada", 3, 50)], ClawbackPolicy::Freeze).await;
    shop.does(4, gift("ada", 100, Terms::default())).await;
    assert_eq!(shop.one(5, spend("ada", 1)).await, Outcome::Refused(Refusal::Frozen));
}
