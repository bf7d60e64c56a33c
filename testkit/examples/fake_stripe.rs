//! Runs the fake Stripe for scripts: `STRIPE_WEBHOOK_SECRET=whsec_… fake_stripe --deliver-to URL`. Prints
//! `ready http://…` when it serves, and stops when it is told to.

use std::io::Write as _;
use std::time::Duration;

use clap::Parser;
use testkit::fake_stripe::{Endpoint, FakeStripe, Habits, Settings};

/// Answers as Stripe's API does, and delivers webhooks.
#[derive(Debug, Parser)]
struct Arguments {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// URL that wants to hear of events; can be given several times
    #[arg(long)]
    deliver_to: Vec<String>,
    /// Secrets that sign the deliveries, comma separated: two while a secret is being rolled
    #[arg(long, env = "STRIPE_WEBHOOK_SECRET", hide_env_values = true, value_delimiter = ',')]
    secret: Vec<String>,
    /// The account's API version
    #[arg(long, default_value = testkit::events::API_VERSION)]
    api_version: String,
    /// Of 100 events, so many are delivered twice
    #[arg(long, default_value_t = 0)]
    duplicates_percent: u8,
    /// Deliveries wait up to so many milliseconds, so that they overtake each other
    #[arg(long, default_value_t = 0)]
    disorder_ms: u64,
    /// How many times shorter the pauses between tries are than Stripe's in live mode
    #[arg(long, default_value_t = 100_000)]
    times_shorter: u32,
    /// Makes ids and accidents
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let endpoint =
        |url: &String| Endpoint { secrets: arguments.secret.clone(), ..Endpoint::new(url, "") };
    let settings = Settings {
        endpoints: arguments.deliver_to.iter().map(endpoint).collect(),
        habits: Habits {
            duplicates_percent: arguments.duplicates_percent,
            disorder_max: Duration::from_millis(arguments.disorder_ms),
            ..Habits::live(arguments.times_shorter)
        },
        listen: arguments.listen,
        api_version: arguments.api_version,
        seed: arguments.seed,
        ..Settings::default()
    };
    let fake_stripe = FakeStripe::start(settings).await;
    writeln!(std::io::stdout(), "ready {}", fake_stripe.url())?;
    tokio::signal::ctrl_c().await
}
