//! Lists as clients of Stripe's API know them.

use schemars::JsonSchema;
use serde::Serialize;
use store::read::page::Found;

/// One page, newest first.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "{T}List")]
pub(crate) struct List<T> {
    #[schemars(extend("const" = "list"))]
    object: &'static str,
    url: String,
    has_more: bool,
    data: Vec<T>,
}

impl<T> List<T> {
    /// The page that was found at `url`, each row shown by `show`.
    pub(crate) fn new<R>(
        url: impl Into<String>,
        found: Found<R>,
        show: impl FnMut(R) -> T,
    ) -> Self {
        let data = found.rows.into_iter().map(show).collect();
        Self { object: "list", url: url.into(), has_more: found.has_more, data }
    }
}
