//! Processes of this program, each of one role, and how much memory they took.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};

use crate::load;

/// Longest wait for a process to be ready.
const READY_MAX: Duration = Duration::from_mins(1);

/// How often is looked whether it is.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a process needs to know of where it runs.
const KEPT: [&str; 3] = ["PATH", "HOME", "TMPDIR"];

/// Signs the deliveries. The database that it writes into is thrown away.
pub(crate) const SECRET: &str = "whsec_benchmark_4fQ8tXz2LmN6";

/// A process that serves one role. It is killed when this value is dropped.
#[derive(Debug)]
pub(crate) struct Service {
    child: Child,
    /// Where it listens, if its role does.
    pub(crate) address: SocketAddr,
}

impl Service {
    /// Starts this program as one role, and waits until it is ready.
    pub(crate) async fn start(program: &Path, url: &str, role: &str) -> anyhow::Result<Self> {
        let (address, admin) = (free_address()?, free_address()?);
        let mut command = command(program, url);
        command.args(["serve", "--role", role]);
        command.env("TALLY_LISTEN", address.to_string());
        command.env("TALLY_ADMIN_LISTEN", admin.to_string());
        let child = command.spawn().with_context(|| format!("starting {}", program.display()))?;
        let mut service = Self { child, address };
        let waiting = tokio::time::timeout(READY_MAX, service.ready(admin));
        waiting
            .await
            .unwrap_or_else(|_elapsed| bail!("not ready after {READY_MAX:?}"))
            .with_context(|| format!("waiting for a process of role {role}"))?;
        Ok(service)
    }

    async fn ready(&mut self, admin: SocketAddr) -> anyhow::Result<()> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}");
            }
            if load::get(admin, "/readyz").await.is_ok_and(|status| status == 200) {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Most memory that it had resident until now, in KiB, where the system tells.
    pub(crate) fn peak_kib(&self) -> Option<u32> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Kills it, which any process of ours must bear at any time.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("killing a process")
    }
}

/// Runs a command of this program to its end; what it printed.
pub(crate) async fn run(program: &Path, url: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = command(program, url).stdout(Stdio::piped()).args(arguments).output().await;
    let output = output.with_context(|| format!("running {}", program.display()))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("`tally {}` ended with {}: {errors}", arguments.join(" "), output.status);
    }
    String::from_utf8(output.stdout).context("reading what a command printed")
}

/// This program on this database, without what the caller's environment says.
fn command(program: &Path, url: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| KEPT.iter().any(|kept| name == kept)));
    command.env("DATABASE_URL", url).env("TALLY_MODE", "test");
    command.env("STRIPE_WEBHOOK_SECRET", SECRET).env("RUST_LOG", "warn");
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    command
}

/// An address that nobody listens at now.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("looking for a free port")?;
    Ok(listener.local_addr()?)
}
