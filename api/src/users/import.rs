//! `POST /v1/users`: registers or changes many users, each as `PUT /v1/users/{user}` does.
//!
//! What is refused of one user keeps the others out of nothing: the answer says of each what became of him, in the order of
//! the request. All facts of a request are appended together, and answered once they were decided (where the projector is
//! running); so whoever sends one request after the other goes no faster than the projector, and nobody's purchases
//! stand behind a whole directory.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use service::problem::Problem;
use store::read::users::{User, user_list};

use super::put::{self, DECIDED_WAIT, check_id, registration};
use crate::auth::Caller;
use crate::body::{Body, part};
use crate::error::{RouteError, invalid, missing};
use crate::facts::Fact;
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
    let ids: Vec<&str> = request.users.iter().filter_map(|user| user.get("id")?.as_str()).collect();
    let known = user_list(&state.client().await?, tenant_id, &ids).await?;
    let mut draft = Draft { known, facts: Vec::new(), now };
    let outcomes: Vec<_> = request.users.into_iter().map(|user| draft.add(user)).collect();
    let appended = state.tell_all(tenant_id, draft.facts).await?;
    let positions: Vec<i64> = appended.iter().map(|appended| appended.pos()).collect();
    state.all_decided(tenant_id, &positions, DECIDED_WAIT).await?;
    let data = outcomes.into_iter().map(|(id, added)| Outcome::of(id, added, &positions));
    Ok(Json(Imported { object: "list", data: data.collect() }))
}

/// The facts of a request, as they are gathered.
struct Draft {
    /// Users as they are described so far, also by what stands before in the request.
    known: BTreeMap<String, User>,
    facts: Vec<Fact>,
    now: Timestamp,
}

/// Where a user is described.
enum Described {
    /// At this position.
    At(i64),
    /// By this fact of the request.
    By(usize),
}

impl Draft {
    /// Adds the fact that one user of the request needs, if any; his id and where he is described.
    fn add(
        &mut self,
        mut members: Map<String, Value>,
    ) -> (Option<String>, Result<Described, Problem>) {
        match members.remove("id") {
            Some(Value::String(id)) => {
                let described = self.describe(&id, members);
                (Some(id), described)
            }
            Some(_) => (None, Err(invalid("id", "It is not a text."))),
            None => (None, Err(missing("id"))),
        }
    }

    fn describe(&mut self, id: &str, members: Map<String, Value>) -> Result<Described, Problem> {
        check_id(id)?;
        let request: put::Request = part(&Value::Object(members))?;
        let current = self.known.get(id);
        let wanted = request.apply(current.cloned(), id.to_owned(), self.now)?;
        if let Some(current) = current.filter(|current| **current == wanted && current.pos > 0) {
            return Ok(Described::At(current.pos));
        }
        self.facts.push(registration(&wanted, self.now));
        // Not at a position yet: what follows in the request builds on it and is told in any case.
        self.known.insert(id.to_owned(), User { pos: 0, ..wanted });
        Ok(Described::By(self.facts.len().saturating_sub(1)))
    }
}

impl Outcome {
    fn of(id: Option<String>, described: Result<Described, Problem>, positions: &[i64]) -> Self {
        let (position, error) = match described {
            Ok(Described::At(pos)) => (Some(pos), None),
            Ok(Described::By(number)) => (positions.get(number).copied(), None),
            Err(problem) => (None, Some(problem)),
        };
        let error = error.map(|problem| Refused {
            code: problem.code.as_str(),
            detail: problem.detail,
            param: problem.param,
        });
        Self { id, position, error }
    }
}
