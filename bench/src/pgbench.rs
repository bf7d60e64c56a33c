//! Postgres's own `pgbench`: no client is faster. It runs the scripts of an opponent at its best number of connections.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::process::Command;

use crate::stand::Stand;

/// Numbers of connections that are tried; the best one is the opponent.
const CLIENTS: [u32; 5] = [4, 8, 16, 32, 64];

/// How long each of them is tried, in seconds.
const TRY_SECONDS: u32 = 2;

/// Which column of pgbench's log is the time of a script, in microseconds.
const LOG_TIME: usize = 2;

/// Which column of pgbench's log is how late a script began, in microseconds; the time holds it already.
const LOG_COLUMNS_MIN: usize = 6;

/// What is run: one transaction each; several take turns.
pub(crate) struct Scripts {
    /// The texts.
    pub(crate) texts: Vec<String>,
    /// Values of their variables.
    pub(crate) defines: Vec<(String, String)>,
    /// Settings of the sessions, as `PGOPTIONS` has them.
    pub(crate) settings: &'static str,
}

/// pgbench at its best number of connections.
pub(crate) struct Pgbench {
    program: PathBuf,
    scripts: Vec<tempfile::TempPath>,
    defines: Vec<(String, String)>,
    settings: &'static str,
    url: String,
    pub(crate) clients: u32,
}

impl Pgbench {
    /// Looks for its best number of connections. What the scripts need must be there.
    pub(crate) async fn prepare(stand: &Stand, scripts: Scripts) -> anyhow::Result<Self> {
        let mut paths = Vec::with_capacity(scripts.texts.len());
        for text in &scripts.texts {
            let path = tempfile::NamedTempFile::new()?.into_temp_path();
            fs::write(&path, text).context("writing a script of pgbench")?;
            paths.push(path);
        }
        let (program, url) = (program_beside(stand.server_pid()), stand.url.clone());
        let Scripts { defines, settings, .. } = scripts;
        let mut pgbench = Self { program, scripts: paths, defines, settings, url, clients: 0 };
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

    /// Transactions per second over so many seconds, as many as it can.
    pub(crate) async fn run(&self, seconds: u32) -> anyhow::Result<f64> {
        let told = self.told(self.command(seconds)).await?;
        let rate = told.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = rate.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        rate.with_context(|| format!("pgbench told no rate: {told}"))
    }

    /// The time of each transaction, when so many per second are asked for: from when it was due to when it was done.
    pub(crate) async fn times_at(&self, rate: f64, seconds: u32) -> anyhow::Result<Vec<Duration>> {
        let folder = tempfile::tempdir().context("making a folder for the log of pgbench")?;
        let mut command = self.command(seconds);
        command.arg(format!("--rate={rate:.0}")).arg("--log");
        command.arg("--log-prefix").arg(folder.path().join("log"));
        self.told(command).await?;
        let mut times = Vec::new();
        for entry in fs::read_dir(folder.path())? {
            let text = fs::read_to_string(entry?.path()).context("reading the log of pgbench")?;
            for line in text.lines() {
                times.push(time_of(line).with_context(|| format!("pgbench logged: {line}"))?);
            }
        }
        Ok(times)
    }

    fn command(&self, seconds: u32) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["--no-vacuum", "--protocol=prepared", "--jobs=2"]);
        command.env("PGOPTIONS", self.settings);
        command.arg(format!("--client={}", self.clients)).arg(format!("--time={seconds}"));
        for script in &self.scripts {
            command.arg("--file").arg(script);
        }
        for (name, value) in &self.defines {
            command.arg("--define").arg(format!("{name}={value}"));
        }
        command
    }

    async fn told(&self, mut command: Command) -> anyhow::Result<String> {
        let output = command.arg(&self.url).output().await;
        let output = output.with_context(|| format!("running {}", self.program.display()))?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench ended with {}: {errors}", output.status);
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The time of a transaction in a line of pgbench's log: `client, number, time, script, epoch seconds, microseconds` and, at a
/// given rate, how late it began.
fn time_of(line: &str) -> Option<Duration> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let time = columns.get(LOG_TIME).filter(|_| columns.len() >= LOG_COLUMNS_MIN)?;
    Some(Duration::from_micros(time.parse().ok()?))
}

/// pgbench beside the server's own programs; else whichever `PATH` has.
fn program_beside(server: Option<u32>) -> PathBuf {
    let postgres = server.and_then(|pid| fs::read_link(format!("/proc/{pid}/exe")).ok());
    let beside = postgres.map(|postgres| postgres.with_file_name("pgbench"));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from("pgbench"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::time_of;

    #[test]
    fn a_line_of_the_log_tells_a_time() {
        let time = time_of("3 17 2305 0 1700000000 123456 88");
        assert_eq!(time, Some(Duration::from_micros(2305)));
        assert_eq!(time_of("3 17 skipped 0 1700000000 123456"), None);
        assert_eq!(time_of("3 17 2305"), None);
    }
}
