//! Metadata, within the limits that Stripe sets to it.

use std::collections::BTreeMap;

use service::problem::Problem;

use crate::error::invalid;

/// Most pairs, as at Stripe.
pub(crate) const MAX_PAIRS: usize = 50;

/// Longest key, in characters, as at Stripe.
pub(crate) const KEY_MAX_CHARS: usize = 40;

/// Longest value, in characters, as at Stripe.
pub(crate) const VALUE_MAX_CHARS: usize = 500;

/// Refuses metadata with more pairs than these, or with a key or value that is too long.
pub(crate) fn check(metadata: &BTreeMap<String, String>, max_pairs: usize) -> Result<(), Problem> {
    if metadata.len() > max_pairs {
        return Err(invalid("metadata", format!("It has more than {max_pairs} pairs.")));
    }
    for (key, value) in metadata {
        if key.is_empty()
            || key.chars().count() > KEY_MAX_CHARS
            || key.chars().any(char::is_control)
        {
            let detail = format!("A key is not 1 to {KEY_MAX_CHARS} printable characters.");
            return Err(invalid("metadata", detail));
        }
        if value.chars().count() > VALUE_MAX_CHARS {
            let detail = format!("It is longer than {VALUE_MAX_CHARS} characters.");
            return Err(invalid(format!("metadata.{key}"), detail));
        }
    }
    Ok(())
}
