//! The query of a request, read parameter by parameter: what is left over, or stands there twice, is refused.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use service::problem::{Code, Problem};
use store::read::page::{From, Page};

use crate::error::{invalid, unknown};

/// Rows of a page where `limit` is not given.
pub(crate) const LIMIT_DEFAULT: u8 = 10;

/// Most rows of a page.
pub(crate) const LIMIT_MAX: u8 = 100;

/// The smallest step of time that Postgres keeps: it makes a bound that is included out of one that is not.
const MICROSECOND: SignedDuration = SignedDuration::from_micros(1);

/// The parameters of a query that were not taken yet.
#[derive(Debug, Default)]
pub(crate) struct Params {
    path: String,
    left: BTreeMap<String, String>,
}

/// The parameters of a list: how many, and from where. The cursors are still texts.
#[derive(Debug)]
pub(crate) struct ListParams {
    limit: u8,
    from: From<String>,
}

/// A half-open span of time, from `created[gte]` and its kin.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// At this time or later.
    pub(crate) from: Option<Timestamp>,
    /// Before this time.
    pub(crate) until: Option<Timestamp>,
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| Problem::new(Code::BadRequest).detail("The query cannot be read."))?;
        let mut left = BTreeMap::new();
        for (name, value) in pairs.0 {
            if value.contains('\0') {
                return Err(invalid(name, "It holds a character that no text here has (NUL)."));
            }
            if left.insert(name.clone(), value).is_some() {
                return Err(invalid(name, "It is given more than once."));
            }
        }
        Ok(Self { path: parts.uri.path().to_owned(), left })
    }
}

impl Params {
    /// The path that was asked for, as it was written: the `url` of a list.
    pub(crate) fn path(&self) -> String {
        self.path.clone()
    }

    /// Takes a text; one that is empty is refused.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.left.remove(name) {
            Some(text) if text.is_empty() => Err(invalid(name, "It is empty.")),
            text => Ok(text),
        }
    }

    /// Takes a text that `parse` understands; `expected` says what that is.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        parse(&text).map(Some).ok_or_else(|| invalid(name, format!("It is not {expected}.")))
    }

    /// Takes `limit`, `starting_after` and `ending_before`.
    pub(crate) fn list(&mut self) -> Result<ListParams, Problem> {
        let limit = self.parsed("limit", "a whole number from 1 to 100", |text| {
            text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit))
        })?;
        let from = match (self.text("starting_after")?, self.text("ending_before")?) {
            (None, None) => From::Newest,
            (Some(cursor), None) => From::After(cursor),
            (None, Some(cursor)) => From::Before(cursor),
            (Some(_), Some(_)) => {
                let detail = "starting_after and ending_before cannot be given together.";
                return Err(invalid("ending_before", detail));
            }
        };
        Ok(ListParams { limit: limit.unwrap_or(LIMIT_DEFAULT), from })
    }

    /// Takes `created[gte]`, `created[gt]`, `created[lt]` and `created[lte]`.
    pub(crate) fn created(&mut self) -> Result<Span, Problem> {
        let mut time = |name: &str, step: SignedDuration| {
            self.parsed(name, "a time such as 2026-01-31T12:00:00Z", |text| {
                let at = text.parse::<Timestamp>().ok()?.checked_add(step).ok()?;
                // Nothing is older, and Postgres knows no times as old as this can be.
                Some(at.max(Timestamp::UNIX_EPOCH))
            })
        };
        let from =
            time("created[gte]", SignedDuration::ZERO)?.max(time("created[gt]", MICROSECOND)?);
        let until =
            [time("created[lt]", SignedDuration::ZERO)?, time("created[lte]", MICROSECOND)?];
        Ok(Span { from, until: until.into_iter().flatten().min() })
    }

    /// Refuses what nobody took.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        match self.left.into_keys().next() {
            Some(name) => Err(unknown(name)),
            None => Ok(()),
        }
    }
}

impl ListParams {
    /// The id that the page begins at, if one was given.
    pub(crate) fn cursor(&self) -> Option<&str> {
        match &self.from {
            From::Newest => None,
            From::After(id) | From::Before(id) => Some(id),
        }
    }

    /// The page, with the key that the cursor stands for. A cursor without one is no row of this list: it is refused.
    pub(crate) fn page<K>(self, key: Option<K>) -> Result<Page<K>, Problem> {
        let of = |name| key.ok_or_else(|| invalid(name, "It is no id of a row of this list."));
        let from = match self.from {
            From::Newest => From::Newest,
            From::After(_) => From::After(of("starting_after")?),
            From::Before(_) => From::Before(of("ending_before")?),
        };
        Ok(Page { from, limit: self.limit })
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    async fn params(query: &str) -> Result<Params, Problem> {
        let (mut parts, ()) =
            Request::builder().uri(format!("/x?{query}")).body(()).unwrap().into_parts();
        Params::from_request_parts(&mut parts, &()).await
    }

    /// Code and parameter of the refusal of a list that knows `type` and `created[…]`.
    async fn refusal(query: &str) -> Option<(Code, Option<String>)> {
        let read = async || {
            let mut params = params(query).await?;
            params.list()?;
            params.created()?;
            params.text("type")?;
            params.finish()
        };
        read().await.err().map(|problem| (problem.code, problem.param))
    }

    #[tokio::test]
    async fn what_cannot_be_is_refused_by_name() {
        for (query, param) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=-1", "limit"),
            ("limit=ten", "limit"),
            ("limit=", "limit"),
            ("limit=1000000000", "limit"),
            ("limit=1&limit=2", "limit"),
            ("starting_after=a&ending_before=b", "ending_before"),
            ("created[gte]=yesterday", "created[gte]"),
            ("type=%00", "type"),
        ] {
            let expected = Some((Code::ParameterInvalid, Some(param.to_owned())));
            assert_eq!(refusal(query).await, expected, "{query}");
        }
        let expected = Some((Code::ParameterUnknown, Some("typ".to_owned())));
        assert_eq!(refusal("typ=x").await, expected);
        assert_eq!(refusal("type=x&limit=100").await, None);
    }

    #[tokio::test]
    async fn bounds_of_time_become_half_open() {
        let mut params = params(
            "created[gt]=2026-01-01T00:00:00Z&created%5Blte%5D=2026-01-02T00:00:00Z&created[lt]=2027-01-01T00:00:00Z",
        )
        .await
        .unwrap();
        let span = params.created().unwrap();
        assert_eq!(span.from, Some("2026-01-01T00:00:00.000001Z".parse().unwrap()));
        assert_eq!(span.until, Some("2026-01-02T00:00:00.000001Z".parse().unwrap()));
    }

    #[tokio::test]
    async fn times_that_no_table_can_hold_are_long_ago() {
        let mut params = params("created[gte]=-009999-01-02T01:59:59Z").await.unwrap();
        assert_eq!(params.created().unwrap().from, Some(Timestamp::UNIX_EPOCH));
    }
}
