//! `tally doctor`: looks at everything that a service needs, and says what to do about what is wrong.

mod database;
mod endpoint;
mod machine;

use clap::Args;
use serde::Serialize;

use crate::config::{DevEnv, Settings};
use crate::exit::Exit;
use crate::output::{Format, table};

/// Check everything that a service needs, and say what to do
///
/// With --endpoint, one event that moves nothing is delivered there and stays in its log.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// A webhook endpoint to try, or the URL of the service
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
}

/// What was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// What.
    check: &'static str,
    /// How it is.
    state: State,
    /// What was seen; where that is wrong, what to do.
    detail: String,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Ok,
    /// Not wrong, but worth knowing.
    Note,
    /// Wrong.
    Wrong,
}

impl Doctor {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        // What is wrong with the configuration itself is told by this, with the name of the place.
        let settings = Settings::load(DevEnv::Read)?;
        let mut findings = machine::configuration(&settings);
        findings.extend(machine::ports(&settings).await);
        findings.extend(database::look_at(&settings).await);
        if let Some(endpoint) = &self.endpoint {
            findings.extend(endpoint::try_out(&settings, endpoint).await?);
        }
        format.answer(&findings, |findings| {
            let rows = findings
                .iter()
                .map(|one| [one.state.mark().to_owned(), one.check.to_owned(), one.detail.clone()]);
            table(["", "CHECK", "FOUND"], rows, &[])
        })?;
        let is_wrong = findings.iter().any(|finding| finding.state == State::Wrong);
        Ok(if is_wrong { Exit::Failed } else { Exit::Fine })
    }
}

impl Finding {
    fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, state: State::Ok, detail: detail.into() }
    }

    fn note(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, state: State::Note, detail: detail.into() }
    }

    fn wrong(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, state: State::Wrong, detail: detail.into() }
    }
}

impl State {
    const fn mark(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Wrong => "WRONG",
        }
    }
}
