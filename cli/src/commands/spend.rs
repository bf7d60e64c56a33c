//! `tally spend`: uses a user's credits.

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use store::keys::KeyRole;

use super::remote::Remote;
use crate::exit::Exit;
use crate::output::Format;

/// Use a user's credits
#[derive(Debug, Args)]
pub(crate) struct Spend {
    /// Whose
    #[arg(long)]
    user: String,
    /// How many
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..))]
    amount: i64,
    /// Kind of credit [default: the usual one]
    #[arg(long)]
    unit: Option<String>,
    /// What for; it stays on record
    #[arg(long)]
    description: Option<String>,
    /// Under the same key it is done once, however often it is asked for [default: a new one]
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Spent {
    id: String,
    user: String,
    unit: String,
    amount: i64,
    balance: After,
}

/// The account after a command.
#[derive(Debug, Deserialize)]
pub(super) struct After {
    pub(super) available: i64,
}

impl Spend {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let service = Remote::new(KeyRole::App)?;
        let mut body = json!({"amount": self.amount});
        if let Some(unit) = self.unit {
            body["unit"] = Value::from(unit);
        }
        if let Some(description) = self.description {
            body["description"] = Value::from(description);
        }
        let path = ["users", &self.user, "spends"];
        service.post_once(&path, &body, self.idempotency_key).await?.show(format, text)?;
        Ok(Exit::Fine)
    }
}

fn text(spent: &Spent) -> String {
    let Spent { id, user, unit, amount, balance } = spent;
    format!("{id}: {amount} {unit} of {user} spent, {} available", balance.available)
}
