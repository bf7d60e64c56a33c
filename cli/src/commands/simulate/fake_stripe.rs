//! `tally simulate stripe`: the fake Stripe of testkit, to be asked by Stripe's own tools.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use testkit::events::API_VERSION;
use testkit::fake_stripe::{Endpoint, FakeStripe, Habits};

use super::secrets;
use crate::config::Settings;
use crate::deliver::webhook_url;
use crate::exit::Exit;
use crate::output::Format;

/// Answer as Stripe's API does, and deliver webhooks of what was asked for
///
/// It keeps its state in memory, accepts any key, and signs with every secret of STRIPE_WEBHOOK_SECRET, or with the one
/// that `tally up` made. What is not accepted is sent again, at Stripe's intervals made shorter. Stripe's CLI asks it with
/// `stripe trigger … --api-base URL`. Prints `ready http://…` on stdout as soon as it serves, and stops when it is told to.
#[derive(Debug, Args)]
pub(super) struct ServeFakeStripe {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:12111")]
    listen: String,
    /// The service, or one of its webhook endpoints [default: TALLY_URL, else the local one]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Version in which it tells of events
    #[arg(long, default_value = API_VERSION)]
    api_version: String,
    /// Per cent of the events that are delivered twice
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    duplicate: u8,
    /// Longest time in ms that a delivery waits, so that others overtake it
    #[arg(long, value_name = "MS", default_value_t = 0)]
    disorder: u64,
    /// How many times shorter the pauses between tries are than Stripe's, which are minutes to hours
    #[arg(long, value_name = "TIMES", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    hurry: u32,
    /// What ids and accidents are made of
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl ServeFakeStripe {
    pub(super) async fn run(self, settings: &Settings, format: Format) -> anyhow::Result<Exit> {
        let to = webhook_url(self.to.as_deref().unwrap_or(&settings.url.value))?;
        let endpoint = Endpoint {
            url: to.clone(),
            secrets: secrets(settings)?.to_vec(),
            api_version: None,
            is_thin: false,
        };
        let fake_stripe = testkit::fake_stripe::Settings {
            endpoints: vec![endpoint],
            habits: Habits {
                duplicates_percent: self.duplicate,
                disorder_max: Duration::from_millis(self.disorder),
                ..Habits::live(self.hurry)
            },
            api_version: self.api_version,
            seed: self.seed,
            listen: self.listen.clone(),
            livemode: false,
        };
        let fake_stripe = FakeStripe::try_start(fake_stripe)
            .await
            .with_context(|| format!("listening on {}: choose another --listen", self.listen))?;
        let url = fake_stripe.url();
        format
            .answer(&serde_json::json!({ "ready": url, "to": to }), |_| format!("ready {url}"))?;
        std::future::pending::<()>().await;
        Ok(Exit::Fine)
    }
}
