//! Users of the app: the directory, and what each of them has.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use service::problem::{Code, Problem};
use store::Client;
use store::read::users::{User, user_get};

use crate::error::RouteError;

pub(crate) mod balance;
pub(crate) mod get;
pub(crate) mod grants;
pub(crate) mod import;
pub(crate) mod postings;
pub(crate) mod put;

/// The user object.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "User")]
pub(crate) struct UserObject {
    #[schemars(extend("const" = "user"))]
    object: &'static str,
    id: String,
    email: Option<String>,
    email_verified: bool,
    name: Option<String>,
    metadata: BTreeMap<String, String>,
    created: Timestamp,
    position: i64,
}

impl From<User> for UserObject {
    fn from(user: User) -> Self {
        Self {
            object: "user",
            id: user.user_id,
            email: user.email,
            email_verified: user.email_verified,
            name: user.name,
            metadata: user.metadata,
            created: user.created_at,
            position: user.pos,
        }
    }
}

/// The refusal for a user that nobody told of.
pub(crate) fn not_found(user: &str) -> Problem {
    let detail = format!("There is no user {user}: PUT /v1/users/{{user}} registers one.");
    Problem::new(Code::UserNotFound).param("user").detail(detail)
}

/// Refuses a user that nobody told of.
pub(crate) async fn require(
    client: &Client,
    tenant_id: i32,
    user: &str,
) -> Result<User, RouteError> {
    let found = user_get(client, tenant_id, user).await?;
    Ok(found.ok_or_else(|| not_found(user))?)
}
