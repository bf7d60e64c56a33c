//! What stands in the database: of each account, every command and every movement of a payment, in their order; and which
//! command each key stands for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::ids::{HoldId, SpendId};
use serde_json::Value;
use store::statement::{Statement, query};
use tokio_postgres::Row;
use uuid::Uuid;

use super::model::{Deed, Terms};
use crate::checks::count as statement;
use crate::cluster::Cluster;

const COMMANDS: Statement = statement(
    "-- spending.commands
SELECT o.key, c.version_before, c.step, c.command_id, c.kind, c.body::text, c.actor, c.recorded_at, c.version_after
FROM command c JOIN owner o USING (tenant_id, account_id)",
);

const PAYMENTS: Statement = statement(
    "-- spending.payments
SELECT o.key, p.seq, p.root_key, p.amount, p.cause_pos, p.recorded_at
FROM posting p JOIN owner o USING (tenant_id, account_id) WHERE p.cause_pos IS NOT NULL",
);

const KEYS: Statement = statement(
    "-- spending.keys
SELECT i.key, i.command_id FROM idempotency i",
);

/// Who asks for what is due.
const CLOCK: &str = "keeper";

/// A command that was carried out.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) command_id: Uuid,
    /// Its number among the commands of its account.
    pub(super) seq: i64,
    /// Whether nobody asked for it.
    pub(super) is_clocks: bool,
}

/// Something that happened to an account.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) deed: Deed,
    /// None: a payment's movement.
    pub(super) done: Option<Done>,
    /// Position of the event, of a payment's movement.
    pub(super) position: i64,
}

/// Everything that was recorded.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    /// What happened to each user's account, in its order.
    pub(super) entries: BTreeMap<String, Vec<Entry>>,
    /// Commands by their keys.
    pub(super) keys: BTreeMap<String, Uuid>,
}

impl Recorded {
    pub(super) async fn read(cluster: &Cluster) -> Self {
        let client = cluster.store.get().await.unwrap();
        let mut ordered: BTreeMap<String, BTreeMap<_, Entry>> = BTreeMap::new();
        for row in query(&client, &COMMANDS, &[]).await.unwrap() {
            // A command was carried out when so many movements had been posted, and before the next one was.
            let (before, seq): (i64, i64) = (row.get(1), row.get(2));
            ordered.entry(row.get(0)).or_default().insert((before, false, seq), command(&row));
        }
        for row in query(&client, &PAYMENTS, &[]).await.unwrap() {
            let seq: i64 = row.get(1);
            ordered.entry(row.get(0)).or_default().insert((seq - 1, true, 0), payment(&row));
        }
        let in_order = |entries: BTreeMap<_, Entry>| entries.into_values().collect();
        let keys = query(&client, &KEYS, &[]).await.unwrap();
        Self {
            entries: ordered.into_iter().map(|(user, own)| (user, in_order(own))).collect(),
            keys: keys.iter().map(|row| (row.get(0), row.get(1))).collect(),
        }
    }
}

fn command(row: &Row) -> Entry {
    let (id, kind, after): (Uuid, i16, i64) = (row.get(3), row.get(4), row.get(8));
    let body: Value = serde_json::from_str(row.get(5)).unwrap();
    let done = Done { command_id: id, seq: row.get(2), is_clocks: row.get::<_, &str>(6) == CLOCK };
    Entry { at: row.get(7), deed: deed(id, kind, &body, after), done: Some(done), position: 0 }
}

fn payment(row: &Row) -> Entry {
    let (grant, payment, amount) = (row.get(1), row.get(2), row.get(3));
    let deed = if amount > 0 {
        Deed::Buy { payment, grant, amount }
    } else {
        Deed::TakeBack { payment, amount: -amount }
    };
    Entry { at: row.get(5), deed, done: None, position: row.get(4) }
}

/// What a command did, by its kind and parameters. What it granted is its last movement.
fn deed(id: Uuid, kind: i16, body: &Value, grant: i64) -> Deed {
    let amount = body["amount"].as_i64();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    let time = |name: &str| body[name].as_str().map(|text| text.parse::<Timestamp>().unwrap());
    let terms = || Terms {
        priority: body["priority"].as_i64().unwrap().try_into().unwrap(),
        expires_at: time("expires_at").unwrap_or(Timestamp::MAX),
    };
    match kind {
        1 => Deed::Spend { id: SpendId(id).to_string(), amount: amount.unwrap() },
        2 => Deed::Hold {
            id: HoldId(id).to_string(),
            amount: amount.unwrap(),
            deadline: time("expires_at").unwrap(),
        },
        3 => Deed::Capture { hold: text("hold"), amount, spend: SpendId(id).to_string() },
        4 => Deed::Release { hold: text("hold") },
        5 => Deed::Grant { grant, amount: amount.unwrap(), terms: terms() },
        6 => {
            let is_renewed = body["expired"] == "renew";
            Deed::Reverse { spend: text("spend"), is_renewed, grant, terms: terms() }
        }
        9 => Deed::ExpireGrant { grant: body["grant"].as_i64().unwrap() },
        10 => Deed::ExpireHold { hold: text("hold") },
        other => panic!("a command of kind {other}"),
    }
}
