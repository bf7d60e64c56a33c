//! `tally import`: opening balances, and payments that another system credited. Each line is imported once, however often
//! the file is. A line that is refused does not keep the others out.

mod line;
mod report;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;
use store::keys::KeyRole;
use tokio::sync::mpsc;

use self::line::{Line, Wrong};
use self::report::{Outcome, Report};
use super::remote::{Remote, concerns_one_request, is_not_found, may_succeed_later};
use crate::exit::Exit;
use crate::output::Format;

/// Requests under way at a time: enough that the service can carry them out together, and few beside what others ask.
const AT_A_TIME: usize = 32;

/// How often a line is tried while the service is not up to it.
const TRIES: u32 = 6;

/// First pause before a line is tried again; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(500);

/// Bring opening balances, and payments that another system credited, over from there
///
/// One JSON object a line, either of
/// {"type": "balance", "user": …, "amount": …, "reference": …, "unit"?: …, "expires_at"?: …, "priority"?: …} and
/// {"type": "payment", "payment": "pi_…", "user": …, "credits": …, "unit"?: …, "reversed"?: …, "paid"?: …, "currency"?: …, "paid_at"?: …}.
/// What was imported before stays as it is, so a file can be imported again. Ends with 3 if lines cannot be imported.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file, or - for stdin
    file: PathBuf,
    /// Say what would be imported, and what is wrong with which line; write nothing
    #[arg(long)]
    dry_run: bool,
}

/// A line with its number from 1, or what is wrong with it. Reading may fail at the last of them.
type Numbered = (u64, io::Result<Result<Line, Wrong>>);

impl Import {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let service = Remote::new(KeyRole::Admin)?;
        let report = import(&service, &self.file, self.dry_run).await?;
        format.answer(&report, Report::text)?;
        Ok(if report.failed == 0 { Exit::Fine } else { Exit::Differences })
    }
}

async fn import(service: &Remote, file: &Path, dry_run: bool) -> anyhow::Result<Report> {
    let doing = || format!("reading {}", file.display());
    let reader: Box<dyn BufRead + Send> = if file == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(file).with_context(doing)?))
    };
    let (sender, receiver) = mpsc::channel(AT_A_TIME);
    let reading = tokio::task::spawn_blocking(move || read(reader, &sender));
    let lines = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|line| (line, receiver))
    });
    let tried = lines.map(|(number, line): Numbered| async move {
        let line = line.with_context(|| format!("reading line {number}"))?;
        let tried = match line {
            Ok(line) => import_line(service, line, dry_run).await,
            Err(wrong) => Ok(Err(wrong.to_string())),
        };
        tried.map(|tried| (number, tried)).with_context(|| {
            format!("importing line {number}; what was imported is there, and the file can be imported again")
        })
    });
    let mut tried = std::pin::pin!(tried.buffer_unordered(AT_A_TIME));
    let mut report = Report::new(dry_run);
    while let Some(tried) = tried.next().await {
        match tried? {
            (_, Ok((line, outcome))) => report.add(&line, outcome),
            (number, Err(error)) => report.refuse(number, error),
        }
    }
    reading.await.with_context(doing)?;
    Ok(report)
}

/// Reads the lines, without those that are blank, until nobody takes them any more.
fn read(reader: impl BufRead, sender: &mpsc::Sender<Numbered>) {
    let mut names = HashSet::new();
    for (number, text) in (1..).zip(reader.lines()) {
        if text.as_ref().is_ok_and(|text| text.trim().is_empty()) {
            continue;
        }
        let is_broken = text.is_err();
        let line = text.map(|text| {
            let line = Line::read(&text)?;
            let name = line.name();
            if names.insert(name.clone()) { Ok(line) } else { Err(Wrong::Repeated(name)) }
        });
        if sender.blocking_send((number, line)).is_err() || is_broken {
            break;
        }
    }
}

/// Imports a line, or asks what would become of it; why it was refused, if it was.
async fn import_line(
    service: &Remote,
    line: Line,
    dry_run: bool,
) -> anyhow::Result<Result<(Line, Outcome), String>> {
    let (mut tries, mut pause) = (1, PAUSE);
    loop {
        let tried = if dry_run { ask(service, &line).await } else { make(service, &line).await };
        match tried {
            // What an earlier try did, whose answer nobody had, was not there before.
            Ok(Outcome::Already) if tries > 1 => return Ok(Ok((line, Outcome::Imported))),
            Ok(outcome) => return Ok(Ok((line, outcome))),
            Err(error) if may_succeed_later(&error) && tries < TRIES => {
                tokio::time::sleep(pause).await;
                (tries, pause) = (tries.saturating_add(1), pause.saturating_mul(2));
            }
            Err(error) if concerns_one_request(&error) => return Ok(Err(format!("{error:#}"))),
            Err(error) => return Err(error),
        }
    }
}

/// Imports a line.
async fn make(service: &Remote, line: &Line) -> anyhow::Result<Outcome> {
    let was_there = match line {
        Line::Balance(balance) => {
            let (path, key) = (["users", line.user(), "grants"], balance.idempotency_key());
            service.make(&path, &balance.body(), Some(&key)).await?
        }
        Line::Payment(payment) => {
            let body = serde_json::to_value(payment).context("writing a payment as JSON")?;
            service.make(&["payments", &payment.id, "import"], &body, None).await?
        }
    };
    Ok(if was_there { Outcome::Already } else { Outcome::Imported })
}

/// Asks what would become of a line: whether its user is known, and what is known of its payment.
async fn ask(service: &Remote, line: &Line) -> anyhow::Result<Outcome> {
    service.get(&["users", line.user()], &[]).await?;
    let Line::Payment(payment) = line else { return Ok(Outcome::Imported) };
    match service.get(&["payments", &payment.id], &[]).await {
        Ok(answer) => {
            let known: Value = answer.read()?;
            let imports = known.pointer("/facts/imports").and_then(Value::as_object);
            let is_there = imports.is_some_and(|imports| imports.contains_key(&payment.id));
            Ok(if is_there { Outcome::Already } else { Outcome::Told })
        }
        Err(error) if is_not_found(&error) => Ok(Outcome::Imported),
        Err(error) => Err(error),
    }
}
