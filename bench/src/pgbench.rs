//! The opponent: Postgres's own `pgbench`, inserting the same bytes into a plain table, one row per transaction. No
//! schema is simpler and no client is faster, so it is what the best hand-written handler could reach that commits
//! each delivery by itself.

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

/// The least that a handler must keep: the id once, the bytes, the time.
const TABLE: Statement = Statement {
    sql: "-- bench.opponent
CREATE TABLE public.delivery (
    tenant_id int NOT NULL, id text NOT NULL PRIMARY KEY, body bytea COMPRESSION lz4, received_at timestamptz NOT NULL)",
    params: &[],
    columns: &[],
};

/// One transaction. The body goes over the wire each time, as a parameter, as in a program.
const SCRIPT: &str = "\\set id random(1, 9000000000000000000)
INSERT INTO public.delivery VALUES (1, 'evt_' || :id, :body, now());
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
