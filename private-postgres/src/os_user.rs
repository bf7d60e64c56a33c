//! The operating system's user that runs the server: the caller, or somebody unprivileged when the
//! caller is root.

use std::ffi::OsStr;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Uid, User};

use crate::Error;

/// Whom root runs the server as, in order of preference. `nobody` owns nothing, so it can harm
/// nothing.
const UNPRIVILEGED: [&str; 2] = ["nobody", "postgres"];

/// User that runs the server.
#[derive(Debug, Clone)]
pub(crate) struct OsUser {
    pub(crate) name: String,
    pub(crate) uid: u32,
    /// User and group to become; `None` if that is the caller.
    become_ids: Option<(u32, u32)>,
}

impl OsUser {
    /// Chooses whom the server runs as.
    pub(crate) fn choose() -> Result<Self, Error> {
        let caller = caller()?;
        if !caller.uid.is_root() {
            return Ok(Self { name: caller.name, uid: caller.uid.as_raw(), become_ids: None });
        }
        UNPRIVILEGED
            .iter()
            .filter_map(|name| User::from_name(name).ok().flatten().map(Self::other))
            .find(|user| user.succeeds("true", &[]))
            .ok_or(Error::NoUnprivilegedUser)
    }

    fn other(user: User) -> Self {
        let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
        Self { name: user.name, uid, become_ids: Some((uid, gid)) }
    }

    /// A command that runs as this user, from a folder that everyone may enter, and without the
    /// caller's `PG…` variables.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some((uid, gid)) = self.become_ids {
            command.uid(uid).gid(gid);
        }
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    /// Gives a folder to this user.
    pub(crate) fn own(&self, path: &Path) -> Result<(), Error> {
        let Some((uid, gid)) = self.become_ids else { return Ok(()) };
        chown(path, Some(uid), Some(gid)).map_err(Error::io("giving to the server's user:", path))
    }

    /// Whether this user can enter a folder, asked of the system rather than derived from mode
    /// bits.
    pub(crate) fn can_enter(&self, folder: &Path) -> bool {
        self.succeeds(
            "sh",
            &["-c".as_ref(), r#"cd -- "$1""#.as_ref(), "sh".as_ref(), folder.as_os_str()],
        )
    }

    fn succeeds(&self, program: &str, arguments: &[&OsStr]) -> bool {
        let mut command = self.command(program);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

/// The user that runs this process: the one whom the server lets in.
pub(crate) fn caller() -> Result<User, Error> {
    let uid = Uid::effective();
    User::from_uid(uid).ok().flatten().ok_or(Error::UnknownUser(uid.as_raw()))
}
