//! The catalogue: its entries as they stand, and the versions of each.

use jiff::Timestamp;
use ledger::DEFAULT_UNIT;
use ledger::chain::to_microseconds;
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::page::{Found, Page};
use crate::error::Error;
use crate::log::slot_of;
use crate::statement::{Connection, Statement, query, query_opt};

/// Every statement of this module.
pub(crate) const STATEMENTS: &[&Statement] = &[&FORWARD, &BACKWARD, &VERSIONS, &UNDECIDED];

/// Most versions of one entry that there are to be: one for each day of some years. All of them are read with each
/// purchase.
pub const MAX_VERSIONS: i64 = 1_000;

const COLUMNS: &[Type] = &[
    Type::TEXT,
    Type::INT8,
    Type::TIMESTAMPTZ,
    Type::INT8,
    Type::TEXT,
    Type::TEXT,
    Type::INT2,
    Type::TIMESTAMPTZ,
    Type::BYTEA,
];

// Of each key the version that counts now: the latest that has begun, else the first that will.
const FORWARD: Statement = Statement {
    sql: r#"-- read.catalogue_list_forward
SELECT DISTINCT ON (c.price COLLATE "C") c.price, c.from_pos, nullif(c.valid_from, '-infinity') AS valid_from, c.credits,
       c.unit, c.expires, c.priority, e.received_at, e.body
FROM catalogue_entry c JOIN event e ON e.tenant_id = c.tenant_id AND e.pos = c.from_pos
WHERE c.tenant_id = $1 AND c.price COLLATE "C" > $2
ORDER BY c.price COLLATE "C", c.valid_from <= $3 DESC, CASE WHEN c.valid_from <= $3 THEN c.valid_from END DESC,
         c.valid_from, c.from_pos DESC
LIMIT $4"#,
    params: &[Type::INT4, Type::TEXT, Type::TIMESTAMPTZ, Type::INT8],
    columns: COLUMNS,
};

const BACKWARD: Statement = Statement {
    sql: r#"-- read.catalogue_list_backward
SELECT DISTINCT ON (c.price COLLATE "C") c.price, c.from_pos, nullif(c.valid_from, '-infinity') AS valid_from, c.credits,
       c.unit, c.expires, c.priority, e.received_at, e.body
FROM catalogue_entry c JOIN event e ON e.tenant_id = c.tenant_id AND e.pos = c.from_pos
WHERE c.tenant_id = $1 AND c.price COLLATE "C" < $2
ORDER BY c.price COLLATE "C" DESC, c.valid_from <= $3 DESC, CASE WHEN c.valid_from <= $3 THEN c.valid_from END DESC,
         c.valid_from, c.from_pos DESC
LIMIT $4"#,
    params: &[Type::INT4, Type::TEXT, Type::TIMESTAMPTZ, Type::INT8],
    columns: COLUMNS,
};

const VERSIONS: Statement = Statement {
    sql: "-- read.catalogue_versions
SELECT c.price, c.from_pos, nullif(c.valid_from, '-infinity') AS valid_from, c.credits, c.unit, c.expires, c.priority,
       e.received_at, e.body
FROM catalogue_entry c JOIN event e ON e.tenant_id = c.tenant_id AND e.pos = c.from_pos
WHERE c.tenant_id = $1 AND c.price = $2
ORDER BY c.valid_from DESC, c.from_pos DESC
LIMIT $3",
    params: &[Type::INT4, Type::TEXT, Type::INT8],
    columns: COLUMNS,
};

// The lane's cursor is its newest first decision. An id that merely begins like that of this key's is longer.
const UNDECIDED: Statement = Statement {
    sql: "-- read.catalogue_undecided
SELECT e.pos, e.received_at, e.body FROM event e
WHERE e.tenant_id = $1 AND e.slot = $2 AND e.origin = 4
  AND starts_with(e.source_id, $3) AND octet_length(e.source_id) = octet_length($3) + 36
  AND e.pos > coalesce((SELECT max(d.pos) FROM decision d WHERE d.tenant_id = $1 AND d.slot = $2 AND d.rev = 0), 0)
ORDER BY e.pos DESC LIMIT 1",
    params: &[Type::INT4, Type::INT2, Type::TEXT],
    columns: &[Type::INT8, Type::TIMESTAMPTZ, Type::BYTEA],
};

