//! `tally users import`: many users, some at a time. A line that is refused does not keep the others out. Lines about the
//! same user are sent one after the other, in their order: of what they say the last counts.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
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
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..AT_A_TIME).map(|_| mpsc::channel(1)).unzip();
    let reading = tokio::task::spawn_blocking(move || send_pages(reader, &senders));
    let service = &service;
    let lanes = receivers.into_iter().map(|receiver| {
        let pages = stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|page| (page, receiver))
        });
        pages.then(|page| post(service, page)).boxed()
    });
    let mut posts = stream::select_all(lanes);
    let mut imported = Imported::default();
    while let Some(posted) = posts.next().await {
        imported.add(posted.with_context(|| format!("importing {}", file.display()))?);
    }
    reading.await.with_context(doing)?;
    imported.errors.sort_by_key(|refused| refused.line);
    Ok(imported)
}

/// Lines on their way to one of those who send them.
struct Lane<'a> {
    sender: &'a mpsc::Sender<Page>,
    page: Page,
    bytes: usize,
}

/// Sends the lines on, without those that are blank, until nobody takes them any more. Lines about the same user go the
/// same way.
fn send_pages(reader: impl BufRead, senders: &[mpsc::Sender<Page>]) {
    let mut lanes: Vec<Lane<'_>> =
        senders.iter().map(|sender| Lane { sender, page: Page::new(), bytes: 0 }).collect();
    for (number, line) in (1..).zip(reader.lines()) {
        if line.as_ref().is_ok_and(|line| line.trim().is_empty()) {
            continue;
        }
        let is_broken = line.is_err();
        let lane = line.as_ref().map_or(0, |line| hash_of_user(line));
        let lane = lane.checked_rem(lanes.len()).and_then(|lane| lanes.get_mut(lane));
        let is_taken = lane.is_some_and(|lane| lane.add(number, line));
        if is_broken || !is_taken {
            break;
        }
    }
    for lane in lanes.into_iter().filter(|lane| !lane.page.is_empty()) {
        // Whoever took the pages may have failed; then nobody needs this one.
        let _ = lane.sender.blocking_send(lane.page);
    }
}

/// The same number for the same user.
fn hash_of_user(line: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    user(line).ok().as_ref().and_then(|user| user.get("id")?.as_str()).hash(&mut hasher);
    usize::try_from(hasher.finish()).unwrap_or_default()
}

impl Lane<'_> {
    /// Adds a line, and sends those before it if they suffice; false if nobody takes them.
    fn add(&mut self, number: u64, line: io::Result<String>) -> bool {
        let size = line.as_ref().map_or(0, String::len);
        let is_full =
            self.page.len() >= PAGE_LINES_MAX || self.bytes.saturating_add(size) > PAGE_BYTES_MAX;
        if is_full && !self.page.is_empty() {
            self.bytes = 0;
            if self.sender.blocking_send(std::mem::take(&mut self.page)).is_err() {
                return false;
            }
        }
        self.bytes = self.bytes.saturating_add(size);
        self.page.push((number, line));
        true
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
        send_pages(text, std::slice::from_ref(&sender));
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
    fn lines_about_the_same_user_go_the_same_way_in_their_order() {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..4).map(|_| mpsc::channel(8)).unzip();
        let line = |number: usize| format!(r#"{{"name": "n{number}", "id": {}}}"#, number % 50);
        let text = (0..400).map(line).collect::<Vec<_>>().join("\n");
        send_pages(text.as_bytes(), &senders);
        drop(senders);
        let mut ways = std::collections::BTreeMap::new();
        for (way, mut receiver) in receivers.into_iter().enumerate() {
            let pages = std::iter::from_fn(|| receiver.blocking_recv());
            for (number, _) in pages.flatten() {
                let (before, last) =
                    ways.insert((number - 1) % 50, (way, number)).unwrap_or((way, 0));
                assert!(before == way && last < number, "line {number} after {last}");
            }
        }
        let used: std::collections::BTreeSet<_> = ways.values().map(|(way, _)| way).collect();
        assert_eq!((ways.len(), used.len()), (50, 4));
    }

    #[test]
    fn a_page_has_so_many_lines_and_a_long_line_goes_alone() {
        let sizes = |text: &str| pages(text.as_bytes()).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(&"a\n".repeat(PAGE_LINES_MAX + 1)), [PAGE_LINES_MAX, 1]);
        let long = "a".repeat(PAGE_BYTES_MAX + 1);
        assert_eq!(sizes(&format!("a\n{long}\nb\nc")), [1, 1, 2]);
    }
}
