//! What people and scripts are told: data on stdout, talk on stderr. Colour goes only to terminals, and not where
//! `NO_COLOR` asks for none.

use std::io::{self, Write as _};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde::Serialize;

/// How the answer of a command is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object, or one a line.
    Json,
}

impl Format {
    /// Writes the answer: as JSON, or as the text that `text` makes of it.
    pub(crate) fn answer<T: Serialize>(
        self,
        answer: &T,
        text: impl FnOnce(&T) -> String,
    ) -> io::Result<()> {
        match self {
            Self::Text => data(&text(answer)),
            Self::Json => data(&serde_json::to_string(answer)?),
        }
    }
}

/// Writes to stdout, with a line end.
pub(crate) fn data(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    writeln!(stdout, "{}", text.trim_end_matches('\n'))?;
    stdout.flush()
}

/// Says something on stderr. If nobody listens there, nobody misses it.
pub(crate) fn say(text: &str) {
    let _nobody_listens = writeln!(anstream::stderr().lock(), "{text}");
}

/// A table without lines, for text that is copied as often as it is read. Columns with these numbers hold numbers.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    numbers: &[usize],
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header).add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if numbers.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    // The padding of the last column is white space at the ends of lines, which copies badly.
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn a_table_has_no_white_space_at_its_ends() {
        let rows = [["ada", "5"], ["bob", "100"]].map(|row| row.map(str::to_owned));
        assert_eq!(
            table(["user", "credits"], rows, &[1]),
            "user  credits\nada         5\nbob       100\n"
        );
    }
}
