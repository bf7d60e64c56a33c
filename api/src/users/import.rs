//! `POST /v1/users`: registers or changes many users, each as `PUT /v1/users/{user}` does.
//!
//! What is refused of one user keeps the others out of nothing: the answer says of each row what became of it, in the order of
//! the request. Rows of the same user build on one another and are told as one fact. All facts of a request are appended
//! together, and answered once they were decided (where the projector is running); so whoever sends one request after the
//! other goes no faster than the projector, and nobody's purchases stand behind a whole directory.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use service::problem::Problem;
use store::log::Appended;
use store::read::users::{Standing, User, user_standings};

use super::put::{self, DECIDED_WAIT, TRIES_MAX, check_id, overtaken, registration};
use crate::auth::Caller;
use crate::body::{Body, part};
use crate::error::{RouteError, invalid, missing};
use crate::params::Params;
use crate::state::ApiState;

/// Most users of one request: as many facts as one append takes.
const USERS_MAX: usize = store::log::MAX_BATCH_EVENTS;

/// Users, each with his `id` beside what may be said of a user.
#[derive(Debug, JsonSchema, Deserialize)]
#[schemars(rename = "UserImport")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[schemars(length(min = 1, max = USERS_MAX))]
    users: Vec<Map<String, Value>>,
}

/// What became of them, in the order of the request.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "UserImportOutcome")]
pub(crate) struct Imported {
    #[schemars(extend("const" = "list"))]
    object: &'static str,
    data: Vec<Outcome>,
}

/// What became of one of them.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "UserImportRow")]
struct Outcome {
    /// His id, as far as the request says it.
    id: Option<String>,
    /// Where he is described as the request wants him.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64")]
    position: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Refused")]
    error: Option<Refused>,
}

/// Why one of them was refused: members of a problem.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "UserImportRefusal")]
struct Refused {
    #[schemars(with = "crate::openapi::words::ProblemCode")]
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    param: Option<String>,
}

/// Answers with what became of each.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    params: Params,
    Body(request): Body<Request>,
) -> Result<Json<Imported>, RouteError> {
    params.finish()?;
    if request.users.is_empty() || request.users.len() > USERS_MAX {
        let detail = format!("It takes 1 to {USERS_MAX} users.");
        return Err(invalid("users", detail).into());
    }
    let (tenant_id, now) = (caller.tenant_id, state.clock.now());
    let mut draft = Draft::of(request.users, now);
    let mut told = Vec::new();
    for _ in 0..TRIES_MAX {
        let users: Vec<&str> = draft.open.iter().map(String::as_str).collect();
        let standings = user_standings(&state.client().await?, tenant_id, &users).await?;
        let wanted = draft.describe(standings);
        let facts = wanted.iter().map(|(user, base)| registration(user, *base)).collect();
        for ((user, _), appended) in wanted.iter().zip(state.tell_all(tenant_id, facts).await?) {
            // Whoever finds a duplicate stays open: somebody was faster.
            if let Appended::Stored(pos) = appended {
                draft.close(&user.user_id, pos);
                told.push(pos);
            }
        }
        if draft.open.is_empty() {
            break;
        }
    }
    state.all_decided(tenant_id, &told, DECIDED_WAIT).await?;
    let data = draft.rows.into_iter().map(Outcome::from).collect();
    Ok(Json(Imported { object: "list", data }))
}

/// A request, as it is worked off.
struct Draft {
    rows: Vec<Row>,
    /// Users who are not described yet as their rows want them.
    open: BTreeSet<String>,
    now: Timestamp,
}

/// One row of a request.
struct Row {
    /// The user's id, as far as the row says it.
    id: Option<String>,
    /// What it says of him, if it can be read.
    change: Option<put::Request>,
    became: Became,
}

/// What became of a row.
enum Became {
    /// Nothing yet.
    Open,
    /// The user is described so at this position.
    At(i64),
    /// It was refused.
    Refused(Problem),
}

impl Draft {
    fn of(users: Vec<Map<String, Value>>, now: Timestamp) -> Self {
        let rows: Vec<Row> = users.into_iter().map(Row::read).collect();
        let readable = rows.iter().filter(|row| row.change.is_some());
        let open = readable.filter_map(|row| row.id.clone()).collect();
        Self { rows, open, now }
    }

    /// The open users as their rows want them, each with what that builds on. Closes those of whom there is nothing to tell.
    fn describe(&mut self, mut standings: BTreeMap<String, Standing>) -> Vec<(User, i64)> {
        let mut wanted = Vec::new();
        for id in self.open.clone() {
            let Standing { user: current, base } = standings.remove(&id).unwrap_or_default();
            match self.fold(&id, current.clone()) {
                Some(user) if current.as_ref() != Some(&user) => wanted.push((user, base)),
                described => self.close(&id, described.map_or(0, |user| user.pos)),
            }
        }
        wanted
    }

    /// The user after all of his rows, each of which builds on the one before it.
    fn fold(&mut self, id: &str, mut user: Option<User>) -> Option<User> {
        for row in self.rows.iter_mut().filter(|row| row.id.as_deref() == Some(id)) {
            let Some(change) = &row.change else { continue };
            match change.apply(user.as_ref(), id, self.now) {
                Ok(wanted) => (user, row.became) = (Some(wanted), Became::Open),
                Err(problem) => row.became = Became::Refused(problem),
            }
        }
        user
    }

    /// The user is described at this position as his rows want him.
    fn close(&mut self, id: &str, pos: i64) {
        self.open.remove(id);
        for row in self.rows.iter_mut().filter(|row| row.id.as_deref() == Some(id)) {
            if matches!(row.became, Became::Open) {
                row.became = Became::At(pos);
            }
        }
    }
}

impl Row {
    fn read(mut members: Map<String, Value>) -> Self {
        let refused = |id, problem| Self { id, change: None, became: Became::Refused(problem) };
        let id = match members.remove("id") {
            Some(Value::String(id)) => id,
            Some(_) => return refused(None, invalid("id", "It is not a text.")),
            None => return refused(None, missing("id")),
        };
        match check_id(&id).and_then(|()| part(&Value::Object(members))) {
            Ok(change) => Self { id: Some(id), change: Some(change), became: Became::Open },
            Err(problem) => refused(Some(id), problem),
        }
    }
}

impl From<Row> for Outcome {
    fn from(row: Row) -> Self {
        let refused = |problem: Problem| Refused {
            code: problem.code.as_str(),
            detail: problem.detail,
            param: problem.param,
        };
        let (position, error) = match row.became {
            Became::At(pos) => (Some(pos), None),
            Became::Refused(problem) => (None, Some(refused(problem))),
            Became::Open => (None, Some(refused(overtaken()))),
        };
        Self { id: row.id, position, error }
    }
}
