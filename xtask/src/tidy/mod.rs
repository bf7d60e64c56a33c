//! The rules of this repository that can be read off its files. One module per rule; each takes text and gives
//! findings, so that its tests need no files.

mod crates;
mod format;
mod manifests;
mod migrations;
mod modules;
mod purity;
mod rust;
mod sql;

use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

/// A text file of the repository.
#[derive(Debug)]
struct File {
    /// Path from the root of the repository, with `/`.
    path: String,
    /// What stands in it.
    text: String,
}

impl File {
    /// The folder at the root that it lies in, which is its crate's name, and the path in there.
    fn in_crate(&self) -> Option<(&str, &str)> {
        self.path.split_once('/')
    }

    /// The crate whose program this file is part of. None for tests, also those that lie in `src`: they may do what
    /// the program may not.
    fn program(&self) -> Option<&str> {
        const TESTS: &[&str] = &["tests", "tests.rs", "testing", "testing.rs"];
        let (name, inner) = self.in_crate()?;
        let mut parts = inner.strip_prefix("src/")?.split('/');
        let is_program = self.has_extension("rs") && !parts.any(|part| TESTS.contains(&part));
        is_program.then_some(name)
    }

    fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }
}

/// Something to put right, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    /// `what` says what is wrong and what to do about it.
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Report {
    /// Number of files that were read.
    pub(crate) files: usize,
    /// What has to be put right.
    pub(crate) errors: Vec<Finding>,
    /// What is worth a look.
    pub(crate) warnings: Vec<Finding>,
}

/// Checks every file that git tracks, or would if it were added.
pub(crate) fn run(root: &Path) -> anyhow::Result<Report> {
    let files = read_files(root)?;
    let metadata = read_metadata(root)?;
    let mut errors = crates::check(&metadata);
    let mut warnings = Vec::new();
    for file in &files {
        errors.extend(manifests::check(file));
        errors.extend(modules::check(file));
        errors.extend(sql::check(file));
        errors.extend(purity::check(file));
        errors.extend(format::check(file));
        warnings.extend(format::check_length(file));
    }
    errors.extend(migrations::check(&files));
    errors.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    Ok(Report { files: files.len(), errors, warnings })
}

/// Reads the text files; what is not UTF-8 is no text, and what was deleted is not there.
fn read_files(root: &Path) -> anyhow::Result<Vec<File>> {
    let listed = output(
        Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
            .current_dir(root),
    )?;
    let mut files = Vec::new();
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        if let Ok(text) = std::fs::read_to_string(root.join(path)) {
            files.push(File { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

fn read_metadata(root: &Path) -> anyhow::Result<Value> {
    let text = output(
        Command::new(env!("CARGO"))
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(root),
    )?;
    serde_json::from_str(&text).context("reading what `cargo metadata` says")
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    let talk = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed: {talk}");
    String::from_utf8(output.stdout).with_context(|| format!("reading what {command:?} printed"))
}

#[cfg(test)]
mod testing {
    //! What the rules' tests share.

    use super::{File, Finding};

    /// A file of that path and text.
    pub(super) fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    /// The lines of the findings.
    pub(super) fn lines(findings: &[Finding]) -> Vec<usize> {
        findings.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_finding_says_where_and_what() {
        let finding = Finding::new("store/src/lib.rs", 7, "trailing white space: remove it");
        assert_eq!(finding.to_string(), "store/src/lib.rs:7: trailing white space: remove it");
    }
}
