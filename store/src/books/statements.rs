//! The statements of the books.

use tokio_postgres::types::Type;

use crate::statement::Statement;

pub(super) const OWNER_INSERT: Statement = Statement {
    sql: "-- books.owner_insert
INSERT INTO owner AS o (tenant_id, account_id, kind, key)
SELECT h.tenant_id, k.account_id, k.kind, k.key
FROM log_head h, unnest($2::uuid[], $3::smallint[], $4::text[]) WITH ORDINALITY AS k (account_id, kind, key, ord)
WHERE h.tenant_id = $1
ORDER BY k.ord
ON CONFLICT DO NOTHING",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::INT2_ARRAY, Type::TEXT_ARRAY],
    columns: &[],
};

pub(super) const ACCOUNT_INSERT: Statement = Statement {
    sql: "-- books.account_insert
INSERT INTO account AS a (tenant_id, account_id, unit)
SELECT h.tenant_id, k.account_id, k.unit
FROM log_head h, unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS k (account_id, unit, ord)
WHERE h.tenant_id = $1
ORDER BY k.ord
ON CONFLICT DO NOTHING",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::TEXT_ARRAY],
    columns: &[],
};

pub(super) const ACCOUNT_LOCK: Statement = Statement {
    sql: r#"-- books.account_lock
SELECT a.account_id, a.unit, a.version, a.posted, a.held, a.last_hash, a.last_at
FROM account a
WHERE a.tenant_id = $1 AND (a.account_id, a.unit) IN (SELECT * FROM unnest($2::uuid[], $3::text[]))
ORDER BY a.account_id, a.unit COLLATE "C"
FOR UPDATE OF a"#,
    params: &[Type::INT4, Type::UUID_ARRAY, Type::TEXT_ARRAY],
    columns: &[
        Type::UUID,
        Type::TEXT,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::BYTEA,
        Type::TIMESTAMPTZ,
    ],
};

pub(super) const ACCOUNT_UPDATE: Statement = Statement {
    sql: "-- books.account_update
UPDATE account a SET version = k.version, posted = k.posted, last_hash = k.last_hash, last_at = k.last_at
FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bytea[], $7::timestamptz[])
    AS k (account_id, unit, version, posted, last_hash, last_at)
WHERE a.tenant_id = $1 AND a.account_id = k.account_id AND a.unit = k.unit",
    params: &[
        Type::INT4,
        Type::UUID_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::BYTEA_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
    ],
    columns: &[],
};

pub(super) const GRANTS_OF_LINES: Statement = Statement {
    sql: "-- books.grants_of_lines
SELECT g.account_id, g.unit, g.grant_id, g.priority, nullif(g.expires_at, 'infinity'), g.root_key, g.line, g.granted,
       g.remaining, g.held
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS k (account_id, unit, root_key, line)
JOIN credit_grant g ON g.tenant_id = $1 AND g.account_id = k.account_id AND g.unit = k.unit AND g.is_open
                   AND g.root_key = k.root_key AND g.line = k.line
ORDER BY g.account_id, g.unit, g.grant_id",
    params: &[Type::INT4, Type::UUID_ARRAY, Type::TEXT_ARRAY, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
    columns: &[
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
    ],
};

pub(super) const GRANT_INSERT: Statement = Statement {
    sql: "-- books.grant_insert
INSERT INTO credit_grant AS g
    (tenant_id, account_id, unit, grant_id, priority, expires_at, root_key, line, granted, remaining, is_open)
SELECT h.tenant_id, k.account_id, k.unit, k.grant_id, k.priority, coalesce(k.expires_at, 'infinity'), k.root_key, k.line,
       k.granted, k.remaining, k.is_open
FROM log_head h,
     unnest($2::uuid[], $3::text[], $4::bigint[], $5::smallint[], $6::timestamptz[], $7::text[], $8::text[], $9::bigint[],
            $10::bigint[], $11::boolean[])
     AS k (account_id, unit, grant_id, priority, expires_at, root_key, line, granted, remaining, is_open)
WHERE h.tenant_id = $1",
    params: &[
        Type::INT4,
        Type::UUID_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::INT2_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::BOOL_ARRAY,
    ],
    columns: &[],
};

pub(super) const GRANT_UPDATE: Statement = Statement {
    sql: "-- books.grant_update
UPDATE credit_grant g
SET remaining = k.remaining, is_open = k.is_open, priority = k.priority, expires_at = coalesce(k.expires_at, 'infinity')
FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::boolean[], $7::smallint[], $8::timestamptz[])
    AS k (account_id, unit, grant_id, remaining, is_open, priority, expires_at)
WHERE g.tenant_id = $1 AND g.account_id = k.account_id AND g.unit = k.unit AND g.grant_id = k.grant_id",
    params: &[
        Type::INT4,
        Type::UUID_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::BOOL_ARRAY,
        Type::INT2_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
    ],
    columns: &[],
};

pub(super) const POSTING_INSERT: Statement = Statement {
    sql: "-- books.posting_insert
INSERT INTO posting AS p (tenant_id, account_id, unit, seq, contra, amount, balance_after, cause_kind, cause_pos, cause_rev,
                          effect_no, command_id, root_key, line, effective_at, recorded_at, hash)
SELECT h.tenant_id, k.account_id, k.unit, k.seq, k.contra, k.amount, k.balance_after, k.cause_kind, k.cause_pos, k.cause_rev,
       k.effect_no, k.command_id, k.root_key, k.line, k.effective_at, k.recorded_at, k.hash
FROM log_head h,
     unnest($2::uuid[], $3::text[], $4::bigint[], $5::smallint[], $6::bigint[], $7::bigint[], $8::smallint[], $9::bigint[],
            $10::int[], $11::int[], $12::uuid[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[], $17::bytea[])
     AS k (account_id, unit, seq, contra, amount, balance_after, cause_kind, cause_pos, cause_rev, effect_no, command_id,
           root_key, line, effective_at, recorded_at, hash)
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

pub(super) const MOVE_INSERT: Statement = Statement {
    sql: "-- books.move_insert
INSERT INTO grant_move AS m (tenant_id, account_id, unit, seq, grant_id, kind, amount)
SELECT h.tenant_id, k.account_id, k.unit, k.seq, k.grant_id, k.kind, k.amount
FROM log_head h,
     unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::smallint[], $7::bigint[])
     AS k (account_id, unit, seq, grant_id, kind, amount)
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

pub(crate) const STATEMENTS: &[&Statement] = &[
    &OWNER_INSERT,
    &ACCOUNT_INSERT,
    &ACCOUNT_LOCK,
    &ACCOUNT_UPDATE,
    &GRANTS_OF_LINES,
    &GRANT_INSERT,
    &GRANT_UPDATE,
    &POSTING_INSERT,
    &MOVE_INSERT,
];
