//! Starting the program in an environment that holds nothing but what the test says.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use testkit::delivery;

/// A secret that is fit for use.
pub(crate) const SECRET: &str = "whsec_9fJ2kPq7ZtXc4VbN1mLs8RwE";

/// The program with these arguments. Of the caller's variables it sees those that a Postgres is found by.
pub(crate) fn tally(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tally"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    for name in ["PATH", "HOME", "TMPDIR", "TALLY_PG_BIN"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// How it ended, and what it said.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ended {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// A program that serves; killed when dropped, also by a test that fails.
pub(crate) struct Serving {
    pub(crate) process: Child,
    /// Where, by its own word.
    pub(crate) url: String,
}

impl Serving {
    /// Starts `tally up` on a data folder, and waits for its word.
    pub(crate) fn up(data_dir: &Path, adjust: impl FnOnce(&mut Command)) -> Self {
        let mut command = tally(&["up", "--listen", "127.0.0.1:0", "--data-dir"]);
        command.arg(data_dir).env("TALLY_ADMIN_LISTEN", "127.0.0.1:0").env("RUST_LOG", "warn");
        adjust(&mut command);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("ready ").map(str::to_owned);
        Self {
            process, url: url.unwrap_or_else(|| panic!("`up` said {line:?} and not `ready …`"))
        }
    }

    /// Asks it to end; its exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        kill(Pid::from_raw(self.process.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        self.process.wait().unwrap().code()
    }

    /// Ends it with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ended_before = self.process.kill();
        let _ended_before = self.process.wait();
    }
}

/// A folder that the server's user can enter, also when root runs the tests.
pub(crate) fn open_folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A value of `dev.env`.
pub(crate) fn kept(data_dir: &Path, name: &str) -> String {
    let text = fs::read_to_string(data_dir.join("dev.env")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("{name} is not in dev.env")).to_owned()
}

/// Delivers an event, signed with the secret that `up` made; status and answer.
pub(crate) async fn deliver(serving: &Serving, data_dir: &Path, body: Vec<u8>) -> (u16, Value) {
    let secret = kept(data_dir, "STRIPE_WEBHOOK_SECRET");
    let mut request = reqwest::Client::new().post(format!("{}/v1/webhooks/stripe", serving.url));
    for (name, value) in delivery::headers(&secret, delivery::now(), &body) {
        request = request.header(name, value);
    }
    let response = request.body(body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}
