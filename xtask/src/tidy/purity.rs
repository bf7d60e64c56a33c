//! The crates that decide are pure: what they conclude follows from what they are given, so that a rebuild concludes
//! the same. No clock, no files, no environment, no order that changes from run to run, no rounding.

use super::rust::scan_program;
use super::{File, Finding};

/// The pure crates.
const PURE: &[&str] = &["stripe", "ledger", "rules"];

/// What their programs may not name, and what to do instead.
const REFUSED: &[(&str, &str)] = &[
    ("tokio", "nothing here waits: give the value back and let a process do the waiting"),
    ("SystemTime", "take the time as a value"),
    ("Instant", "take the time as a value"),
    ("HashMap", "its order changes from run to run: use a BTreeMap"),
    ("HashSet", "its order changes from run to run: use a BTreeSet"),
    ("f32", "credits and money are integers"),
    ("f64", "credits and money are integers"),
];

/// Where one of these words must stand all the same, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "stripe/src/json/strict.rs",
    "f64",
    "serde hands over a number that is no integer as f64; every view of Stripe's objects refuses it as an amount",
)];

/// Modules of `std` that they may not name, for the same reasons.
const REFUSED_OF_STD: &[&str] = &["env", "fs", "net", "process", "thread"];

pub(super) fn check(file: &File) -> Vec<Finding> {
    if !file.program().is_some_and(|name| PURE.contains(&name)) {
        return Vec::new();
    }
    let code = scan_program(&file.text).code;
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(code.lines()) {
        for (word, instead) in REFUSED {
            let excepted = EXCEPTIONS.iter().any(|(path, w, _)| *path == file.path && w == word);
            if !excepted && words(line).any(|found| found == *word) {
                let what = format!("`{word}` in a pure crate: {instead}");
                findings.push(Finding::new(&file.path, number, what));
            }
        }
    }
    for (at, _) in code.match_indices("std::") {
        let (before, after) = code.split_at(at);
        let number = before.matches('\n').count().saturating_add(1);
        for module in named_first(after).iter().filter(|word| REFUSED_OF_STD.contains(word)) {
            let what = format!("`std::{module}` in a pure crate: take what it gives as a value");
            findings.push(Finding::new(&file.path, number, what));
        }
    }
    findings
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The words after `std::`: one, or all those of a `{…}`.
fn named_first(path: &str) -> Vec<&str> {
    let path = path.trim_start_matches("std::");
    match path.strip_prefix('{') {
        Some(group) => words(group.split(';').next().unwrap_or_default()).collect(),
        None => words(path).take(1).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, lines};
    use super::check;

    #[track_caller]
    fn check_in(path: &str, text: &str, expected: &[usize]) {
        assert_eq!(lines(&check(&file(path, text))), expected);
    }

    #[test]
    fn each_word_is_refused_in_code() {
        for word in ["tokio::spawn", "SystemTime", "Instant", "HashMap", "HashSet", "f32", "f64"] {
            check_in("rules/src/lib.rs", &format!("//! Pure.\nfn f() {{ {word} }}\n"), &[2]);
        }
    }

    #[test]
    fn modules_of_std_are_refused_however_they_are_named() {
        check_in("ledger/src/lib.rs", "//! Pure.\nlet a = std::env::var(\"A\");\n", &[2]);
        check_in("stripe/src/lib.rs", "use std::fmt;\nuse std::fs::read;\n", &[2]);
        check_in("stripe/src/lib.rs", "use std::{fmt, collections::{BTreeMap}, fs};\n", &[1]);
        check_in("stripe/src/lib.rs", "f(\nstd::fs::read(a));\n", &[2]);
        check_in("stripe/src/lib.rs", "use std::{\n    fmt,\n    env,\n};\n", &[1]);
    }

    #[test]
    fn comments_texts_tests_and_other_crates_are_left_alone() {
        check_in("rules/src/lib.rs", "//! No HashMap.\nf(\"Instant\"); // f64\n", &[]);
        check_in(
            "rules/src/lib.rs",
            "use std::fmt;\n#[cfg(test)]\nmod tests { use std::fs; }\n",
            &[],
        );
        check_in("rules/src/tests/model.rs", "use std::collections::HashMap;\n", &[]);
        check_in("rules/tests/model.rs", "use std::collections::HashMap;\n", &[]);
        check_in("store/src/lib.rs", "use std::collections::HashMap;\n", &[]);
        check_in("rules/src/lib.rs", "fn instant() -> InstantLike {}\n", &[]);
    }
}
