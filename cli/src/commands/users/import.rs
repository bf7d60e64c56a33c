//! `tally users import`: many users, some at a time. A line that is refused does not keep the others out.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use anyhow::Context as _;
use futures_util::stream::{self, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::commands::remote::{Remote, concerns_one_request};

/// Requests under way at a time. The service answers each once its users are decided, so this many keep it busy, and no more
/// stands in its queue before what others do meanwhile.
const AT_A_TIME: usize = 4;

/// Most lines of one request: fewer than the service takes, so that what is under way together is not much.
const PAGE_LINES_MAX: usize = 128;

/// Lines of one request once they have so many bytes together; a longer line goes alone.
const PAGE_BYTES_MAX: usize = 128 * 1024;

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

/// Lines, each with its number from 1. Reading may fail at the last of them.
type Page = Vec<(u64, io::Result<String>)>;

/// What the service answers.
#[derive(Deserialize)]
struct Answered {
    data: Vec<AnsweredUser>,
}

/// What became of one user.
#[derive(Deserialize)]
struct AnsweredUser {
    error: Option<Problem>,
}

/// Why a user was refused.
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: Option<String>,
    param: Option<String>,
}

/// Imports a file, or stdin if it is `-`.
pub(super) async fn import(service: Remote, file: &Path) -> anyhow::Result<Imported> {
    let doing = || format!("reading {}", file.display());
    let reader: Box<dyn BufRead + Send> = if file == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(file).with_context(doing)?))
    };
    let (sender, receiver) = mpsc::channel(AT_A_TIME);
    let reading = tokio::task::spawn_blocking(move || send_pages(reader, &sender));
    let pages = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|page| (page, receiver))
    });
    let service = &service;
    let mut posts = pages.map(|page| post(service, page)).buffer_unordered(AT_A_TIME).boxed();
    let mut imported = Imported::default();
    while let Some(posted) = posts.next().await {
        imported.add(posted.with_context(|| format!("importing {}", file.display()))?);
    }
    reading.await.with_context(doing)?;
    imported.errors.sort_by_key(|refused| refused.line);
    Ok(imported)
}

/// Sends the lines on, without those that are blank, until nobody takes them any more.
fn send_pages(reader: impl BufRead, sender: &mpsc::Sender<Page>) {
    let mut page = Page::new();
    let mut bytes = 0_usize;
    for (number, line) in (1..).zip(reader.lines()) {
        if line.as_ref().is_ok_and(|line| line.trim().is_empty()) {
            continue;
        }
        let is_broken = line.is_err();
        let size = line.as_ref().map_or(0, String::len);
        let is_full = page.len() >= PAGE_LINES_MAX || bytes.saturating_add(size) > PAGE_BYTES_MAX;
        if is_full && !page.is_empty() {
            bytes = 0;
            if sender.blocking_send(std::mem::take(&mut page)).is_err() {
                return;
            }
        }
        bytes = bytes.saturating_add(size);
        page.push((number, line));
        if is_broken {
            break;
        }
    }
    if !page.is_empty() {
        // Whoever took the pages may have failed; then nobody needs this one.
        let _ = sender.blocking_send(page);
    }
}

/// Registers the users of a page; its lines that were refused, and how many were not.
async fn post(service: &Remote, page: Page) -> anyhow::Result<(u64, Vec<Refused>)> {
    let mut refused = Vec::new();
    let mut users = Vec::new();
    let mut lines = Vec::new();
    for (line, text) in page {
        match user(&text.with_context(|| format!("reading line {line}"))?) {
            Ok(user) => {
                users.push(user);
                lines.push(line);
            }
            Err(error) => refused.push(Refused { line, error: error.to_string() }),
        }
    }
    if users.is_empty() {
        return Ok((0, refused));
    }
    let answer = match service.post(&["users"], &json!({ "users": users })).await {
        Ok(answer) => answer.read::<Answered>()?,
        Err(error) if concerns_one_request(&error) => {
            let of_line = |line| Refused { line, error: format!("{error:#}") };
            refused.extend(lines.into_iter().map(of_line));
            return Ok((0, refused));
        }
        Err(error) => return Err(error),
    };
    let mut registered = 0_u64;
    for (line, user) in lines.into_iter().zip(answer.data) {
        match user.error {
            None => registered = registered.saturating_add(1),
            Some(problem) => refused.push(Refused { line, error: problem.text() }),
        }
    }
    Ok((registered, refused))
}

impl Problem {
    fn text(self) -> String {
        let about = self.param.map(|param| format!("{param}: ")).unwrap_or_default();
        format!("{about}{} ({})", self.detail.unwrap_or_default(), self.code)
    }
}

/// The user that a line describes, his id as text; whether that can be is judged by the service.
fn user(line: &str) -> Result<Map<String, Value>, NotAUser> {
    let mut members: Map<String, Value> =
        serde_json::from_str(line).map_err(|error| NotAUser(error.to_string()))?;
    let id = match members.get("id") {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        Some(_) => return Err(NotAUser("its id is neither a text nor a number".to_owned())),
        None => return Err(NotAUser("it has no id".to_owned())),
    };
    members.insert("id".to_owned(), Value::String(id));
    Ok(members)
}

/// A line that describes no user.
#[derive(Debug, thiserror::Error)]
#[error("it is no JSON object that describes a user: {0}")]
struct NotAUser(String);

impl Imported {
    fn add(&mut self, (registered, refused): (u64, Vec<Refused>)) {
        self.registered = self.registered.saturating_add(registered);
        let failed = u64::try_from(refused.len()).unwrap_or(u64::MAX);
        self.failed = self.failed.saturating_add(failed);
        let room = REFUSED_MAX.saturating_sub(self.errors.len());
        self.errors.extend(refused.into_iter().take(room));
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
    fn a_line_describes_a_user_by_his_id() {
        let members = user(r#"{"id": "u_1", "email": null, "name": "Ada"}"#).unwrap();
        assert_eq!(Value::from(members).to_string(), r#"{"email":null,"id":"u_1","name":"Ada"}"#);
        assert_eq!(user(r#"{"id": 7}"#).unwrap()["id"], "7");
        for line in ["", "u_1,ada@example.com", "[]", "{}", r#"{"id": null}"#, r#"{"id": "a"} x"#] {
            assert!(user(line).is_err(), "{line}");
        }
    }

    fn pages(text: &[u8]) -> Vec<Vec<(u64, String)>> {
        let (sender, mut receiver) = mpsc::channel(8);
        send_pages(text, &sender);
        drop(sender);
        let sent = std::iter::from_fn(|| receiver.blocking_recv());
        let page = |page: Page| page.into_iter().map(|(number, line)| (number, line.unwrap()));
        sent.map(|sent| page(sent).collect()).collect()
    }

    #[test]
    fn blank_lines_are_counted_and_left_out() {
        assert_eq!(pages(b"a\n\n  \nb"), [[(1, "a".to_owned()), (4, "b".to_owned())]]);
    }

    #[test]
    fn a_page_has_so_many_lines_and_a_long_line_goes_alone() {
        let sizes = |text: &str| pages(text.as_bytes()).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(&"a\n".repeat(PAGE_LINES_MAX + 1)), [PAGE_LINES_MAX, 1]);
        let long = "a".repeat(PAGE_BYTES_MAX + 1);
        assert_eq!(sizes(&format!("a\n{long}\nb\nc")), [1, 1, 2]);
    }
}
