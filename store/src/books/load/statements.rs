//! How what is read of accounts is looked up.
//!
//! Each key is looked up by itself (`LATERAL` behind a `LIMIT` or `OFFSET 0`, which no planner sees through). Were it a
//! join, a planner that knows nothing of the tables yet would rather read all that the tenant has, and keep that plan.

use tokio_postgres::types::Type;

use crate::statement::Statement;

/// Every statement of this module.
pub(in crate::books) const STATEMENTS: &[&Statement] = &[
    &GRANTS_FIRST,
    &GRANTS_DUE,
    &GRANTS_OPEN,
    &GRANTS_NAMED,
    &GRANTS_OF_LINES,
    &EXPIRED_OF_LINES,
    &FORGIVEN_OF_LINES,
    &HOLDS,
    &HOLDS_OPEN,
    &SPENDS,
];

const GRANT_COLUMNS: &[Type] = &[
    Type::UUID,
    Type::TEXT,
    Type::INT8,
    Type::INT2,
    Type::TIMESTAMPTZ,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::INT8,
];

pub(super) const GRANTS_FIRST: Statement = Statement {
    sql: "-- books.grants_first
SELECT g.account_id, g.unit, g.grant_id, g.priority, nullif(g.expires_at, 'infinity'), g.root_key, g.line, g.granted,
       g.remaining, g.held
FROM unnest($2::uuid[], $3::text[]) AS k (account_id, unit)
CROSS JOIN LATERAL (
    SELECT * FROM credit_grant x
    WHERE x.tenant_id = $1 AND x.account_id = k.account_id AND x.unit = k.unit AND x.is_open
    ORDER BY x.priority, x.expires_at, x.grant_id LIMIT $4) g",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::TEXT_ARRAY, Type::INT8],
    columns: GRANT_COLUMNS,
};

pub(super) const GRANTS_DUE: Statement = Statement {
    sql: "-- books.grants_due
SELECT g.account_id, g.unit, g.grant_id, g.priority, nullif(g.expires_at, 'infinity'), g.root_key, g.line, g.granted,
       g.remaining, g.held
FROM unnest($2::uuid[], $3::text[], $4::timestamptz[]) AS k (account_id, unit, now)
CROSS JOIN LATERAL (
    SELECT * FROM credit_grant x
    WHERE x.tenant_id = $1 AND x.account_id = k.account_id AND x.unit = k.unit AND x.is_open
      AND x.expires_at < 'infinity' AND x.expires_at <= k.now
    OFFSET 0) g",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::TEXT_ARRAY, Type::TIMESTAMPTZ_ARRAY],
    columns: GRANT_COLUMNS,
};

pub(super) const GRANTS_OPEN: Statement = Statement {
    sql: "-- books.grants_open
SELECT g.account_id, g.unit, g.grant_id, g.priority, nullif(g.expires_at, 'infinity'), g.root_key, g.line, g.granted,
       g.remaining, g.held
FROM unnest($2::uuid[], $3::text[]) AS k (account_id, unit)
CROSS JOIN LATERAL (
    SELECT * FROM credit_grant x
    WHERE x.tenant_id = $1 AND x.account_id = k.account_id AND x.unit = k.unit AND x.is_open
    OFFSET 0) g",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::TEXT_ARRAY],
    columns: GRANT_COLUMNS,
};

pub(super) const GRANTS_NAMED: Statement = Statement {
    sql: "-- books.grants_named
SELECT g.account_id, g.unit, g.grant_id, g.priority, nullif(g.expires_at, 'infinity'), g.root_key, g.line, g.granted,
       g.remaining, g.held
FROM unnest($2::uuid[], $3::text[], $4::bigint[]) AS k (account_id, unit, grant_id)
CROSS JOIN LATERAL (
    SELECT * FROM credit_grant x
    WHERE x.tenant_id = $1 AND x.account_id = k.account_id AND x.unit = k.unit AND x.grant_id = k.grant_id
    LIMIT 1) g",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::TEXT_ARRAY, Type::INT8_ARRAY],
    columns: GRANT_COLUMNS,
};

/// A payment line's parameters: accounts, units, payments, lines.
const LINE_PARAMS: &[Type] =
    &[Type::INT4, Type::UUID_ARRAY, Type::TEXT_ARRAY, Type::TEXT_ARRAY, Type::TEXT_ARRAY];

// By the postings, which are indexed by payment: an account may have had many grants.
pub(super) const GRANTS_OF_LINES: Statement = Statement {
    sql: "-- books.grants_of_lines
SELECT g.account_id, g.unit, g.grant_id, g.priority, nullif(g.expires_at, 'infinity'), g.root_key, g.line, g.granted,
       g.remaining, g.held
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS k (account_id, unit, root_key, line)
CROSS JOIN LATERAL (
    SELECT * FROM posting x WHERE x.tenant_id = $1 AND x.root_key = k.root_key AND x.line = k.line AND x.amount > 0
    OFFSET 0) p
CROSS JOIN LATERAL (
    SELECT * FROM credit_grant x
    WHERE x.tenant_id = $1 AND x.account_id = p.account_id AND x.unit = p.unit AND x.grant_id = p.seq
    LIMIT 1) g
WHERE p.account_id = k.account_id AND p.unit = k.unit",
    params: LINE_PARAMS,
    columns: GRANT_COLUMNS,
};

