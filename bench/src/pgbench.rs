//! The opponent: Postgres's own `pgbench`, inserting the same row as ours into a table whose only key is the event's id,
//! one row per transaction. No schema that keeps the same is simpler and no client is faster, so it is what the best
//! hand-written handler could reach that commits each delivery by itself.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use store::statement::Statement;
use tokio::process::Command;

use crate::purchases::Purchases;
use crate::stand::Stand;

/// Numbers of connections that are tried; the best one is the opponent.
const CLIENTS: [u32; 4] = [8, 16, 32, 64];

/// How long each of them is tried, in seconds.
const TRY_SECONDS: u32 = 2;

/// What a handler must keep: the id once, the bytes with their proof, and whence and when they came.
const TABLE: Statement = Statement {
    sql: "-- bench.opponent
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

/// pgbench at its best number of connections.
pub(crate) struct Pgbench {
    program: PathBuf,
    script: tempfile::TempPath,
    body: String,
    url: String,
    pub(crate) clients: u32,
}

impl Pgbench {
    /// Makes its table and looks for its best number of connections.
    pub(crate) async fn prepare(stand: &Stand) -> anyhow::Result<Self> {
        stand.execute(&TABLE).await?;
        let script = tempfile::NamedTempFile::new()?.into_temp_path();
        fs::write(&script, SCRIPT).context("writing the script of pgbench")?;
        let body = Purchases::by_all_doors().next().context("a body")?;
        let (program, url) = (program_beside(stand.server_pid()), stand.url.clone());
        let mut pgbench = Self { program, script, body, url, clients: 0 };
        let mut best = (0.0, 0);
        for clients in CLIENTS {
            pgbench.clients = clients;
            let rate = pgbench.run(TRY_SECONDS).await?;
            tracing::info!(clients, rate, "pgbench tried");
            if rate > best.0 {
                best = (rate, clients);
            }
        }
        pgbench.clients = best.1;
        Ok(pgbench)
    }

    /// Transactions per second over so many seconds.
    pub(crate) async fn run(&self, seconds: u32) -> anyhow::Result<f64> {
        let mut command = Command::new(&self.program);
        command.args(["--no-vacuum", "--protocol=prepared", "--jobs=2"]);
        command.arg(format!("--client={}", self.clients)).arg(format!("--time={seconds}"));
        command.arg("--file").arg(&self.script).arg("--define").arg(format!("body={}", self.body));
        command.arg("--define").arg(format!("signature=t=1700000000,v1={}", "5f".repeat(32)));
        let output = command.arg(&self.url).output().await;
        let output = output.with_context(|| format!("running {}", self.program.display()))?;
        let (told, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "pgbench ended with {}: {errors}", output.status);
        let rate = told.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = rate.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        rate.with_context(|| format!("pgbench told no rate: {told}"))
    }
}

/// pgbench beside the server's own programs; else whichever `PATH` has.
fn program_beside(server: Option<u32>) -> PathBuf {
    let postgres = server.and_then(|pid| fs::read_link(format!("/proc/{pid}/exe")).ok());
    let beside = postgres.map(|postgres| postgres.with_file_name("pgbench"));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from("pgbench"))
}
