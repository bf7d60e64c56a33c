//! The books: grants and balances are what the postings made them, and each credit leads back to what paid for it.

use super::{CHECK_COLUMNS, CHECK_PARAMS};
use crate::statement::Statement;

/// The checks of this module, in the order in which they are made.
pub(super) const CHECKS: &[&Statement] =
    &[&CAUSES, &MOVES, &GRANTS, &BALANCES, &HOLDS, &STEPS, &ORIGINS];

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

// What a posting moved on grants: the one that it made, less what it drew, plus what it gave back (kind 5). What they do not
// cover is debt: made by what takes, paid by what gives, and never below nothing.
const MOVES: Statement = check(
    "-- verify.moves
WITH moved AS (
    SELECT p.account_id, p.unit, p.seq, p.amount, p.amount - coalesce(g.granted, 0) + coalesce(m.drawn, 0) AS uncovered
    FROM posting p
    LEFT JOIN credit_grant g ON g.tenant_id = $1 AND g.account_id = p.account_id AND g.unit = p.unit AND g.grant_id = p.seq
    LEFT JOIN (SELECT account_id, unit, seq, sum(CASE kind WHEN 5 THEN -amount ELSE amount END) AS drawn
               FROM grant_move WHERE tenant_id = $1 GROUP BY account_id, unit, seq) m
      ON m.account_id = p.account_id AND m.unit = p.unit AND m.seq = p.seq
    WHERE p.tenant_id = $1
), owed AS (
    SELECT account_id, unit, seq, amount, uncovered, sum(uncovered) OVER (PARTITION BY account_id, unit ORDER BY seq) AS sum
    FROM moved
)
SELECT (SELECT count(*) FROM grant_move WHERE tenant_id = $1), ARRAY(
    SELECT k.difference FROM (
        SELECT format('posting %s of account %s in %s is of %s, but its grants moved by %s, which leaves it %s', o.seq,
                      o.account_id, o.unit, o.amount, o.amount - o.uncovered, o.sum) AS difference
        FROM owed o
        WHERE o.uncovered NOT BETWEEN least(o.amount, 0) AND greatest(o.amount, 0) OR o.sum > 0
        UNION ALL
        SELECT format('the postings of account %s in %s leave it %s beyond its grants, but it has %s, and they have %s',
                      a.account_id, a.unit, o.sum, a.posted, coalesce(g.remaining, 0))
        FROM account a
        JOIN (SELECT account_id, unit, sum(uncovered) AS sum FROM moved GROUP BY account_id, unit) o
          ON o.account_id = a.account_id AND o.unit = a.unit
        LEFT JOIN (SELECT account_id, unit, sum(remaining) AS remaining
                   FROM credit_grant WHERE tenant_id = $1 GROUP BY account_id, unit) g
          ON g.account_id = a.account_id AND g.unit = a.unit
        WHERE a.tenant_id = $1 AND o.sum <> a.posted - coalesce(g.remaining, 0)
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

// What an account has is what remains of its grants, less its debt; who owes has nothing that a hold could reserve, and on
// an unclaimed account (owner kind 2) nobody can come to owe. Hold state 1: open.
const BALANCES: Statement = check(
    "-- verify.balances
SELECT (SELECT count(*) FROM account WHERE tenant_id = $1), ARRAY(
    SELECT format('account %s in %s has %s with %s held, but its grants have %s with %s held, and its holds reserve %s',
                  k.account_id, k.unit, k.posted, k.held, k.remaining, k.grant_held, k.wanted)
    FROM (SELECT account_id, unit, sum(posted) AS posted, sum(held) AS held, sum(remaining) AS remaining,
                 sum(grant_held) AS grant_held, sum(wanted) AS wanted
          FROM (SELECT account_id, unit, posted, held, 0 AS remaining, 0 AS grant_held, 0 AS wanted
                FROM account WHERE tenant_id = $1
                UNION ALL
                SELECT account_id, unit, 0, 0, remaining, held, 0 FROM credit_grant WHERE tenant_id = $1
                UNION ALL
                SELECT account_id, unit, 0, 0, 0, 0, amount FROM hold WHERE tenant_id = $1 AND state = 1) b
          GROUP BY account_id, unit) k
    LEFT JOIN owner o ON o.tenant_id = $1 AND o.account_id = k.account_id
    WHERE k.posted > k.remaining OR k.held <> k.wanted OR k.grant_held > k.held
       OR k.posted < k.remaining AND (k.grant_held > 0 OR o.kind = 2)
    ORDER BY k.account_id, k.unit LIMIT $2)",
);

// Hold state 1: open. Command kind 2: hold.
const HOLDS: Statement = check(
    "-- verify.holds
WITH reserved AS (
    SELECT h.hold_id, h.account_id, h.unit, r.key::bigint AS grant_id, r.value::bigint AS credits
    FROM hold h CROSS JOIN LATERAL jsonb_each_text(h.reserved) r WHERE h.tenant_id = $1 AND h.state = 1
)
SELECT (SELECT count(*) FROM hold WHERE tenant_id = $1), ARRAY(
    SELECT k.difference FROM (
        SELECT format('hold %s of account %s in %s: %s', h.hold_id, h.account_id, h.unit,
                      CASE WHEN c.command_id IS NULL THEN 'no command made it'
                           ELSE format('it is of %s, but reserves %s', h.amount, r.credits) END) AS difference
        FROM hold h
        LEFT JOIN command c ON c.tenant_id = $1 AND c.command_id = h.hold_id AND c.account_id = h.account_id
                           AND c.unit = h.unit AND c.kind = 2
        LEFT JOIN (SELECT hold_id, sum(credits) AS credits FROM reserved GROUP BY hold_id) r ON r.hold_id = h.hold_id
        WHERE h.tenant_id = $1 AND (c.command_id IS NULL OR r.credits > h.amount)
        UNION ALL
        SELECT format('grant %s of account %s in %s has %s held, but holds reserve %s of it', k.grant_id, k.account_id, k.unit,
                      sum(k.held), sum(k.credits))
        FROM (SELECT account_id, unit, grant_id, held, 0 AS credits FROM credit_grant WHERE tenant_id = $1 AND held > 0
              UNION ALL
              SELECT account_id, unit, grant_id, 0, credits FROM reserved) k
        GROUP BY k.account_id, k.unit, k.grant_id HAVING sum(k.held) <> sum(k.credits)) k
    ORDER BY k.difference LIMIT $2)",
);

const STEPS: Statement = check(
    "-- verify.steps
WITH step AS (
    SELECT c.*, lag(c.step, 1, 0) OVER w AS step_before, lag(c.version_after, 1, 0) OVER w AS version_then
    FROM command c WHERE c.tenant_id = $1 WINDOW w AS (PARTITION BY c.account_id, c.unit ORDER BY c.step)
)
SELECT (SELECT count(*) FROM command WHERE tenant_id = $1), ARRAY(
    SELECT k.difference FROM (
        SELECT format('command %s of account %s in %s is step %s after %s, and begins at posting %s after %s', s.command_id,
                      s.account_id, s.unit, s.step, s.step_before, s.version_before, s.version_then) AS difference
        FROM step s WHERE s.step <> s.step_before + 1 OR s.version_before < s.version_then
        UNION ALL
        SELECT format('account %s in %s counts %s commands, but the last is step %s', a.account_id, a.unit, a.steps,
                      coalesce(s.step, 0))
        FROM account a
        LEFT JOIN (SELECT account_id, unit, max(step) AS step FROM step GROUP BY account_id, unit) s
          ON s.account_id = a.account_id AND s.unit = a.unit
        WHERE a.tenant_id = $1 AND a.steps <> coalesce(s.step, 0)
        UNION ALL
        SELECT format('posting %s of account %s in %s is not one of those that its command %s says it made', p.seq,
                      p.account_id, p.unit, p.command_id)
        FROM posting p
        JOIN command c ON c.tenant_id = $1 AND c.command_id = p.command_id
        WHERE p.tenant_id = $1 AND ((c.account_id, c.unit) <> (p.account_id, p.unit)
              OR p.seq <= c.version_before OR p.seq > c.version_after)
        UNION ALL
        SELECT format('command %s of account %s in %s says that it made %s postings, but %s are there', s.command_id,
                      s.account_id, s.unit, s.version_after - s.version_before, count(p.seq))
        FROM step s
        LEFT JOIN posting p ON p.tenant_id = $1 AND p.account_id = s.account_id AND p.unit = s.unit
                           AND p.command_id = s.command_id
        GROUP BY s.command_id, s.account_id, s.unit, s.version_after, s.version_before
        HAVING count(p.seq) <> s.version_after - s.version_before) k
    ORDER BY k.difference LIMIT $2)",
);

// Owner kind 1: a user. Origin 1: stripe; 2: an operator, who imports what another system credited. Source 1: webhook, which
// Stripe signs; what we fetched ourselves has no signature.
// Command kinds 5 and 6: a grant was commanded, or a spend given back.
const ORIGINS: Statement = check(
    "-- verify.origins
SELECT (SELECT count(*) FROM credit_grant g JOIN owner o ON o.tenant_id = $1 AND o.account_id = g.account_id AND o.kind = 1
        WHERE g.tenant_id = $1), ARRAY(
    SELECT format('grant %s of user %s in %s does not lead to anything that Stripe said, or that was commanded: %s',
                  g.grant_id, o.key, g.unit,
                  CASE WHEN g.root_key IS NULL THEN 'it comes from no payment, and no command'
                       WHEN p.root_key IS NULL THEN format('payment %s is not known', g.root_key)
                       ELSE format('payment %s begins at position %s, which Stripe did not sign', g.root_key, p.first_pos) END)
    FROM credit_grant g
    JOIN owner o ON o.tenant_id = $1 AND o.account_id = g.account_id AND o.kind = 1
    LEFT JOIN payment p ON p.tenant_id = $1 AND p.root_key = g.root_key
    LEFT JOIN event e ON e.tenant_id = $1 AND e.pos = p.first_pos AND (e.origin = 1 AND (e.source <> 1 OR e.signature IS NOT NULL)
                          OR e.origin = 2 AND e.type = 'tally.payment.imported')
    LEFT JOIN posting q ON q.tenant_id = $1 AND q.account_id = g.account_id AND q.unit = g.unit AND q.seq = g.grant_id
                       AND g.root_key IS NULL
    LEFT JOIN command c ON c.tenant_id = $1 AND c.command_id = q.command_id AND c.kind IN (5, 6)
    WHERE g.tenant_id = $1 AND e.pos IS NULL AND c.command_id IS NULL ORDER BY o.key, g.unit, g.grant_id LIMIT $2)",
);
