//! `tally balance`: what a user has.

use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;
use store::keys::KeyRole;

use super::remote::Remote;
use super::text::{fields, when};
use crate::exit::Exit;
use crate::output::Format;

/// Show what a user has
#[derive(Debug, Args)]
pub(crate) struct Balance {
    /// The user
    user: String,
    /// Kind of credit
    #[arg(long, default_value = ledger::DEFAULT_UNIT)]
    unit: String,
}

#[derive(Debug, Deserialize)]
struct Parts {
    user: String,
    unit: String,
    available: i64,
    held: i64,
    pending: i64,
    in_review: i64,
    disputed: i64,
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
        let path = ["users", &self.user, "balance"];
        service.get(&path, &[("unit", self.unit)]).await?.show(format, text)?;
        Ok(Exit::Fine)
    }
}

fn text(balance: &Parts) -> String {
    let amount = |amount: i64, what: &str| (amount != 0).then(|| format!("{amount} {what}"));
    let expiring = balance.expiring_next.as_ref();
    let parts = fields([
        ("held", amount(balance.held, "by jobs under way")),
        ("pending", amount(balance.pending, "come once their payment is complete")),
        ("in review", amount(balance.in_review, "are paid and wait in a case")),
        ("disputed", amount(balance.disputed, "are taken back while a dispute is open")),
        ("debt", amount(balance.debt, "are owed")),
        ("expiring", expiring.map(|next| format!("{} at {} UTC", next.amount, when(next.at)))),
    ]);
    format!("{}: {} {} available\n{parts}", balance.user, balance.available, balance.unit)
}
