//! The balance by SQL is the ledger's, and one statement reads it by indexes alone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ledger::account::{
    Account, Act, Balance, Cause, ClawbackPolicy, Hold, HoldState, MoveKind, Operation, Source,
    SystemAccount, Terms,
};
use ledger::ids::{HoldId, Owner};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Strategy, prop_oneof};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use store::Role;
use store::read::balance::{STATEMENT, balance_get, balance_list};
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::support::World;

const UNIT: &str = "credits";

/// Accounts that are compared, each at some instants.
const CASES: usize = 400;

/// Seconds that an account's history takes at most.
const SPAN: i64 = 100;

/// Something that is tried on an account; what is refused changes nothing.
#[derive(Clone, Debug)]
enum Try {
    Grant { amount: i64, lasts: Option<i64>, priority: i16 },
    Spend { amount: i64 },
    Hold { amount: i64, lasts: i64 },
    Capture { which: usize, amount: i64 },
    Release { which: usize },
    Clawback { amount: i64, which: usize },
    ExpireGrant { which: usize },
    ExpireHold { which: usize },
    Limit { limit: i64 },
}

fn tries() -> impl Strategy<Value = Vec<(i64, Try)>> {
    let one = prop_oneof![
        4 => (1..60_i64, option::of(1..SPAN), 0..2_i16)
            .prop_map(|(amount, lasts, priority)| Try::Grant { amount, lasts, priority }),
        3 => (1..40_i64).prop_map(|amount| Try::Spend { amount }),
        4 => (1..40_i64, 1..SPAN).prop_map(|(amount, lasts)| Try::Hold { amount, lasts }),
        1 => (0..9_usize, 1..40_i64).prop_map(|(which, amount)| Try::Capture { which, amount }),
        1 => (0..9_usize).prop_map(|which| Try::Release { which }),
        2 => (1..60_i64, 0..9_usize).prop_map(|(amount, which)| Try::Clawback { amount, which }),
        1 => (0..9_usize).prop_map(|which| Try::ExpireGrant { which }),
        1 => (0..9_usize).prop_map(|which| Try::ExpireHold { which }),
        1 => (0..50_i64).prop_map(|limit| Try::Limit { limit }),
    ];
    vec((0..SPAN / 10, one), 1..25)
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn act(number: u128, at: i64) -> Act {
    let cause = Cause::Command(Uuid::from_u128(number));
    Act { tenant_id: 1, cause, effective_at: second(at), recorded_at: second(at) }
}

impl Try {
    fn operation(&self, account: &Account, number: u128, at: i64) -> Option<Operation> {
        let hold = |which: usize| account.holds.get(which).map(|hold| hold.hold_id);
        let grant = |which: usize| account.grants.get(which);
        Some(match *self {
            Self::Grant { amount, lasts, priority } => Operation::Grant {
                amount,
                terms: Terms { expires_at: lasts.map(|lasts| second(at + lasts)), priority },
                contra: SystemAccount::Sale,
                source: Some(Source { root_key: format!("pi_{number}"), line: "1".to_owned() }),
            },
            Self::Spend { amount } => Operation::Spend { amount },
            Self::Hold { amount, lasts } => Operation::Hold {
                hold_id: HoldId(Uuid::from_u128(number)),
                amount,
                expires_at: second(at + lasts),
            },
            Self::Capture { which, amount } => {
                Operation::Capture { hold_id: hold(which)?, amount: Some(amount) }
            }
            Self::Release { which } => Operation::Release { hold_id: hold(which)? },
            Self::Clawback { amount, which } => Operation::Clawback {
                amount,
                source: grant(which)?.source.clone()?,
                kind: MoveKind::ClawedBack,
                contra: SystemAccount::Refund,
                policy: ClawbackPolicy::Debt,
            },
            Self::ExpireGrant { which } => {
                Operation::ExpireGrant { grant_id: grant(which)?.grant_id }
            }
            Self::ExpireHold { which } => Operation::ExpireHold { hold_id: hold(which)? },
            Self::Limit { limit } => Operation::SetLimit { overdraft_limit: limit },
        })
    }
}

/// An account with a history of its own; each of its holds has an id that no other account has.
fn account(user: &str, case: usize, history: &[(i64, Try)]) -> Account {
    let mut account = Account::new(Owner::User(user.to_owned()).account_id(), UNIT.to_owned());
    let first = u128::try_from(case).unwrap() * 1_000;
    let mut now = 0;
    for (number, (pause, one)) in (first + 1..).zip(history) {
        now += pause;
        if let Some(operation) = one.operation(&account, number, now) {
            let _refused = account.evaluate(&act(number, now), &operation);
        }
    }
    account
}

/// What the ledger says once all that is due by then was carried out.
fn settled(account: &Account, at: i64) -> Balance {
    let mut account = account.clone();
    let now = account.last_at.map_or_else(|| second(at), |last| last.max(second(at)));
    let overdue = |hold: &&Hold| hold.state == HoldState::Open && hold.expires_at <= now;
    let holds: Vec<_> = account.holds.iter().filter(overdue).map(|hold| hold.hold_id).collect();
    for hold_id in holds {
        account.evaluate(&act(1, at), &Operation::ExpireHold { hold_id }).unwrap();
    }
    let due = account.grants.iter().filter(|one| one.has_expired(now) && one.unheld() > 0);
    let due: Vec<_> = due.map(|grant| grant.grant_id).collect();
    for grant_id in due {
        account.evaluate(&act(1, at), &Operation::ExpireGrant { grant_id }).unwrap();
    }
    account.balance(now).unwrap()
}

/// The statements that make its rows.
fn rows(tenant_id: i32, user: &str, account: &Account) -> String {
    let id = account.id.0;
    let last_at = account.last_at.map_or_else(|| "NULL".to_owned(), |at| format!("'{at}'"));
    let mut sql = vec![format!(
        "INSERT INTO owner VALUES ({tenant_id}, '{id}', 1, '{user}');
         INSERT INTO account (tenant_id, account_id, unit, version, steps, posted, held, overdraft_limit, last_at)
         VALUES ({tenant_id}, '{id}', '{UNIT}', {}, 7, {}, {}, {}, {last_at});",
        account.version, account.posted, account.held, account.overdraft_limit
    )];
    for grant in &account.grants {
        let expires_at =
            grant.terms.expires_at.map_or_else(|| "infinity".to_owned(), |at| at.to_string());
        sql.push(format!(
            "INSERT INTO credit_grant (tenant_id, account_id, unit, grant_id, priority, expires_at, granted, remaining,
                                       held, is_open)
             VALUES ({tenant_id}, '{id}', '{UNIT}', {}, {}, '{expires_at}', {}, {}, {}, {});",
            grant.grant_id,
            grant.terms.priority,
            grant.granted,
            grant.remaining,
            grant.held,
            grant.is_open()
        ));
    }
    for hold in &account.holds {
        let reserved =
            hold.reserved.iter().map(|(grant, credits)| format!("\"{grant}\": {credits}"));
        sql.push(format!(
            "INSERT INTO hold (tenant_id, hold_id, account_id, unit, amount, captured, state, expires_at, reserved)
             VALUES ({tenant_id}, '{}', '{id}', '{UNIT}', {}, {}, {}, '{}', '{{{}}}');",
            hold.hold_id.0,
            hold.amount,
            hold.captured,
            hold.state.code(),
            hold.expires_at,
            reserved.collect::<Vec<_>>().join(", ")
        ));
    }
    sql.concat()
}

