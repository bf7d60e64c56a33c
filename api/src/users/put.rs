//! `PUT /v1/users/{user}`: registers a user, or changes him.
//!
//! A member that is left out keeps its value, `null` removes it, `metadata` is replaced as a whole. An e-mail that changes
//! is unverified unless the request says otherwise. What is said is appended to the log as a fact; where the projector is
//! running, the answer comes after it was decided, so cases that waited for this user are already released. Where it is
//! not, the fact is stored all the same and the answer is 200 with the user as described.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use service::ids::time_ordered;
use service::problem::Problem;
use store::log::Origin;
use store::read::users::{User, user_get};

use super::UserObject;
use crate::auth::Caller;
use crate::body::Body;
use crate::error::{RouteError, invalid};
use crate::facts::Fact;
use crate::metadata;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// Longest wait for the decision. A projector that runs needs milliseconds.
pub(super) const DECIDED_WAIT: Duration = Duration::from_secs(2);

/// Longest e-mail, in bytes (RFC 5321: a path is at most 256 with its angle brackets).
pub(crate) const EMAIL_MAX_BYTES: usize = 254;

/// Longest name, in characters.
pub(crate) const NAME_MAX_CHARS: usize = 255;

/// What a request says of one member.
#[derive(Debug, Default)]
enum Said<T> {
    /// Nothing: it stays as it is.
    #[default]
    Nothing,
    /// That it has this value, or none any more.
    Is(Option<T>),
}

/// What may be said of a user.
#[derive(Debug, Default, JsonSchema, Deserialize)]
#[schemars(rename = "UserChange")]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Request {
    #[schemars(with = "Option<crate::openapi::texts::Email>")]
    email: Said<String>,
    email_verified: Option<bool>,
    #[schemars(with = "Option<crate::openapi::texts::PersonName>")]
    name: Said<String>,
    #[schemars(with = "Option<crate::openapi::texts::Metadata>")]
    metadata: Said<BTreeMap<String, String>>,
}

/// Answers with the user as he is then.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(user): Id,
    params: Params,
    Body(request): Body<Request>,
) -> Result<Json<UserObject>, RouteError> {
    params.finish()?;
    check_id(&user)?;
    let tenant_id = caller.tenant_id;
    let current = user_get(&state.client().await?, tenant_id, &user).await?;
    let now = state.clock.now();
    let wanted = request.apply(current.clone(), user, now)?;
    if current.as_ref() == Some(&wanted) {
        return Ok(Json(wanted.into()));
    }
    let pos = state.tell(tenant_id, registration(&wanted, now)).await?.pos();
    let decided = state.decided(tenant_id, pos, DECIDED_WAIT).await?;
    let stored = match decided {
        Some(_) => user_get(&state.client().await?, tenant_id, &wanted.user_id).await?,
        None => None,
    };
    Ok(Json(stored.unwrap_or(User { pos, ..wanted }).into()))
}

impl Request {
    /// The user as the request wants him.
    pub(super) fn apply(
        self,
        current: Option<User>,
        user_id: String,
        now: Timestamp,
    ) -> Result<User, Problem> {
        let current = current.unwrap_or(User {
            user_id,
            email: None,
            email_verified: false,
            name: None,
            metadata: BTreeMap::new(),
            pos: 0,
            created_at: now,
        });
        let email = self.email.or(current.email.clone());
        let kept_verified = current.email_verified && email == current.email;
        let wanted = User {
            email_verified: self.email_verified.unwrap_or(kept_verified),
            email,
            name: self.name.or(current.name),
            metadata: self.metadata.or(Some(current.metadata)).unwrap_or_default(),
            ..current
        };
        check(&wanted)?;
        Ok(wanted)
    }
}

/// The fact that says so. It says everything, so that it stands on its own.
pub(super) fn registration(user: &User, now: Timestamp) -> Fact {
    let mut members = Map::from_iter([
        ("user".to_owned(), json!(user.user_id)),
        ("email_verified".to_owned(), json!(user.email_verified)),
        ("metadata".to_owned(), json!(user.metadata)),
    ]);
    let optional = [("email", &user.email), ("name", &user.name)];
    members.extend(optional.into_iter().filter_map(|(member, value)| {
        value.as_ref().map(|value| (member.to_owned(), Value::from(value.as_str())))
    }));
    let routing_key = format!("user:{}", user.user_id);
    Fact {
        origin: Origin::Directory,
        event_type: "tally.user.registered",
        source_id: format!("{routing_key}:{}", time_ordered(now)),
        routing_key,
        members,
    }
}

/// A user's id is one that evidence could name: a program that registers `undefined` has lost the id.
pub(super) fn check_id(user: &str) -> Result<(), Problem> {
    if rules::evidence::user_id(user) == Some(user) {
        return Ok(());
    }
    let detail = "A user's id is 1 to 255 bytes of printable text without blanks at its ends, and no word for nothing \
                  such as undefined or null.";
    Err(invalid("user", detail))
}

fn check(user: &User) -> Result<(), Problem> {
    match &user.email {
        Some(email) if !is_email(email) => {
            return Err(invalid("email", "It is not an e-mail address."));
        }
        None if user.email_verified => {
            return Err(invalid("email_verified", "There is no e-mail that could be verified."));
        }
        Some(_) | None => {}
    }
    if user.name.as_deref().is_some_and(|name| !is_text(name, NAME_MAX_CHARS) || name.is_empty()) {
        let detail = format!("It is not 1 to {NAME_MAX_CHARS} printable characters.");
        return Err(invalid("name", detail));
    }
    metadata::check(&user.metadata, metadata::MAX_PAIRS)
}

fn is_text(text: &str, max_chars: usize) -> bool {
    text.chars().count() <= max_chars && !text.chars().any(char::is_control)
}

/// Loosely: whether mail arrives is the app's to find out.
pub(crate) fn is_email(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    text.len() <= EMAIL_MAX_BYTES
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
        && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

impl<T> Said<T> {
    fn or(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Nothing => current,
            Self::Is(value) => value,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Said<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::Is)
    }
}
