//! Who asks.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use service::problem::{Code, Problem};
use store::keys::{Key, KeyRole};

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The one tenant that he sees.
    pub(crate) tenant_id: i32,
    pub(crate) who: Who,
}

/// The two kinds of callers.
#[derive(Clone, Debug)]
pub(crate) enum Who {
    /// The holder of a key, who may what its role and its scopes allow.
    Key(Arc<Key>),
    /// A user of the app, with a token of its issuer. He reads what is his, and nothing else.
    User(String),
}

impl Caller {
    /// What he is called as the actor of what he does.
    pub(crate) fn actor(&self) -> String {
        match &self.who {
            Who::Key(key) => key.key_id.clone(),
            Who::User(user) => format!("user:{user}"),
        }
    }

    /// Whether he has this role, or one that may more.
    pub(crate) fn is_at_least(&self, role: KeyRole) -> bool {
        matches!(&self.who, Who::Key(key) if key.role >= role)
    }

    /// The user who asks, if it is one.
    pub(crate) fn user(&self) -> Option<&str> {
        match &self.who {
            Who::Key(_) => None,
            Who::User(user) => Some(user),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    /// The caller that the door let in. Without it there is none, so a handler that was routed past it answers 401.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Problem::new(Code::Unauthorized))
    }
}