#[tokio::test]
async fn it_is_the_ledgers_balance_at_any_instant() {
    let world = World::new().await;
    let tenant_id = world.tenant.tenant_id;
    let mut runner = TestRunner::deterministic();
    let mut accounts = Vec::new();
    let mut sql = String::new();
    for case in 0..CASES {
        let history = tries().new_tree(&mut runner).unwrap().current();
        let user = format!("u_{case}");
        let account = account(&user, case, &history);
        sql += &rows(tenant_id, &user, &account);
        accounts.push((user, account, history));
    }
    world.database.superuser().await.batch_execute(&sql).await.unwrap();
    let client = world.store(Role::Api).get().await.unwrap();
    let wanted: Vec<_> = accounts.iter().map(|(user, ..)| (user.as_str(), UNIT)).collect();
    let (mut due, mut owing) = (0, 0);
    // In the middle of the history (the account's clock never goes back), at its end, and when everything is over.
    for at in [SPAN / 2, SPAN, SPAN * 3 / 2, SPAN * 2, SPAN * 4] {
        let found = balance_list(&client, tenant_id, &wanted, second(at)).await.unwrap();
        for ((user, account, history), parts) in accounts.iter().zip(found) {
            let parts = parts.unwrap();
            let seen = Balance {
                available: parts.available(),
                held: parts.held,
                debt: parts.debt(),
                posted: parts.posted,
                expiring_next: parts
                    .expiring_next
                    .map(|(amount, at)| ledger::account::Expiring { amount, at }),
            };
            assert_eq!(
                seen,
                settled(account, at),
                "{user} at {at}: {account:#?} after {history:#?}"
            );
            assert_eq!((parts.version, parts.steps), (account.version, 7));
            let as_it_stands = account.balance(second(at));
            due += usize::from(as_it_stands.is_ok_and(|balance| balance != seen));
            owing += usize::from(seen.debt > 0);
        }
    }
    assert!(due > CASES / 4 && owing > CASES / 4, "{due} with overdue holds, {owing} in debt");
    let one = balance_get(&client, tenant_id, "u_0", UNIT, second(SPAN)).await.unwrap();
    assert_eq!(one, balance_list(&client, tenant_id, &wanted[..1], second(SPAN)).await.unwrap()[0]);
    assert_eq!(balance_get(&client, tenant_id, "nobody", UNIT, second(SPAN)).await.unwrap(), None);
}

