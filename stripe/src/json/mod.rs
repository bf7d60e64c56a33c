//! The one way in which bytes become JSON here.
//!
//! Strict, because money hangs on it: a key that stands twice in one object is read as its first value by some and as
//! its last by others, so it is refused; so are trailing bytes, invalid UTF-8, nesting beyond `serde_json`'s limit
//! (127 levels) and numbers that fit no 64 bits. What is refused is still stored; a person looks at it.

mod strict;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::de::DeserializeSeed;
use serde_json::Value;

pub(crate) use strict::Keep;
use strict::Strict;

/// Why bytes are not JSON that we read, and where. Says nothing of what the bytes hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at line {line}, column {column}")]
pub struct JsonProblem {
    /// What is wrong.
    pub kind: JsonProblemKind,
    /// Line where it was noticed, from 1.
    pub line: usize,
    /// Byte of that line where it was noticed; 0 stands before its first.
    pub column: usize,
}

/// What can be wrong with bytes that should be JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonProblemKind {
    /// Not JSON: bad syntax, cut off, something behind the end, invalid UTF-8, half a surrogate pair.
    MalformedJson,
    /// A key stands twice in one object.
    DuplicateKey,
    /// Nested more than 127 levels deep.
    TooDeep,
    /// A number beyond every 64-bit type.
    Number,
}

impl JsonProblemKind {
    /// Stable name for records.
    pub fn name(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::DuplicateKey => "duplicate_key",
            Self::TooDeep => "too_deep",
            Self::Number => "number",
        }
    }
}

impl fmt::Display for JsonProblemKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Reads one JSON document, all of it.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonProblem> {
    parse_keeping(bytes, &Keep::All)
}

/// Checks the document just as [`parse`] does, but builds only what `keep` names.
pub(crate) fn parse_keeping(bytes: &[u8], keep: &'static Keep) -> Result<Value, JsonProblem> {
    // Text that is known to be UTF-8 as a whole needs no look at each of its pieces; of the rest is told where it is not.
    let value = match str::from_utf8(bytes) {
        Ok(text) => read(serde_json::Deserializer::from_str(text), keep),
        Err(_) => read(serde_json::Deserializer::from_slice(bytes), keep),
    };
    value.map_err(|error| problem(&error))
}

fn read<'de, R: serde_json::de::Read<'de>>(
    mut deserializer: serde_json::Deserializer<R>,
    keep: &'static Keep,
) -> serde_json::Result<Value> {
    let value = Strict { keep, keys: &mut Vec::new() }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Text as it leaves this crate: Postgres has no NUL in text, and refuses even `\u0000` in jsonb.
pub fn text(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// `serde_json` tells kinds of errors apart only in their text; a test holds it to these beginnings. Nothing from the
/// document ever stands in the text of an error that [`Strict`] can meet.
fn problem(error: &serde_json::Error) -> JsonProblem {
    let text = error.to_string();
    let kind = if text.starts_with(strict::DUPLICATE_KEY) {
        JsonProblemKind::DuplicateKey
    } else if text.starts_with("recursion limit exceeded") {
        JsonProblemKind::TooDeep
    } else if text.starts_with("number out of range") {
        JsonProblemKind::Number
    } else {
        JsonProblemKind::MalformedJson
    };
    JsonProblem { kind, line: error.line(), column: error.column() }
}