/// What one of a price is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worth {
    /// Credits per quantity of one, in the unit's smallest part.
    pub credits: i64,
    /// Unit.
    pub unit: String,
    /// How long they last: an ISO 8601 duration, or `period_end`; `None`: for ever.
    pub expires: Option<String>,
    /// Lower is drawn first.
    pub priority: i16,
}

/// One version of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Position that set it.
    pub from_pos: i64,
    /// Purchases that were paid from then on count by it; `None`: from ever.
    pub valid_from: Option<Timestamp>,
    /// What it says; `None`: purchases do not concern us.
    pub worth: Option<Worth>,
    /// When it was set.
    pub created_at: Timestamp,
    /// Who set it.
    pub actor: Option<String>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
}

/// All versions of one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Those that are decided, the one with the latest moment first, and of those with the same the newest.
    pub decided: Vec<Version>,
    /// The newest that is told and not decided yet. One without a moment will count from its decision on.
    pub undecided: Option<Version>,
}

impl Versions {
    /// The version that counts now: the latest that has begun, else the first that will.
    pub fn current(&self, now: Timestamp) -> Option<&Version> {
        let has_begun = |version: &&Version| version.valid_from.is_none_or(|from| from <= now);
        let first = self.decided.last().map(|last| last.valid_from);
        let to_begin = || self.decided.iter().find(|version| Some(version.valid_from) == first);
        self.decided.iter().find(has_begun).or_else(to_begin)
    }

