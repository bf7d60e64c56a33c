//! What of locked accounts is read: little at first, the whole of them where an operation needs more.

mod statements;

use std::collections::BTreeSet;

use crate::flight;
use jiff::Timestamp;
use ledger::account::{
    Account, DrawPlace, Extent, Grant, GrantMove, Hold, HoldState, MoveKind, Source, Spend, Terms,
};
use ledger::ids::{HoldId, SpendId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::open::{Accounts, Place};
use crate::error::Error;
use crate::projection::column;
use crate::statement::{Connection, Params, Statement, query};
pub(super) use statements::STATEMENTS;
use statements::{
    EXPIRED_OF_LINES, FORGIVEN_OF_LINES, GRANTS_DUE, GRANTS_FIRST, GRANTS_NAMED, GRANTS_OF_LINES,
    GRANTS_OPEN, HOLDS, HOLDS_OPEN, SPENDS,
};

/// Open grants of an account that are read first. Nearly all accounts have fewer, and nearly all spends need one or two.
const GRANTS_AT_FIRST: i64 = 32;

/// Holds of an account whose deadline has passed that one transaction closes, beside those that are named.
pub(crate) const DUE_HOLDS_MAX: i64 = 256;

/// What operations name, beyond what every one of them may need.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    /// Grants, with their accounts.
    pub(crate) grants: Vec<(Place, i64)>,
    /// Holds, each once.
    pub(crate) holds: BTreeSet<Uuid>,
    /// Spends, each once.
    pub(crate) spends: BTreeSet<Uuid>,
}

/// What was read of accounts while they were being locked.
pub(crate) struct First {
    grants: Vec<Row>,
    due: Vec<Row>,
    holds: Vec<Row>,
    named: Vec<Row>,
    spends: Vec<Row>,
}

/// A payment's line on an account: account, unit, payment, line.
pub(super) type Line = (Uuid, String, String, String);

/// Lines that decisions concern.
pub(super) struct Lines {
    /// Those that are taken back, or get other terms.
    pub(super) drawn: Vec<Line>,
    /// Those that users are granted.
    pub(super) given: BTreeSet<Line>,
}

/// Reads what commands need at least: the grants that are drawn from first, what has run out of time at `now`, what is named.
/// It is asked for right behind the locks, in their round trip, and means nothing for an account that was not locked.
pub(crate) async fn first(
    tx: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    places: &BTreeSet<Place>,
    named: &Named,
) -> Result<First, Error> {
    let (ids, units) = keys(places.iter());
    let first: Params<'_> = &[&tenant_id, &ids, &units, &GRANTS_AT_FIRST];
    let instants: Vec<(&Place, Timestamp)> = places.iter().map(|place| (place, now)).collect();
    let holds: Vec<Uuid> = named.holds.iter().copied().collect();
    let spends: Vec<Uuid> = named.spends.iter().copied().collect();
    let (grants, (due, holds), named, spends) = flight!(
        query(tx, &GRANTS_FIRST, first),
        due(tx, tenant_id, &instants, DUE_HOLDS_MAX, &holds),
        grants_named(tx, tenant_id, &named.grants),
        async {
            if spends.is_empty() {
                return Ok(Vec::new());
            }
            query(tx, &SPENDS, &[&tenant_id, &spends]).await
        },
    )?;
    Ok(First { grants, due, holds, named, spends })
}

/// Grants of these accounts that have run out of time at their instants; of their holds that have, this many, and those that
/// are named.
async fn due(
    tx: &impl Connection,
    tenant_id: i32,
    places: &[(&Place, Timestamp)],
    most: i64,
    holds: &[Uuid],
) -> Result<(Vec<Row>, Vec<Row>), Error> {
    if places.is_empty() && holds.is_empty() {
        return Ok(Default::default());
    }
    let (ids, units) = keys(places.iter().map(|(place, _)| *place));
    let instants = column!(places, 1);
    let due: Params<'_> = &[&tenant_id, &ids, &units, &instants];
    let held: Params<'_> = &[&tenant_id, &ids, &units, &instants, &most, &holds];
    flight!(query(tx, &GRANTS_DUE, due), query(tx, &HOLDS, held))
}

/// Adds what has run out of time on accounts whose clock is ahead: another process was there whose clock goes before ours, and at
/// its time more is due.
async fn add_ahead(
    tx: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    most: i64,
    accounts: &mut Accounts,
) -> Result<(), Error> {
    let instants = accounts.iter().map(|(place, opened)| (place, opened.instant(now)));
    let ahead: Vec<(&Place, Timestamp)> = instants.filter(|(_, instant)| *instant > now).collect();
    let (due, holds) = due(tx, tenant_id, &ahead, most, &[]).await?;
    add_grants(&due, accounts);
    add_holds(&holds, accounts)
}

