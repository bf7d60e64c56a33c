//! Lists of the service, page by page.

use clap::Args;
use serde::Deserialize;

use crate::output::say;

/// Which page of a list.
#[derive(Debug, Args)]
pub(crate) struct Page {
    /// Rows to show
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
    limit: u8,
    /// Begin after the row with this id
    #[arg(long, value_name = "ID")]
    after: Option<String>,
}

/// One page, newest first.
#[derive(Debug, Deserialize)]
pub(crate) struct List<T> {
    /// Whether there are older ones.
    has_more: bool,
    /// The rows.
    pub(crate) data: Vec<T>,
}

impl Page {
    /// The query of a request for it, beside these filters.
    pub(crate) fn query<const N: usize>(
        &self,
        filters: [(&'static str, Option<&str>); N],
    ) -> Vec<(&'static str, String)> {
        let set = filters.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned())));
        let after = self.after.clone().map(|id| ("starting_after", id));
        set.chain([("limit", self.limit.to_string())]).chain(after).collect()
    }
}

impl<T> List<T> {
    /// Tells how to see more, if there is more.
    pub(crate) fn tell_more(&self, last_id: impl Fn(&T) -> &str) {
        if let Some(last) = self.data.last().filter(|_| self.has_more) {
            say(&format!("there is more: --after {}", last_id(last)));
        }
    }
}
