//! `tally statement`: every movement of a user's credits.

use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;
use store::keys::KeyRole;

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
    /// Kind of credit
    #[arg(long, default_value = ledger::DEFAULT_UNIT)]
    unit: String,
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
struct Cause {
    position: i64,
}

impl Statement {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let service = Remote::new(KeyRole::Read)?;
        let query = self.page.query([("unit", Some(&self.unit))]);
        service.get(&["users", &self.user, "postings"], &query).await?.show(format, text)?;
        Ok(Exit::Fine)
    }
}

fn text(postings: &List<Posting>) -> String {
    postings.tell_more(|posting| &posting.id);
    let rows = postings.data.iter().map(|posting| {
        [
            when(posting.created),
            format!("{:+}", posting.amount),
            posting.balance_after.to_string(),
            posting.contra.clone(),
            or_dash(posting.payment.as_ref()),
            or_dash(posting.cause.as_ref().map(|cause| cause.position)),
        ]
    });
    let header = ["recorded (UTC)", "amount", "balance", "against", "payment", "event at"];
    table(header, rows, &[1, 2, 5])
}
