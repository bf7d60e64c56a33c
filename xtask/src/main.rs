//! Automation: `cargo xtask tidy` checks what neither the compiler nor clippy sees.

mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

#[expect(clippy::print_stderr, reason = "a command-line tool talks on stderr")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments != ["tidy"] {
        eprintln!("usage: cargo xtask tidy");
        return ExitCode::from(2);
    }
    match tidy() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("tidy could not run: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what is untidy; true if nothing is that has to be put right.
#[expect(clippy::print_stderr, reason = "a command-line tool talks on stderr")]
fn tidy() -> anyhow::Result<bool> {
    let report = tidy::run(&root()?)?;
    for finding in &report.warnings {
        eprintln!("warning: {finding}");
    }
    for finding in &report.errors {
        eprintln!("{finding}");
    }
    eprintln!("tidy: {} files, {} to put right", report.files, report.errors.len());
    Ok(report.errors.is_empty())
}

/// Folder of the workspace: the parent of this crate's.
fn root() -> anyhow::Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here.parent().context("xtask has no parent folder")?.to_path_buf())
}
