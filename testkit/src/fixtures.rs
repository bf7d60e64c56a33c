//! Recorded events and signatures of others, which are not part of this project: tests that read
//! them pass without them.

use std::fs;
use std::path::{Path, PathBuf};

/// A recorded event.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// Source and file, such as `hookdeck-samples/invoice.paid.json`.
    pub name: String,
    /// The file's bytes.
    pub body: Vec<u8>,
}

/// The folder of fixtures: what `TALLY_FIXTURES` says, else `shared/fixtures` beside the workspace;
/// `None` if there is none.
pub fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures");
    let folder = std::env::var_os("TALLY_FIXTURES").map_or(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// All recorded events, in the order of their names; `None` if the folder is not there.
///
/// # Panics
/// If the folder is there and cannot be read.
pub fn events() -> Option<Vec<Fixture>> {
    let root = folder()?.join("events");
    let mut events: Vec<Fixture> = Vec::new();
    for source in entries(&root).filter(|path| path.is_dir()) {
        for path in entries(&source) {
            let name = path.strip_prefix(&root).expect("it lies below").display().to_string();
            let body = fs::read(&path).expect("a fixture is readable");
            events.push(Fixture { name, body });
        }
    }
    events.sort_by(|left, right| left.name.cmp(&right.name));
    Some(events)
}

/// What a folder holds.
fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of fixtures is readable");
    entries.map(|entry| entry.expect("it is readable").path())
}

#[cfg(test)]
mod tests {
    use super::events;

    #[test]
    fn all_fixtures_are_listed_if_they_are_there() {
        let Some(events) = events() else { return };
        assert_eq!(events.len(), 443);
        assert!(events.iter().any(|event| event.name == "hookdeck-samples/invoice.paid.json"));
        assert!(events.is_sorted_by(|left, right| left.name < right.name));
    }
}
