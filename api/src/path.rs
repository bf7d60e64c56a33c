//! Ids in paths.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use service::problem::{Code, Problem};

/// The one variable part of a path, decoded.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            // Nothing is ever stored under an id with NUL, and Postgres could not even be asked.
            Ok(Path(id)) if !id.contains('\0') => Ok(Self(id)),
            Ok(_) => Err(Problem::new(Code::NotFound)),
            Err(_) => Err(Problem::new(Code::BadRequest).detail("The path is not UTF-8.")),
        }
    }
}
