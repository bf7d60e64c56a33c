//! Reads Rust far enough to tell code from comments and text. No grammar: the rules ask for words only.

/// A Rust file, taken apart.
#[derive(Debug)]
pub(super) struct Scanned {
    /// The code, line for line as in the file, with nothing in place of comments and literals.
    pub(super) code: String,
    /// Line at which each string begins, and what stands between its quotes.
    pub(super) strings: Vec<(usize, String)>,
}

/// Takes a file apart, up to the unit tests that end it: these may do what the program may not.
pub(super) fn scan_program(text: &str) -> Scanned {
    const TEST_MODULE: &str = "#[cfg(test)]\nmod ";
    let mut tests = text.match_indices(TEST_MODULE).filter(|(at, _)| {
        let declared = text.get(*at..).and_then(|rest| rest.lines().nth(1));
        declared.is_some_and(|line| line.contains('{')) // not `mod tests;`, which names another file
    });
    let end = tests.next().map_or(text.len(), |(at, _)| at);
    scan(text.get(..end).unwrap_or(text))
}

fn scan(text: &str) -> Scanned {
    let mut scanned = Scanned { code: String::new(), strings: Vec::new() };
    let mut rest = text;
    let mut line = 1_usize;
    while !rest.is_empty() {
        let token = next_token(rest);
        let (source, after) = rest.split_at(token.length());
        match token {
            Token::Code(_) => scanned.code.push_str(source),
            Token::Comment(_) | Token::Char(_) => keep_lines(source, &mut scanned.code),
            Token::String { prefix, hashes, length } => {
                let begin = prefix.saturating_add(hashes).saturating_add(1);
                let end = length.saturating_sub(hashes).saturating_sub(1);
                let content = source.get(begin..end).unwrap_or_default();
                scanned.strings.push((line, content.to_owned()));
                keep_lines(source, &mut scanned.code);
            }
        }
        line = line.saturating_add(source.matches('\n').count());
        rest = after;
    }
    scanned
}

/// A space, so that the words around it stay apart, and its line ends, so that numbers of lines stay right.
fn keep_lines(source: &str, code: &mut String) {
    code.push(' ');
    code.extend(source.chars().filter(|c| *c == '\n'));
}

/// The next piece of a file, with its length in bytes.
enum Token {
    Code(usize),
    Comment(usize),
    Char(usize),
    /// `prefix` counts the letters before the `#`s and the quote.
    String {
        prefix: usize,
        hashes: usize,
        length: usize,
    },
}

impl Token {
    fn length(&self) -> usize {
        match self {
            Self::Code(length)
            | Self::Comment(length)
            | Self::Char(length)
            | Self::String { length, .. } => *length,
        }
    }
}

fn next_token(rest: &str) -> Token {
    if rest.starts_with("//") {
        return Token::Comment(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Token::Comment(block_comment_length(rest));
    }
    if rest.starts_with('\'') {
        return char_length(rest).map_or(Token::Code(1), Token::Char);
    }
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (prefix, after) = rest.split_at(word);
    if matches!(prefix, "" | "b" | "c") && after.starts_with('"') {
        let length = word.saturating_add(string_length(after));
        return Token::String { prefix: word, hashes: 0, length };
    }
    let quoted = after.trim_start_matches('#');
    if matches!(prefix, "r" | "br" | "cr") && quoted.starts_with('"') {
        let hashes = after.len().saturating_sub(quoted.len());
        let close = format!("\"{}", "#".repeat(hashes));
        let begin = word.saturating_add(hashes).saturating_add(1);
        let length = end_after(rest, begin, &close);
        return Token::String { prefix: word, hashes, length };
    }
    Token::Code(if word > 0 { word } else { rest.chars().next().map_or(1, char::len_utf8) })
}

/// Where `close` ends when it is looked for from `begin` on; the end of the text if it is missing.
fn end_after(text: &str, begin: usize, close: &str) -> usize {
    let found = text.get(begin..).and_then(|rest| rest.find(close));
    found.map_or(text.len(), |at| begin.saturating_add(at).saturating_add(close.len()))
}

/// Length of a `"…"` with its quotes.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at.saturating_add(1),
            _ => {}
        }
    }
    text.len()
}

/// Length of a `'x'` with its quotes; none if it is a lifetime.
fn char_length(text: &str) -> Option<usize> {
    let content = text.get(1..)?;
    if content.starts_with('\\') {
        // What is escaped may be a quote itself.
        return Some(end_after(text, 3, "'"));
    }
    let first = content.chars().next()?.len_utf8();
    content.get(first..)?.starts_with('\'').then_some(first.saturating_add(2))
}

/// Length of a `/* … */`, comments inside it counted.
fn block_comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let step = if rest.starts_with("/*") {
            depth = depth.saturating_add(1);
            2
        } else if rest.starts_with("*/") {
            depth = depth.saturating_sub(1);
            2
        } else {
            rest.chars().next().map_or(1, char::len_utf8)
        };
        at = at.saturating_add(step);
        if depth == 0 {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{scan, scan_program};

    #[track_caller]
    fn check(text: &str, code: &str, strings: &[(usize, &str)]) {
        let scanned = scan(text);
        assert_eq!(scanned.code, code);
        let found: Vec<_> = scanned.strings.iter().map(|(line, s)| (*line, s.as_str())).collect();
        assert_eq!(found, strings);
    }

    #[test]
    fn comments_are_no_code() {
        check("a(); // it's \"b\"\nc();", "a();  \nc();", &[]);
        check("a /* b /* c */\n d */ e", "a  \n e", &[]);
        check("/// doc\nfn a() {}", " \nfn a() {}", &[]);
    }

    #[test]
    fn strings_are_collected_with_their_line() {
        check("a(\"b\")", "a( )", &[(1, "b")]);
        check("\na(\"b\\\"c\n\\\\\", \"d\")", "\na( \n,  )", &[(2, "b\\\"c\n\\\\"), (3, "d")]);
        check("(b\"x\", c\"y\")", "( ,  )", &[(1, "x"), (1, "y")]);
        check("r\"a\\\" br#\"b\"c\"# r#type", "    r#type", &[(1, "a\\"), (1, "b\"c")]);
    }

    #[test]
    fn a_quote_of_one_character_opens_no_string() {
        check("f('\"', '\\'', 'é', b'\"')", "f( ,  ,  , b )", &[]);
        check("fn f<'a>(x: &'a str) -> &'static str", "fn f<'a>(x: &'a str) -> &'static str", &[]);
    }

    #[test]
    fn what_does_not_end_ends_with_the_file() {
        check("a \"b", "a  ", &[(1, "")]);
        check("a /* b", "a  ", &[]);
    }

    #[test]
    fn unit_tests_are_no_program() {
        let scanned = scan_program("fn a() {}\n#[cfg(test)]\nmod tests {\n    \"b\";\n}\n");
        assert_eq!(scanned.code, "fn a() {}\n");
        assert_eq!(scan_program("#[cfg(test)]\nmod tests;\n\"b\"").strings.len(), 1);
        assert!(scanned.strings.is_empty());
    }
}
