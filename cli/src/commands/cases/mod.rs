//! `tally cases`: what waits for a fact or for a person, and what staff do about it.

mod shown;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use store::keys::KeyRole;

use super::paging::Page;
use super::remote::{Remote, nothing};
use crate::exit::Exit;
use crate::output::Format;

/// What waits for a fact or for a person, and what staff do about it
#[derive(Debug, Subcommand)]
pub(crate) enum Cases {
    /// List cases, the one that was opened last first
    List(Filter),
    /// Show a case: why it waits, the evidence, the candidates, what can be done
    Show {
        /// The case (case_…)
        id: String,
    },
    /// Give the payment of a case to a user
    Assign(Assign),
    /// Close a case without credits
    Dismiss(Dismiss),
    /// Have a case decided anew, with what is known now
    Retry {
        /// The case (case_…)
        id: String,
    },
}

/// Which cases.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Open ones, closed ones, or all
    #[arg(long, value_enum, default_value_t = Status::Open)]
    status: Status,
    /// Only this reason, such as `unknown_user`
    #[arg(long)]
    reason: Option<String>,
    /// Only those whose evidence names this user
    #[arg(long)]
    user: Option<String>,
    /// Only those that this text is found in: an id of the payment or of one of its objects
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
    #[command(flatten)]
    page: Page,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Status {
    Open,
    Closed,
    All,
}

/// Whose it is.
#[derive(Debug, Args)]
pub(crate) struct Assign {
    /// The case (case_…)
    id: String,
    /// The user who gets the credits
    #[arg(long)]
    user: String,
    /// Why; it stays on record
    #[arg(long)]
    reason: String,
    /// What it is worth, where nobody knows
    #[arg(long)]
    credits: Option<i64>,
    /// Unit of these credits
    #[arg(long, requires = "credits")]
    unit: Option<String>,
}

/// Why it is nobody's.
#[derive(Debug, Args)]
pub(crate) struct Dismiss {
    /// The case (case_…)
    id: String,
    /// Why; it stays on record
    #[arg(long)]
    reason: String,
    /// Write off the credits that stand unclaimed; needs a key of role approver or admin
    #[arg(long)]
    write_off: bool,
}

impl Cases {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let service = Remote::new(self.least_role())?;
        match self {
            Self::List(filter) => {
                let cases = service.get(&["cases"], &filter.query()).await?;
                cases.show(format, shown::list)?;
            }
            Self::Show { id } => {
                service.get(&["cases", &id], &[]).await?.show(format, shown::case)?;
            }
            Self::Assign(assign) => {
                let case = service.post(&["cases", &assign.id, "assign"], &assign.body()).await?;
                case.show(format, shown::after)?;
            }
            Self::Dismiss(Dismiss { id, reason, write_off }) => {
                let body = json!({"reason": reason, "write_off": write_off});
                let case = service.post(&["cases", &id, "dismiss"], &body).await?;
                case.show(format, shown::after)?;
            }
            Self::Retry { id } => {
                let case = service.post(&["cases", &id, "retry"], &nothing()).await?;
                case.show(format, shown::after)?;
            }
        }
        Ok(Exit::Fine)
    }

    /// The least role that may.
    const fn least_role(&self) -> KeyRole {
        match self {
            Self::Dismiss(Dismiss { write_off: true, .. }) => KeyRole::Approver,
            Self::List(_)
            | Self::Show { .. }
            | Self::Assign(_)
            | Self::Dismiss(_)
            | Self::Retry { .. } => KeyRole::Support,
        }
    }
}

impl Filter {
    fn query(&self) -> Vec<(&'static str, String)> {
        let status = match self.status {
            Status::Open => Some("open"),
            Status::Closed => Some("closed"),
            Status::All => None,
        };
        self.page.query([
            ("status", status),
            ("reason", self.reason.as_deref()),
            ("user", self.user.as_deref()),
            ("q", self.q.as_deref()),
        ])
    }
}

impl Assign {
    fn body(&self) -> Value {
        let mut body = json!({"user": self.user, "reason": self.reason});
        if let Some(credits) = self.credits {
            body["credits"] = json!(credits);
        }
        if let Some(unit) = &self.unit {
            body["unit"] = json!(unit);
        }
        body
    }
}
