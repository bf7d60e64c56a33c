//! What requests are about: on which account each acts, and which were done before. Each key is looked up by itself, as in
//! [`crate::books::load`].

use std::collections::{BTreeMap, BTreeSet};

use ledger::ids::Owner;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::outcome::Outcome;
use super::recorded::note_of;
use super::request::{Note, Request};
use crate::books::open::Place;
use crate::error::Error;
use crate::projection::column;
use crate::statement::{Connection, Statement, query, text};

/// Every statement of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&ANSWERS, &RECORDED, &KNOWN];

const ANSWERS: Statement = Statement {
    sql:
        "-- commands.answers
SELECT i.key, i.request_hash, i.command_id, i.answer
FROM unnest($2::text[]) AS k (key)
CROSS JOIN LATERAL (SELECT * FROM idempotency x WHERE x.tenant_id = $1 AND x.key = k.key LIMIT 1) i",
    params: &[Type::INT4, Type::TEXT_ARRAY],
    columns: &[Type::TEXT, Type::BYTEA, Type::UUID, Type::BYTEA],
};

const RECORDED: Statement = Statement {
    sql: "-- commands.recorded
SELECT c.command_id, c.account_id, c.unit, c.kind, c.body::text, o.key
FROM unnest($2::uuid[]) AS k (command_id)
CROSS JOIN LATERAL (SELECT * FROM command x WHERE x.tenant_id = $1 AND x.command_id = k.command_id LIMIT 1) c
CROSS JOIN LATERAL (SELECT * FROM owner x WHERE x.tenant_id = $1 AND x.account_id = c.account_id LIMIT 1) o",
    params: &[Type::INT4, Type::UUID_ARRAY],
    columns: &[Type::UUID, Type::UUID, Type::TEXT, Type::INT2, Type::TEXT, Type::TEXT],
};

// A user is known once the app, or a payment, told of him.
const KNOWN: Statement = Statement {
    sql: "-- commands.known
SELECT k.account_id, k.unit,
       coalesce((SELECT true FROM account a
                 WHERE a.tenant_id = $1 AND a.account_id = k.account_id AND a.unit = k.unit LIMIT 1), false)
FROM unnest($2::uuid[], $3::text[], $4::text[]) AS k (account_id, user_id, unit)
WHERE coalesce((SELECT true FROM owner o WHERE o.tenant_id = $1 AND o.account_id = k.account_id LIMIT 1),
               (SELECT true FROM app_user u WHERE u.tenant_id = $1 AND u.user_id = k.user_id LIMIT 1))",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
    columns: &[Type::UUID, Type::TEXT, Type::BOOL],
};

/// Kinds of the commands that spend: a spend, and the capture of a hold.
const SPENDING: [i16; 2] = [1, 3];

/// Kind of the command that makes a hold.
const HOLDING: i16 = 2;

/// Where a request is to be carried out.
#[derive(Clone)]
pub(super) struct Target {
    /// The account.
    pub(super) place: Place,
    /// Its user.
    pub(super) user: String,
    /// What the app said of it, or of what it ends.
    pub(super) note: Note,
}

/// Commands that were carried out, by their ids.
#[derive(Default)]
pub(super) struct Recorded(BTreeMap<Uuid, Row>);

/// Answers that were saved, by their keys.
pub(super) struct Answers(BTreeMap<String, Row>);

/// Commands that have to be looked up before it is known where these requests are to be carried out: those that made what
/// they end, and themselves, if nothing but their id tells that they were done.
pub(super) fn named<'a>(requests: impl Iterator<Item = &'a Request>) -> Vec<Uuid> {
    let of = |request: &Request| {
        let itself = request.idempotency.is_none().then_some(request.command_id);
        let spend = request.command.spend().map(|spend_id| spend_id.0);
        let hold = request.command.hold().map(|hold_id| hold_id.0);
        itself.into_iter().chain(spend).chain(hold)
    };
    let ids: BTreeSet<Uuid> = requests.flat_map(of).collect();
    ids.into_iter().collect()
}

