//! `tally users import`: many users, some at a time. A line that is refused does not keep the others out.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use anyhow::Context as _;
use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use crate::commands::remote::{Remote, concerns_one_request};

/// Registrations under way at a time. The service batches what waits together, so more would only queue there.
const AT_A_TIME: usize = 32;

/// Refused lines that are told of; where there are more, these suffice to begin with.
const REFUSED_MAX: usize = 100;

/// What became of a file.
#[derive(Debug, Default, Serialize)]
pub(super) struct Imported {
    /// Users that are registered now as their line says.
    registered: u64,
    /// Lines that were refused.
    pub(super) failed: u64,
    /// Which, in the order of their numbers.
    errors: Vec<Refused>,
}

/// A line that was refused.
#[derive(Debug, Serialize)]
struct Refused {
    /// Its number, from 1.
    line: u64,
    /// Why.
    error: String,
}

/// A line, with its number from 1.
type Line = (u64, io::Result<String>);

/// Imports a file, or stdin if it is `-`.
pub(super) async fn import(service: Remote, file: &Path) -> anyhow::Result<Imported> {
    let doing = || format!("reading {}", file.display());
    let reader: Box<dyn BufRead + Send> = if file == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(file).with_context(doing)?))
    };
    let (sender, receiver) = mpsc::channel(AT_A_TIME);
    let reading = tokio::task::spawn_blocking(move || send_lines(reader, &sender));
    let lines = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|line| (line, receiver))
    });
    let service = &service;
    let mut puts = lines
        .map(|(number, line)| async move { (number, put(service, line).await) })
        .buffer_unordered(AT_A_TIME)
        .boxed();
    let mut imported = Imported::default();
    while let Some((number, put)) = puts.next().await {
        match put {
            Ok(()) => imported.registered = imported.registered.saturating_add(1),
            Err(error) if error.is::<NotAUser>() || concerns_one_request(&error) => {
                imported.refused(number, &error);
            }
            Err(error) => return Err(error.context(format!("line {number} of {}", file.display()))),
        }
    }
    reading.await.with_context(doing)?;
    imported.errors.sort_by_key(|refused| refused.line);
    Ok(imported)
}

/// Sends the lines on, without those that are blank, until nobody takes them any more.
fn send_lines(reader: impl BufRead, sender: &mpsc::Sender<Line>) {
    for (number, line) in (1..).zip(reader.lines()) {
        let is_blank = line.as_ref().is_ok_and(|line| line.trim().is_empty());
        let is_broken = line.is_err();
        if !is_blank && (sender.blocking_send((number, line)).is_err() || is_broken) {
            return;
        }
    }
}

async fn put(service: &Remote, line: io::Result<String>) -> anyhow::Result<()> {
    let (id, body) = user(&line.context("reading it")?)?;
    service.put(&["users", &id], &Value::Object(body)).await.map(drop)
}

/// The id that a line names, and what it says of the user; whether that can be is judged by the service.
fn user(line: &str) -> Result<(String, Map<String, Value>), NotAUser> {
    let mut members: Map<String, Value> =
        serde_json::from_str(line).map_err(|error| NotAUser(error.to_string()))?;
    match members.remove("id") {
        Some(Value::String(id)) => Ok((id, members)),
        Some(Value::Number(id)) => Ok((id.to_string(), members)),
        Some(_) => Err(NotAUser("its id is neither a text nor a number".to_owned())),
        None => Err(NotAUser("it has no id".to_owned())),
    }
}

/// A line that describes no user.
#[derive(Debug, thiserror::Error)]
#[error("it is no JSON object that describes a user: {0}")]
struct NotAUser(String);

impl Imported {
    fn refused(&mut self, line: u64, error: &anyhow::Error) {
        self.failed = self.failed.saturating_add(1);
        if self.errors.len() < REFUSED_MAX {
            self.errors.push(Refused { line, error: format!("{error:#}") });
        }
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let errors = self.errors.iter().map(|one| format!("line {}: {}\n", one.line, one.error));
        let counts = format!("{} users registered, {} lines refused", self.registered, self.failed);
        errors.chain([counts]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_a_user_and_describes_him() {
        let (id, body) = user(r#"{"id": "u_1", "email": null, "name": "Ada"}"#).unwrap();
        assert_eq!(id, "u_1");
        assert_eq!(Value::from(body).to_string(), r#"{"email":null,"name":"Ada"}"#);
        assert_eq!(user(r#"{"id": 7}"#).unwrap().0, "7");
        for line in ["", "u_1,ada@example.com", "[]", "{}", r#"{"id": null}"#, r#"{"id": "a"} x"#] {
            assert!(user(line).is_err(), "{line}");
        }
    }

    #[test]
    fn blank_lines_are_counted_and_left_out() {
        let (sender, mut receiver) = mpsc::channel(8);
        send_lines(&b"a\n\n  \nb"[..], &sender);
        drop(sender);
        let sent = std::iter::from_fn(|| receiver.blocking_recv());
        let sent: Vec<_> = sent.map(|(number, line)| (number, line.unwrap())).collect();
        assert_eq!(sent, [(1, "a".to_owned()), (4, "b".to_owned())]);
    }
}
