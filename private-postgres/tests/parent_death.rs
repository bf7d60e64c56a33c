//! The server ends when its parent is killed; and when nobody was left to end it, the next start
//! does.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails the test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use private_postgres::{Options, Server};

/// Tells the helper process where to keep its files.
const HELPER_FOLDER: &str = "PRIVATE_POSTGRES_HELPER_FOLDER";

fn options(folder: &Path) -> Options {
    Options { data_dir: Some(folder.join("postgres")), fsync: false, ..Options::default() }
}

/// Not a test: the parent that the tests kill. They run this file's program once more, for this
/// function alone.
#[test]
fn helper() {
    let Some(folder) = std::env::var_os(HELPER_FOLDER) else { return };
    let folder = Path::new(&folder);
    let server = Server::start(&options(folder)).unwrap();
    let socket_folder = server.url("").replace("postgresql://postgres@", "").replace("%2F", "/");
    let run_folder = socket_folder.trim_end_matches("/socket/");
    let facts = format!("{} {run_folder}", server.pid().unwrap());
    fs::write(folder.join("facts.new"), facts).unwrap();
    fs::rename(folder.join("facts.new"), folder.join("facts")).unwrap();
    loop {
        std::thread::park();
    }
}

/// A running helper; killed when dropped, also by a test that fails.
struct Helper {
    process: Child,
    postmaster: i32,
    /// Folder that its watchdog is to remove.
    run_folder: String,
}

impl Helper {
    async fn start(folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "helper"]).env(HELPER_FOLDER, folder);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut helper = Self { process, postmaster: 0, run_folder: String::new() };
        let facts = testkit::wait_for("the helper's server", async || {
            fs::read_to_string(folder.join("facts")).ok()
        });
        let facts = facts.await;
        let (postmaster, run_folder) = facts.split_once(' ').unwrap();
        helper.postmaster = postmaster.parse().unwrap();
        run_folder.clone_into(&mut helper.run_folder);
        helper
    }

    /// Ends it with SIGKILL.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// The process that watches over its server: its one child besides the server.
    fn watchdog(&self) -> i32 {
        let helper = self.process.id();
        let children: String = if let Ok(threads) = fs::read_dir(format!("/proc/{helper}/task")) {
            let children = threads.map(|thread| thread.unwrap().path().join("children"));
            children.map(|file| fs::read_to_string(file).unwrap()).collect()
        } else {
            let output = Command::new("pgrep").args(["-P", &helper.to_string()]).output();
            String::from_utf8(output.unwrap().stdout).unwrap()
        };
        let mut pids = children.split_whitespace().map(|pid| pid.parse().unwrap());
        pids.find(|pid| *pid != self.postmaster).expect("it has a watchdog")
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.kill();
    }
}

fn is_running(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None).is_ok()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    // The server's user must get through, also when root runs the tests.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[tokio::test]
async fn server_ends_when_its_parent_is_killed() {
    let folder = folder();
    let mut helper = Helper::start(folder.path()).await;
    assert!(is_running(helper.postmaster) && Path::new(&helper.run_folder).exists());

    helper.kill();
    testkit::wait_for("the server and its folder to be gone", async || {
        let is_gone = !is_running(helper.postmaster) && !Path::new(&helper.run_folder).exists();
        is_gone.then_some(())
    })
    .await;
    // It was shut down, not killed: it had the time to remove its pid file.
    assert!(!folder.path().join("postgres/cluster/postmaster.pid").exists());
}

#[tokio::test]
async fn server_that_nobody_watches_is_ended_by_the_next_start() {
    let folder = folder();
    let mut helper = Helper::start(folder.path()).await;
    kill(Pid::from_raw(helper.watchdog()), Signal::SIGKILL).unwrap();
    helper.kill();
    assert!(is_running(helper.postmaster));

    let server = Server::start(&options(folder.path())).unwrap();
    assert!(!is_running(helper.postmaster));
    server.stop().unwrap();
    fs::remove_dir_all(&helper.run_folder).unwrap();
}
