//! `tally simulate`: signed deliveries as Stripe would send them, without Stripe; and a fake Stripe that can be asked for them.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use futures_util::{StreamExt as _, stream};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;
use service::clock::Clock;
use stripe::signature::Secret;
use tokio::sync::Mutex;

use crate::config::error::ConfigError;
use crate::config::{DevEnv, Settings, variables};
use crate::deliver::{Answer, Sender};
use crate::events::{Event, Purchase, Subscription};
use crate::exit::Exit;
use crate::output::Format;

mod fake_stripe;
mod story;

use fake_stripe::ServeFakeStripe;
use story::Kind;

/// Deliveries that wait for their answers at the same time. Stripe sends side by side as well.
const IN_FLIGHT: usize = 16;

/// Most purchases of one run.
const COUNT_MAX: i64 = 1_000_000;

/// Cents that one credit costs.
const CENTS_PER_CREDIT: i64 = 10;

/// Credits of a purchase that names neither credits nor a price.
const CREDITS: i64 = 100;

/// Price that a subscription is to.
const SUBSCRIBED: &str = "price_simulated";

/// How long ago it all began: what happens to a purchase later is over by now, too.
const BEGAN_SECONDS_AGO: i64 = 600;

/// Make signed deliveries, as Stripe would
///
/// A purchase is told of by three events: its checkout session, its payment intent and its charge; further events tell
/// what happens to it. They are signed with the first secret of STRIPE_WEBHOOK_SECRET, or with the one that `tally up`
/// made. The same seed makes the same events.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true
)]
pub(crate) struct Simulate {
    #[command(subcommand)]
    served: Option<Served>,
    #[command(flatten)]
    told: Option<Told>,
}

/// What goes on until it is stopped.
#[derive(Debug, Subcommand)]
enum Served {
    Stripe(ServeFakeStripe),
}

/// What is told once.
#[derive(Debug, Args)]
struct Told {
    /// What happens
    kind: Kind,
    /// The service, or one of its webhook endpoints [default: TALLY_URL, else the local one]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Who buys
    #[arg(long, default_value = "u_1")]
    user: String,
    /// Credits that each purchase names [default: 100, if no price is named; a subscription names none]
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..))]
    credits: Option<i64>,
    /// Price that each purchase names [default: none, of a subscription price_simulated]
    #[arg(long)]
    price: Option<String>,
    /// How many purchases [default: 1, of a storm 1000]
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..=COUNT_MAX))]
    count: Option<i64>,
    /// Most deliveries in a second [default: as many as are answered]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Per cent of the deliveries that are sent twice [default: 0, of a storm 20]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    duplicate: Option<u8>,
    /// Deliver in random order, as a storm does
    #[arg(long)]
    shuffle: bool,
    /// What the ids and the order are made of [default: random]
    #[arg(long)]
    seed: Option<u64>,
}

/// What was delivered, and how it was answered.
#[derive(Debug, Default, Serialize)]
struct Report {
    to: String,
    seed: u64,
    purchases: i64,
    deliveries: u64,
    stored: u64,
    duplicates: u64,
    not_accepted: u64,
}

impl Simulate {
    pub(crate) async fn run(self, format: Format) -> anyhow::Result<Exit> {
        let settings = Settings::load(DevEnv::Read)?;
        match (self.served, self.told) {
            (Some(Served::Stripe(command)), _) => command.run(&settings, format).await,
            (None, Some(told)) => told.run(&settings, format).await,
            (None, None) => Ok(Exit::Usage), // clap has shown its help
        }
    }
}

/// The secrets that sign deliveries.
fn secrets(settings: &Settings) -> Result<&[Secret], ConfigError> {
    let secrets = settings.webhook_secrets.as_ref();
    secrets.map(|secrets| secrets.value.as_slice()).ok_or(ConfigError::Missing {
        name: variables::WEBHOOK_SECRET.name,
        what_to_do: "set what the deliveries are to be signed with, or run `tally up` first",
    })
}

impl Told {
    async fn run(self, settings: &Settings, format: Format) -> anyhow::Result<Exit> {
        let to = self.to.as_deref().unwrap_or(&settings.url.value);
        let [secret, ..] = secrets(settings)? else { return Ok(Exit::Usage) };
        let sender = Sender::new(to, secret.clone())?;
        let seed = self.seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
        let report = self.deliver_all(&sender, seed).await?;
        format.answer(&report, text)?;
        Ok(if report.not_accepted == 0 { Exit::Fine } else { Exit::Failed })
    }

