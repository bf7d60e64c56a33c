//! Keys that are read from their issuer: remembered, read again when they are old or one is missing, and kept while the
//! issuer is down.
//!
//! No request waits for the issuer if the key that it needs is at hand. Reading goes on in a task of its own, because a
//! client that hangs up must not be able to keep new keys out.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{DecodingKey, Header};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};

use super::key_set::{KeySet, KeySetError};
use super::{IssuerError, Refusal};

/// Age at which keys are read again: a key that the issuer withdrew opens nothing after this time.
const READ_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// Least time between two tries, so that tokens with made-up key ids do not turn us against the issuer.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);

/// How long keys are believed that could not be read again. Tokens of browsers live for minutes, so an issuer that is down
/// for longer than this has no users left whom it would let in.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Longest wait for the whole answer, and for the connection, which is a part of it.
const TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Longest answer. A set of three RSA keys with certificates has ten thousand bytes.
const BODY_BYTES_MAX: usize = 128 * 1024;

/// Names this program to the issuer.
const USER_AGENT: &str = concat!("tally/", env!("CARGO_PKG_VERSION"));

/// The keys of an issuer, at their address.
#[derive(Clone)]
pub(super) struct Jwks(Arc<Shared>);

struct Shared {
    url: Url,
    client: Client,
    held: RwLock<Held>,
    /// Held by the one task that reads.
    reading: tokio::sync::Mutex<()>,
}

/// What is known of them.
#[derive(Clone, Default)]
struct Held {
    keys: Option<Arc<KeySet>>,
    read_at: Timestamp,
    tried_at: Option<Timestamp>,
}

/// Why there are no new keys.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("asking for them")]
    Http(#[from] reqwest::Error),
    #[error("they were answered with status {0}")]
    Status(StatusCode),
    #[error("the answer is longer than {BODY_BYTES_MAX} bytes")]
    TooLong,
    #[error(transparent)]
    KeySet(#[from] KeySetError),
}

impl Jwks {
    /// Nothing is read yet.
    pub(super) fn new(url: Url) -> Result<Self, IssuerError> {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            // Whoever may redirect us may name the keys.
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| IssuerError::new("jwks_url", error))?;
        let (held, reading) = (RwLock::default(), tokio::sync::Mutex::default());
        Ok(Self(Arc::new(Shared { url, client, held, reading })))
    }

    /// The key that a token with this header is verified by.
    pub(super) async fn select(
        &self,
        header: &Header,
        now: Timestamp,
    ) -> Result<DecodingKey, Refusal> {
        if let Some(key) = self.0.keys(now).and_then(|keys| keys.select(header)) {
            if self.0.are_old(now) {
                drop(tokio::spawn(Arc::clone(&self.0).read(now)));
            }
            return Ok(key);
        }
        // Perhaps it is a new one. What became of the try shows in what is held.
        drop(tokio::spawn(Arc::clone(&self.0).read(now)).await);
        let keys = self.0.keys(now).ok_or(Refusal::KeysUnavailable)?;
        keys.select(header).ok_or(Refusal::Key)
    }
}

impl Shared {
    fn held(&self) -> Held {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, change: impl FnOnce(&mut Held)) {
        change(&mut self.held.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn keys(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let held = self.held();
        held.keys.filter(|_| now.duration_since(held.read_at) < KEPT_FOR)
    }

    /// Whether they should be read again, and may be.
    fn are_old(&self, now: Timestamp) -> bool {
        now.duration_since(self.held().read_at) >= READ_AGAIN_AFTER && self.may_try(now)
    }

    fn may_try(&self, now: Timestamp) -> bool {
        self.held().tried_at.is_none_or(|tried| now.duration_since(tried) >= PAUSE)
    }

    /// Reads the keys, unless that was just tried.
    async fn read(self: Arc<Self>, now: Timestamp) {
        let _reading = self.reading.lock().await;
        if !self.may_try(now) {
            return;
        }
        self.hold(|held| held.tried_at = Some(now));
        match self.ask().await {
            Ok(keys) => self.hold(|held| (held.keys, held.read_at) = (Some(Arc::new(keys)), now)),
            Err(error) => {
                let error: &(dyn std::error::Error + 'static) = &error;
                tracing::warn!(error, url = %self.url, "cannot read the keys of the tokens' issuer");
            }
        }
    }

    async fn ask(&self) -> Result<KeySet, ReadError> {
        let mut response = self.client.get(self.url.clone()).send().await?;
        if response.status() != StatusCode::OK {
            return Err(ReadError::Status(response.status()));
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await? {
            if body.len().saturating_add(piece.len()) > BODY_BYTES_MAX {
                return Err(ReadError::TooLong);
            }
            body.extend_from_slice(&piece);
        }
        Ok(KeySet::parse(&body)?)
    }
}
