//! Lists as Stripe answers them: the newest first, page by page.

use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::refusal::Refusal;

/// Elements of a page unless the call says otherwise.
const LIMIT_DEFAULT: i64 = 10;

/// Most elements of a page.
const LIMIT_MAX: i64 = 100;

/// The page of `all` that the call asks for.
pub(super) fn page(call: &Call, all: &[Value]) -> Answer {
    let params = call.params();
    let limit = params.integer("limit")?.unwrap_or(LIMIT_DEFAULT);
    let limit = if (1..=LIMIT_MAX).contains(&limit) { usize::try_from(limit).ok() } else { None };
    let limit = limit.ok_or_else(|| {
        let message = format!("`limit` must be between 1 and {LIMIT_MAX}");
        Refusal::invalid("parameter_invalid_integer", message)
    })?;
    let place = |name: &str| -> Result<Option<usize>, Refusal> {
        let Some(id) = params.text(name) else { return Ok(None) };
        let place = all.iter().position(|element| element["id"] == id);
        place.map(Some).ok_or_else(|| Refusal::no_such("object", id))
    };
    let (first, last, has_more) = if let Some(before) = place("ending_before")? {
        let first = before.saturating_sub(limit);
        (first, before, first > 0)
    } else {
        let first = place("starting_after")?.map_or(0, |place| place.saturating_add(1));
        let last = first.saturating_add(limit).min(all.len());
        (first, last, last < all.len())
    };
    let data = all.get(first..last).unwrap_or_default();
    Ok(json!({ "object": "list", "data": data, "has_more": has_more, "url": call.path }))
}

/// Whether the object has what the call asks for under these names, and was made when it asks.
pub(super) fn fits(call: &Call, object: &Value, names: &[&str]) -> bool {
    let params = call.params();
    let equal = |name: &&str| params.text(name).is_none_or(|wanted| object[*name] == wanted);
    let created = object["created"].as_i64().unwrap_or_default();
    let bound = |name: &str| params.at("created").integer(name).ok().flatten();
    names.iter().all(equal)
        && bound("gt").is_none_or(|bound| created > bound)
        && bound("gte").is_none_or(|bound| created >= bound)
        && bound("lt").is_none_or(|bound| created < bound)
        && bound("lte").is_none_or(|bound| created <= bound)
}
