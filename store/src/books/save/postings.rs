//! Postings and their moves, written.

use ledger::account::{Cause, GrantMove, Posting};
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::projection::column;
use crate::statement::{Statement, Write, params};

/// Every statement of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&POSTING_INSERT, &MOVE_INSERT];

const POSTING_INSERT: Statement = Statement {
    sql: "-- books.posting_insert
INSERT INTO posting AS p (tenant_id, account_id, unit, seq, contra, amount, balance_after, cause_kind, cause_pos, cause_rev,
                          effect_no, command_id, root_key, line, effective_at, recorded_at, hash)
SELECT h.tenant_id, unnest($2::uuid[]), unnest($3::text[]), unnest($4::bigint[]), unnest($5::smallint[]), unnest($6::bigint[]),
       unnest($7::bigint[]), unnest($8::smallint[]), unnest($9::bigint[]), unnest($10::int[]), unnest($11::int[]),
       unnest($12::uuid[]), unnest($13::text[]), unnest($14::text[]), unnest($15::timestamptz[]), unnest($16::timestamptz[]),
       unnest($17::bytea[])
FROM log_head h
WHERE h.tenant_id = $1",
    params: &[
        Type::INT4,
        Type::UUID_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::INT2_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT2_ARRAY,
        Type::INT8_ARRAY,
        Type::INT4_ARRAY,
        Type::INT4_ARRAY,
        Type::UUID_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::BYTEA_ARRAY,
    ],
    columns: &[],
};

const MOVE_INSERT: Statement = Statement {
    sql: "-- books.move_insert
INSERT INTO grant_move AS m (tenant_id, account_id, unit, seq, grant_id, kind, amount)
SELECT h.tenant_id, unnest($2::uuid[]), unnest($3::text[]), unnest($4::bigint[]), unnest($5::bigint[]), unnest($6::smallint[]),
       unnest($7::bigint[])
FROM log_head h
WHERE h.tenant_id = $1",
    params: &[
        Type::INT4,
        Type::UUID_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT2_ARRAY,
        Type::INT8_ARRAY,
    ],
    columns: &[],
};

/// A posting's cause as the columns keep it.
struct CauseColumns {
    kind: i16,
    pos: Option<i64>,
    rev: Option<i32>,
    effect_no: Option<i32>,
    command_id: Option<Uuid>,
}

impl From<&Cause> for CauseColumns {
    fn from(cause: &Cause) -> Self {
        match cause {
            Cause::Decision { pos, rev, effect_no } => Self {
                kind: 1,
                pos: Some(*pos),
                rev: Some(*rev),
                effect_no: Some(*effect_no),
                command_id: None,
            },
            Cause::Command(id) => {
                Self { kind: 2, pos: None, rev: None, effect_no: None, command_id: Some(*id) }
            }
        }
    }
}

pub(super) fn write<'a>(tenant_id: i32, rows: &[&'a Posting]) -> Option<Write<'a>> {
    let causes: Vec<CauseColumns> =
        rows.iter().map(|posting| CauseColumns::from(&posting.cause)).collect();
    let contras: Vec<i16> = rows.iter().map(|posting| posting.contra.code()).collect();
    let sources = rows.iter().map(|posting| posting.source.as_ref());
    let (roots, lines): (Vec<Option<&str>>, Vec<Option<&str>>) = sources
        .map(|source| source.map(|it| (it.root_key.as_str(), it.line.as_str())).unzip())
        .unzip();
    let hashes: Vec<&[u8]> = rows.iter().map(|posting| posting.hash.as_slice()).collect();
    let params = params![
        tenant_id,
        column!(rows, account.0),
        column!(rows, unit),
        column!(rows, seq),
        contras,
        column!(rows, amount),
        column!(rows, balance_after),
        causes.iter().map(|cause| cause.kind).collect::<Vec<_>>(),
        causes.iter().map(|cause| cause.pos).collect::<Vec<_>>(),
        causes.iter().map(|cause| cause.rev).collect::<Vec<_>>(),
        causes.iter().map(|cause| cause.effect_no).collect::<Vec<_>>(),
        causes.iter().map(|cause| cause.command_id).collect::<Vec<_>>(),
        roots,
        lines,
        column!(rows, effective_at),
        column!(rows, recorded_at),
        hashes,
    ];
    Write::of(rows.len(), &POSTING_INSERT, params)
}

pub(super) fn write_moves<'a>(tenant_id: i32, postings: &[&'a Posting]) -> Option<Write<'a>> {
    let moved =
        postings.iter().flat_map(|posting| posting.moves.iter().map(|moved| (*posting, moved)));
    let rows: Vec<(&'a Posting, &'a GrantMove)> = moved.collect();
    let (ids, units) = (column!(rows, 0.account.0), column!(rows, 0.unit));
    let (seqs, grants) = (column!(rows, 0.seq), column!(rows, 1.grant_id));
    let kinds: Vec<i16> = rows.iter().map(|(_, moved)| moved.kind.code()).collect();
    let amounts = column!(rows, 1.amount);
    let params = params![tenant_id, ids, units, seqs, grants, kinds, amounts];
    Write::of(rows.len(), &MOVE_INSERT, params)
}
