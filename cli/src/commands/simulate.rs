//! `tally simulate`: signed deliveries as Stripe would send them, without Stripe.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use futures_util::{StreamExt as _, stream};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;
use service::clock::Clock;
use tokio::sync::Mutex;

use crate::config::error::ConfigError;
use crate::config::{DevEnv, Settings, variables};
use crate::deliver::{Answer, Sender};
use crate::events::{Event, Purchase};
use crate::exit::Exit;
use crate::output::Format;

/// Deliveries that wait for their answers at the same time. Stripe sends side by side as well.
const IN_FLIGHT: usize = 16;

/// Most purchases of one run.
const COUNT_MAX: i64 = 1_000_000;

/// Cents that one credit costs.
const CENTS_PER_CREDIT: i64 = 10;

/// Make signed deliveries, as Stripe would
///
/// A purchase is told of by three events: its checkout session, its payment intent and its charge. They are signed with
/// the first secret of STRIPE_WEBHOOK_SECRET, or with the one that `tally up` made. The same seed makes the same events.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// What happens
    kind: Kind,
    /// The service, or one of its webhook endpoints [default: TALLY_URL, else the local one]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Who buys
    #[arg(long, default_value = "u_1")]
    user: String,
    /// Credits that each purchase names [default: 100, if no price is named]
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..))]
    credits: Option<i64>,
    /// Price that each purchase names
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A user buys credits
    Purchase,
    /// Somebody buys credits whom nothing names
    Unresolved,
    /// The app's server names the user, the payment link another one
    Conflict,
    /// Many purchases at once, some delivered twice, in random order
    Storm,
}

/// Through which of its events a purchase is told.
#[derive(Clone, Copy, Debug)]
enum Door {
    Session,
    PaymentIntent,
    Charge,
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
        let secrets = settings.webhook_secrets.as_ref();
        let secret = secrets.and_then(|secrets| secrets.value.first()).ok_or(ConfigError::Missing {
            name: variables::WEBHOOK_SECRET.name,
            what_to_do: "set what the deliveries are to be signed with, or run `tally up` first",
        })?;
        let to = self.to.as_deref().unwrap_or(&settings.url.value);
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
        let answers = stream::iter(self.deliveries(seed)).map(|(number, door)| {
            let purchase = self.purchase(seed, number, now);
            let ticks = ticks.as_ref();
            async move {
                if let Some(ticks) = ticks {
                    ticks.lock().await.tick().await;
                }
                sender.deliver(door.event(&purchase).body).await
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

    /// Which purchase is told of when, and how.
    fn deliveries(&self, seed: u64) -> Vec<(i64, Door)> {
        let mut random = StdRng::seed_from_u64(seed);
        let storm = self.kind == Kind::Storm;
        let percent = self.duplicate.unwrap_or(if storm { 20 } else { 0 });
        let mut deliveries = Vec::new();
        for number in 1..=self.count() {
            for door in [Door::Charge, Door::PaymentIntent, Door::Session] {
                deliveries.push((number, door));
                if random.random_range(0..100) < percent {
                    deliveries.push((number, door));
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

    fn purchase(&self, seed: u64, number: i64, created: i64) -> Purchase {
        let default_credits = self.price.is_none().then_some(100);
        let credits = self.credits.or(default_credits);
        let mut metadata = BTreeMap::new();
        if self.kind != Kind::Unresolved {
            metadata.insert("user_id", self.user.clone());
        }
        metadata.extend(credits.map(|credits| ("credits", credits.to_string())));
        metadata.extend(self.price.clone().map(|price| ("price", price)));
        let other = || format!("{}_other", self.user);
        Purchase {
            name: format!("sim_{seed:x}_{number}"),
            created,
            amount: credits.unwrap_or(100).saturating_mul(CENTS_PER_CREDIT),
            metadata,
            client_reference_id: (self.kind == Kind::Conflict).then(other),
            ..Purchase::default()
        }
    }
}

impl Door {
    fn event(self, purchase: &Purchase) -> Event {
        match self {
            Self::Session => purchase.session_completed(),
            Self::PaymentIntent => purchase.payment_intent_succeeded(),
            Self::Charge => purchase.charge_succeeded(),
        }
    }
}

fn text(report: &Report) -> String {
    let Report { to, seed, purchases, deliveries, stored, duplicates, not_accepted } = report;
    format!(
        "{purchases} purchases (seed {seed}) in {deliveries} deliveries to {to}: \
         {stored} stored, {duplicates} duplicates, {not_accepted} not accepted"
    )
}
