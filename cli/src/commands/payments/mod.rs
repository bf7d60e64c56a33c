//! `tally payments`: where a payment stands, and giving a credited one to its right user.

mod shown;

use clap::{Args, Subcommand};
use serde_json::json;
use store::keys::KeyRole;

use super::remote::Remote;
use crate::exit::Exit;
use crate::output::Format;

/// Payments: where they stand, whose they are, and giving one to its right user
#[derive(Debug, Subcommand)]
pub(crate) enum Payments {
    /// Show a payment: what it is worth, whose it is and was, what moved
    Show {
        /// The payment, by any of its objects (pi_…, cs_…, ch_…, in_…)
        id: String,
    },
    /// Move a payment that is credited to the wrong user, or was written off, to the right one
    Reassign(Reassign),
}

/// Whose it really is.
#[derive(Debug, Args)]
pub(crate) struct Reassign {
    /// The payment, by any of its objects (pi_…, cs_…, ch_…, in_…)
    id: String,
    /// The user who gets the credits
    #[arg(long)]
    user: String,
    /// Why; it stays on record
    #[arg(long)]
    reason: String,
}

impl Payments {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let service = Remote::new(KeyRole::Support)?;
        match self {
            Self::Show { id } => {
                let payment = service.get(&["payments", &id], &[]).await?;
                payment.show(format, shown::payment)?;
            }
            Self::Reassign(Reassign { id, user, reason }) => {
                let body = json!({"user": user, "reason": reason});
                let payment = service.post(&["payments", &id, "reassign"], &body).await?;
                payment.show(format, shown::after)?;
            }
        }
        Ok(Exit::Fine)
    }
}
