//! `tally up` in a folder of its own, and commands beside it.

use std::fs::Permissions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

/// A running service with a database of its own; it ends with the test.
pub(crate) struct Service {
    up: Child,
    folder: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    /// What it wrote to stdout.
    pub(crate) answered: String,
    /// What it wrote to stderr.
    pub(crate) said: String,
}

impl Service {
    /// Starts it and waits until it serves.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The private Postgres does not run as root; its user must be able to pass.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
        let mut up = tally(&folder);
        up.args(["up", "--listen", "127.0.0.1:0"]).env("TALLY_ADMIN_LISTEN", "127.0.0.1:0");
        let mut up = up.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(up.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(first.starts_with("ready http://"), "{first:?}");
        Self { up, folder }
    }

    /// What `up` keeps for whoever works beside it, such as `TALLY_URL`.
    pub(crate) fn variable(&self, name: &str) -> String {
        let kept = std::fs::read_to_string(self.folder.path().join("data/dev.env")).unwrap();
        let mut values = kept.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        values.next().unwrap().to_owned()
    }

    /// A request to the API as admin, answered with 200.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{path}", self.variable("TALLY_URL"));
        let request = reqwest::Client::new().request(method, url);
        let request = request.bearer_auth(self.variable("TALLY_KEY_ADMIN"));
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        answer.json().await.unwrap()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_in(arguments, &[], "")
    }

    /// Runs a command that reads `input`.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        self.run_in(arguments, &[], input)
    }

    /// Runs a command with these variables set as well.
    pub(crate) fn run_in(
        &self,
        arguments: &[&str],
        variables: &[(&str, &str)],
        input: &str,
    ) -> Ended {
        let mut command = tally(&self.folder);
        command.args(arguments).envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Whoever does not read it may be gone already.
        let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ended {
            code: output.status.code().unwrap(),
            answered: String::from_utf8(output.stdout).unwrap(),
            said: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The one JSON object with which a command answers.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
        serde_json::from_str(&ended.answered).unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.up.id()).unwrap());
        kill(pid, Signal::SIGTERM).unwrap();
        self.up.wait().unwrap();
    }
}

/// The program, told nothing but where its folder is.
fn tally(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tally"));
    command.env_clear().env("TALLY_DATA_DIR", folder.path().join("data"));
    command.envs(["PATH", "HOME"].iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command
}
