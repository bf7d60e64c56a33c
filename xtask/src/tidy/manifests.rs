//! Each crate takes its settings, lints and dependencies from the workspace, so that there is one place to read and
//! one version of each.

use super::{File, Finding};

/// What `[package]` inherits.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "publish"];

/// Checks the manifest of a crate; the workspace's own is what the others inherit from.
pub(super) fn check(file: &File) -> Vec<Finding> {
    let Some((_, "Cargo.toml")) = file.in_crate() else { return Vec::new() };
    let lines = entries(&file.text);
    let mut findings = Vec::new();
    for field in INHERITED {
        if !lines.iter().any(|e| e.table == "package" && e.key == format!("{field}.workspace")) {
            let what = format!("say `{field}.workspace = true` under [package]");
            findings.push(Finding::new(&file.path, 1, what));
        }
    }
    if !lines.iter().any(|e| e.table == "lints" && e.key == "workspace" && e.value == "true") {
        let what = "the workspace's lints are not in force: say `workspace = true` under [lints]";
        findings.push(Finding::new(&file.path, 1, what));
    }
    for entry in lines.iter().filter(|e| !e.inherits()) {
        let what = format!(
            "`{}` does not come from the workspace: list it under [workspace.dependencies] in Cargo.toml \
             and say `{}.workspace = true` here",
            entry.key, entry.key
        );
        findings.push(Finding::new(&file.path, entry.number, what));
    }
    findings
}

/// One `key = value` of a manifest.
struct Entry<'a> {
    number: usize,
    table: &'a str,
    key: &'a str,
    value: &'a str,
}

impl Entry<'_> {
    /// True for what is no dependency, too. A table of its own (`[dependencies.serde]`) never inherits: its keys
    /// would hide from whoever reads down the list.
    fn inherits(&self) -> bool {
        let mut parts = self.table.split('.');
        match parts.find(|part| part.ends_with("dependencies")) {
            None => true,
            Some(_) if parts.next().is_some() => false,
            Some(_) => {
                let compact = self.value.replace(' ', "");
                self.key.ends_with(".workspace") || compact.starts_with("{workspace=true")
            }
        }
    }
}

/// Reads as much of TOML as manifests of this workspace use: tables, and one entry per line.
fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut table = "";
    let mut entries = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.starts_with('[') {
            table = line.trim_matches(['[', ']']);
        } else if let Some((key, value)) = line.split_once('=') {
            entries.push(Entry { number, table, key: key.trim(), value: value.trim() });
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, lines};
    use super::check;

    const GOOD: &str = "\
[package]
name = \"store\"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true

[lints]
workspace = true

[dependencies]
serde.workspace = true
tokio = { workspace = true, features = [\"test-util\"] }
";

    #[test]
    fn a_manifest_that_inherits_everything_is_tidy() {
        assert!(check(&file("store/Cargo.toml", GOOD)).is_empty());
        assert!(check(&file("Cargo.toml", "[workspace.dependencies]\nserde = \"1\"\n")).is_empty());
    }

    #[test]
    fn settings_and_lints_of_its_own_are_refused() {
        let own = GOOD.replace("edition.workspace = true", "edition = \"2021\"");
        let findings = check(&file("store/Cargo.toml", &own));
        assert_eq!(findings[0].what, "say `edition.workspace = true` under [package]");
        let own =
            GOOD.replace("[lints]\nworkspace = true", "[lints.rust]\nunsafe_code = \"allow\"");
        assert_eq!(lines(&check(&file("store/Cargo.toml", &own))), [1]);
    }

    #[test]
    fn dependencies_of_its_own_are_refused() {
        for table in ["dependencies", "dev-dependencies", "target.'cfg(unix)'.dependencies"] {
            let own = format!("{GOOD}\n[{table}]\nhex = \"0.4\"\n");
            assert_eq!(lines(&check(&file("store/Cargo.toml", &own))), [17], "{table}");
        }
        let own = format!("{GOOD}\n[dependencies.hex]\nworkspace = true\n");
        assert_eq!(lines(&check(&file("store/Cargo.toml", &own))), [17]);
    }
}