    async fn deliver_all(&self, sender: &Sender, seed: u64) -> anyhow::Result<Report> {
        let now = Clock::system().now().as_second();
        let pause = self.rate.and_then(|rate| Duration::from_secs(1).checked_div(rate));
        // One after the other takes the lock and with it the next tick.
        let ticks = pause.map(|pause| Mutex::new(tokio::time::interval(pause)));
        let events = stream::iter(self.deliveries(seed));
        let events = events.filter_map(async |(number, place)| {
            self.events(seed, number, now).into_iter().nth(place)
        });
        let answers = events.map(|event| {
            let ticks = ticks.as_ref();
            async move {
                if let Some(ticks) = ticks {
                    ticks.lock().await.tick().await;
                }
                sender.deliver(event.body).await
            }
        });
        let mut answers = std::pin::pin!(answers.buffer_unordered(IN_FLIGHT));
        let mut report = Report {
            to: sender.url().to_owned(),
            seed,
            purchases: self.count(),
            ..Report::default()
        };
        while let Some(answer) = answers.next().await {
            let counter = match answer.with_context(|| format!("delivering to {}", sender.url()))? {
                Answer::Stored(_) => &mut report.stored,
                Answer::Duplicate(_) => &mut report.duplicates,
                Answer::Other(_) => &mut report.not_accepted,
            };
            *counter = counter.saturating_add(1);
            report.deliveries = report.deliveries.saturating_add(1);
        }
        Ok(report)
    }

    /// Which purchase is told of when, and by which of its events.
    fn deliveries(&self, seed: u64) -> Vec<(i64, usize)> {
        let mut random = StdRng::seed_from_u64(seed);
        let storm = self.kind == Kind::Storm;
        let percent = self.duplicate.unwrap_or(if storm { 20 } else { 0 });
        let places = self.events(seed, 1, 0).len();
        let mut deliveries = Vec::new();
        for number in 1..=self.count() {
            for place in 0..places {
                deliveries.push((number, place));
                if random.random_range(0..100) < percent {
                    deliveries.push((number, place));
                }
            }
        }
        if storm || self.shuffle {
            deliveries.shuffle(&mut random);
        }
        deliveries
    }

    fn count(&self) -> i64 {
        self.count.unwrap_or(if self.kind == Kind::Storm { 1_000 } else { 1 })
    }

    /// Everything that is told of one purchase.
    fn events(&self, seed: u64, number: i64, now: i64) -> Vec<Event> {
        let name = format!("sim_{seed:x}_{number}");
        let created = now.saturating_sub(BEGAN_SECONDS_AGO);
        let default_credits = self.price.is_none().then_some(CREDITS);
        let credits = self.credits.or(default_credits);
        let amount = credits.unwrap_or(CREDITS).saturating_mul(CENTS_PER_CREDIT);
        let mut metadata = BTreeMap::new();
        if self.kind != Kind::Unresolved {
            metadata.insert("user_id", self.user.clone());
        }
        if self.kind == Kind::Subscription {
            // What is bought stands on its invoice's line.
            let price = self.price.clone().unwrap_or_else(|| SUBSCRIBED.to_owned());
            metadata.extend(self.credits.map(|credits| ("credits", credits.to_string())));
            return Subscription { name, created, amount, price, metadata }.begun().into();
        }
        metadata.extend(credits.map(|credits| ("credits", credits.to_string())));
        metadata.extend(self.price.clone().map(|price| ("price", price)));
        let other = || format!("{}_other", self.user);
        let purchase = Purchase {
            name,
            created,
            amount,
            metadata,
            client_reference_id: (self.kind == Kind::Conflict).then(other),
            ..Purchase::default()
        };
        story::of(self.kind, &purchase)
    }
}

fn text(report: &Report) -> String {
    let Report { to, seed, purchases, deliveries, stored, duplicates, not_accepted } = report;
    format!(
        "{purchases} purchases (seed {seed}) in {deliveries} deliveries to {to}: \
         {stored} stored, {duplicates} duplicates, {not_accepted} not accepted"
    )
}
