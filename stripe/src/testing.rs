//! What this crate's tests share: the recorded events, where they are at hand.

use std::fs;
use std::path::{Path, PathBuf};

/// Folder of the recorded events: `TALLY_FIXTURES`, or `../shared/fixtures` beside the workspace. None, and said so,
/// where there is no such folder: the tests that need it have nothing to test then.
#[expect(clippy::print_stderr, reason = "a test that tests nothing has to say so")]
pub(crate) fn fixtures() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures");
    let folder = std::env::var_os("TALLY_FIXTURES").map_or(beside, PathBuf::from);
    if !folder.is_dir() {
        eprintln!("passed without testing: there are no recorded events in {}", folder.display());
        return None;
    }
    Some(folder)
}

/// Names (relative to the folder) and bytes of all recorded events and deliveries, sorted; empty where there are none.
pub(crate) fn bodies() -> Vec<(String, Vec<u8>)> {
    let Some(folder) = fixtures() else { return Vec::new() };
    let mut bodies = Vec::new();
    for source in fs::read_dir(folder.join("events")).unwrap() {
        let source = source.unwrap().path();
        if source.is_dir() {
            collect(&folder, &source, "json", &mut bodies);
        }
    }
    collect(&folder, &folder.join("http"), "body", &mut bodies);
    bodies.sort();
    assert_eq!(bodies.len(), 443 + 13, "recorded events and deliveries");
    bodies
}

fn collect(root: &Path, folder: &Path, extension: &str, bodies: &mut Vec<(String, Vec<u8>)>) {
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|found| found == extension) {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            bodies.push((name, fs::read(path).unwrap()));
        }
    }
}
