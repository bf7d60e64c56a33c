//! Who may use whom. An absence in the table is an invariant of the design (ARCHITECTURE.md), so a new edge is a
//! decision and not a line in a manifest.

use serde_json::Value;

use super::Finding;

/// What a crate may use of ours in its program. Its tests may use what they need.
enum Uses {
    Only(&'static [&'static str]),
    /// Stands above or beside the program: all but [`UNUSED`].
    Any,
}
use Uses::{Any, Only};

const CRATES: &[(&str, Uses)] = &[
    ("stripe", Only(&[])),
    ("ledger", Only(&[])),
    ("rules", Only(&["stripe", "ledger"])),
    ("service", Only(&[])),
    ("private-postgres", Only(&[])),
    ("migrations", Only(&[])),
    ("store", Only(&["ledger", "migrations"])),
    // Neither `rules` nor `ledger`: what it cannot see, it cannot decide.
    ("ingest", Only(&["stripe", "store", "service"])),
    ("projector", Only(&["rules", "stripe", "ledger", "store", "service"])),
    ("keeper", Only(&["ledger", "store", "service"])),
    ("api", Only(&["rules", "ledger", "store", "service"])),
    // Even `testkit`, for the fake Stripe of `tally simulate stripe`.
    ("cli", Any),
    ("testkit", Any),
    ("bench", Any),
    ("xtask", Only(&[])),
];

/// Ours that nothing may use.
const UNUSED: &[&str] = &["cli", "xtask"];

/// Packages of others that only these crates may use, tests included.
const RESERVED: &[(&str, &[&str])] = &[("sqlx", &["migrations", "testkit"])];

const TABLE: &str = "the table in xtask/src/tidy/crates.rs";

/// Compares the table with what `cargo metadata --no-deps` says.
pub(super) fn check(metadata: &Value) -> Vec<Finding> {
    let root = text(metadata, "workspace_root");
    let mut findings = Vec::new();
    for package in list(metadata, "packages") {
        findings.extend(check_package(package, root));
    }
    for (name, _) in CRATES {
        if !list(metadata, "packages").iter().any(|package| text(package, "name") == *name) {
            let what = format!("no crate is called `{name}`: remove its row from {TABLE}");
            findings.push(Finding::new("Cargo.toml", 1, what));
        }
    }
    findings
}

fn check_package(package: &Value, root: &str) -> Vec<Finding> {
    let name = text(package, "name");
    let path = format!("{name}/Cargo.toml");
    let mut findings = Vec::new();
    let mut add = |what| findings.push(Finding::new(&path, 1, what));
    if text(package, "manifest_path") != format!("{root}/{path}") {
        add(format!(
            "crates lie flat at the root, in a folder of their name: move it to `{name}/`"
        ));
    }
    let Some((_, uses)) = CRATES.iter().find(|(known, _)| *known == name) else {
        add(format!("`{name}` has no row in {TABLE}: add one that says what it may use"));
        return findings;
    };
    for dependency in list(package, "dependencies") {
        let other = text(dependency, "name");
        let in_tests = text(dependency, "kind") == "dev";
        let refused = if CRATES.iter().any(|(ours, _)| *ours == other) {
            !in_tests && !may_use(uses, other) || UNUSED.contains(&other)
        } else {
            RESERVED.iter().any(|(reserved, crates)| *reserved == other && !crates.contains(&name))
        };
        if refused {
            add(format!(
                "`{name}` may not use `{other}`: do without, or argue for it in an ADR and change {TABLE}"
            ));
        }
    }
    findings
}

fn may_use(uses: &Uses, other: &str) -> bool {
    match uses {
        Only(names) => names.contains(&other),
        Any => true,
    }
}

/// A field that is text; empty if it is absent or null (a normal dependency's kind is null).
fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{CRATES, check};

    /// All crates of the table, with these dependencies (crate, kind, uses).
    fn workspace(edges: &[(&str, Option<&str>, &str)]) -> Value {
        let packages: Vec<Value> = CRATES
            .iter()
            .map(|(name, _)| {
                let dependencies: Vec<Value> = edges
                    .iter()
                    .filter(|edge| edge.0 == *name)
                    .map(|edge| json!({ "name": edge.2, "kind": edge.1 }))
                    .collect();
                let manifest = format!("/repo/{name}/Cargo.toml");
                json!({ "name": name, "manifest_path": manifest, "dependencies": dependencies })
            })
            .collect();
        json!({ "workspace_root": "/repo", "packages": packages })
    }

    #[track_caller]
    fn check_edge(from: &str, kind: Option<&str>, to: &str, allowed: bool) {
        let findings = check(&workspace(&[(from, kind, to)]));
        assert_eq!(findings.is_empty(), allowed, "{findings:?}");
    }

    #[test]
    fn the_table_decides_who_uses_whom() {
        check_edge("projector", None, "rules", true);
        check_edge("ingest", None, "rules", false);
        check_edge("ingest", None, "ledger", false);
        check_edge("ledger", None, "stripe", false);
        check_edge("store", Some("build"), "stripe", false);
        check_edge("cli", None, "private-postgres", true);
        check_edge("cli", None, "xtask", false);
    }

    #[test]
    fn the_testkit_is_for_tests_and_simulations_only() {
        check_edge("store", Some("dev"), "testkit", true);
        check_edge("cli", None, "testkit", true);
        check_edge("store", None, "testkit", false);
    }

    #[test]
    fn only_migrations_and_testkit_use_sqlx() {
        check_edge("migrations", None, "sqlx", true);
        check_edge("testkit", None, "sqlx", true);
        check_edge("store", None, "sqlx", false);
        check_edge("store", Some("dev"), "sqlx", false);
        check_edge("store", None, "tokio-postgres", true);
    }

    #[test]
    fn table_and_workspace_name_the_same_crates() {
        let package =
            json!({ "name": "wallet", "manifest_path": "/repo/crates/wallet/Cargo.toml" });
        let only_wallet = json!({ "workspace_root": "/repo", "packages": [package] });
        let said: Vec<String> = check(&only_wallet).iter().map(ToString::to_string).collect();
        assert!(
            said[0].starts_with("wallet/Cargo.toml:1: crates lie flat at the root"),
            "{said:?}"
        );
        assert!(said[1].starts_with("wallet/Cargo.toml:1: `wallet` has no row"), "{said:?}");
        assert!(said[2].starts_with("Cargo.toml:1: no crate is called `stripe`"), "{said:?}");
    }
}
