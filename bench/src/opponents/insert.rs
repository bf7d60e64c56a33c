//! A delivery that is stored: the same row as ours in a table whose only key is the event's id, one row per transaction. No
//! schema that keeps the same is simpler, so it is what the best hand-written handler could reach that commits each
//! delivery by itself.

use anyhow::Context as _;
use store::statement::Statement;

use crate::pgbench::{Pgbench, Scripts};
use crate::purchases::Purchases;
use crate::stand::Stand;

/// What a handler must keep: the id once, the bytes with their proof, and whence and when they came.
const TABLE: Statement = Statement {
    sql: "-- bench.insert_table
CREATE TABLE public.delivery (LIKE event INCLUDING DEFAULTS INCLUDING COMPRESSION, PRIMARY KEY (source_id))",
    params: &[],
    columns: &[],
};

/// One transaction. The values go over the wire each time, as parameters, as in a program.
const SCRIPT: &str = "\\set id random(1, 9000000000000000000)
INSERT INTO public.delivery (tenant_id, pos, origin, source, source_id, type, root_key, slot, livemode, api_version,
    user_agent, peer, occurred_at, received_at, body_sha256, body, signature)
VALUES (1, :id, 1, 1, 'evt_' || :id, 'checkout.session.completed', 'pi_' || :id, 7, false, '2026-10-28.endive',
    'Stripe/1.0 (+https://stripe.com/docs/webhooks)', '127.0.0.1', now(), now(),
    '\\x9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', :body, :signature);
";

/// Makes its table.
pub(crate) async fn prepare(stand: &Stand) -> anyhow::Result<Pgbench> {
    stand.execute(&TABLE).await?;
    let body = Purchases::by_all_doors().next().context("a body")?;
    let signature = format!("t=1700000000,v1={}", "5f".repeat(32));
    let defines = vec![("body".to_owned(), body), ("signature".to_owned(), signature)];
    Pgbench::prepare(stand, Scripts { texts: vec![SCRIPT.to_owned()], defines, settings: "" }).await
}
