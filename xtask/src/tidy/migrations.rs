//! The schema is documentation: every table says who writes it, every table and column what it is.

use super::{File, Finding};

const FOLDER: &str = "migrations/sql/";

/// Checks all migrations together, since a later one may comment what an earlier one made.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let migrations: Vec<Migration> =
        files.iter().filter(|file| file.path.starts_with(FOLDER)).map(Migration::read).collect();
    let commented = |what: &str| migrations.iter().any(|m| m.comments.iter().any(|c| c == what));
    let mut findings = Vec::new();
    for migration in &migrations {
        for made in &migration.made {
            if !commented(&made.comment) {
                let what = format!("say what it is: COMMENT ON {} IS '…';", made.comment);
                findings.push(Finding::new(migration.path, made.line, what));
            }
            if made.is_table && !made.has_writers {
                let what = "say who writes the table in a line `-- writers: …` right above it";
                findings.push(Finding::new(migration.path, made.line, what));
            }
        }
    }
    findings
}

/// What a migration makes, and what it comments.
struct Migration<'a> {
    path: &'a str,
    made: Vec<Made>,
    /// What stands between `COMMENT ON` and `IS`.
    comments: Vec<String>,
}

/// A table or a column.
struct Made {
    line: usize,
    /// `TABLE t` or `COLUMN t.c`.
    comment: String,
    is_table: bool,
    /// For a table: the comment above it names its writers.
    has_writers: bool,
}

impl<'a> Migration<'a> {
    fn read(file: &'a File) -> Self {
        let text = blank(&file.text);
        let mut migration = Migration { path: &file.path, made: Vec::new(), comments: Vec::new() };
        for (at, statement) in split_with_offset(&text, ';') {
            let begin = at.saturating_add(leading_space(statement));
            let words: Vec<&str> = statement.split_whitespace().collect();
            match words.as_slice() {
                ["CREATE", "TABLE", "IF", "NOT", "EXISTS", name, ..]
                | ["CREATE", "TABLE", name, ..] => {
                    let name = name.split('(').next().unwrap_or_default();
                    migration.made.push(Made {
                        line: line_at(&text, begin),
                        comment: format!("TABLE {name}"),
                        is_table: true,
                        has_writers: names_writers(file.text.get(..begin).unwrap_or_default()),
                    });
                    migration.add_columns(&text, at, statement, name);
                }
                ["ALTER", "TABLE", name, rest @ ..] => {
                    migration.add_added(name, rest, line_at(&text, begin));
                }
                ["COMMENT", "ON", kind, name, "IS", comment, ..] if *comment != "''" => {
                    migration.comments.push(format!("{kind} {name}"));
                }
                _ => {}
            }
        }
        migration
    }

