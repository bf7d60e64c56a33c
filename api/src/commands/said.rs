//! What several commands are told in the same way: what for, and under which terms.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::account::Terms;
use ledger::chain::to_microseconds;
use service::problem::Problem;
use store::commands::Note;

use crate::error::invalid;
use crate::metadata;

/// Longest description, in characters.
pub(crate) const DESCRIPTION_MAX_CHARS: usize = 500;

/// What the app says of a command for its own use.
pub(super) fn note(
    description: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
) -> Result<Note, Problem> {
    let fits = |text: &String| {
        text.chars().count() <= DESCRIPTION_MAX_CHARS
            && !text.chars().any(|c| c.is_control() && c != '\n')
    };
    if description.as_ref().is_some_and(|text| !fits(text)) {
        let detail = format!("It is not at most {DESCRIPTION_MAX_CHARS} printable characters.");
        return Err(invalid("description", detail));
    }
    let metadata = metadata.unwrap_or_default();
    metadata::check(&metadata, metadata::MAX_PAIRS)?;
    Ok(Note { description, metadata })
}

/// Until when credits can be spent, and before which others; by default for ever, and at the usual turn.
pub(super) fn terms(expires_at: Option<Timestamp>, priority: Option<i16>) -> Terms {
    let expires_at = expires_at.map(to_microseconds);
    Terms { expires_at, priority: priority.unwrap_or_default() }
}