async fn grants_named(
    tx: &impl Connection,
    tenant_id: i32,
    wanted: &[(Place, i64)],
) -> Result<Vec<Row>, Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let (ids, units, grants) = (column!(wanted, 0.0), column!(wanted, 0.1), column!(wanted, 1));
    query(tx, &GRANTS_NAMED, &[&tenant_id, &ids, &units, &grants]).await
}

/// Puts what was read first into accounts that are locked, and what turns out to be missing.
pub(crate) async fn for_commands(
    tx: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    first: &First,
    accounts: &mut Accounts,
) -> Result<(), Error> {
    add_grants(&first.grants, accounts);
    set_extents(accounts);
    add_grants(&first.due, accounts);
    add_grants(&first.named, accounts);
    add_holds(&first.holds, accounts)?;
    add_spends(&first.spends, accounts)?;
    add_ahead(tx, tenant_id, now, DUE_HOLDS_MAX, accounts).await?;
    grants_behind(tx, tenant_id, accounts).await?;
    forgiven(tx, tenant_id, accounts).await
}

/// Loads the grants that loaded holds reserve and loaded spends drew from.
async fn grants_behind(
    tx: &impl Connection,
    tenant_id: i32,
    accounts: &mut Accounts,
) -> Result<(), Error> {
    let mut wanted = Vec::new();
    for (place, opened) in accounts.iter() {
        let account = &opened.account;
        let missing = behind(account).filter(|grant_id| account.grant_of(*grant_id).is_none());
        wanted.extend(missing.map(|grant_id| (place.clone(), grant_id)));
    }
    add_grants(&grants_named(tx, tenant_id, &wanted).await?, accounts);
    Ok(())
}

/// Loads what was written off, and did not come back since, of the lines that loaded holds reserve and loaded spends drew from:
/// what of them comes back is not the account's.
async fn forgiven(
    tx: &impl Connection,
    tenant_id: i32,
    accounts: &mut Accounts,
) -> Result<(), Error> {
    let mut lines: BTreeSet<Line> = BTreeSet::new();
    for ((id, unit), opened) in accounts.iter() {
        let behind = behind(&opened.account).filter_map(|it| opened.account.grant_of(it));
        let sources = behind.filter_map(|grant| grant.source.clone());
        lines.extend(sources.map(|source| (*id, unit.clone(), source.root_key, source.line)));
    }
    let lines: Vec<Line> = lines.into_iter().collect();
    add_forgiven(&of_lines(tx, &FORGIVEN_OF_LINES, tenant_id, &lines).await?, accounts);
    Ok(())
}

/// Grants that an account's loaded holds reserve, and that its loaded spends drew from.
fn behind(account: &Account) -> impl Iterator<Item = i64> {
    let reserved = account.holds.iter().flat_map(|hold| hold.reserved.keys().copied());
    let spent = account.spends.iter().flat_map(|spend| &spend.moves);
    reserved.chain(spent.map(|drawn| drawn.grant_id))
}

/// What was read for decisions while their accounts were being locked.
pub(super) struct FirstForDecisions {
    due: Vec<Row>,
    holds: Vec<Row>,
    own: Vec<Row>,
    expired: Vec<Row>,
    forgiven: Vec<Row>,
}

/// Reads what decisions need: what has run out of time at `now`, all of it, since they cannot close it; and all that there ever
/// was of the lines that they take back, and was written off of those that they give. It is asked for right behind the locks.
pub(super) async fn first_for_decisions(
    tx: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    places: &BTreeSet<Place>,
    lines: &Lines,
) -> Result<FirstForDecisions, Error> {
    let given: Vec<Line> = lines.given.iter().cloned().collect();
    let instants: Vec<(&Place, Timestamp)> = places.iter().map(|place| (place, now)).collect();
    let ((due, holds), own, expired, forgiven) = flight!(
        due(tx, tenant_id, &instants, i64::MAX, &[]),
        of_lines(tx, &GRANTS_OF_LINES, tenant_id, &lines.drawn),
        of_lines(tx, &EXPIRED_OF_LINES, tenant_id, &lines.drawn),
        of_lines(tx, &FORGIVEN_OF_LINES, tenant_id, &given),
    )?;
    Ok(FirstForDecisions { due, holds, own, expired, forgiven })
}

/// Puts what was read first into accounts that are locked, and what turns out to be missing.
pub(super) async fn for_decisions(
    tx: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    first: &FirstForDecisions,
    accounts: &mut Accounts,
) -> Result<(), Error> {
    add_grants(&first.due, accounts);
    add_grants(&first.own, accounts);
    add_holds(&first.holds, accounts)?;
    add_ahead(tx, tenant_id, now, i64::MAX, accounts).await?;
    grants_behind(tx, tenant_id, accounts).await?;
    for row in &first.expired {
        if let Some(opened) = accounts.get_mut(&(row.get(0), row.get(1))) {
            opened.account.expired.insert(row.get(2), row.get(3));
        }
    }
    add_forgiven(&first.forgiven, accounts);
    forgiven(tx, tenant_id, accounts).await
}

