//! `tally statement`: every movement of a user's credits.

use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;
use store::keys::KeyRole;

use super::amount::{decimal, scale_of};
use super::paging::{List, Page};
use super::remote::Remote;
use super::text::{or_dash, when};
use crate::exit::Exit;
use crate::output::{Format, table};

/// Show every movement of a user's credits, newest first
#[derive(Debug, Args)]
pub(crate) struct Statement {
    /// The user
    user: String,
    /// Kind of credit; the default one if left out
    #[arg(long)]
    unit: Option<String>,
    /// Recorded at this time or later, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Recorded before this time
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    #[command(flatten)]
    page: Page,
}

#[derive(Debug, Deserialize)]
struct Posting {
    id: String,
    amount: i64,
    balance_after: i64,
    contra: String,
    cause: Option<Cause>,
    payment: Option<String>,
    created: Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Cause {
    Decision { position: i64, event: Option<String> },
    Command { command: String, description: Option<String>, reason: Option<String> },
}

impl Statement {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let service = Remote::new(KeyRole::Read)?;
        let (since, until) =
            (self.since.map(|at| at.to_string()), self.until.map(|at| at.to_string()));
        let query = self.page.query([
            ("unit", self.unit.as_deref()),
            ("created[gte]", since.as_deref()),
            ("created[lt]", until.as_deref()),
        ]);
        let statement = service.get(&["users", &self.user, "postings"], &query).await?;
        let scale = scale_of(&service, self.unit.as_deref()).await?;
        statement.show(format, |postings| text(postings, scale))?;
        Ok(Exit::Fine)
    }
}

impl Cause {
    fn told(&self) -> String {
        match self {
            Self::Decision { position, event: Some(event) } => {
                format!("{event} (event {position})")
            }
            Self::Decision { position, event: None } => format!("event {position}"),
            Self::Command { command, description, reason } => {
                let why = description.as_ref().or(reason.as_ref());
                why.map_or_else(|| command.clone(), |why| format!("{command}: {why}"))
            }
        }
    }
}

fn text(postings: &List<Posting>, scale: u8) -> String {
    postings.tell_more(|posting| &posting.id);
    let rows = postings.data.iter().map(|posting| {
        [
            when(posting.created),
            signed(posting.amount, scale),
            decimal(posting.balance_after, scale),
            posting.contra.clone(),
            or_dash(posting.payment.as_ref()),
            or_dash(posting.cause.as_ref().map(Cause::told)),
        ]
    });
    let header = ["recorded (UTC)", "amount", "balance", "against", "payment", "because of"];
    table(header, rows, &[1, 2])
}

/// An amount that says which way it went.
fn signed(amount: i64, scale: u8) -> String {
    let plus = if amount > 0 { "+" } else { "" };
    format!("{plus}{}", decimal(amount, scale))
}
