//! What stands in the database of an account, compared with the account in memory.

use std::collections::{BTreeMap, VecDeque};

use ledger::account::{Account, Grant, Hold, HoldState, Source, Terms};
use ledger::ids::{HoldId, SpendId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::mirror::Whole;
use crate::commands::kit::Shop;

/// Ids of the commands that were carried out on an account since, in their order.
pub(super) async fn commands_after(shop: &Shop, whole: &Whole) -> VecDeque<Uuid> {
    let sql = "SELECT command_id FROM command WHERE tenant_id = $1 AND account_id = $2 AND step > $3 ORDER BY step";
    let tenant_id = shop.world.tenant.tenant_id;
    let rows = shop.sql.query(sql, &[&tenant_id, &whole.account.id.0, &whole.steps]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Compares each row of the account.
pub(super) async fn same(shop: &Shop, whole: &Whole) {
    let account = &whole.account;
    let rows = ask(
        shop,
        "SELECT version, posted, held, overdraft_limit, frozen, last_hash, last_at, steps
                          FROM account WHERE tenant_id = $1 AND account_id = $2",
        account,
    )
    .await;
    let Some(row) = rows.first() else {
        assert_eq!((account.version, whole.steps), (0, 0));
        return;
    };
    let last_hash: Option<Vec<u8>> = row.get(5);
    let row = Account {
        version: row.get(0),
        posted: row.get(1),
        held: row.get(2),
        overdraft_limit: row.get(3),
        frozen: row.get(4),
        last_hash: last_hash.map_or(ledger::chain::GENESIS, |hash| hash.try_into().unwrap()),
        last_at: row.get(6),
        ..account.clone()
    };
    assert_eq!(row, *account);
    assert_eq!(grants(shop, account).await, sorted(&account.grants, |grant| grant.grant_id));
    assert_eq!(holds(shop, account).await, sorted(&account.holds, |hold| hold.hold_id));
    let rows = ask(
        shop,
        "SELECT spend_id FROM reversal WHERE tenant_id = $1 AND account_id = $2",
        account,
    )
    .await;
    let mut stored: Vec<SpendId> = rows.iter().map(|row| SpendId(row.get(0))).collect();
    stored.sort();
    let reversed = account.spends.iter().filter(|spend| spend.is_reversed);
    let mut reversed: Vec<SpendId> = reversed.map(|spend| spend.spend_id).collect();
    reversed.sort();
    assert_eq!(stored, reversed);
}

fn sorted<T: Clone, K: Ord>(rows: &[T], key: impl Fn(&T) -> K) -> BTreeMap<K, T> {
    rows.iter().map(|row| (key(row), row.clone())).collect()
}

async fn ask(shop: &Shop, sql: &str, account: &Account) -> Vec<Row> {
    shop.sql.query(sql, &[&shop.world.tenant.tenant_id, &account.id.0]).await.unwrap()
}

async fn grants(shop: &Shop, account: &Account) -> BTreeMap<i64, Grant> {
    let sql = "SELECT grant_id, priority, nullif(expires_at, 'infinity'), root_key, line, granted, remaining, held, is_open
               FROM credit_grant WHERE tenant_id = $1 AND account_id = $2";
    let mut grants = BTreeMap::new();
    for row in ask(shop, sql, account).await {
        let source = row.get::<_, Option<String>>(3).zip(row.get(4));
        let grant = Grant {
            grant_id: row.get(0),
            terms: Terms { priority: row.get(1), expires_at: row.get(2) },
            source: source.map(|(root_key, line)| Source { root_key, line }),
            granted: row.get(5),
            remaining: row.get(6),
            held: row.get(7),
        };
        assert_eq!(grant.is_open(), row.get::<_, bool>(8), "{grant:?}");
        grants.insert(grant.grant_id, grant);
    }
    grants
}

async fn holds(shop: &Shop, account: &Account) -> BTreeMap<HoldId, Hold> {
    let sql = "SELECT hold_id, amount, captured, state, expires_at, reserved::text
               FROM hold WHERE tenant_id = $1 AND account_id = $2";
    let hold = |row: &Row| Hold {
        hold_id: HoldId(row.get(0)),
        amount: row.get(1),
        captured: row.get(2),
        state: HoldState::from_code(row.get(3)).unwrap(),
        expires_at: row.get(4),
        reserved: serde_json::from_str(row.get(5)).unwrap(),
    };
    let rows = ask(shop, sql, account).await;
    rows.iter().map(|row| (HoldId(row.get(0)), hold(row))).collect()
}
