//! The "UUID scan": values that look like a user's id, wherever they stand. Somebody's guess, so never more than a
//! candidate for a person to look at.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Found;
use crate::json;

/// Most values that are reported of one object: more would not help whoever has to choose.
pub const MAX_ID_SHAPED: usize = 16;

/// Longest path that is followed, in bytes: a value that is buried deeper is nobody's user id.
const MAX_PATH_BYTES: usize = 256;

/// Lengths of the groups of hexadecimal digits in a UUID.
const UUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// All texts in the object that are a UUID in its usual form, in either case, with their paths; the first
/// [`MAX_ID_SHAPED`] in the order of the keys.
pub fn id_shaped_values(object: &Value) -> BTreeSet<Found> {
    let mut found = BTreeSet::new();
    visit(object, &mut String::new(), &mut found);
    found
}

/// Goes no deeper than the parser lets a document be.
fn visit(value: &Value, path: &mut String, found: &mut BTreeSet<Found>) {
    if found.len() >= MAX_ID_SHAPED {
        return;
    }
    match value {
        Value::String(text) => {
            if is_uuid(text.trim()) {
                found.insert(Found { path: path.clone(), value: text.trim().to_owned() });
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                descend(&index.to_string(), item, path, found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                descend(name, field, path, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn descend(step: &str, value: &Value, path: &mut String, found: &mut BTreeSet<Found>) {
    let parent_length = path.len();
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(&json::text(step));
    if path.len() <= MAX_PATH_BYTES {
        visit(value, path, found);
    }
    path.truncate(parent_length);
}

fn is_uuid(text: &str) -> bool {
    let groups = text.split('-');
    groups.clone().map(str::len).eq(UUID_GROUPS)
        && groups.flat_map(str::bytes).all(|byte| byte.is_ascii_hexdigit())
}
