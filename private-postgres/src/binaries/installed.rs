//! Where systems put the programs of Postgres.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders of programs, as `(parent, prefix, rest)`: every folder of the parent that begins with
/// the prefix, and the rest below it.
const USUAL: [(&str, &str, &str); 14] = [
    // Debian and Ubuntu; openSUSE, Alpine, Gentoo; RHEL and Fedora with PostgreSQL's own packages
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/usr/lib64", "postgresql", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/usr", "pgsql-", "bin"),
    // Homebrew on Apple silicon, Intel and Linux; MacPorts; Postgres.app; EDB's installer
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
    ("/opt/local/lib", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ("/Library/PostgreSQL", "", "bin"),
    // built from source; Nix; NixOS
    ("/usr/local", "pgsql", "bin"),
    ("/nix/var/nix/profiles", "default", "bin"),
    ("/run/current-system", "sw", "bin"),
];

/// Folders of programs as they are: Fedora and Arch; FreeBSD and OpenBSD; NetBSD.
const PLAIN: [&str; 3] = ["/usr/bin", "/usr/local/bin", "/usr/pkg/bin"];

/// Nix's folder of the user's own programs, below the home folder.
const NIX_PROFILE: &str = ".nix-profile/bin";

/// All folders to look in, in the order to look.
pub(super) fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = pg_config().into_iter().collect();
    folders.extend(on_path());
    for (parent, prefix, rest) in USUAL {
        folders
            .extend(below(Path::new(parent), prefix).into_iter().map(|folder| folder.join(rest)));
    }
    folders.extend(PLAIN.map(PathBuf::from));
    folders.extend(std::env::home_dir().map(|home| home.join(NIX_PROFILE)));
    folders
}

/// What `pg_config --bindir` says. It comes with client packages too, so the server may be missing
/// there.
fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(folder.trim()))
}

/// Folders of `PATH` with a `postgres`; and where it really lies, if that is a link, because
/// `initdb` lies there.
fn on_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let programs = std::env::split_paths(&path).map(|folder| folder.join("postgres"));
    programs
        .filter_map(|program| program.canonicalize().ok().map(|real| [program, real]))
        .flatten()
        .filter_map(|program| program.parent().map(Path::to_owned))
        .collect()
}

/// Folders whose name begins with the prefix, newest version first.
fn below(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut folders: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix(prefix)?.trim_start_matches(['@', '-']);
            let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
            Some((digits.parse().unwrap_or(0), entry.path()))
        })
        .collect();
    folders.sort_by(|left, right| right.cmp(left));
    folders.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::below;

    #[test]
    fn newest_version_comes_first() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["postgresql@9.6", "postgresql@16", "postgresql", "mysql@9"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let names: Vec<_> = below(parent.path(), "postgresql")
            .into_iter()
            .map(|folder| folder.file_name().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["postgresql@16", "postgresql@9.6", "postgresql"]);
    }
}
