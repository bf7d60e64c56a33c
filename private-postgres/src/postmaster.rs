//! `postmaster.pid`: what a server says of itself, and what to do with one that a crash left
//! behind.

use std::fs;
use std::path::Path;

use crate::{Error, process};

/// What `postmaster.pid` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: u32,
    pub(crate) is_ready: bool,
}

impl PidFile {
    /// Reads it; `None` if there is none, or none that is complete.
    pub(crate) fn read(cluster: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(cluster.join("postmaster.pid")).ok()?)
    }

    /// The first line is the pid, the eighth the state. The server writes the lines one by one.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        let is_ready = lines.nth(6).is_some_and(|state| state.trim() == "ready");
        Some(Self { pid, is_ready })
    }
}

/// Ends a server that nobody watches any more, and removes a pid file whose number belongs to
/// another program now. Only for the one who holds the folder's lock.
///
/// A number that nobody has is left to Postgres, which also looks whether any of the dead server's
/// sessions still run. But a number that was given away again, which is the rule in containers,
/// where numbers begin anew, would keep it from starting.
pub(crate) fn clear_leftovers(cluster: &Path) -> Result<(), Error> {
    let Some(left) = PidFile::read(cluster).filter(|left| process::exists(left.pid)) else {
        return Ok(());
    };
    let Some(command_line) = process::command_line(left.pid) else { return Ok(()) };
    if command_line.contains(&*cluster.to_string_lossy()) {
        tracing::warn!(pid = left.pid, "a Postgres was left running by a crash: stopping it");
        return process::end(left.pid, || !process::exists(left.pid));
    }
    let path = cluster.join("postmaster.pid");
    tracing::warn!(path = %path.display(), "removing the pid file of a server that is gone");
    fs::remove_file(&path).map_err(Error::io("removing", &path))
}

#[cfg(test)]
mod tests {
    use super::PidFile;

    #[test]
    fn state_stands_on_the_eighth_line() {
        let text = "4711\n/data\n1700000000\n5432\n/tmp/socket\n\n  1234 5\nready   \n";
        assert_eq!(PidFile::parse(text), Some(PidFile { pid: 4711, is_ready: true }));
        let text = text.replace("ready   ", "starting");
        assert_eq!(PidFile::parse(&text), Some(PidFile { pid: 4711, is_ready: false }));
    }

    #[test]
    fn incomplete_file_is_not_ready() {
        assert_eq!(PidFile::parse("4711\n/data\n"), Some(PidFile { pid: 4711, is_ready: false }));
        assert_eq!(PidFile::parse(""), None);
    }
}