    /// The columns in the brackets of a CREATE TABLE that begins at `at`.
    fn add_columns(&mut self, text: &str, at: usize, statement: &str, table: &str) {
        let Some((head, rest)) = statement.split_once('(') else { return };
        let mut position = at.saturating_add(head.len()).saturating_add(1);
        let mut depth = 0_usize;
        let pieces = rest.split_inclusive(|c| {
            match c {
                '(' => depth = depth.saturating_add(1),
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        });
        for piece in pieces {
            let line = line_at(text, position.saturating_add(leading_space(piece)));
            self.add_column(table, piece.split_whitespace().next(), line);
            position = position.saturating_add(piece.len());
        }
    }

    /// The columns of an ALTER TABLE … ADD COLUMN.
    fn add_added(&mut self, table: &str, words: &[&str], line: usize) {
        for (at, _) in words.windows(2).enumerate().filter(|(_, pair)| *pair == ["ADD", "COLUMN"]) {
            let after = words.iter().skip(at).skip(2);
            let name = after.copied().find(|word| !matches!(*word, "IF" | "NOT" | "EXISTS"));
            self.add_column(table, name, line);
        }
    }

    fn add_column(&mut self, table: &str, first_word: Option<&str>, line: usize) {
        const NOT_COLUMNS: &[&str] =
            &["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "LIKE"];
        let Some(name) = first_word.filter(|word| !NOT_COLUMNS.contains(word)) else { return };
        let comment = format!("COLUMN {table}.{name}");
        self.made.push(Made { line, comment, is_table: false, has_writers: false });
    }
}

/// True if the comment that ends `above` has a line that names writers.
fn names_writers(above: &str) -> bool {
    let comment =
        above.trim_end().lines().rev().take_while(|line| line.trim_start().starts_with("--"));
    let mut named = comment.filter_map(|line| line.trim_start().strip_prefix("-- writers: "));
    named.any(|writers| !writers.trim().is_empty())
}

/// The text with spaces for comments and for what stands in quotes, each byte in its place.
fn blank(text: &str) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (open, close) = if rest.starts_with("--") {
            ("", "\n")
        } else if rest.starts_with("/*") {
            ("", "*/")
        } else if let Some(tag) = dollar_tag(rest) {
            (tag, tag)
        } else if first == '\'' {
            ("'", "'")
        } else {
            blanked.push(first);
            rest = rest.split_at(first.len_utf8()).1;
            continue;
        };
        let inside = rest.get(open.len()..).unwrap_or_default();
        let length = inside.find(close).unwrap_or(inside.len());
        let (content, after) = inside.split_at(length);
        blanked.push_str(open);
        blanked.extend(content.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        blanked.push_str(close.get(..close.len().min(after.len())).unwrap_or_default());
        rest = after.get(close.len()..).unwrap_or_default();
    }
    blanked
}

/// The `$$` or `$tag$` that a text begins with.
fn dollar_tag(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let length = name.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    name.get(length..)?.starts_with('$').then(|| text.get(..length.saturating_add(2)))?
}

fn split_with_offset(text: &str, at: char) -> Vec<(usize, &str)> {
    let mut offset = 0_usize;
    let mut pieces = Vec::new();
    for piece in text.split_inclusive(at) {
        pieces.push((offset, piece.trim_end_matches(at)));
        offset = offset.saturating_add(piece.len());
    }
    pieces
}

fn leading_space(text: &str) -> usize {
    text.len().saturating_sub(text.trim_start().len())
}

fn line_at(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    before.matches('\n').count().saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, lines};
    use super::check;

    const TABLE: &str = "\
-- Why there are sticks; not for long.
-- writers: projector
CREATE TABLE stick (
    id   int NOT NULL, -- it's the key
    size numeric(4, 2) NOT NULL DEFAULT 1 CONSTRAINT stick_size CHECK (size IN (1, 2)),
    CONSTRAINT stick_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE stick IS 'Sticks; the owner''s half, with (brackets';
COMMENT ON COLUMN stick.id IS 'Number.';
COMMENT ON COLUMN stick.size IS 'In metres.';
";

    #[track_caller]
    fn check_text(text: &str, expected: &[usize]) {
        let findings = check(&[file("migrations/sql/20261121000001_sticks.sql", text)]);
        assert_eq!(lines(&findings), expected, "{findings:?}");
    }

    #[test]
    fn a_table_that_says_everything_is_tidy() {
        check_text(TABLE, &[]);
        check_text("DO $$ BEGIN CREATE TABLE hidden (id int); END $$;\n", &[]);
        check_text(
            "/* CREATE TABLE hidden (id int); */ SELECT 'CREATE TABLE hidden (id int);';\n",
            &[],
        );
        assert!(check(&[file("store/tests/tables.sql", "CREATE TABLE t (id int);\n")]).is_empty());
    }

    #[test]
    fn every_table_and_column_has_a_comment() {
        check_text(&TABLE.replace("COMMENT ON TABLE stick", "COMMENT ON TABLE stock"), &[3]);
        check_text(&TABLE.replace("stick.id IS", "stick.no IS"), &[4]);
        check_text(&TABLE.replace("'In metres.'", "''"), &[5]);
    }

    #[test]
    fn every_table_names_its_writers() {
        check_text(&TABLE.replace("-- writers: projector\n", ""), &[2]);
        check_text(&TABLE.replace("writers: projector", "writers: "), &[3]);
        check_text(&TABLE.replace("projector\n", "projector\n\n"), &[]);
        let apart = TABLE.replace("projector\n", "projector\nSELECT 1;\n");
        check_text(&apart, &[4]);
    }

    #[test]
    fn a_column_that_is_added_later_has_a_comment_as_well() {
        let bare = "\nALTER TABLE stick\n    ADD COLUMN IF NOT EXISTS wood text;\n";
        check_text(&format!("{TABLE}{bare}"), &[12]);
        let comment = "COMMENT ON COLUMN stick.wood IS 'Kind of tree.';\n";
        check_text(&format!("{TABLE}{bare}{comment}"), &[]);
    }
}
