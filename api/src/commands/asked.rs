//! A command as a client asks for it: the extractor in front of every handler here, and the way to the batcher.

use axum::body::HttpBody as _;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use service::ids::time_ordered;
use service::problem::Problem;
use store::commands::{AccountKey, Command, IdempotencyKey};

use super::answer;
use super::key::{self, Keyed};
use crate::auth::Caller;
use crate::body::{Body, part};
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// A command as a client asks for it.
#[derive(Debug)]
pub(crate) struct Asked<T> {
    /// What the path names: a user, a hold, a spend.
    pub(super) id: String,
    /// The body. None at all is one without members.
    pub(super) body: T,
    /// Who asks.
    pub(super) by: Asker,
}

/// Who asks, and under which key.
#[derive(Debug)]
pub(super) struct Asker {
    caller: Caller,
    idempotency: IdempotencyKey,
}

impl<T: DeserializeOwned + Serialize> FromRequest<ApiState> for Asked<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, state).await?;
        let Id(id) = Id::from_request_parts(&mut parts, state).await?;
        Params::from_request_parts(&mut parts, state).await?.finish()?;
        let key = key::read(&parts.headers)?;
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let body: T = if body.is_end_stream() {
            part(&json!({}))?
        } else {
            let Body(body) = Body::from_request(Request::from_parts(parts, body), state).await?;
            body
        };
        let idempotency = Keyed { method: &method, path: &path, body: &body }.under(key);
        Ok(Self { id, body, by: Asker { caller, idempotency } })
    }
}

impl Asker {
    /// A user's account in the unit that is named, or in the default one.
    pub(super) async fn account(
        &self,
        state: &ApiState,
        user: String,
        unit: Option<String>,
    ) -> Result<AccountKey, RouteError> {
        let unit = state.unit(self.caller.tenant_id, unit.as_deref()).await?;
        Ok(AccountKey { user, unit: unit.name })
    }

    /// Has the command carried out; the answer, with this status if it was done, now or under the same key before.
    pub(super) async fn have(
        self,
        state: &ApiState,
        command: Command,
        status: StatusCode,
    ) -> Result<Response, RouteError> {
        let Self { caller, idempotency } = self;
        let request = store::commands::Request {
            command_id: time_ordered(state.clock.now()),
            idempotency: Some(idempotency),
            actor: caller.actor(),
            command,
        };
        let carried_out = state.commands.carry_out(caller.tenant_id, request).await;
        let (request, outcome) = carried_out.map_err(Problem::from)?;
        Ok(answer::of(&request, outcome, status)?)
    }
}
