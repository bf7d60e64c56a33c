//! Where the server's files lie, and that both the caller and the server's user can use them.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use crate::Error;
use crate::os_user::OsUser;

/// Longest path of a socket's folder: the kernel's limit for the whole path is 104 bytes at its lowest (macOS, BSD).
const SOCKET_FOLDER_BYTES_MAX: usize = 80;

/// The server's folders.
#[derive(Debug)]
pub(crate) struct Folders {
    /// Holds the socket, and everything else too if the data is temporary. Removed at the end.
    pub(crate) run: PathBuf,
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
        let kept = data.map(|folder| keep(folder, user)).transpose()?;
        let run = make_run_folder(user)?;
        let (base, lock) =
            kept.map_or_else(|| (run.clone(), None), |(base, lock)| (base, Some(lock)));
        Ok(Self { run, cluster: base.join("cluster"), log: base.join("server.log"), _lock: lock })
    }

    /// A fresh log; the one before is kept under another name, because it may tell of a crash.
    pub(crate) fn new_log(&self) -> Result<File, Error> {
        if self.log.exists() {
            let old = self.log.with_extension("log.old");
            fs::rename(&self.log, &old).map_err(Error::io("renaming", &self.log))?;
        }
        File::create(&self.log).map_err(Error::io("creating", &self.log))
    }
}

/// Whether a server could keep its data in this folder, which need not exist yet.
///
/// A root shell often stands below `/root`, which the unprivileged user of the server cannot enter.
pub fn is_reachable(folder: &Path) -> bool {
    let nearest = folder.ancestors().find(|ancestor| ancestor.is_dir());
    OsUser::choose(None).is_ok_and(|user| nearest.is_some_and(|ancestor| user.can_enter(ancestor)))
}

/// Opens the folder of lasting data for this process alone.
fn keep(folder: &Path, user: &OsUser) -> Result<(PathBuf, File), Error> {
    let is_new = !folder.exists();
    fs::create_dir_all(folder).map_err(Error::io("making", folder))?;
    let folder = folder.canonicalize().map_err(Error::io("finding", folder))?;
    let lock_path = folder.join("lock");
    let is_empty = fs::read_dir(&folder).map_err(Error::io("reading", &folder))?.next().is_none();
    if !is_empty && !lock_path.exists() {
        return Err(Error::Foreign(folder));
    }
    if is_new || is_empty {
        user.own(&folder)?;
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(&folder, private).map_err(Error::io("protecting", &folder))?;
    }
    if !user.can_enter(&folder) {
        return Err(Error::Unreachable { folder, user: user.name.clone() });
    }
    let lock = File::create(&lock_path).map_err(Error::io("creating", &lock_path))?;
    match lock.try_lock() {
        Ok(()) => Ok((folder, lock)),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(folder)),
        Err(TryLockError::Error(source)) => Err(Error::io("locking", &lock_path)(source)),
    }
}

/// Makes a folder with a new name and a short path that only the server's user and root can enter.
fn make_run_folder(user: &OsUser) -> Result<PathBuf, Error> {
    let own = std::env::temp_dir();
    let is_short = own.as_os_str().len() < SOCKET_FOLDER_BYTES_MAX;
    // Root's own folder for temporary files may be closed to others.
    let parent = if is_short && !Uid::effective().is_root() { own } else { PathBuf::from("/tmp") };
    let folder = tempfile::Builder::new()
        .prefix("private-postgres-")
        .tempdir_in(&parent)
        .map_err(Error::io("making a folder in", &parent))?
        .keep();
    user.own(&folder)?;
    Ok(folder)
}
