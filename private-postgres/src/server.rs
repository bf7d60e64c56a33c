//! The server itself: start, stop, crash on purpose, start again.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::binaries::Binaries;
use crate::folders::{Folders, make_private};
use crate::os_user::{OsUser, caller};
use crate::postmaster::{PidFile, clear_leftovers};
use crate::watchdog::Watchdog;
use crate::{Error, access, process};

/// How long a start may take. After a crash the server replays its write-ahead log first.
const START_WAIT: Duration = Duration::from_mins(2);

/// How often a start is tried while sessions of a crashed server still hold its shared memory. They
/// end with the statement that they are at.
const LEFTOVER_TRIES: u32 = 100;

/// Pause between two tries.
const LEFTOVER_PAUSE: Duration = Duration::from_millis(100);

/// How much of the server's log an error quotes.
const LOG_END_LINES: usize = 10;

/// How to run the server.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder that keeps the data, made if missing and used by one process at a time; `None`:
    /// temporary, removed at the end.
    pub data_dir: Option<PathBuf>,
    /// Whether commits reach the disk. Off only in tests: then a power cut destroys the data.
    pub fsync: bool,
    /// Further settings of `postgresql.conf`, name and value.
    pub settings: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self { data_dir: None, fsync: true, settings: Vec::new() }
    }
}

/// A running server. It stops when this value is dropped, and also when this process dies.
#[derive(Debug)]
pub struct Server {
    binaries: Binaries,
    user: OsUser,
    folders: Folders,
    arguments: Vec<String>,
    postmaster: Option<Child>,
    // Last: its end removes the temporary folders.
    watchdog: Watchdog,
}

impl Server {
    /// Finds Postgres, makes a database cluster if there is none, and starts it. Returns when it
    /// accepts connections.
    pub fn start(options: &Options) -> Result<Self, Error> {
        let user = OsUser::choose()?;
        let folders = Folders::prepare(options.data_dir.as_deref(), &user)?;
        let watchdog =
            Watchdog::start(&folders.run).map_err(Error::io("watching over", &folders.run))?;
        let binaries = Binaries::locate(&user, &folders.cluster)?;
        clear_leftovers(&folders.cluster)?;
        if !folders.cluster.exists() {
            initialise(&binaries, &user, &folders.cluster, options.fsync)?;
        }
        let rules = access::write_rules(&folders.base, &caller()?.name)?;
        let arguments = arguments(options, &folders, rules);
        let mut server = Self { binaries, user, folders, arguments, postmaster: None, watchdog };
        server.launch()?;
        Ok(server)
    }

    /// URL of one of its databases, for libpq and all that reads libpq's URLs. `postgres` exists
    /// from the beginning.
    pub fn url(&self, database: &str) -> String {
        access::url(&self.folders.socket, database)
    }

    /// The file that the server writes its log to.
    pub fn log(&self) -> &Path {
        &self.folders.log
    }

    /// Process number of the server's first process; `None` after [`Server::kill`].
    pub fn pid(&self) -> Option<u32> {
        self.postmaster.as_ref().map(Child::id)
    }

    /// Stops it: sessions are ended, their transactions rolled back, everything is written to disk.
    pub fn stop(mut self) -> Result<(), Error> {
        self.shut_down()
    }

    /// Ends all its processes at once with SIGKILL, as a crash would. For tests; go on with
    /// [`Server::restart`].
    pub fn kill(&mut self) -> Result<(), Error> {
        let Some(mut postmaster) = self.postmaster.take() else { return Ok(()) };
        let pid = postmaster.id();
        // Stopped first, so that it can neither start processes that we would miss nor see them
        // die.
        process::send(pid, Signal::SIGSTOP);
        for child in process::children(pid) {
            process::send(child, Signal::SIGKILL);
        }
        process::send(pid, Signal::SIGKILL);
        postmaster.wait().map_err(Error::io("killing the server of", &self.folders.cluster))?;
        self.watch(0)
    }

