//! The books: grants and balances are what the postings made them, and each credit leads back to what paid for it.

use super::{CHECK_COLUMNS, CHECK_PARAMS};
use crate::statement::Statement;

/// The checks of this module, in the order in which they are made.
pub(super) const CHECKS: &[&Statement] = &[&CAUSES, &MOVES, &GRANTS, &BALANCES, &ORIGINS];

const fn check(sql: &'static str) -> Statement {
    Statement { sql, params: CHECK_PARAMS, columns: CHECK_COLUMNS }
}

// Cause kinds: 1 decision, 2 command.
const CAUSES: Statement = check(
    "-- verify.causes
SELECT (SELECT count(*) FROM posting WHERE tenant_id = $1), ARRAY(
    SELECT format('posting %s of account %s in %s: %s is not there', p.seq, p.account_id, p.unit,
                  CASE WHEN p.cause_kind = 2 THEN format('its command %s', p.command_id)
                       WHEN e.pos IS NULL THEN format('its event at position %s', p.cause_pos)
                       ELSE format('its decision, revision %s of position %s,', p.cause_rev, p.cause_pos) END)
    FROM posting p
    LEFT JOIN event e ON e.tenant_id = $1 AND e.pos = p.cause_pos
    LEFT JOIN decision d ON d.tenant_id = $1 AND d.pos = p.cause_pos AND d.rev = p.cause_rev
    LEFT JOIN command c ON c.tenant_id = $1 AND c.command_id = p.command_id
    WHERE p.tenant_id = $1 AND CASE WHEN p.cause_kind = 2 THEN c.command_id IS NULL ELSE e.pos IS NULL OR d.pos IS NULL END
    ORDER BY p.account_id, p.unit, p.seq LIMIT $2)",
);

// What a posting moved on grants: the one that it made, less what it drew, plus what it gave back (kind 5).
const MOVES: Statement = check(
    "-- verify.moves
SELECT (SELECT count(*) FROM grant_move WHERE tenant_id = $1), ARRAY(
    SELECT k.difference FROM (
        SELECT format('posting %s of account %s in %s is of %s, but its grants moved by %s', p.seq, p.account_id, p.unit,
                      p.amount, coalesce(g.granted, 0) - coalesce(m.drawn, 0)) AS difference
        FROM posting p
        LEFT JOIN credit_grant g ON g.tenant_id = $1 AND g.account_id = p.account_id AND g.unit = p.unit AND g.grant_id = p.seq
        LEFT JOIN (SELECT account_id, unit, seq, sum(CASE kind WHEN 5 THEN -amount ELSE amount END) AS drawn
                   FROM grant_move WHERE tenant_id = $1 GROUP BY account_id, unit, seq) m
          ON m.account_id = p.account_id AND m.unit = p.unit AND m.seq = p.seq
        WHERE p.tenant_id = $1 AND p.amount <> coalesce(g.granted, 0) - coalesce(m.drawn, 0)
        UNION ALL
        SELECT format('a move of %s names posting %s and grant %s of account %s in %s, which are not both there', m.amount,
                      m.seq, m.grant_id, m.account_id, m.unit)
        FROM grant_move m
        LEFT JOIN posting p ON p.tenant_id = $1 AND p.account_id = m.account_id AND p.unit = m.unit AND p.seq = m.seq
        LEFT JOIN credit_grant g
          ON g.tenant_id = $1 AND g.account_id = m.account_id AND g.unit = m.unit AND g.grant_id = m.grant_id
        WHERE m.tenant_id = $1 AND (p.seq IS NULL OR g.grant_id IS NULL)) k
    ORDER BY k.difference LIMIT $2)",
);

