//! What requests are about, found before anything is locked: which were done before, and on which account each acts. Each
//! key is looked up by itself, as in [`crate::books::load`].

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
use crate::statement::{Connection, Statement, batch_execute, query, text};

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

/// Longest wait for a lock. Whoever asks waits for the answer, and is told after it to ask again.
const SETTINGS: &str =
    "SET LOCAL lock_timeout = '2s'; SET LOCAL plan_cache_mode = force_generic_plan";

/// Kinds of the commands that spend: a spend, and the capture of a hold.
const SPENDING: [i16; 2] = [1, 3];

/// Kind of the command that makes a hold.
const HOLDING: i16 = 2;

/// What became of a request before anything was locked.
pub(super) enum Found {
    /// This, already.
    Answered(Outcome),
    /// It is to be carried out there.
    Target(Target),
}

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

/// What was found.
pub(super) struct FoundAll {
    /// Of each request, in their order.
    pub(super) found: Vec<Found>,
    /// Accounts that are not there yet, with their users.
    pub(super) new: BTreeMap<Place, Owner>,
}

/// Finds out what each request is about, in one round trip.
pub(super) async fn find(
    tx: &impl Connection,
    tenant_id: i32,
    requests: &[&Request],
) -> Result<FoundAll, Error> {
    let ids: BTreeSet<Uuid> = requests.iter().flat_map(|request| named(request)).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let accounts: BTreeSet<_> = requests.iter().filter_map(|it| it.command.account()).collect();
    let accounts: Vec<(Uuid, String, String)> = accounts
        .into_iter()
        .map(|it| (Owner::User(it.user.clone()).account_id().0, it.user.clone(), it.unit.clone()))
        .collect();
    let ((), answers, recorded, known) = futures_util::try_join!(
        batch_execute(tx, "commands.settings", SETTINGS),
        answers(tx, tenant_id, requests),
        async {
            if ids.is_empty() {
                Ok(Vec::new())
            } else {
                query(tx, &RECORDED, &[&tenant_id, &ids]).await
            }
        },
        async {
            if accounts.is_empty() {
                return Ok(Vec::new());
            }
            let (ids, users) = (column!(accounts, 0), column!(accounts, 1));
            query(tx, &KNOWN, &[&tenant_id, &ids, &users, &column!(accounts, 2)]).await
        },
    )?;
    let lookup = Lookup::of(&answers, &recorded, &known);
    let owner_of: BTreeMap<Uuid, String> =
        accounts.into_iter().map(|(id, user, _)| (id, user)).collect();
    let is_new = lookup.known.iter().filter(|(_, is_there)| !**is_there);
    let new = is_new.filter_map(|(place, _)| {
        Some((place.clone(), Owner::User(owner_of.get(&place.0)?.clone())))
    });
    let new = new.collect();
    Ok(FoundAll { found: requests.iter().map(|request| lookup.find(request)).collect(), new })
}

/// What was answered meanwhile to those of these requests whose keys another process was faster with. To be asked under the
/// locks of their accounts: whoever was faster is committed by then.
pub(super) async fn answered(
    tx: &impl Connection,
    tenant_id: i32,
    requests: &[&Request],
) -> Result<Vec<Option<Outcome>>, Error> {
    let answers = answers(tx, tenant_id, requests).await?;
    let lookup = Lookup::of(&answers, &[], &[]);
    Ok(requests.iter().map(|request| lookup.answered(request)).collect())
}

async fn answers(
    tx: &impl Connection,
    tenant_id: i32,
    requests: &[&Request],
) -> Result<Vec<Row>, Error> {
    let keys: Vec<_> = requests.iter().filter_map(|it| it.idempotency.as_ref()).collect();
    let keys: Vec<_> = keys.iter().map(|it| text(&it.key)).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    query(tx, &ANSWERS, &[&tenant_id, &keys]).await
}

/// Commands that a request names: those that made what it ends, and itself, if nothing but its id tells that it was done.
fn named(request: &Request) -> impl Iterator<Item = Uuid> {
    let itself = request.idempotency.is_none().then_some(request.command_id);
    let spend = request.command.spend().map(|spend_id| spend_id.0);
    let hold = request.command.hold().map(|hold_id| hold_id.0);
    itself.into_iter().chain(spend).chain(hold)
}

/// The rows that were found, by what they were looked up by.
struct Lookup<'a> {
    answers: BTreeMap<&'a str, &'a Row>,
    recorded: BTreeMap<Uuid, &'a Row>,
    known: BTreeMap<Place, bool>,
}

impl<'a> Lookup<'a> {
    fn of(answers: &'a [Row], recorded: &'a [Row], known: &[Row]) -> Self {
        Self {
            answers: answers.iter().map(|row| (row.get(0), row)).collect(),
            recorded: recorded.iter().map(|row| (row.get(0), row)).collect(),
            known: known.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect(),
        }
    }

    fn find(&self, request: &Request) -> Found {
        match self.answered(request) {
            Some(outcome) => Found::Answered(outcome),
            None => self.target(request),
        }
    }

    fn answered(&self, request: &Request) -> Option<Outcome> {
        let Some(idempotency) = &request.idempotency else {
            let _ = self.recorded.get(&request.command_id)?;
            let command_id = request.command_id;
            return Some(Outcome::Replayed { command_id, answer: Vec::new() });
        };
        let row = self.answers.get(text(&idempotency.key).as_ref())?;
        let hash: &[u8] = row.get(1);
        if hash != idempotency.request_hash {
            return Some(Outcome::KeyReused);
        }
        let answer: Option<Vec<u8>> = row.get(3);
        Some(Outcome::Replayed { command_id: row.get(2), answer: answer.unwrap_or_default() })
    }

    fn target(&self, request: &Request) -> Found {
        let command = &request.command;
        if let Some(account) = command.account() {
            let id = Owner::User(account.user.clone()).account_id().0;
            let place = (id, account.unit.clone());
            if !self.known.contains_key(&place) {
                return Found::Answered(Outcome::UserUnknown);
            }
            let note = command.note().cloned().unwrap_or_default();
            return Found::Target(Target { place, user: account.user.clone(), note });
        }
        if let Some(spend_id) = command.spend() {
            let made = self.made(spend_id.0, &SPENDING);
            return made.map_or(Found::Answered(Outcome::SpendUnknown), Found::Target);
        }
        let made = command.hold().and_then(|hold_id| self.made(hold_id.0, &[HOLDING]));
        made.map_or(Found::Answered(Outcome::HoldUnknown), Found::Target)
    }

    /// Where the command of this id and one of these kinds was carried out.
    fn made(&self, command_id: Uuid, kinds: &[i16]) -> Option<Target> {
        let row = self.recorded.get(&command_id)?;
        let kind: i16 = row.get(3);
        kinds.contains(&kind).then(|| Target {
            place: (row.get(1), row.get(2)),
            user: row.get(5),
            note: note_of(row.get(4)),
        })
    }
}
