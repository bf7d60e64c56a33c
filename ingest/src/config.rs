//! What a process must be told before it takes deliveries.

use std::collections::HashSet;
use std::time::Duration;

use stripe::signature::Secret;

/// The ways in, and their limits.
#[derive(Clone, Debug)]
pub struct Config {
    /// Webhook endpoints; at least one.
    pub endpoints: Vec<Endpoint>,
    /// Whether `POST /` is the endpoint without a name as well.
    pub alias_root: bool,
    /// What deliveries may use up.
    pub limits: Limits,
}

/// One webhook endpoint: `/v1/webhooks/stripe/{name}`, or without a name `/v1/webhooks/stripe`.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its name in the path.
    pub name: Option<String>,
    /// The mode of its secrets, and whose deliveries they sign.
    pub tenants: Tenants,
    /// Any of these accepts: two while one is rolled, one for each kind of destination that posts here.
    pub secrets: Vec<Secret>,
}

/// Where a delivery goes. It follows from the mode of the secret that vouches for it; what the body claims can only lead
/// from live to test, never from test to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenants {
    /// Test secrets: everything is this tenant's.
    Test(i32),
    /// Live secrets. A live Connect endpoint is sent test-mode events as well.
    Live {
        /// Tenant of live-mode events, and of what does not say its mode.
        live: i32,
        /// Tenant of test-mode events.
        test: i32,
    },
}

/// What deliveries may use up before they are answered 408 or 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Deliveries of one tenant that wait for their append.
    pub queue_events_max: usize,
    /// Bytes of all bodies that are being read or wait for their append.
    pub body_bytes_in_memory_max: usize,
    /// From the headers to the end of the body.
    pub body_timeout: Duration,
    /// From the end of the body to the answer. Longer than this, and a sender believes that nobody is there.
    pub answer_timeout: Duration,
}

/// A configuration that cannot take deliveries.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// Nobody could deliver anything.
    #[error(
        "no webhook endpoint is configured; set STRIPE_WEBHOOK_SECRET or name one in the TOML file"
    )]
    NoEndpoint,
    /// An endpoint that would refuse everything.
    #[error("the webhook endpoint {0:?} has no signing secret")]
    NoSecret(String),
    /// Which of them is meant?
    #[error("two webhook endpoints are called {0:?}")]
    SameName(String),
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Eight full batches: what a busy Postgres appends within the time of an answer.
            queue_events_max: 2048,
            // A burst of 64 deliveries of the largest size, or of 20,000 ordinary ones.
            body_bytes_in_memory_max: 64 * 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_millis(1_800),
        }
    }
}

impl Tenants {
    /// The tenant of an event that claims this mode.
    pub fn tenant_of(self, livemode: Option<bool>) -> i32 {
        match (self, livemode) {
            (Self::Test(test), _) | (Self::Live { test, .. }, Some(false)) => test,
            (Self::Live { live, .. }, Some(true) | None) => live,
        }
    }

    /// All that a delivery may go to.
    pub(crate) fn all(self) -> impl Iterator<Item = i32> {
        [Some(true), Some(false)].into_iter().map(move |livemode| self.tenant_of(livemode))
    }
}

impl Config {
    /// Refuses what could take no delivery, or not tell where it goes.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.endpoints.is_empty() {
            return Err(ConfigError::NoEndpoint);
        }
        let mut names = HashSet::new();
        for endpoint in &self.endpoints {
            let name = || endpoint.name.clone().unwrap_or_default();
            if endpoint.secrets.is_empty() {
                return Err(ConfigError::NoSecret(name()));
            }
            if !names.insert(&endpoint.name) {
                return Err(ConfigError::SameName(name()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(name: Option<&str>) -> Endpoint {
        let secret = Secret::parse("whsec_5f0c2a9be41d4c7c8a36e1f7").unwrap();
        let name = name.map(ToOwned::to_owned);
        Endpoint { name, tenants: Tenants::Test(1), secrets: vec![secret] }
    }

    fn checked(endpoints: Vec<Endpoint>) -> Result<(), ConfigError> {
        Config { endpoints, alias_root: false, limits: Limits::default() }.check()
    }

    #[test]
    fn what_a_body_claims_never_leads_from_test_to_live() {
        for livemode in [None, Some(false), Some(true)] {
            assert_eq!(Tenants::Test(7).tenant_of(livemode), 7);
        }
        let tenants = Tenants::Live { live: 1, test: 2 };
        let found = [None, Some(false), Some(true)].map(|livemode| tenants.tenant_of(livemode));
        assert_eq!(found, [1, 2, 1]);
    }

    #[test]
    fn an_endpoint_has_a_name_of_its_own_and_a_secret() {
        assert_eq!(checked(Vec::new()), Err(ConfigError::NoEndpoint));
        assert_eq!(checked(vec![endpoint(None), endpoint(Some("eu"))]), Ok(()));
        let twice = checked(vec![endpoint(Some("eu")), endpoint(Some("eu"))]);
        assert_eq!(twice, Err(ConfigError::SameName("eu".to_owned())));
        let open = Endpoint { secrets: Vec::new(), ..endpoint(Some("eu")) };
        assert_eq!(checked(vec![open]), Err(ConfigError::NoSecret("eu".to_owned())));
    }
}
