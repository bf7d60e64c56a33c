//! SQL stands in `store` and in the migrations, and nowhere else: one place to read what the database is asked,
//! one test that prepares all of it.

use super::rust::scan_program;
use super::{File, Finding};

/// Crates whose program may hold SQL; `testkit` makes databases and looks into them.
const MAY: &[&str] = &["store", "migrations", "testkit"];

/// Where it may stand as well, and why.
const EXCEPTIONS: &[(&str, &str)] = &[(
    "bench/src/opponents/",
    "the yardsticks: scripts that pgbench runs, and their tables; no statements of ours",
)];

/// What a statement begins with. Upper case, as all of ours are, so that an English sentence is none.
const STATEMENTS: &[&str] = &[
    "ALTER", "BEGIN", "COMMIT", "COPY", "CREATE", "DELETE", "DROP", "EXECUTE", "EXPLAIN", "GRANT",
    "INSERT", "LISTEN", "LOCK", "MERGE", "NOTIFY", "PREPARE", "REVOKE", "ROLLBACK", "SELECT",
    "SET", "TRUNCATE", "UPDATE", "VACUUM", "WITH",
];

/// Looks at the strings of a crate's program. Tests may ask the database what they like.
pub(super) fn check(file: &File) -> Vec<Finding> {
    let Some(name) = file.program() else { return Vec::new() };
    if MAY.contains(&name) || EXCEPTIONS.iter().any(|(path, _)| file.path.starts_with(path)) {
        return Vec::new();
    }
    let strings = scan_program(&file.text).strings;
    let found = strings.iter().filter(|(_, content)| is_statement(content));
    let what = "SQL outside `store`: make it a constant there, with a function that runs it";
    found.map(|(line, _)| Finding::new(&file.path, *line, what)).collect()
}

/// True if the first word, after comments, is one that statements begin with, and more follows.
fn is_statement(content: &str) -> bool {
    let is_comment = |line: &&str| line.starts_with("--") || line.is_empty();
    let Some(first) = content.lines().map(str::trim).find(|line| !is_comment(line)) else {
        return false;
    };
    let (word, after) = first.split_at(first.find([' ', ';']).unwrap_or(first.len()));
    STATEMENTS.contains(&word) && (!after.is_empty() || content.trim_end().contains('\n'))
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
    fn statements_are_found_however_they_are_written() {
        check_in("api/src/lib.rs", "//! HTTP.\nf(\"SELECT 1\");\n", &[2]);
        check_in(
            "api/src/lib.rs",
            "const A: &str = r#\"\n  -- api.a\n  UPDATE account\n\"#;",
            &[1],
        );
        check_in(
            "keeper/src/due.rs",
            "f(\"WITH due AS (\");\ng(\"BEGIN;\");\nh(\"SELECT\n 1\");",
            &[1, 2, 3],
        );
    }

    #[test]
    fn words_are_no_statements() {
        check_in("api/src/lib.rs", "f(\"Select a user\", \"SET\", \"\", \"DELETED rows\");", &[]);
        check_in("api/src/lib.rs", "// SELECT 1\n/* \"SELECT 1\" */", &[]);
    }

    #[test]
    fn store_tests_and_the_yardstick_may() {
        check_in("store/src/log.rs", "f(\"SELECT 1\");", &[]);
        check_in("api/tests/roles.rs", "f(\"SELECT 1\");", &[]);
        check_in("api/src/cases/tests.rs", "f(\"SELECT 1\");", &[]);
        check_in("api/src/lib.rs", "#[cfg(test)]\nmod tests { f(\"SELECT 1\"); }", &[]);
        check_in("bench/src/opponents/insert.rs", "f(\"INSERT INTO t\");", &[]);
        check_in("bench/src/lib.rs", "f(\"INSERT INTO t\");", &[1]);
    }
}
