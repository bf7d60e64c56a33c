//! What decisions take back of what was spent: the tenant's policy says who bears it, and what comes back later is not
//! given twice.

use std::collections::BTreeSet;

use ledger::account::{
    Cause, ClawbackPolicy, MoveKind, Posting, Refusal, Source, SystemAccount, Terms,
};
use ledger::ids::Owner;
use ledger::movement::{Change, Movement};
use store::Role;
use store::books::{Decided, Posted, post_in_tx};
use store::commands::Outcome;

use super::kit::{Shop, capture, gift, hold, second, spend};

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
    let posted = post_in_tx(&tx, tenant_id, now, decided).await.unwrap();
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

#[tokio::test]
async fn the_policy_freeze_leaves_the_account_to_be_looked_at() {
    let shop = Shop::new(&["ada"]).await;
    decide(&shop, &[bought("ada", 1, 50)], ClawbackPolicy::Freeze).await;
    shop.does(2, spend("ada", 20)).await;
    decide(&shop, &[refunded("ada", 3, 50)], ClawbackPolicy::Freeze).await;
    shop.does(4, gift("ada", 100, Terms::default())).await;
    assert_eq!(shop.one(5, spend("ada", 1)).await, Outcome::Refused(Refusal::Frozen));
}
