//! Commands that were carried out, recorded, with the answers that repeat them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ledger::account::Hold;
use serde_json::Value;
use tokio_postgres::types::Type;

use super::outcome::Done;
use super::request::Request;
use super::turn::Step;
use crate::books::open::Place;
use crate::messages::{BalanceChanged, Sender};
use crate::projection::column;
use crate::projection::outbox::MessageRow;
use crate::statement::{Statement, Write, params, text};

/// Every statement of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&COMMAND_INSERT, &ANSWER_INSERT];

const COMMAND_INSERT: Statement = Statement {
    sql: "-- commands.insert
INSERT INTO command AS c (tenant_id, command_id, account_id, unit, kind, body, actor, recorded_at, step, version_before,
                          version_after)
SELECT h.tenant_id, unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::text[]), unnest($5::smallint[]),
       unnest($6::text[])::jsonb, unnest($7::text[]), unnest($8::timestamptz[]), unnest($9::bigint[]), unnest($10::bigint[]),
       unnest($11::bigint[])
FROM log_head h
WHERE h.tenant_id = $1",
    params: &[
        Type::INT4,
        Type::UUID_ARRAY,
        Type::UUID_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT2_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
    ],
    columns: &[],
};

const ANSWER_INSERT: Statement = Statement {
    sql: "-- commands.answer_insert
INSERT INTO idempotency AS i (tenant_id, key, request_hash, command_id, answer, created_at)
SELECT h.tenant_id, unnest($2::text[]), unnest($3::bytea[]), unnest($4::uuid[]), unnest($5::bytea[]), unnest($6::timestamptz[])
FROM log_head h
WHERE h.tenant_id = $1",
    params: &[
        Type::INT4,
        Type::TEXT_ARRAY,
        Type::BYTEA_ARRAY,
        Type::UUID_ARRAY,
        Type::BYTEA_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
    ],
    columns: &[],
};

/// Records what was carried out.
pub(super) fn commands<'a>(tenant_id: i32, steps: &'a [Step<'_>]) -> Option<Write<'a>> {
    let requests: Vec<&'a Request> = steps.iter().map(|step| &*step.item.request).collect();
    let kinds: Vec<i16> = requests.iter().map(|request| request.command.kind()).collect();
    let bodies = steps.iter().map(|step| step.item.request.command.body(&step.item.note));
    let bodies: Vec<String> = bodies.map(|body| storable(body).to_string()).collect();
    let params = params![
        tenant_id,
        column!(requests, command_id),
        column!(steps, account.0),
        column!(steps, account.1),
        kinds,
        bodies,
        column!(requests, actor),
        column!(steps, done.recorded_at),
        column!(steps, done.step),
        column!(steps, versions.0),
        column!(steps, versions.1),
    ];
    Write::of(steps.len(), &COMMAND_INSERT, params)
}

/// JSON as Postgres can store it: in its names and texts, NUL becomes U+FFFD.
fn storable(body: Value) -> Value {
    match body {
        Value::String(said) => Value::String(text(&said).into_owned()),
        Value::Array(all) => all.into_iter().map(storable).collect(),
        Value::Object(members) => {
            let member =
                |(name, value): (String, Value)| (text(&name).into_owned(), storable(value));
            members.into_iter().map(member).collect()
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}

/// Saves each answer under its key. It fails if another process was faster with one of the keys.
pub(super) fn answers<'a>(
    tenant_id: i32,
    steps: &'a [Step<'_>],
    answers: &'a [Vec<u8>],
) -> Option<Write<'a>> {
    let keyed = steps.iter().zip(answers).filter_map(|(step, answer)| {
        let key = step.item.request.idempotency.as_ref()?;
        Some((text(&key.key), key.request_hash.as_slice(), &step.done, answer))
    });
    let mut rows: Vec<_> = keyed.collect();
    // Of two transactions that save the same keys in another order each would wait for the other.
    rows.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    let keys: Vec<Cow<'a, str>> = rows.iter().map(|row| row.0.clone()).collect();
    let hashes: Vec<&[u8]> = rows.iter().map(|row| row.1).collect();
    let (ids, times) = (column!(rows, 2.command_id), column!(rows, 2.recorded_at));
    let answers: Vec<&Vec<u8>> = rows.iter().map(|row| row.3).collect();
    let params = params![tenant_id, keys, hashes, ids, answers, times];
    Write::of(rows.len(), &ANSWER_INSERT, params)
}

/// What the outbox tells of what was carried out: what moved, what is held and let go, and what the account has then.
pub(super) fn messages(sender: Sender, steps: &[Step<'_>]) -> Vec<MessageRow> {
    let mut messages = Vec::with_capacity(steps.len().saturating_mul(2));
    let mut newest: BTreeMap<&Place, &Step<'_>> = BTreeMap::new();
    for step in steps {
        let done = &step.done;
        let moved = done.postings.iter().map(|posting| sender.credits_moved(&done.user, posting));
        let before = messages.len();
        messages.extend(moved);
        let hold = |hold: &Hold| sender.hold_changed((&done.user, &done.unit), hold);
        messages.extend(done.hold.as_ref().and_then(hold));
        if messages.len() > before {
            newest.insert(&step.account, step);
        }
    }
    // Nobody ever saw the balances between the commands of one transaction.
    let newest = newest.into_values();
    messages.extend(newest.map(|step| balance_changed(sender, &step.done, step.versions.1)));
    messages
}

fn balance_changed(sender: Sender, done: &Done, version: i64) -> MessageRow {
    let balance = BalanceChanged {
        user: &done.user,
        unit: &done.unit,
        posted: done.after.posted,
        version,
        held: Some(done.after.held),
        available: Some(done.after.available),
        debt: Some(done.after.debt),
        seq: Some(done.step),
    };
    sender.balance_told(done.command_id, &balance)
}