    /// The version that says this already, so that saying it once more would change nothing: of those from the same moment
    /// the newest, or where none is named the one that counts now. While one is not decided yet, none but that: what it
    /// will change is not known.
    pub fn saying(
        &self,
        worth: Option<&Worth>,
        valid_from: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<&Version> {
        if let Some(last) = &self.undecided {
            return Some(last)
                .filter(|last| last.valid_from == valid_from && last.worth.as_ref() == worth);
        }
        let standing = match valid_from {
            Some(_) => self.decided.iter().find(|version| version.valid_from == valid_from),
            None => self
                .current(now)
                .filter(|version| version.valid_from.is_none_or(|from| from <= now)),
        };
        standing.filter(|version| version.worth.as_ref() == worth)
    }

    /// Newest position; 0 if there is none.
    pub fn newest_pos(&self) -> i64 {
        let all = self.decided.iter().chain(&self.undecided);
        all.map(|version| version.from_pos).max().unwrap_or_default()
    }
}

/// One page of the keys, in the order of their bytes, each with the version that counts now.
pub async fn catalogue_list(
    connection: &impl Connection,
    tenant_id: i32,
    now: Timestamp,
    page: &Page<String>,
) -> Result<Found<(String, Version)>, Error> {
    let statement = if page.is_upward() { &BACKWARD } else { &FORWARD };
    let rows = query(connection, statement, &[&tenant_id, &page.text(), &now, &page.rows_to_ask()])
        .await?;
    let entry = |row: &Row| Ok((row.get("price"), read(row)?));
    let entries: Result<Vec<_>, Error> = rows.iter().map(entry).collect();
    Ok(page.cut(entries?))
}

/// The versions of one entry; none if there is no such entry.
pub async fn catalogue_versions(
    connection: &impl Connection,
    tenant_id: i32,
    key: &str,
) -> Result<Versions, Error> {
    // In this order: what is decided in between shows among the versions.
    let routing_key = format!("price:{key}");
    let prefix = format!("{routing_key}:");
    let undecided =
        query_opt(connection, &UNDECIDED, &[&tenant_id, &slot_of(&routing_key), &prefix]).await?;
    let undecided = undecided.as_ref().map(read_undecided).transpose()?;
    let rows = query(connection, &VERSIONS, &[&tenant_id, &key, &MAX_VERSIONS]).await?;
    let decided: Vec<Version> = rows.iter().map(read).collect::<Result<_, Error>>()?;
    let is_decided = |pos| decided.iter().any(|version| version.from_pos == pos);
    let undecided = undecided.filter(|last| !is_decided(last.from_pos));
    Ok(Versions { decided, undecided })
}

/// What is read of a fact's body.
#[derive(Deserialize)]
struct Told {
    credits: Option<i64>,
    unit: Option<String>,
    expires: Option<String>,
    #[serde(default)]
    priority: Option<i16>,
    valid_from: Option<Timestamp>,
    actor: Option<String>,
    reason: Option<String>,
}

fn read_undecided(row: &Row) -> Result<Version, Error> {
    let from_pos: i64 = row.get("pos");
    let body: Option<&[u8]> = row.get("body");
    let told: Told = serde_json::from_slice(body.unwrap_or(b"{}"))
        .map_err(|_| Error::inconsistent("event", "body", format!("position {from_pos}")))?;
    let worth = told.credits.map(|credits| Worth {
        credits,
        unit: told.unit.unwrap_or_else(|| DEFAULT_UNIT.to_owned()),
        expires: told.expires,
        priority: told.priority.unwrap_or_default(),
    });
    Ok(Version {
        from_pos,
        valid_from: told.valid_from.map(to_microseconds),
        worth,
        created_at: row.get("received_at"),
        actor: told.actor,
        reason: told.reason,
    })
}

fn read(row: &Row) -> Result<Version, Error> {
    let from_pos: i64 = row.get("from_pos");
    let body: Option<&[u8]> = row.get("body");
    let said: Value = body
        .map_or(Ok(Value::Null), serde_json::from_slice)
        .map_err(|_| Error::inconsistent("event", "body", format!("position {from_pos}")))?;
    let text = |member: &str| said.get(member).and_then(Value::as_str).map(str::to_owned);
    let credits: Option<i64> = row.get("credits");
    let worth = credits.zip(row.get("unit")).map(|(credits, unit)| Worth {
        credits,
        unit,
        expires: row.get("expires"),
        priority: row.get("priority"),
    });
    Ok(Version {
        from_pos,
        valid_from: row.get("valid_from"),
        worth,
        created_at: row.get("received_at"),
        actor: text("actor"),
        reason: text("reason"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn worth(credits: i64) -> Worth {
        Worth { credits, unit: "credits".into(), expires: None, priority: 0 }
    }

    fn versions(told: &[(i64, Option<i64>, i64)]) -> Versions {
        let version = |(from_pos, valid_from, credits): &(i64, Option<i64>, i64)| Version {
            from_pos: *from_pos,
            valid_from: valid_from.map(at),
            worth: Some(worth(*credits)),
            created_at: at(0),
            actor: None,
            reason: None,
        };
        Versions { decided: told.iter().map(version).collect(), undecided: None }
    }

    #[test]
    fn the_current_one_is_the_latest_that_has_begun_else_the_first_that_will() {
        let told =
            versions(&[(4, Some(300), 40), (5, Some(100), 30), (2, Some(100), 20), (1, None, 10)]);
        let current = |told: &Versions, now| told.current(at(now)).map(|version| version.from_pos);
        let expected = [(99, 1), (100, 5), (299, 5), (300, 4)];
        assert_eq!(
            expected.map(|(now, _)| current(&told, now)),
            expected.map(|(_, pos)| Some(pos))
        );
        let to_come = versions(&[(4, Some(300), 40), (5, Some(100), 30), (2, Some(100), 20)]);
        assert_eq!((current(&to_come, 99), to_come.newest_pos()), (Some(5), 5));
        assert_eq!((current(&Versions::default(), 0), Versions::default().newest_pos()), (None, 0));
    }

    #[test]
    fn what_is_not_decided_yet_is_what_was_said_last() {
        let mut told = versions(&[(1, None, 500)]);
        told.undecided = versions(&[(2, None, 600)]).decided.pop();
        let saying = |credits, valid_from: Option<i64>| {
            told.saying(Some(&worth(credits)), valid_from.map(at), at(200))
                .map(|last| last.from_pos)
        };
        assert_eq!(
            (saying(500, None), saying(600, None), saying(600, Some(300))),
            (None, Some(2), None)
        );
        assert_eq!(
            (told.newest_pos(), told.current(at(200)).map(|now| now.from_pos)),
            (2, Some(1))
        );
    }

    #[test]
    fn the_same_said_again_is_found() {
        let told =
            versions(&[(4, Some(300), 40), (5, Some(100), 30), (2, Some(100), 20), (1, None, 10)]);
        let saying = |credits, valid_from: Option<i64>, now| {
            told.saying(Some(&worth(credits)), valid_from.map(at), at(now))
                .map(|version| version.from_pos)
        };
        assert_eq!(
            (saying(30, None, 200), saying(20, None, 200), saying(40, None, 200)),
            (Some(5), None, None)
        );
        assert_eq!((saying(40, Some(300), 200), saying(20, Some(100), 200)), (Some(4), None));
        assert_eq!((saying(10, Some(50), 200), told.saying(None, None, at(200))), (None, None));
        let to_come = versions(&[(4, Some(300), 40)]);
        assert_eq!(to_come.saying(Some(&worth(40)), None, at(0)), None, "it is to count at once");
    }
}
