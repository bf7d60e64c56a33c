//! An account, evaluated anew from what was recorded: its commands by their steps, and the movements that decisions posted.

use ledger::account::{
    Act, Cause, ClawbackPolicy, ExpiredPolicy, MoveKind, Operation, Source, SystemAccount, Terms,
};
use ledger::ids::{HoldId, SpendId};
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use super::mirror::{Policies, Whole};
use crate::commands::kit::Shop;

/// A command as it is recorded.
struct Step {
    command_id: Uuid,
    kind: i16,
    body: Value,
    recorded_at: jiff::Timestamp,
    version_before: i64,
}

/// Evaluates all of an account anew, and compares every row and hash.
pub(super) async fn same(shop: &Shop, whole: &Whole, policies: &Policies) {
    let tenant_id = shop.world.tenant.tenant_id;
    let mut commands = commands(shop, whole).await.into_iter().peekable();
    let mut movements = movements(shop, whole, policies).await.into_iter();
    let mut rebuilt = Whole::new(whole.user.clone());
    loop {
        let version = rebuilt.account.version;
        if let Some(command) = commands.next_if(|next| next.version_before == version) {
            // A decision may have come between two of them; then the next command begins later.
            let act = (tenant_id, command.recorded_at);
            let operation = operation(&command);
            rebuilt.carry_out(act, command.command_id, &operation).unwrap();
        } else if let Some((act, operation)) = movements.next() {
            rebuilt.post(&act, &operation);
        } else {
            break;
        }
    }
    assert!(commands.next().is_none());
    for (one, other) in rebuilt.postings.iter().zip(&whole.postings) {
        assert_eq!(one, other);
    }
    assert_eq!(rebuilt.steps, whole.steps);
    assert_eq!(rebuilt.account, whole.account);
}

async fn commands(shop: &Shop, whole: &Whole) -> Vec<Step> {
    let sql = "SELECT command_id, kind, body::text, recorded_at, version_before
               FROM command WHERE tenant_id = $1 AND account_id = $2 ORDER BY step";
    let rows = ask(shop, sql, whole).await;
    let read = |row: &Row| Step {
        command_id: row.get(0),
        kind: row.get(1),
        body: serde_json::from_str(row.get(2)).unwrap(),
        recorded_at: row.get(3),
        version_before: row.get(4),
    };
    rows.iter().map(read).collect()
}

async fn ask(shop: &Shop, sql: &str, whole: &Whole) -> Vec<Row> {
    shop.sql.query(sql, &[&shop.world.tenant.tenant_id, &whole.account.id.0]).await.unwrap()
}

/// What a recorded command was.
fn operation(command: &Step) -> Operation {
    let body = &command.body;
    let number = |name: &str| body[name].as_i64().unwrap();
    let id = |name: &str| body[name].as_str().unwrap().to_owned();
    let terms = || Terms {
        expires_at: body["expires_at"].as_str().map(|at| at.parse().unwrap()),
        priority: i16::try_from(number("priority")).unwrap(),
    };
    let hold_id = || -> HoldId { id("hold").parse().unwrap() };
    match command.kind {
        1 => Operation::Spend { amount: number("amount") },
        2 => Operation::Hold {
            hold_id: HoldId(command.command_id),
            amount: number("amount"),
            expires_at: id("expires_at").parse().unwrap(),
        },
        3 => Operation::Capture { hold_id: hold_id(), amount: body["amount"].as_i64() },
        4 => Operation::Release { hold_id: hold_id() },
        5 => Operation::Grant {
            amount: number("amount"),
            terms: terms(),
            contra: SystemAccount::ALL.into_iter().find(|it| body["contra"] == it.name()).unwrap(),
            source: None,
        },
        6 => Operation::Reverse {
            spend_id: id("spend").parse::<SpendId>().unwrap(),
            expired: ExpiredPolicy::from_name(&id("expired")).unwrap(),
            terms: terms(),
        },
        7 => Operation::SetLimit { overdraft_limit: number("overdraft_limit") },
        8 => Operation::SetFrozen { frozen: body["frozen"].as_bool().unwrap() },
        9 => Operation::ExpireGrant { grant_id: number("grant") },
        10 => Operation::ExpireHold { hold_id: hold_id() },
        other => panic!("a command of kind {other}"),
    }
}

/// The movements of decisions: of each one's postings, that which is neither an expiry recalled nor a debt forgiven.
async fn movements(shop: &Shop, whole: &Whole, policies: &Policies) -> Vec<(Act, Operation)> {
    let sql = "SELECT p.cause_pos, p.cause_rev, p.effect_no, p.contra, p.amount, p.root_key, p.line, p.effective_at,
                      p.recorded_at, g.priority, nullif(g.expires_at, 'infinity')
               FROM posting p LEFT JOIN credit_grant g
                    ON g.tenant_id = $1 AND g.account_id = p.account_id AND g.unit = p.unit AND g.grant_id = p.seq
               WHERE p.tenant_id = $1 AND p.account_id = $2 AND p.cause_pos IS NOT NULL AND p.contra NOT IN (5, 9)
               ORDER BY p.seq";
    let rows = ask(shop, sql, whole).await;
    let movement = |row: &Row| {
        let pos: i64 = row.get(0);
        let cause = Cause::Decision { pos, rev: row.get(1), effect_no: row.get(2) };
        let (effective_at, recorded_at) = (row.get(7), row.get(8));
        let tenant_id = shop.world.tenant.tenant_id;
        let act = Act { tenant_id, cause, effective_at, recorded_at };
        let source = Source { root_key: row.get(5), line: row.get(6) };
        let contra = SystemAccount::from_code(row.get(3)).unwrap();
        let amount = row.get::<_, i64>(4);
        let operation = if amount > 0 {
            let terms = Terms { priority: row.get(9), expires_at: row.get(10) };
            Operation::Grant { amount, terms, contra, source: Some(source) }
        } else {
            let is_moved = contra == SystemAccount::Adjustment;
            let kind = if is_moved { MoveKind::Moved } else { MoveKind::ClawedBack };
            let policy: ClawbackPolicy = policies[&pos];
            let amount = amount.abs();
            Operation::Clawback { amount, source, kind, contra, policy }
        };
        (act, operation)
    };
    rows.iter().map(movement).collect()
}
