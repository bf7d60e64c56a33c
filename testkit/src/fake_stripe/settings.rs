//! Where the fake Stripe listens, to whom it delivers, and with which habits.

use std::time::Duration;

use stripe::signature::Secret;

use crate::events::API_VERSION;

/// Pauses before Stripe tries again in live mode, in seconds: growing, three days together.
pub const LIVE_PAUSES_SECONDS: [u64; 9] =
    [300, 1_800, 7_200, 18_000, 36_000, 43_200, 43_200, 43_200, 43_200];

/// Pauses before Stripe tries again in test mode, in seconds: three tries in some hours.
pub const TEST_PAUSES_SECONDS: [u64; 2] = [1_800, 7_200];

/// Everything that can be chosen.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address to listen on; port 0 takes a free one.
    pub listen: String,
    /// Live or test mode, as objects and events claim it.
    pub livemode: bool,
    /// The account's default version: of calls that name none, of endpoints without their own, and of listed events.
    pub api_version: String,
    /// To whom events are delivered.
    pub endpoints: Vec<Endpoint>,
    /// How they are delivered.
    pub habits: Habits,
    /// Makes ids and accidents; the same seed and the same calls make the same ones.
    pub seed: u64,
}

impl Default for Settings {
    /// Test mode, the newest version, nobody to deliver to.
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            livemode: false,
            api_version: API_VERSION.to_owned(),
            endpoints: Vec::new(),
            habits: Habits::default(),
            seed: 0,
        }
    }
}

/// A URL that wants to hear of events.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Where to post.
    pub url: String,
    /// Secrets that sign each delivery, one `v1` each: two while a secret is being rolled.
    pub secrets: Vec<Secret>,
    /// Version that it pinned; without one the account's.
    pub api_version: Option<String>,
    /// Whether it gets thin events, which only name the object.
    pub is_thin: bool,
}

impl Endpoint {
    /// An endpoint with one secret and the account's version, for whole events.
    ///
    /// # Panics
    /// If the secret is too weak to be one.
    pub fn new(url: &str, secret: &str) -> Self {
        Self {
            url: url.to_owned(),
            secrets: vec![Secret::parse(secret).expect("an endpoint's secret is one")],
            api_version: None,
            is_thin: false,
        }
    }
}

/// How Stripe delivers.
#[derive(Debug, Clone)]
pub struct Habits {
    /// Pauses before each further try, after anything that is not 2xx. Then it is given up.
    pub pauses: Vec<Duration>,
    /// Of 100 events that were accepted, so many are delivered once more.
    pub duplicates_percent: u8,
    /// Each first try waits up to this long, so that events overtake each other. Zero keeps calls in order.
    pub disorder_max: Duration,
}

impl Default for Habits {
    /// Test mode's pauses, a hundred thousand times shorter; no duplicates, no disorder.
    fn default() -> Self {
        Self {
            pauses: compressed(&TEST_PAUSES_SECONDS, 100_000),
            duplicates_percent: 0,
            disorder_max: Duration::ZERO,
        }
    }
}

impl Habits {
    /// Live mode's pauses, so many times shorter.
    #[must_use]
    pub fn live(times_shorter: u32) -> Self {
        Self { pauses: compressed(&LIVE_PAUSES_SECONDS, times_shorter), ..Self::default() }
    }
}

fn compressed(seconds: &[u64], times_shorter: u32) -> Vec<Duration> {
    let shorter = |seconds: &u64| Duration::from_secs(*seconds).checked_div(times_shorter);
    seconds.iter().map(|seconds| shorter(seconds).unwrap_or_default()).collect()
}