const GRANTS: Statement = check(
    "-- verify.grants
SELECT (SELECT count(*) FROM credit_grant WHERE tenant_id = $1), ARRAY(
    SELECT format('grant %s of account %s in %s: %s', g.grant_id, g.account_id, g.unit,
                  CASE WHEN p.seq IS NULL THEN 'no posting granted it'
                       WHEN (p.amount, p.root_key, p.line) IS DISTINCT FROM (g.granted, g.root_key, g.line)
                       THEN 'its posting granted something else'
                       WHEN g.granted <> g.remaining + coalesce(m.drawn, 0)
                       THEN format('%s of %s remain, but %s were drawn', g.remaining, g.granted, coalesce(m.drawn, 0))
                       WHEN g.held < 0 OR g.held > g.remaining THEN format('%s of %s are held', g.held, g.remaining)
                       ELSE format('it is %s, but %s remain', CASE WHEN g.is_open THEN 'open' ELSE 'closed' END, g.remaining) END)
    FROM credit_grant g
    LEFT JOIN posting p ON p.tenant_id = $1 AND p.account_id = g.account_id AND p.unit = g.unit AND p.seq = g.grant_id
    LEFT JOIN (SELECT account_id, unit, grant_id, sum(CASE kind WHEN 5 THEN -amount ELSE amount END) AS drawn
               FROM grant_move WHERE tenant_id = $1 GROUP BY account_id, unit, grant_id) m
      ON m.account_id = g.account_id AND m.unit = g.unit AND m.grant_id = g.grant_id
    WHERE g.tenant_id = $1
      AND ((p.amount, p.root_key, p.line) IS DISTINCT FROM (g.granted, g.root_key, g.line)
           OR g.granted <> g.remaining + coalesce(m.drawn, 0) OR g.held < 0 OR g.held > g.remaining
           OR g.is_open <> (g.remaining > 0))
    ORDER BY g.account_id, g.unit, g.grant_id LIMIT $2)",
);

const BALANCES: Statement = check(
    "-- verify.balances
SELECT (SELECT count(*) FROM account WHERE tenant_id = $1), ARRAY(
    SELECT format('account %s in %s has %s with %s held, but its grants have %s with %s held', k.account_id, k.unit,
                  k.posted, k.held, k.remaining, k.grant_held)
    FROM (SELECT account_id, unit, sum(posted) AS posted, sum(held) AS held, sum(remaining) AS remaining,
                 sum(grant_held) AS grant_held
          FROM (SELECT account_id, unit, posted, held, 0 AS remaining, 0 AS grant_held FROM account WHERE tenant_id = $1
                UNION ALL
                SELECT account_id, unit, 0, 0, remaining, held FROM credit_grant WHERE tenant_id = $1) b
          GROUP BY account_id, unit) k
    WHERE k.posted <> k.remaining OR k.held <> k.grant_held ORDER BY k.account_id, k.unit LIMIT $2)",
);

// Owner kind 1: a user. Origin 1: stripe. Source 1: webhook, which Stripe signs; what we fetched ourselves has no signature.
const ORIGINS: Statement = check(
    "-- verify.origins
SELECT (SELECT count(*) FROM credit_grant g JOIN owner o ON o.tenant_id = $1 AND o.account_id = g.account_id AND o.kind = 1
        WHERE g.tenant_id = $1), ARRAY(
    SELECT format('grant %s of user %s in %s does not lead to anything that Stripe said: %s', g.grant_id, o.key, g.unit,
                  CASE WHEN g.root_key IS NULL THEN 'it comes from no payment'
                       WHEN p.root_key IS NULL THEN format('payment %s is not known', g.root_key)
                       ELSE format('payment %s begins at position %s, which Stripe did not sign', g.root_key, p.first_pos) END)
    FROM credit_grant g
    JOIN owner o ON o.tenant_id = $1 AND o.account_id = g.account_id AND o.kind = 1
    LEFT JOIN payment p ON p.tenant_id = $1 AND p.root_key = g.root_key
    LEFT JOIN event e ON e.tenant_id = $1 AND e.pos = p.first_pos AND e.origin = 1 AND (e.source <> 1 OR e.signature IS NOT NULL)
    WHERE g.tenant_id = $1 AND e.pos IS NULL ORDER BY o.key, g.unit, g.grant_id LIMIT $2)",
);
