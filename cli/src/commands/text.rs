//! How commands write what people read: times, labelled lines, paragraphs.

use std::fmt::Write as _;

use jiff::Timestamp;

/// Width of a paragraph: what a terminal of usual size shows without wrapping it itself.
const WIDTH: usize = 100;

/// A time, to the second, in UTC.
pub(crate) fn when(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// What there is, or a dash.
pub(crate) fn or_dash(text: Option<impl ToString>) -> String {
    text.map_or_else(|| "-".to_owned(), |text| text.to_string())
}

/// Lines of a label and what it stands for; those that stand for nothing are left out.
pub(crate) fn fields(fields: impl IntoIterator<Item = (&'static str, Option<String>)>) -> String {
    let told: Vec<_> =
        fields.into_iter().filter_map(|(label, value)| Some((label, value?))).collect();
    let width = told.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    told.iter().fold(String::new(), |mut text, (label, value)| {
        let _into_a_string = writeln!(text, "  {label:width$}  {value}");
        text
    })
}

/// A paragraph that begins with `head`; its further lines stand below its first word.
pub(crate) fn paragraph(head: &str, text: &str) -> String {
    let indent = head.chars().count();
    let mut lines = Vec::new();
    let mut line = head.to_owned();
    let mut length = indent;
    for word in text.split_whitespace() {
        let word_length = word.chars().count();
        let is_first = length == indent;
        if !is_first && length.saturating_add(word_length) >= WIDTH {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            length = indent;
        } else if !is_first {
            line.push(' ');
            length = length.saturating_add(1);
        }
        line.push_str(word);
        length = length.saturating_add(word_length);
    }
    lines.push(line);
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_hangs_below_its_head() {
        let text = "word ".repeat(30);
        let shown = paragraph("10:00  ", &text);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("10:00  word word") && lines[0].len() <= WIDTH, "{shown}");
        assert!(lines[1].starts_with("       word"), "{shown}");
        assert_eq!(shown.split_whitespace().count(), 31);
    }

    #[test]
    fn a_word_that_is_too_long_stays_whole() {
        let word = "x".repeat(150);
        assert_eq!(paragraph("", &format!("a {word} b")), format!("a\n{word}\nb\n"));
    }

    #[test]
    fn labels_are_aligned_and_what_is_absent_is_left_out() {
        let shown = fields([("a", Some("1".into())), ("b", None), ("long", Some("2".into()))]);
        assert_eq!(shown, "  a     1\n  long  2\n");
    }
}
