//! One object of Stripe's API, whole: what it carries of a list is often only the beginning.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use stripe::event_type::is_id;

use super::api::Api;
use super::failure::Failure;
use super::path::Wanted;

/// Lists that objects carry. Each stands behind the object's own path as well, page by page: `/v1/invoices/in_1/lines`.
const LISTS: [&str; 3] = ["line_items", "lines", "refunds"];

/// Entries of a page, the most that Stripe gives.
const PAGE_ENTRIES: &str = "100";

/// Most pages of a list: four times what a subscription's invoice has.
const PAGES_MAX: usize = 10;

/// What Stripe answered.
pub(super) struct Pulled {
    /// The object.
    pub(super) object: Value,
    /// Its bytes: exactly those of the answer, unless a list had to be completed.
    pub(super) body: Bytes,
    /// When it was like that, by Stripe's clock, if the answer says so.
    pub(super) said_at: Option<Timestamp>,
}

/// Asks for an object. Where a list in it is cut off (`has_more`), the pages of that list are read and put in its place,
/// and the object is written anew; the same object always gives the same bytes.
pub(super) async fn pull(api: &Api, wanted: &Wanted) -> Result<Pulled, Failure> {
    let expand: Vec<_> = wanted.expand.iter().map(|part| ("expand[]", *part)).collect();
    let (mut body, said_at) = api.get(&wanted.path, &expand, wanted.account.as_deref()).await?;
    let mut object = read(&body)?;
    let says =
        |member, expected: &str| object.get(member).and_then(Value::as_str) == Some(expected);
    if !says("object", wanted.object) || !says("id", &wanted.id) {
        return Err(Failure::Unreadable);
    }
    for name in LISTS {
        let Some(list) = object.get_mut(name).filter(|list| has_more(list)) else { continue };
        let entries = entries(api, wanted, name).await?;
        if let Some(list) = list.as_object_mut() {
            list.insert("data".to_owned(), Value::Array(entries));
            list.insert("has_more".to_owned(), Value::Bool(false));
        }
        body = object.to_string().into();
    }
    Ok(Pulled { object, body, said_at })
}

/// All entries of a list.
async fn entries(api: &Api, wanted: &Wanted, list: &str) -> Result<Vec<Value>, Failure> {
    let path = format!("{}/{list}", wanted.path);
    let mut entries: Vec<Value> = Vec::new();
    let mut bytes = 0_usize;
    for _ in 0..PAGES_MAX {
        let last = entries.last().map(|entry| entry.get("id").and_then(Value::as_str));
        let mut query = vec![("limit", PAGE_ENTRIES)];
        if let Some(id) = last {
            query.push(("starting_after", id.filter(|id| is_id(id)).ok_or(Failure::Unreadable)?));
        }
        let (page, _) = api.get(&path, &query, wanted.account.as_deref()).await?;
        bytes = bytes.saturating_add(page.len());
        if bytes > api.body_bytes_max() {
            return Err(Failure::TooLarge);
        }
        let mut page = read(&page)?;
        let has_more = has_more(&page);
        match page.get_mut("data").map(Value::take) {
            Some(Value::Array(data)) if !(has_more && data.is_empty()) => entries.extend(data),
            _ => return Err(Failure::Unreadable),
        }
        if !has_more {
            return Ok(entries);
        }
    }
    Err(Failure::TooManyPages)
}

fn read(body: &[u8]) -> Result<Value, Failure> {
    stripe::json::parse(body).map_err(|_problem| Failure::Unreadable)
}

fn has_more(list: &Value) -> bool {
    list.get("has_more").and_then(Value::as_bool) == Some(true)
}