/// Looks these commands up.
pub(super) async fn recorded(
    tx: &impl Connection,
    tenant_id: i32,
    ids: &[Uuid],
) -> Result<Recorded, Error> {
    let rows = query(tx, &RECORDED, &[&tenant_id, &ids]).await?;
    Ok(Recorded(rows.into_iter().map(|row| (row.get(0), row)).collect()))
}

/// Looks up what was answered before. To be asked under the locks of the accounts: whoever was faster with one of the keys is
/// committed by then, and may have left nothing to be done but to be refused.
pub(super) async fn answers<'a>(
    tx: &impl Connection,
    tenant_id: i32,
    requests: impl Iterator<Item = &'a Request>,
) -> Result<Answers, Error> {
    let keys = requests.filter_map(|it| it.idempotency.as_ref()).map(|it| text(&it.key));
    let keys: Vec<_> = keys.collect();
    if keys.is_empty() {
        return Ok(Answers(BTreeMap::new()));
    }
    let rows = query(tx, &ANSWERS, &[&tenant_id, &keys]).await?;
    Ok(Answers(rows.into_iter().map(|row| (row.get(0), row)).collect()))
}

/// Of these accounts those whose users are known, and whether each is there.
pub(super) async fn known(
    tx: &impl Connection,
    tenant_id: i32,
    accounts: &BTreeMap<Place, String>,
) -> Result<BTreeMap<Place, bool>, Error> {
    let accounts: Vec<(&Place, &String)> = accounts.iter().collect();
    let (ids, units) = (column!(accounts, 0.0), column!(accounts, 0.1));
    let rows = query(tx, &KNOWN, &[&tenant_id, &ids, &column!(accounts, 1), &units]).await?;
    Ok(rows.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect())
}

impl Recorded {
    /// Where a request is to be carried out; otherwise, what came of it.
    pub(super) fn target(&self, request: &Request) -> Result<Target, Outcome> {
        let command = &request.command;
        if request.idempotency.is_none() && self.0.contains_key(&request.command_id) {
            let command_id = request.command_id;
            return Err(Outcome::Replayed { command_id, answer: Vec::new() });
        }
        if let Some(account) = command.account() {
            let id = Owner::User(account.user.clone()).account_id().0;
            let place = (id, account.unit.clone());
            let note = command.note().cloned().unwrap_or_default();
            return Ok(Target { place, user: account.user.clone(), note });
        }
        if let Some(spend_id) = command.spend() {
            return self.made(spend_id.0, &SPENDING).ok_or(Outcome::SpendUnknown);
        }
        let made = command.hold().and_then(|hold_id| self.made(hold_id.0, &[HOLDING]));
        made.ok_or(Outcome::HoldUnknown)
    }

    /// Where the command of this id and one of these kinds was carried out.
    fn made(&self, command_id: Uuid, kinds: &[i16]) -> Option<Target> {
        let row = self.0.get(&command_id)?;
        let kind: i16 = row.get(3);
        kinds.contains(&kind).then(|| Target {
            place: (row.get(1), row.get(2)),
            user: row.get(5),
            note: note_of(row.get(4)),
        })
    }
}

impl Answers {
    /// What was answered to this request, or to another one under its key.
    pub(super) fn of(&self, request: &Request) -> Option<Outcome> {
        let idempotency = request.idempotency.as_ref()?;
        let row = self.0.get(text(&idempotency.key).as_ref())?;
        let hash: &[u8] = row.get(1);
        if hash != idempotency.request_hash {
            return Some(Outcome::KeyReused);
        }
        let answer: Option<Vec<u8>> = row.get(3);
        Some(Outcome::Replayed { command_id: row.get(2), answer: answer.unwrap_or_default() })
    }
}
