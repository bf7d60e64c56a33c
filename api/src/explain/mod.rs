//! `GET /v1/explain/{id}`: the story of anything, in plain English, for whoever has to answer "where are my credits?".
//!
//! [`subject`] finds out what an id is of, [`material`] reads what is recorded about it, [`story`] and [`user`] tell it. The
//! telling is pure: the same records give the same words.

mod decided;
mod material;
mod movements;
mod reversals;
mod standing;
mod story;
mod subject;
mod told;
mod user;
mod words;

#[cfg(test)]
mod tests;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use service::problem::{Code, Problem};

use crate::auth::Caller;
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

use material::Material;
use subject::Subject;

/// The explanation object.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Explanation {
    #[schemars(extend("const" = "explanation"))]
    object: &'static str,
    /// The id that was asked for.
    id: String,
    /// What it is an id of: `payment`, `event` or `user`.
    #[schemars(with = "crate::openapi::words::Subject")]
    subject: &'static str,
    /// What it is about, in one line.
    title: String,
    /// What happened, in the order in which it happened.
    story: Vec<Beat>,
    /// Where it stands, and what can be done.
    now: String,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[schemars(rename = "ExplanationBeat")]
pub(crate) struct Beat {
    at: Timestamp,
    /// Position in the log of what was told or decided upon.
    position: Option<i64>,
    text: String,
    /// Of what we were told: how it is called, and how it can be proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    proof: Option<String>,
}

/// What is told.
#[derive(Debug, PartialEq, Eq)]
struct Tale {
    title: String,
    beats: Vec<Beat>,
    now: String,
}

/// Answers with the story, or 404 if nobody ever heard of such an id.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    params: Params,
) -> Result<Json<Explanation>, RouteError> {
    params.finish()?;
    let (client, tenant_id) = (state.client().await?, caller.tenant_id);
    let (subject, tale) = match subject::find(&client, tenant_id, &id).await? {
        Some(Subject::Payment(payment)) => {
            let material = Material::of_payment(&client, tenant_id, *payment).await?;
            ("payment", story::tell(&material))
        }
        Some(Subject::Event(pos)) => {
            let material = Material::of_event(&client, tenant_id, pos).await?;
            ("event", story::tell(&material))
        }
        Some(Subject::User(known)) => {
            drop(client);
            ("user", user::read_and_tell(&state, tenant_id, *known).await?)
        }
        None => {
            let detail = format!(
                "Nothing here has the id {id}. Known are the ids of users, events (or their positions), payments and any \
                 of their objects (cs_…, pi_…, ch_…), cases (case_…), postings (pst_…) and grants (grt_…)."
            );
            return Err(Problem::new(Code::NotFound).param("id").detail(detail).into());
        }
    };
    let Tale { title, beats, now } = tale;
    Ok(Json(Explanation { object: "explanation", id, subject, title, story: beats, now }))
}
