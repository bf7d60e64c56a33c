//! The catalogue: what one of a price is worth.

use jiff::Timestamp;
use serde::Serialize;
use store::read::catalogue::Entry;

pub(crate) mod get;
pub(crate) mod put;

/// The catalogue entry object.
#[derive(Debug, Serialize)]
pub(crate) struct EntryObject {
    object: &'static str,
    /// Stripe's `price_…`.
    price: String,
    /// Purchases of this price do not concern us.
    not_ours: bool,
    /// Credits per quantity of one, in the unit's smallest part.
    credits: Option<i64>,
    unit: Option<String>,
    created: Timestamp,
    /// Position that it holds from.
    position: i64,
}

/// The entry object of `price`.
fn show(price: String, entry: Entry) -> EntryObject {
    let (credits, unit) = entry.worth.unzip();
    EntryObject {
        object: "catalogue_entry",
        price,
        not_ours: credits.is_none(),
        credits,
        unit,
        created: entry.created_at,
        position: entry.from_pos,
    }
}