async fn of_lines(
    tx: &impl Connection,
    statement: &Statement,
    tenant_id: i32,
    lines: &[Line],
) -> Result<Vec<Row>, Error> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let (ids, units) = (column!(lines, 0), column!(lines, 1));
    let (roots, names) = (column!(lines, 2), column!(lines, 3));
    query(tx, statement, &[&tenant_id, &ids, &units, &roots, &names]).await
}

/// Loads all that is open of these accounts and is not in memory.
pub(crate) async fn whole(
    tx: &impl Connection,
    tenant_id: i32,
    places: &[Place],
    accounts: &mut Accounts,
) -> Result<(), Error> {
    let (ids, units) = keys(places.iter());
    let params: Params<'_> = &[&tenant_id, &ids, &units];
    let (grants, holds) = flight!(query(tx, &GRANTS_OPEN, params), query(tx, &HOLDS_OPEN, params))?;
    add_grants(&grants, accounts);
    add_holds(&holds, accounts)?;
    for place in places {
        if let Some(opened) = accounts.get_mut(place) {
            opened.account.extent = Extent::Whole;
        }
    }
    Ok(())
}

fn keys<'a>(places: impl Iterator<Item = &'a Place>) -> (Vec<&'a Uuid>, Vec<&'a String>) {
    places.map(|(id, unit)| (id, unit)).unzip()
}

/// How far in the order of drawing the first grants reach: all of the account, if there are no more and nothing is held.
fn set_extents(accounts: &mut Accounts) {
    let end = DrawPlace { priority: i16::MAX, expires_at: Timestamp::MAX, grant_id: i64::MAX };
    for opened in accounts.values_mut() {
        let account = &mut opened.account;
        let count = i64::try_from(account.grants.len()).unwrap_or(i64::MAX);
        let last = account.grants.iter().map(Grant::place).max();
        account.extent = match last {
            Some(last) if count >= GRANTS_AT_FIRST => Extent::Until(last),
            _ if account.held > 0 => Extent::Until(end),
            _ => Extent::Whole,
        };
    }
}

fn add_grants(rows: &[Row], accounts: &mut Accounts) {
    for row in rows {
        let Some(opened) = accounts.get_mut(&(row.get(0), row.get(1))) else { continue };
        let source = row.get::<_, Option<String>>(5).zip(row.get(6));
        opened.add_grant(Grant {
            grant_id: row.get(2),
            terms: Terms { priority: row.get(3), expires_at: row.get(4) },
            source: source.map(|(root_key, line)| Source { root_key, line }),
            granted: row.get(7),
            remaining: row.get(8),
            held: row.get(9),
        });
    }
}

fn add_forgiven(rows: &[Row], accounts: &mut Accounts) {
    for row in rows {
        let Some(opened) = accounts.get_mut(&(row.get(0), row.get(1))) else { continue };
        let source = Source { root_key: row.get(2), line: row.get(3) };
        opened.account.forgiven.insert(source, row.get(4));
    }
}

fn add_holds(rows: &[Row], accounts: &mut Accounts) -> Result<(), Error> {
    for row in rows {
        let Some(opened) = accounts.get_mut(&(row.get(0), row.get(1))) else { continue };
        let id: Uuid = row.get(2);
        let wrong = |column| Error::inconsistent("hold", column, id);
        opened.add_hold(Hold {
            hold_id: HoldId(id),
            amount: row.get(3),
            captured: row.get(4),
            state: HoldState::from_code(row.get(5)).ok_or_else(|| wrong("state"))?,
            expires_at: row.get(6),
            reserved: serde_json::from_str(row.get(7)).map_err(|_| wrong("reserved"))?,
        });
    }
    Ok(())
}

/// Each row is one move of a spend; one that drew from no grant has one row without a move.
fn add_spends(rows: &[Row], accounts: &mut Accounts) -> Result<(), Error> {
    for row in rows {
        let Some(opened) = accounts.get_mut(&(row.get(0), row.get(1))) else { continue };
        let (id, amount, is_reversed): (Uuid, i64, bool) = (row.get(2), row.get(3), row.get(4));
        let spend_id = SpendId(id);
        let spends = &mut opened.account.spends;
        if spends.last().is_none_or(|spend| spend.spend_id != spend_id) {
            spends.push(Spend { spend_id, amount, moves: Vec::new(), is_reversed });
        }
        let (Some(spend), Some(grant_id)) = (spends.last_mut(), row.get(5)) else { continue };
        let kind = MoveKind::from_code(row.get(6));
        let kind = kind.ok_or_else(|| Error::inconsistent("grant_move", "kind", id))?;
        spend.moves.push(GrantMove { grant_id, kind, amount: row.get(7) });
    }
    Ok(())
}
