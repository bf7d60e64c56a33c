//! `tally balance`: what a user has.

use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;
use store::keys::KeyRole;

use super::amount::decimal;
use super::remote::Remote;
use super::text::{fields, when};
use crate::exit::Exit;
use crate::output::Format;

/// Show what a user has
#[derive(Debug, Args)]
pub(crate) struct Balance {
    /// The user
    user: String,
    /// Kind of credit; the default one if left out
    #[arg(long)]
    unit: Option<String>,
    /// As it was at this instant, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    as_of: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct Parts {
    user: String,
    unit: String,
    scale: u8,
    available: i64,
    held: i64,
    /// Null, as the next two, for an instant that is over.
    pending: Option<i64>,
    in_review: Option<i64>,
    disputed: Option<i64>,
    debt: i64,
    expiring_next: Option<Expiry>,
}

#[derive(Debug, Deserialize)]
struct Expiry {
    amount: i64,
    at: Timestamp,
}

impl Balance {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let service = Remote::new(KeyRole::Read)?;
        let as_of = self.as_of.map(|at| ("as_of", at.to_string()));
        let query: Vec<_> = self.unit.map(|unit| ("unit", unit)).into_iter().chain(as_of).collect();
        service.get(&["users", &self.user, "balance"], &query).await?.show(format, text)?;
        Ok(Exit::Fine)
    }
}

fn text(balance: &Parts) -> String {
    let shown = |amount: i64| decimal(amount, balance.scale);
    let amount =
        |amount: i64, what: &str| (amount != 0).then(|| format!("{} {what}", shown(amount)));
    let known = |known: Option<i64>, what: &str| known.and_then(|known| amount(known, what));
    let expiring = balance.expiring_next.as_ref();
    let parts = fields([
        ("held", amount(balance.held, "by jobs under way")),
        ("pending", known(balance.pending, "come once their payment is complete")),
        ("in review", known(balance.in_review, "are paid and wait in a case")),
        ("disputed", known(balance.disputed, "are taken back while a dispute is open")),
        ("debt", amount(balance.debt, "are owed")),
        (
            "expiring",
            expiring.map(|next| format!("{} at {} UTC", shown(next.amount), when(next.at))),
        ),
    ]);
    format!("{}: {} {} available\n{parts}", balance.user, shown(balance.available), balance.unit)
}
