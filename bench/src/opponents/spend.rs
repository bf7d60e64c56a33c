//! Credits that move: a double-entry movement in PL/pgSQL with balances, row locks and an idempotency key, one call per
//! transaction. It keeps less than ours (no grants, no hash chain, no answer), and both of its sides are spread, so that
//! nothing but the work itself holds it up.

use store::statement::Statement;

use crate::pgbench::{Pgbench, Scripts};
use crate::stand::Stand;

const BALANCE: Statement = Statement {
    sql: "-- bench.spend_balance
CREATE TABLE public.balance (id int PRIMARY KEY, amount bigint NOT NULL CHECK (amount >= 0)) WITH (fillfactor = 70)",
    params: &[],
    columns: &[],
};

const ENTRY: Statement = Statement {
    sql: "-- bench.spend_entry
CREATE TABLE public.entry (key text NOT NULL, account int NOT NULL, amount bigint NOT NULL, balance_after bigint NOT NULL,
    at timestamptz NOT NULL, PRIMARY KEY (key, account))",
    params: &[],
    columns: &[],
};

const REQUEST: Statement = Statement {
    sql: "-- bench.spend_request
CREATE TABLE public.request (key text PRIMARY KEY, body text NOT NULL, at timestamptz NOT NULL)",
    params: &[],
    columns: &[],
};

/// The key first, so that a repeat ends there; then both balances, the smaller id first, so that no two of these deadlock.
const MOVE: Statement = Statement {
    sql: "-- bench.spend_move
CREATE FUNCTION public.move(k text, payer int, payee int, credits bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    left_over bigint;
    come_to   bigint;
BEGIN
    INSERT INTO public.request VALUES (k, payer || ' ' || payee || ' ' || credits, now()) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN (SELECT e.balance_after FROM public.entry e WHERE e.key = k AND e.account = payer);
    END IF;
    PERFORM FROM public.balance b WHERE b.id IN (payer, payee) ORDER BY b.id FOR UPDATE;
    UPDATE public.balance b SET amount = b.amount - credits WHERE b.id = payer RETURNING b.amount INTO left_over;
    UPDATE public.balance b SET amount = b.amount + credits WHERE b.id = payee RETURNING b.amount INTO come_to;
    INSERT INTO public.entry VALUES (k, payer, -credits, left_over, now()), (k, payee, credits, come_to, now());
    RETURN left_over;
END
$$",
    params: &[],
    columns: &[],
};

/// Payees stand beyond the payers.
const FILL: Statement = Statement {
    sql: "-- bench.spend_fill
INSERT INTO public.balance SELECT n, 1000000000000 FROM generate_series(1, 20000) n",
    params: &[],
    columns: &[],
};

/// One transaction: a payer, a payee, a key that was never used.
const SCRIPT: &str = "\\set payer random(1, :payers)
\\set payee random(10001, 20000)
\\set key random(1, 9000000000000000000)
SELECT public.move('key-' || :key, :payer::int, :payee::int, 1);
";

/// Makes its tables and its function.
pub(crate) async fn make(stand: &Stand) -> anyhow::Result<()> {
    for statement in [&BALANCE, &ENTRY, &REQUEST, &MOVE, &FILL] {
        stand.execute(statement).await?;
    }
    Ok(())
}

/// It with so many payers, at most 10,000.
pub(crate) async fn prepare(stand: &Stand, payers: usize) -> anyhow::Result<Pgbench> {
    let defines = vec![("payers".to_owned(), payers.to_string())];
    Pgbench::prepare(stand, Scripts { texts: vec![SCRIPT.to_owned()], defines, settings: "" }).await
}
