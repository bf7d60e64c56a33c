//! Ids and references to objects. A reference is the id as text, the object itself (expanded), or null.

use serde_json::Value;

use crate::json;

/// Longest id, in characters: Stripe promises no more, and ids become keys of indexes, which have a limit too.
pub const MAX_ID_CHARS: usize = 255;

/// Why a value is not a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAReference;

/// Text that can serve as an id or a label: not blank and at most [`MAX_ID_CHARS`] long.
pub(crate) fn id(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?;
    let fits = !text.trim().is_empty() && text.chars().nth(MAX_ID_CHARS).is_none();
    fits.then(|| json::text(text))
}

/// The id that a reference leads to; none for null, for an absent field and for blank text.
pub(crate) fn reference(value: Option<&Value>) -> Result<Option<String>, NotAReference> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::Object(expanded)) => id(expanded.get("id")).map(Some).ok_or(NotAReference),
        text => id(text).map(Some).ok_or(NotAReference),
    }
}
