//! Where the server's files lie.
//!
//! ```text
//! data folder       0711 the caller's       run folder in /tmp   0711 the caller's, removed at the end
//! ├─ lock                                   └─ socket/           0700 the server's user's
//! ├─ pg_hba.conf, pg_ident.conf
//! ├─ server.log, server.log.old
//! └─ cluster/       0700 the server's user's
//! ```
//!
//! Temporary data lies in the run folder. When root is the caller, the server's user is somebody
//! whom root must not trust: root writes only where that user cannot put a link in its way.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use crate::Error;
use crate::os_user::OsUser;

/// Longest path of the folder for temporary files: below it lies the socket, at most
/// `/private-postgres-XXXXXX/socket/.s.PGSQL.5432` (45 bytes) further, and the lowest limit for the
/// whole path is 103 bytes (macOS, BSD).
const TEMPORARY_BYTES_MAX: usize = 58;

/// What others may do with the caller's folders: pass through, for the server's user must.
const PASSABLE: u32 = 0o711;

/// The server's folders.
#[derive(Debug)]
pub(crate) struct Folders {
    /// Removed at the end.
    pub(crate) run: PathBuf,
    /// Holds the socket.
    pub(crate) socket: PathBuf,
    /// Holds what is kept: the data folder, or the run folder if the data is temporary.
    pub(crate) base: PathBuf,
    /// What Postgres calls the data directory.
    pub(crate) cluster: PathBuf,
    /// The server's log of this run; the run before has `.old` at its end.
    pub(crate) log: PathBuf,
    /// Held as long as the server is ours. The kernel releases it when we die.
    _lock: Option<File>,
}

impl Folders {
    /// Makes what is missing. `data`: where to keep the data; `None`: nowhere, it is temporary.
    pub(crate) fn prepare(data: Option<&Path>, user: &OsUser) -> Result<Self, Error> {
        let kept = data.map(|folder| open_kept(folder, user)).transpose()?;
        let run = make_run_folder()?;
        let socket = run.join("socket");
        make_private(&socket, user)?;
        let (base, lock) =
            kept.map_or_else(|| (run.clone(), None), |(base, lock)| (base, Some(lock)));
        let (cluster, log) = (base.join("cluster"), base.join("server.log"));
        Ok(Self { run, socket, base, cluster, log, _lock: lock })
    }

    /// Lays the log of the run before aside; it may tell of a crash.
    pub(crate) fn rotate_log(&self) -> Result<(), Error> {
        if self.log.exists() {
            let old = self.log.with_extension("log.old");
            fs::rename(&self.log, &old).map_err(Error::io("renaming", &self.log))?;
        }
        Ok(())
    }

    /// The log, to write at its end.
    pub(crate) fn open_log(&self) -> Result<File, Error> {
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        options.open(&self.log).map_err(Error::io("opening", &self.log))
    }
}

/// Whether a server could keep its data in this folder, which need not exist yet.
///
/// A root shell often stands below `/root`, which the unprivileged user of the server cannot enter.
pub fn is_reachable(folder: &Path) -> bool {
    OsUser::choose().is_ok_and(|user| can_reach(&user, folder))
}

/// Whether the user can enter what holds the folder, or will hold it once it is made.
fn can_reach(user: &OsUser, folder: &Path) -> bool {
    let folder = std::path::absolute(folder).unwrap_or_default();
    let above = folder.ancestors().skip(1).find(|ancestor| ancestor.is_dir());
    above.is_some_and(|above| user.can_enter(above))
}

/// Opens the folder of lasting data for this process alone.
fn open_kept(folder: &Path, user: &OsUser) -> Result<(PathBuf, File), Error> {
    if !can_reach(user, folder) {
        return Err(Error::Unreachable { folder: folder.to_owned(), user: user.name.clone() });
    }
    fs::create_dir_all(folder).map_err(Error::io("making", folder))?;
    let folder = folder.canonicalize().map_err(Error::io("finding", folder))?;
    let lock_path = folder.join("lock");
    let mut entries = fs::read_dir(&folder).map_err(Error::io("reading", &folder))?;
    if entries.next().is_none() {
        set_mode(&folder, PASSABLE)?;
    } else if !lock_path.exists() {
        return Err(Error::Foreign(folder));
    }
    if !user.can_enter(&folder) {
        return Err(Error::Unreachable { folder, user: user.name.clone() });
    }
    let cluster = fs::metadata(folder.join("cluster"));
    if cluster.is_ok_and(|cluster| cluster.uid() != user.uid) {
        return Err(Error::OtherUser { folder, user: user.name.clone() });
    }
    let lock = File::create(&lock_path).map_err(Error::io("creating", &lock_path))?;
    match lock.try_lock() {
        Ok(()) => Ok((folder, lock)),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(folder)),
        Err(TryLockError::Error(source)) => Err(Error::io("locking", &lock_path)(source)),
    }
}

/// Makes a folder with a new name and a short path.
fn make_run_folder() -> Result<PathBuf, Error> {
    let own = std::env::temp_dir();
    let is_short = own.as_os_str().len() <= TEMPORARY_BYTES_MAX;
    // Root's own folder for temporary files may be closed to others.
    let parent = if is_short && !Uid::effective().is_root() { own } else { PathBuf::from("/tmp") };
    let folder = tempfile::Builder::new()
        .prefix("private-postgres-")
        .tempdir_in(&parent)
        .map_err(Error::io("making a folder in", &parent))?
        .keep();
    set_mode(&folder, PASSABLE)?;
    Ok(folder)
}

/// Makes a folder that belongs to the server's user alone.
pub(crate) fn make_private(folder: &Path, user: &OsUser) -> Result<(), Error> {
    fs::create_dir(folder).map_err(Error::io("making", folder))?;
    set_mode(folder, 0o700)?;
    user.own(folder)
}

/// Sets what the caller's umask would otherwise decide.
fn set_mode(folder: &Path, mode: u32) -> Result<(), Error> {
    let permissions = Permissions::from_mode(mode);
    fs::set_permissions(folder, permissions).map_err(Error::io("setting the mode of", folder))
}
