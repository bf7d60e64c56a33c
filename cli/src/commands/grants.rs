//! `tally grants`: gives users credits.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::keys::KeyRole;

use super::remote::Remote;
use super::spend::After;
use super::text::when;
use crate::exit::Exit;
use crate::output::Format;

/// Credits that are given to users
#[derive(Debug, Subcommand)]
pub(crate) enum Grants {
    /// Give a user credits: a promotion, or what was bought outside of Stripe
    Create(Create),
}

/// To whom, how many, why.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Who gets them
    #[arg(long)]
    user: String,
    /// How many
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..))]
    amount: i64,
    /// Why; it stays on record
    #[arg(long)]
    reason: String,
    /// Kind of credit [default: the usual one]
    #[arg(long)]
    unit: Option<String>,
    /// When they end, such as 2027-01-31T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME")]
    expires_at: Option<Timestamp>,
    /// Those with the lower number are spent first
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    priority: i16,
    /// Under the same key it is done once, however often it is asked for [default: a new one]
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Granted {
    id: String,
    user: String,
    unit: String,
    amount: i64,
    expires: Option<Timestamp>,
    balance: After,
}

impl Grants {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let Self::Create(Create {
            user,
            amount,
            reason,
            unit,
            expires_at,
            priority,
            idempotency_key,
        }) = self;
        let mut body = Map::from_iter([
            ("amount".to_owned(), json!(amount)),
            ("reason".to_owned(), json!(reason)),
            ("priority".to_owned(), json!(priority)),
        ]);
        body.extend(unit.map(|unit| ("unit".to_owned(), json!(unit))));
        body.extend(expires_at.map(|at| ("expires_at".to_owned(), json!(at))));
        let service = Remote::new(KeyRole::App)?;
        let path = ["users", &user, "grants"];
        let granted = service.post_once(&path, &Value::Object(body), idempotency_key).await?;
        granted.show(format, text)?;
        Ok(Exit::Fine)
    }
}

fn text(granted: &Granted) -> String {
    let Granted { id, user, unit, amount, expires, balance } = granted;
    let until = expires.map(|at| format!(" until {} UTC", when(at))).unwrap_or_default();
    format!("{id}: {amount} {unit} for {user}{until}, {} available", balance.available)
}
