//! What rustfmt leaves alone: white space in every kind of text, and the length of files.

use super::{File, Finding};

/// Kinds of files that people write. Fixtures are left as they are: their bytes may be signed.
const WRITTEN: &[&str] = &["rs", "md", "sql", "sh", "py", "mjs", "toml", "yml", "yaml"];

/// From here on a file is likely to be two things.
const LONG_FILE_LINES: usize = 400;

/// White space at the ends of lines, tabs, and the end of the file.
pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |line, what| findings.push(Finding::new(&file.path, line, what));
    if !is_written(file) {
        return findings;
    }
    for (number, line) in (1..).zip(file.text.split('\n')) {
        if line.ends_with([' ', '\t', '\r']) {
            add(number, "white space at the end of the line: remove it");
        }
        if line.contains('\t') {
            add(number, "a tab: use spaces");
        }
    }
    if !file.text.is_empty() && (!file.text.ends_with('\n') || file.text.ends_with("\n\n")) {
        add(file.text.lines().count(), "the file does not end with exactly one newline: let it");
    }
    findings
}

/// A warning only: some things are long.
pub(super) fn check_length(file: &File) -> Option<Finding> {
    let lines = file.text.lines().count();
    if !file.has_extension("rs") || lines <= LONG_FILE_LINES {
        return None;
    }
    let what = format!("{lines} lines, more than {LONG_FILE_LINES}: is it still one thing?");
    Some(Finding::new(&file.path, lines, what))
}

fn is_written(file: &File) -> bool {
    WRITTEN.iter().any(|extension| file.has_extension(extension))
        || matches!(file.path.as_str(), ".ci/run" | "Dockerfile")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, lines};
    use super::{LONG_FILE_LINES, check, check_length};

    #[track_caller]
    fn check_text(text: &str, expected: &[usize]) {
        assert_eq!(lines(&check(&file("README.md", text))), expected);
    }

    #[test]
    fn white_space_is_where_it_belongs() {
        check_text("one\ntwo\n", &[]);
        check_text("", &[]);
        check_text("one \ntwo\n", &[1]);
        check_text("one\r\ntwo\n", &[1]);
        check_text("one\n\ttwo\n", &[2]);
        check_text("one\ntwo", &[2]);
        check_text("one\n\n", &[2]);
    }

    #[test]
    fn fixtures_stay_as_they_are() {
        assert!(check(&file("ingest/tests/body.json", "{\t} ")).is_empty());
        assert_eq!(lines(&check(&file(".ci/run", "set -e \n"))), [1]);
    }

    #[test]
    fn a_long_file_is_asked_whether_it_is_one_thing() {
        let long = "//\n".repeat(LONG_FILE_LINES);
        assert_eq!(check_length(&file("api/src/lib.rs", &long)), None);
        let longer = format!("{long}//\n");
        assert!(check_length(&file("api/src/lib.rs", &longer)).is_some());
        assert_eq!(check_length(&file("README.md", &longer)), None);
    }
}
