//! Automation: `cargo xtask tidy` checks what neither the compiler nor clippy sees, `cargo xtask schemas` writes the
//! documents that are made from the code.

mod schemas;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

#[expect(clippy::print_stderr, reason = "a command-line tool talks on stderr")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["tidy"] => tidy(),
        ["schemas"] => schemas(true),
        ["schemas", "--check"] => schemas(false),
        _ => {
            eprintln!("usage: cargo xtask tidy | schemas [--check]");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{} could not run: {error:#}", arguments.join(" "));
            ExitCode::FAILURE
        }
    }
}

/// Writes the schemas, or only compares them; true if they are then what the code says.
#[expect(clippy::print_stderr, reason = "a command-line tool talks on stderr")]
fn schemas(writes: bool) -> anyhow::Result<bool> {
    let differing = schemas::run(&root()?, writes)?;
    for path in &differing {
        let what = if writes { "brought up to date" } else { "not what the code says" };
        eprintln!("schemas/{}: {what}", path.display());
    }
    if !differing.is_empty() && !writes {
        eprintln!("run: cargo xtask schemas");
    }
    Ok(writes || differing.is_empty())
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
