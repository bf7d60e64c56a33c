//! The running service, as commands of people ask it: with the least key that may, and told what to do when it fails.

use anyhow::Context as _;
use reqwest::{StatusCode, Url};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use service::clock::Clock;
use service::ids::time_ordered;
use store::keys::KeyRole;

use crate::client::{Client, Refused};
use crate::config::{DevEnv, Settings};
use crate::output::{Format, data};

/// Answers to whoever has no key, or one of too low a role.
const NOT_ALLOWED: [StatusCode; 2] = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];

/// What went wrong when an answer cannot be read.
const OTHER_VERSION: &str =
    "reading an answer of another version of the service than this program's";

/// The service of `TALLY_URL`.
pub(crate) struct Remote {
    client: Client,
    url: String,
    least: KeyRole,
}

/// An answer of the service.
pub(crate) struct Answer(Value);

impl Remote {
    /// The service, for what needs a key of the role `least`. A higher one does as well; without any, the service says no.
    pub(crate) fn new(least: KeyRole) -> anyhow::Result<Self> {
        let settings = Settings::load(DevEnv::Read)?;
        let key = settings.keys.range(least..).next().map(|(_, key)| key.value.clone());
        let url = settings.url.value;
        let client = Client::new(&url, key.unwrap_or_else(|| SecretString::from("")))?;
        Ok(Self { client, url, least })
    }

    /// Asks for what stands at `/v1/` and these parts of a path.
    pub(crate) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> anyhow::Result<Answer> {
        let asked = self.client.get(&path_of(path, query)?).await;
        asked.map(Answer).map_err(|error| self.advise(error))
    }

    /// Puts something there; what stands there then.
    pub(crate) async fn put(&self, path: &[&str], body: &Value) -> anyhow::Result<Answer> {
        let asked = self.client.put(&path_of(path, &[])?, body).await;
        asked.map(Answer).map_err(|error| self.advise(error))
    }

    /// Has something done there.
    pub(crate) async fn post(&self, path: &[&str], body: &Value) -> anyhow::Result<Answer> {
        let asked = self.client.post(&path_of(path, &[])?, body).await;
        asked.map(Answer).map_err(|error| self.advise(error))
    }

    /// Has credits moved there, once however often it is asked for under this key; under a new one if none is given.
    pub(crate) async fn post_once(
        &self,
        path: &[&str],
        body: &Value,
        idempotency_key: Option<String>,
    ) -> anyhow::Result<Answer> {
        let key = idempotency_key
            .unwrap_or_else(|| time_ordered(Clock::system().now()).hyphenated().to_string());
        let asked = self.client.post_once(&path_of(path, &[])?, body, &key).await;
        asked.map(Answer).map_err(|error| {
            let is_open = is_open(&error);
            let error = self.advise(error);
            if is_open {
                let advice =
                    "it is not known whether it was done; find out, and have it done once, with";
                error.context(format!("{advice} --idempotency-key {key}"))
            } else {
                error
            }
        })
    }

    /// Has something made there that is made once; whether it was there already.
    pub(crate) async fn make(
        &self,
        path: &[&str],
        body: &Value,
        idempotency_key: Option<&str>,
    ) -> anyhow::Result<bool> {
        let asked = self.client.make(&path_of(path, &[])?, body, idempotency_key).await;
        asked.map_err(|error| self.advise(error))
    }

    /// Says before the error what to do about it, where it does not say so itself.
    fn advise(&self, error: anyhow::Error) -> anyhow::Error {
        let refused = error.chain().find_map(|cause| cause.downcast_ref::<Refused>());
        let is_not_allowed = refused.is_some_and(|refused| NOT_ALLOWED.contains(&refused.status));
        if is_not_allowed {
            let role = self.least.name();
            return error.context(format!(
                "this needs an API key of role {role} or more: `tally up` makes one, `tally keys create --role {role}` as \
                 well; set TALLY_KEY_{}",
                role.to_uppercase()
            ));
        }
        match error.downcast::<reqwest::Error>() {
            Ok(unanswered) if unanswered.is_connect() || unanswered.is_timeout() => {
                let advice = "start it with `tally up`, or say in TALLY_URL where it runs";
                let advice = format!("nothing answers at {}: {advice}", self.url);
                anyhow::Error::from(unanswered.without_url()).context(advice)
            }
            Ok(other) => other.into(),
            Err(error) => error,
        }
    }
}

impl Answer {
    /// Reads it.
    pub(crate) fn read<T: DeserializeOwned>(self) -> anyhow::Result<T> {
        serde_json::from_value(self.0).context(OTHER_VERSION)
    }

    /// Shows it: as it came, or as the text that `text` makes of it.
    pub(crate) fn show<T: DeserializeOwned>(
        self,
        format: Format,
        text: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        match format {
            Format::Json => data(&self.0.to_string())?,
            Format::Text => data(&printable(&text(&self.read()?)))?,
        }
        Ok(())
    }
}

/// Whether a failure concerns what was asked for and nothing else: another request may succeed.
pub(crate) fn concerns_one_request(error: &anyhow::Error) -> bool {
    let refused = error.chain().find_map(|cause| cause.downcast_ref::<Refused>());
    refused.is_some_and(|refused| {
        refused.status.is_client_error() && !NOT_ALLOWED.contains(&refused.status)
    })
}

/// Whether the same request may succeed a moment later: too much was asked for, or the service was not up to it.
pub(crate) fn may_succeed_later(error: &anyhow::Error) -> bool {
    let refused = error.chain().find_map(|cause| cause.downcast_ref::<Refused>());
    refused.is_some_and(|refused| {
        refused.status.is_server_error() || refused.status == StatusCode::TOO_MANY_REQUESTS
    })
}

/// Whether it may have been done all the same.
fn is_open(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let unanswered = cause.downcast_ref::<reqwest::Error>();
        let refused = cause.downcast_ref::<Refused>();
        unanswered.is_some_and(|error| !error.is_connect())
            || refused.is_some_and(|refused| refused.status.is_server_error())
    })
}

/// Whether what was asked for does not exist.
pub(crate) fn is_not_found(error: &anyhow::Error) -> bool {
    let refused = error.chain().find_map(|cause| cause.downcast_ref::<Refused>());
    refused.is_some_and(|refused| refused.status == StatusCode::NOT_FOUND)
}

/// A body without members, for acts that need none.
pub(crate) fn nothing() -> Value {
    json!({})
}

/// `/v1/…?…`, each part written so that nothing in it is taken for a separator.
fn path_of(path: &[&str], query: &[(&str, String)]) -> anyhow::Result<String> {
    let mut url = Url::parse("http://service/v1").context("making a path")?;
    if let Ok(mut parts) = url.path_segments_mut() {
        parts.extend(path);
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{}{query}", url.path()))
}

/// The text without what would steer a terminal: some of it was written by strangers.
fn printable(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_do_not_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{9b}"), "a\u{fffd}[2Jb\nc\u{fffd}");
    }

    #[test]
    fn an_id_stays_one_part_of_the_path() {
        let path = path_of(&["users", "a/b?c#d é", "balance"], &[("unit", "a&b".into())]).unwrap();
        assert_eq!(path, "/v1/users/a%2Fb%3Fc%23d%20%C3%A9/balance?unit=a%26b");
    }
}
