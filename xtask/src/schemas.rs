//! `cargo xtask schemas`: writes what `schemas/` holds, as the code says it; with `--check`, only says what differs.
//!
//! What it is, the example `schemas` of the crate `api` prints. It runs as a program of its own, so that this one depends on
//! nothing of ours, and can check a tree that does not compile.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

/// Folder of the schemas.
const FOLDER: &str = "schemas";

/// Files by their path below [`FOLDER`].
type Files = BTreeMap<PathBuf, String>;

/// Writes the files, or only compares them; the paths of those that differ, or should not be there.
pub(crate) fn run(root: &Path, writes: bool) -> anyhow::Result<Vec<PathBuf>> {
    let folder = root.join(FOLDER);
    let (wanted, found) = (wanted(root)?, found(&folder, Path::new(""))?);
    let mut differing = Vec::new();
    for (path, text) in &wanted {
        if found.get(path) != Some(text) {
            differing.push(path.clone());
        }
    }
    let stray = found.keys().filter(|path| !wanted.contains_key(*path));
    differing.extend(stray.cloned());
    for path in differing.iter().filter(|_| writes) {
        let file = folder.join(path);
        if let Some(text) = wanted.get(path) {
            fs::create_dir_all(file.parent().unwrap_or(&folder))?;
            fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
        } else {
            fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
        }
    }
    Ok(differing)
}

/// What the code says.
fn wanted(root: &Path) -> anyhow::Result<Files> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--locked", "--package", "api", "--example", "schemas"]);
    let output = command.current_dir(root).stderr(Stdio::inherit()).output();
    let output = output.context("running the example `schemas` of the crate `api`")?;
    ensure!(
        output.status.success(),
        "the example `schemas` of the crate `api` ended with {}",
        output.status
    );
    serde_json::from_slice(&output.stdout).context("reading what the example `schemas` printed")
}

/// What there is.
fn found(folder: &Path, below: &Path) -> anyhow::Result<Files> {
    let mut files = Files::new();
    let here = folder.join(below);
    if !here.exists() {
        return Ok(files);
    }
    for entry in fs::read_dir(&here).with_context(|| format!("reading {}", here.display()))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            files.extend(found(folder, &path)?);
        } else {
            files.insert(path, fs::read_to_string(entry.path())?);
        }
    }
    Ok(files)
}