/// Its plan is kept, so it must be right from the first execution on, when there is nothing in the tables yet.
#[tokio::test]
async fn one_plan_reads_it_by_keys_however_much_was_posted() {
    let world = World::new().await;
    let client = world.database.superuser().await;
    client
        .batch_execute(
            "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off;
             SET enable_mergejoin = off; SET enable_sort = off; SET jit = off",
        )
        .await
        .unwrap();
    let types: Vec<_> = STATEMENT.params.iter().map(Type::name).collect();
    let prepare = format!("PREPARE asked ({}) AS {}", types.join(", "), STATEMENT.sql);
    client.batch_execute(&prepare).await.unwrap();
    let account = Owner::User("u_1".to_owned()).account_id().0;
    let explain = async |how: &str| {
        let explain = format!(
            "EXPLAIN ({how}) EXECUTE asked ({}, 'u_1', '{account}', '{UNIT}', '2026-11-21T10:00:00Z')",
            world.tenant.tenant_id
        );
        let rows = client.query(&explain, &[]).await.unwrap();
        rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>()
    };
    let plan = explain("COSTS off").await;
    assert!(
        !plan.iter().any(|line| line.contains("Seq Scan") || line.contains("Sort")),
        "{plan:#?}"
    );
    // Each look into a table has at least the account, the user or the payment among its keys; the newest position none.
    let keys = plan.iter().filter(|line| line.contains("Index Cond"));
    let bare: BTreeSet<_> =
        keys.filter(|line| !line.contains(" AND ")).map(|line| line.trim()).collect();
    let allowed =
        ["Index Cond: (tenant_id = $1)", "Index Cond: (expires_at <= GREATEST($5, a.last_at))"];
    assert!(bare.iter().all(|line| allowed.contains(line)), "{plan:#?}");

    client
        .batch_execute(&format!(
            "INSERT INTO owner VALUES ({tenant}, '{account}', 1, 'u_1');
             INSERT INTO account (tenant_id, account_id, unit, version, posted) VALUES ({tenant}, '{account}', '{UNIT}', 100000, 100000);
             INSERT INTO posting (tenant_id, account_id, unit, seq, contra, amount, balance_after, cause_kind, command_id,
                                  effective_at, recorded_at, hash)
             SELECT {tenant}, '{account}', '{UNIT}', n, 6, 1, n, 2, gen_random_uuid(), now(), now(), sha256('x')
             FROM generate_series(1, 100000) n;
             INSERT INTO credit_grant (tenant_id, account_id, unit, grant_id, priority, expires_at, granted, remaining, is_open)
             SELECT {tenant}, '{account}', '{UNIT}', n, 0, CASE WHEN n % 2 = 0 THEN 'infinity' ELSE '2027-01-01'::timestamptz + n * interval '1 s' END,
                    1, least(n % 4, 1), n % 4 > 0
             FROM generate_series(1, 4000) n",
            tenant = world.tenant.tenant_id
        ))
        .await
        .unwrap();
    let plan = explain("ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS").await;
    let buffers = plan.iter().find_map(|line| line.trim().strip_prefix("Buffers: shared "));
    let counts = buffers.unwrap().split([' ', '=']).filter_map(|part| part.parse::<u32>().ok());
    assert!(counts.sum::<u32>() < 100, "{plan:#?}");
}