    /// Starts it again on the same data and the same socket, after stopping it if it runs.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.shut_down()?;
        clear_leftovers(&self.folders.cluster)?;
        self.launch()
    }

    fn shut_down(&mut self) -> Result<(), Error> {
        let Some(mut postmaster) = self.postmaster.take() else { return Ok(()) };
        process::end(postmaster.id(), || matches!(postmaster.try_wait(), Ok(Some(_)) | Err(_)))?;
        self.watch(0)
    }

    fn watch(&mut self, pid: u32) -> Result<(), Error> {
        self.watchdog.watch(pid).map_err(Error::io("watching over", &self.folders.run))
    }

    /// Starts the server's process and waits until it is ready, and for what a crash left behind to
    /// end first.
    fn launch(&mut self) -> Result<(), Error> {
        self.folders.rotate_log()?;
        let mut tries = LEFTOVER_TRIES;
        loop {
            match self.launch_once() {
                Err(Error::Start { log_end, .. })
                    if tries > 0 && log_end.contains("pre-existing shared memory block") =>
                {
                    tries = tries.saturating_sub(1);
                    process::wait_until(LEFTOVER_PAUSE, || false);
                }
                result => return result,
            }
        }
    }

    fn launch_once(&mut self) -> Result<(), Error> {
        let (output, errors) = (self.folders.open_log()?, self.folders.open_log()?);
        let program = self.binaries.program("postgres");
        let mut command = self.user.command(&program);
        command.args(&self.arguments).stdout(output).stderr(errors);
        // A process group of its own: Ctrl-C in a terminal is for the parent, which still needs the
        // database to finish.
        let postmaster =
            command.process_group(0).spawn().map_err(Error::io("running", &program))?;
        let pid = postmaster.id();
        self.postmaster = Some(postmaster);
        self.watch(pid)?;
        self.wait_until_ready(pid)
    }

    fn wait_until_ready(&mut self, pid: u32) -> Result<(), Error> {
        let mut ended = None;
        let ready = process::wait_until(START_WAIT, || {
            ended = self.postmaster.as_mut().and_then(|child| child.try_wait().ok().flatten());
            let file = PidFile::read(&self.folders.cluster);
            ended.is_some() || file == Some(PidFile { pid, is_ready: true })
        });
        let reason = match ended {
            None if ready => return Ok(()),
            None => format!("not ready after {} s", START_WAIT.as_secs()),
            Some(status) => {
                self.postmaster = None;
                self.watch(0)?;
                format!("it ended with {status}")
            }
        };
        let log_end = last_lines(&fs::read_to_string(&self.folders.log).unwrap_or_default());
        Err(Error::Start { reason, log: self.folders.log.clone(), log_end })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.shut_down() {
            tracing::error!(%error, "the private Postgres did not stop");
        }
    }
}

/// Makes a new cluster. It is made under another name first: a folder `cluster` is always a
/// complete one.
fn initialise(
    binaries: &Binaries,
    user: &OsUser,
    cluster: &Path,
    fsync: bool,
) -> Result<(), Error> {
    let unfinished = cluster.with_extension("new");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(Error::io("removing", &unfinished))?;
    }
    make_private(&unfinished, user)?;
    let program = binaries.program("initdb");
    let mut command = user.command(&program);
    command.arg("-D").arg(&unfinished).args(["-U", access::SUPERUSER]);
    command.args(["--encoding=UTF8", "--locale=C", "--data-checksums"]);
    command.args(["--auth-local=peer", "--auth-host=reject"]);
    if !fsync {
        command.arg("--no-sync");
    }
    let output = command.stdout(Stdio::null()).output().map_err(Error::io("running", &program))?;
    if !output.status.success() {
        let output = last_lines(&String::from_utf8_lossy(&output.stderr));
        return Err(Error::Initdb { folder: cluster.to_owned(), output });
    }
    fs::rename(&unfinished, cluster).map_err(Error::io("renaming", &unfinished))
}

/// The server's arguments. What is given here outranks every file, so the socket stays the only way
/// in.
fn arguments(options: &Options, folders: &Folders, rules: Vec<(String, String)>) -> Vec<String> {
    let mut settings = vec![
        ("timezone".to_owned(), "UTC".to_owned()),
        ("log_timezone".to_owned(), "UTC".to_owned()),
    ];
    if !options.fsync {
        settings.push(("fsync".to_owned(), "off".to_owned()));
        settings.push(("full_page_writes".to_owned(), "off".to_owned()));
    }
    settings.extend(options.settings.iter().cloned());
    let socket_folder = folders.socket.display().to_string();
    settings.extend(rules);
    settings.push(("unix_socket_directories".to_owned(), socket_folder));
    settings.push(("unix_socket_permissions".to_owned(), "0700".to_owned()));
    settings.push(("listen_addresses".to_owned(), String::new()));
    settings.push(("port".to_owned(), "5432".to_owned()));

    let mut arguments = vec!["-D".to_owned(), folders.cluster.display().to_string()];
    for (name, value) in settings {
        arguments.extend(["-c".to_owned(), format!("{name}={value}")]);
    }
    arguments
}

/// The end of a text.
fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().collect();
    let first = lines.len().saturating_sub(LOG_END_LINES);
    lines.get(first..).unwrap_or_default().join("\n")
}