// Contra 5: expiry. Kinds: 2 expired, 5 given back.
pub(super) const EXPIRED_OF_LINES: Statement = Statement {
    sql: "-- books.expired_of_lines
SELECT p.account_id, p.unit, m.grant_id, sum(CASE m.kind WHEN 5 THEN -m.amount ELSE m.amount END)::bigint
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS k (account_id, unit, root_key, line)
CROSS JOIN LATERAL (
    SELECT * FROM posting x WHERE x.tenant_id = $1 AND x.root_key = k.root_key AND x.line = k.line AND x.contra = 5
    OFFSET 0) p
CROSS JOIN LATERAL (
    SELECT * FROM grant_move x
    WHERE x.tenant_id = $1 AND x.account_id = p.account_id AND x.unit = p.unit AND x.seq = p.seq
    OFFSET 0) m
WHERE p.account_id = k.account_id AND p.unit = k.unit
GROUP BY p.account_id, p.unit, m.grant_id",
    params: LINE_PARAMS,
    columns: &[Type::UUID, Type::TEXT, Type::INT8, Type::INT8],
};

// Contra 9: write_off.
pub(super) const FORGIVEN_OF_LINES: Statement = Statement {
    sql: "-- books.forgiven_of_lines
SELECT p.account_id, p.unit, p.root_key, p.line, sum(p.amount)::bigint
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS k (account_id, unit, root_key, line)
CROSS JOIN LATERAL (
    SELECT * FROM posting x WHERE x.tenant_id = $1 AND x.root_key = k.root_key AND x.line = k.line AND x.contra = 9
    OFFSET 0) p
WHERE p.account_id = k.account_id AND p.unit = k.unit
GROUP BY p.account_id, p.unit, p.root_key, p.line",
    params: LINE_PARAMS,
    columns: &[Type::UUID, Type::TEXT, Type::TEXT, Type::TEXT, Type::INT8],
};

const HOLD_COLUMNS: &[Type] = &[
    Type::UUID,
    Type::TEXT,
    Type::UUID,
    Type::INT8,
    Type::INT8,
    Type::INT2,
    Type::TIMESTAMPTZ,
    Type::TEXT,
];

// State 1: open.
pub(super) const HOLDS: Statement = Statement {
    sql: "-- books.holds
SELECT h.account_id, h.unit, h.hold_id, h.amount, h.captured, h.state, h.expires_at, h.reserved::text
FROM unnest($2::uuid[], $3::text[], $4::timestamptz[]) AS k (account_id, unit, now)
CROSS JOIN LATERAL (
    SELECT * FROM hold x
    WHERE x.tenant_id = $1 AND x.account_id = k.account_id AND x.unit = k.unit AND x.state = 1 AND x.expires_at <= k.now
    ORDER BY x.expires_at LIMIT $5) h
UNION ALL
SELECT h.account_id, h.unit, h.hold_id, h.amount, h.captured, h.state, h.expires_at, h.reserved::text
FROM unnest($6::uuid[]) AS k (hold_id)
CROSS JOIN LATERAL (SELECT * FROM hold x WHERE x.tenant_id = $1 AND x.hold_id = k.hold_id LIMIT 1) h",
    params: &[
        Type::INT4,
        Type::UUID_ARRAY,
        Type::TEXT_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::INT8,
        Type::UUID_ARRAY,
    ],
    columns: HOLD_COLUMNS,
};

pub(super) const HOLDS_OPEN: Statement = Statement {
    sql: "-- books.holds_open
SELECT h.account_id, h.unit, h.hold_id, h.amount, h.captured, h.state, h.expires_at, h.reserved::text
FROM unnest($2::uuid[], $3::text[]) AS k (account_id, unit)
CROSS JOIN LATERAL (
    SELECT * FROM hold x WHERE x.tenant_id = $1 AND x.account_id = k.account_id AND x.unit = k.unit AND x.state = 1
    OFFSET 0) h",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::TEXT_ARRAY],
    columns: HOLD_COLUMNS,
};

// Contra 4: spend. A command that spends makes one such posting.
pub(super) const SPENDS: Statement = Statement {
    sql: "-- books.spends
SELECT c.account_id, c.unit, c.command_id, -p.amount,
       coalesce((SELECT true FROM reversal r WHERE r.tenant_id = $1 AND r.spend_id = c.command_id LIMIT 1), false),
       m.grant_id, m.kind, m.amount
FROM unnest($2::uuid[]) AS k (command_id)
CROSS JOIN LATERAL (SELECT * FROM command x WHERE x.tenant_id = $1 AND x.command_id = k.command_id LIMIT 1) c
CROSS JOIN LATERAL (
    SELECT * FROM posting x
    WHERE x.tenant_id = $1 AND x.account_id = c.account_id AND x.unit = c.unit AND x.seq > c.version_before
      AND x.seq <= c.version_after AND x.contra = 4 AND x.amount < 0
    OFFSET 0) p
LEFT JOIN LATERAL (
    SELECT * FROM grant_move x
    WHERE x.tenant_id = $1 AND x.account_id = p.account_id AND x.unit = p.unit AND x.seq = p.seq
    OFFSET 0) m ON true
ORDER BY c.command_id, m.grant_id",
    params: &[Type::INT4, Type::UUID_ARRAY],
    columns: &[
        Type::UUID,
        Type::TEXT,
        Type::UUID,
        Type::INT8,
        Type::BOOL,
        Type::INT8,
        Type::INT2,
        Type::INT8,
    ],
};
