//! `PUT /v1/users/{user}`: registers a user, or changes him.
//!
//! A member that is left out keeps its value, `null` removes it, `metadata` is replaced as a whole. An e-mail that changes
//! is unverified unless the request says otherwise. What is said is appended to the log as a fact, whose id names the
//! description that it builds on: whoever finds that somebody was faster reads again. Where the projector is running, the
//! answer comes after it was decided, so cases that waited for this user are already released. Where it is not, the fact is
//! stored all the same and the answer is 200 with the user as described.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use service::problem::{Code, Problem};
use store::log::{Appended, Origin};
use store::read::users::{Standing, User, registration_id, user_get, user_standing};

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

/// How often somebody may be faster, before it is left to the client to come again.
pub(super) const TRIES_MAX: usize = 8;

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
    let (tenant_id, now) = (caller.tenant_id, state.clock.now());
    for _ in 0..TRIES_MAX {
        let Standing { user: current, base } =
            user_standing(&state.client().await?, tenant_id, &user).await?;
        let wanted = request.apply(current.as_ref(), &user, now)?;
        if current.as_ref() == Some(&wanted) {
            return Ok(Json(wanted.into()));
        }
        if let Appended::Stored(pos) = state.tell(tenant_id, registration(&wanted, base)).await? {
            return answer(&state, tenant_id, User { pos, ..wanted }).await;
        }
    }
    Err(overtaken().into())
}

/// The user as he is once this description is decided, or as described if that takes too long.
async fn answer(
    state: &ApiState,
    tenant_id: i32,
    described: User,
) -> Result<Json<UserObject>, RouteError> {
    let stored = match state.decided(tenant_id, described.pos, DECIDED_WAIT).await? {
        Some(_) => user_get(&state.client().await?, tenant_id, &described.user_id).await?,
        None => None,
    };
    Ok(Json(stored.unwrap_or(described).into()))
}

/// The refusal of whoever was never the first to build on a description.
pub(super) fn overtaken() -> Problem {
    let detail = "Others changed this user again and again meanwhile. Nothing was changed: repeat the request.";
    Problem::new(Code::Conflict).detail(detail)
}

impl Request {
    /// The user as the request wants him.
    pub(super) fn apply(
        &self,
        current: Option<&User>,
        user_id: &str,
        now: Timestamp,
    ) -> Result<User, Problem> {
        let current = current.cloned().unwrap_or_else(|| User {
            user_id: user_id.to_owned(),
            email: None,
            email_verified: false,
            name: None,
            metadata: BTreeMap::new(),
            pos: 0,
            created_at: now,
        });
        let email = self.email.or(current.email.as_ref());
        let kept_verified = current.email_verified && email == current.email;
        let wanted = User {
            email_verified: self.email_verified.unwrap_or(kept_verified),
            email,
            name: self.name.or(current.name.as_ref()),
            metadata: self.metadata.or(Some(&current.metadata)).unwrap_or_default(),
            ..current
        };
        check(&wanted)?;
        Ok(wanted)
    }
}

/// The fact that describes the user so, building on the description at `base`. It says everything, so that it stands on its own.
pub(super) fn registration(user: &User, base: i64) -> Fact {
    let mut members = Map::from_iter([
        ("user".to_owned(), json!(user.user_id)),
        ("email_verified".to_owned(), json!(user.email_verified)),
        ("metadata".to_owned(), json!(user.metadata)),
    ]);
    let optional = [("email", &user.email), ("name", &user.name)];
    members.extend(optional.into_iter().filter_map(|(member, value)| {
        value.as_ref().map(|value| (member.to_owned(), Value::from(value.as_str())))
    }));
    Fact {
        origin: Origin::Directory,
        event_type: "tally.user.registered",
        source_id: registration_id(&user.user_id, base),
        routing_key: format!("user:{}", user.user_id),
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

impl<T: Clone> Said<T> {
    fn or(&self, current: Option<&T>) -> Option<T> {
        match self {
            Self::Nothing => current.cloned(),
            Self::Is(value) => value.clone(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Said<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::Is)
    }
}
