//! The log and its decisions: nothing missing, nothing passed over, nothing decided of what nobody said.

use super::{CHECK_COLUMNS, CHECK_PARAMS};
use crate::statement::Statement;

/// The checks of this module, in the order in which they are made.
pub(super) const CHECKS: &[&Statement] =
    &[&POSITIONS, &EVENT_KEYS, &FIRST_DECISIONS, &REVISIONS, &OUTCOMES, &CASES];

const fn check(sql: &'static str) -> Statement {
    Statement { sql, params: CHECK_PARAMS, columns: CHECK_COLUMNS }
}

const POSITIONS: Statement = check(
    "-- verify.positions
SELECT (SELECT count(*) FROM event WHERE tenant_id = $1), ARRAY(
    SELECT format('positions %s to %s hold no event', e.before + 1, e.pos - 1)
    FROM (SELECT pos, lag(pos, 1, 0::bigint) OVER (ORDER BY pos) AS before FROM event WHERE tenant_id = $1) e
    WHERE e.pos <> e.before + 1 ORDER BY e.pos LIMIT $2)",
);

// A key without its event is also how a log shows that its tail was cut off.
const EVENT_KEYS: Statement = check(
    "-- verify.event_keys
SELECT (SELECT count(*) FROM event_key WHERE tenant_id = $1), ARRAY(
    SELECT CASE WHEN k.pos IS NULL
           THEN format('event %s at position %s has no key: a second delivery would count as another event', e.source_id, e.pos)
           ELSE format('the key of event %s names position %s, which does not hold it', k.source_id, k.pos) END
    FROM (SELECT origin, account, source_id, pos FROM event WHERE tenant_id = $1) e
    FULL JOIN (SELECT origin, account, source_id, pos FROM event_key WHERE tenant_id = $1) k
      ON k.origin = e.origin AND k.account = e.account AND k.source_id = e.source_id AND k.pos = e.pos
    WHERE k.pos IS NULL OR e.pos IS NULL ORDER BY coalesce(e.pos, k.pos) LIMIT $2)",
);

const FIRST_DECISIONS: Statement = check(
    "-- verify.first_decisions
SELECT (SELECT count(*) FROM decision WHERE tenant_id = $1 AND rev = 0), ARRAY(
    SELECT format('position %s was passed over: its lane is decided up to position %s', e.pos, c.pos)
    FROM (SELECT slot, max(pos) AS pos FROM decision WHERE tenant_id = $1 AND rev = 0 GROUP BY slot) c
    JOIN event e ON e.tenant_id = $1 AND e.slot = c.slot AND e.pos <= c.pos
    LEFT JOIN decision d ON d.tenant_id = $1 AND d.pos = e.pos AND d.rev = 0
    WHERE d.pos IS NULL ORDER BY e.pos LIMIT $2)",
);

const REVISIONS: Statement = check(
    "-- verify.revisions
SELECT (SELECT count(*) FROM decision WHERE tenant_id = $1), ARRAY(
    SELECT CASE WHEN d.event_pos IS NULL
           THEN format('position %s is decided, but no event of its lane stands there', d.pos)
           WHEN d.is_caused
           THEN format('revision %s of position %s follows revision %s', d.rev, d.pos, nullif(d.before, -1))
           ELSE format('revision %s of position %s was released by an event that is not there', d.rev, d.pos) END
    FROM (SELECT d.pos, d.rev, lag(d.rev, 1, -1) OVER (PARTITION BY d.pos ORDER BY d.rev) AS before, e.pos AS event_pos,
                 d.cause_pos IS NULL OR c.pos IS NOT NULL AS is_caused
          FROM decision d
          LEFT JOIN event e ON e.tenant_id = $1 AND e.pos = d.pos AND e.slot = d.slot
          LEFT JOIN event c ON c.tenant_id = $1 AND c.pos = d.cause_pos
          WHERE d.tenant_id = $1) d
    WHERE d.rev <> d.before + 1 OR d.event_pos IS NULL OR NOT d.is_caused ORDER BY d.pos, d.rev LIMIT $2)",
);

// Both sides are counted on their own: events that no decision names, and latest decisions by their outcome.
const OUTCOMES: Statement = check(
    "-- verify.outcomes
SELECT (SELECT count(*) FROM event WHERE tenant_id = $1), ARRAY(
    SELECT format('%s were received, but %s are pending, %s applied, %s ignored, %s deferred and %s in review',
                  e.received, e.pending, d.applied, d.ignored, d.deferred, d.in_review)
    FROM (SELECT count(*) AS received, count(*) FILTER (WHERE NOT EXISTS (
                     SELECT FROM decision d WHERE d.tenant_id = $1 AND d.pos = e.pos)) AS pending
          FROM event e WHERE e.tenant_id = $1) e,
         (SELECT count(*) FILTER (WHERE l.outcome = 1) AS applied, count(*) FILTER (WHERE l.outcome = 2) AS ignored,
                 count(*) FILTER (WHERE l.outcome = 3) AS deferred, count(*) FILTER (WHERE l.outcome = 4) AS in_review
          FROM (SELECT DISTINCT ON (pos) outcome FROM decision WHERE tenant_id = $1 ORDER BY pos, rev DESC) l) d
    WHERE e.received <> e.pending + d.applied + d.ignored + d.deferred + d.in_review LIMIT $2)",
);

// Outcome 4: in review. State 1: open.
const CASES: Statement = check(
    "-- verify.cases
SELECT (SELECT count(*) FROM review_case WHERE tenant_id = $1), ARRAY(
    SELECT k.difference FROM (
        SELECT format('position %s is in review, but no open case holds it', l.pos) AS difference
        FROM (SELECT DISTINCT ON (pos) pos, outcome FROM decision WHERE tenant_id = $1 ORDER BY pos, rev DESC) l
        WHERE l.outcome = 4 AND NOT EXISTS (
            SELECT FROM case_event h JOIN review_case c ON c.tenant_id = $1 AND c.case_id = h.case_id AND c.state = 1
            WHERE h.tenant_id = $1 AND h.pos = l.pos)
        UNION ALL
        SELECT format('case %s is open and holds no event', c.case_id) FROM review_case c
        WHERE c.tenant_id = $1 AND c.state = 1
          AND NOT EXISTS (SELECT FROM case_event h WHERE h.tenant_id = $1 AND h.case_id = c.case_id)) k
    ORDER BY k.difference LIMIT $2)",
);
