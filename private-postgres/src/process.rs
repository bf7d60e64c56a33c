//! Other processes: whether they live, what they are, and signals to them.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Error;

/// How often a fact about another process is looked at again.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// Looks until the fact is there, at most `limit` long; tells whether it came.
pub(crate) fn wait_until(limit: Duration, mut fact: impl FnMut() -> bool) -> bool {
    let tries = limit.as_millis().checked_div(POLL.as_millis()).unwrap_or(1);
    for _ in 0..tries {
        if fact() {
            return true;
        }
        thread::sleep(POLL);
    }
    fact()
}

/// Sends a signal; a process that is gone already is no error.
pub(crate) fn send(pid: u32, signal: Signal) {
    if let Some(pid) = as_pid(pid) {
        let _gone = kill(pid, signal);
    }
}

/// Whether a process with this number exists (a zombie too).
pub(crate) fn exists(pid: u32) -> bool {
    as_pid(pid).is_some_and(|pid| kill(pid, None) != Err(nix::errno::Errno::ESRCH))
}

fn as_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().filter(|pid| *pid > 0).map(Pid::from_raw)
}

/// Asks a process to end: politely, then urgently, then by force.
pub(crate) fn end(pid: u32, mut is_gone: impl FnMut() -> bool) -> Result<(), Error> {
    // To a postmaster these are its fast shutdown, its immediate shutdown, and a crash.
    let steps = [(Signal::SIGINT, 20), (Signal::SIGQUIT, 5), (Signal::SIGKILL, 5)];
    for (signal, seconds) in steps {
        send(pid, signal);
        if wait_until(Duration::from_secs(seconds), &mut is_gone) {
            return Ok(());
        }
    }
    Err(Error::Stop(pid))
}

/// The command line of a process; `None` if the system does not tell it.
pub(crate) fn command_line(pid: u32) -> Option<String> {
    let line = match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => ps(&["-o", "args=", "-p", &pid.to_string()]),
    };
    Some(line).filter(|line| !line.is_empty())
}

/// Numbers of a process's children.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    if let Ok(numbers) = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")) {
        return numbers.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    }
    let child = |line: &str| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let (child, parent) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        (parent == pid).then_some(child)
    };
    ps(&["-A", "-o", "pid=", "-o", "ppid="]).lines().filter_map(child).collect()
}

/// What `ps` prints, for systems without `/proc`.
fn ps(arguments: &[&str]) -> String {
    let output = Command::new("ps").args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}
