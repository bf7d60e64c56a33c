//! From a delivery that was acknowledged to the user who sees the credits: by the answer of the checkout that he waits for, and
//! by the stream of his balance.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use service::clock::Clock;
use stripe::signature::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Options;
use crate::app::App;
use crate::load::{ask, connect, exchange};
use crate::purchases::{Purchases, request, user_id};
use crate::report::{Report, lasting, p99_ms, rate};
use crate::service::SECRET;
use crate::stand::Stand;

/// Users who buy, one purchase after the other.
const BUYERS: usize = 64;

/// Deliveries per second, of all of them together.
const RATE: f64 = 500.0;

/// Purchases of one buyer per second: together they are about [`RATE`].
const EACH_PER_SECOND: usize = 8;

/// What is promised: milliseconds within which 99 of 100 see it.
const MARK_MS: f64 = 50.0;

/// Longest wait for anything of one purchase.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// What a stream sends for each change.
const EVENT: &[u8] = b"event: balance";

/// Measures it.
pub async fn end_to_end(options: &Options) -> anyhow::Result<Vec<Report>> {
    let stand = Stand::make(options).await?;
    // One that has sold before: the planner knows its tables.
    stand.open_shop(&mut Purchases::by_all_doors()).await?;
    let (ingest, projector) = (stand.serve("ingest").await?, stand.serve("projector").await?);
    let app = Arc::new(App::start(&stand).await?);
    let turn = Turn { stand: &stand, app: &app, ingest: ingest.address };
    // The first one opens connections and prepares their statements: it is not measured.
    turn.run(0, EACH_PER_SECOND).await?;
    let each = usize::try_from(options.seconds)?.saturating_mul(EACH_PER_SECOND);
    let (mut waited, mut streamed) = (Times::default(), Times::default());
    let mut rates = Vec::new();
    for number in 1..=usize::try_from(options.pairs)? {
        let all = turn.run(number, each).await?;
        waited.add(all.iter().map(|seen| seen.by_wait).collect());
        streamed.add(all.iter().map(|seen| seen.by_stream).collect());
        let last = all.iter().map(|seen| seen.acknowledged).max().unwrap_or_default();
        rates.push(rate(all.len(), last));
    }
    projector.kill().await?;
    ingest.kill().await?;
    // Whoever waits longer than until his next purchase buys later: then it was less than was wanted.
    let slowest = rates.into_iter().fold(f64::INFINITY, f64::min);
    let of = |scenario, times: Times| {
        let limit = format!("the most that is promised, at {slowest:.0} deliveries/s");
        let report = Report::new(scenario, limit, times.pairs, app.peak_kib());
        report.with_times(times.all).in_milliseconds()
    };
    Ok(vec![
        of("end-to-end, p99 from acknowledged to credited", waited),
        of("end-to-end, p99 from acknowledged to streamed", streamed),
    ])
}

/// What every turn is made with.
struct Turn<'a> {
    stand: &'a Stand,
    app: &'a Arc<App>,
    ingest: SocketAddr,
}

impl Turn<'_> {
    /// All buyers buy, so many times each; what they saw.
    async fn run(&self, turn: usize, each: usize) -> anyhow::Result<Vec<Seen>> {
        let clock = self.stand.clock.clone();
        let begun = Arc::new(Begun { at: clock.mark(), clock });
        let mut buyers = JoinSet::new();
        for number in 0..BUYERS {
            // Other users in each turn, so that no purchase is told twice.
            let user = turn.saturating_mul(BUYERS).saturating_add(number);
            let buyer = Buyer::new(self.app, user, number, Arc::clone(&begun))?;
            buyers.spawn(buyer.buy(self.ingest, each));
        }
        let mut all: Vec<Seen> = Vec::new();
        while let Some(bought) = buyers.join_next().await {
            all.extend(bought??);
        }
        Ok(all)
    }
}

/// After how long purchases were seen in one way.
#[derive(Default)]
struct Times {
    /// Of each turn the 99th percentile, beside what is promised.
    pairs: Vec<(f64, f64)>,
    /// Of all turns.
    all: Vec<Duration>,
}

impl Times {
    fn add(&mut self, times: Vec<Duration>) {
        self.all.extend(&times);
        self.pairs.push((p99_ms(times).unwrap_or(f64::NAN), MARK_MS));
    }
}

/// When a turn began.
struct Begun {
    clock: Clock,
    at: Instant,
}

/// After how long a purchase was seen.
struct Seen {
    /// When it was acknowledged, since the turn began.
    acknowledged: Duration,
    by_wait: Duration,
    by_stream: Duration,
}

/// A user who buys, waits for his checkout, and watches his balance.
struct Buyer {
    app: Arc<App>,
    secret: Secret,
    purchases: Purchases,
    user: usize,
    /// Which of the buyers: they do not begin all at once.
    number: usize,
    begun: Arc<Begun>,
}

impl Buyer {
    fn new(app: &Arc<App>, user: usize, number: usize, begun: Arc<Begun>) -> anyhow::Result<Self> {
        let (app, secret) = (Arc::clone(app), Secret::parse(SECRET)?);
        Ok(Self { app, secret, purchases: Purchases::of_user(user), user, number, begun })
    }

    async fn buy(mut self, ingest: SocketAddr, count: usize) -> anyhow::Result<Vec<Seen>> {
        let mut stripe = connect(ingest).await?;
        let mut checkout = connect(self.app.address()).await?;
        let mut balance = Stream::open(&self.app, self.user).await?;
        let mut all = Vec::with_capacity(count);
        for number in 0..count {
            let place = number.saturating_mul(BUYERS).saturating_add(self.number);
            let due = lasting(place, RATE).and_then(|after| self.begun.at.checked_add(after));
            tokio::time::sleep_until(due.context("a time to buy at")?.into()).await;
            let session = self.purchases.next_session();
            let body = self.purchases.next().context("a purchase")?;
            let delivery = request(&self.secret, self.begun.clock.now(), &body);
            let status = exchange(&mut stripe, &delivery).await?;
            ensure!(status == 200, "a delivery was answered {status}");
            let acknowledged = self.begun.clock.mark();
            let since = || self.begun.clock.mark().saturating_duration_since(acknowledged);
            let path = format!("/v1/checkout_sessions/{session}?wait=10");
            let question = self.app.get(&path);
            let by_wait = async {
                let answer = ask(&mut checkout, &question).await?;
                let is_credited = String::from_utf8_lossy(&answer).contains("\"credited\"");
                ensure!(is_credited, "{session}: {}", String::from_utf8_lossy(&answer));
                Ok(since())
            };
            let by_stream = async {
                balance.next().await?;
                Ok(since())
            };
            let seen =
                tokio::time::timeout(WAIT_MAX, async { tokio::try_join!(by_wait, by_stream) });
            let (by_wait, by_stream) =
                seen.await.context("waiting for a purchase to be seen")??;
            let acknowledged = acknowledged.saturating_duration_since(self.begun.at);
            all.push(Seen { acknowledged, by_wait, by_stream });
        }
        Ok(all)
    }
}

/// The stream of a balance.
struct Stream {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Stream {
    /// Opens it, and reads the balance of the beginning.
    async fn open(app: &App, user: usize) -> anyhow::Result<Self> {
        let mut stream = connect(app.address()).await?;
        let path = format!("/v1/users/{}/balance/stream", user_id(user));
        stream.write_all(&app.get(&path)).await?;
        let mut opened = Self { stream, read: Vec::new() };
        tokio::time::timeout(WAIT_MAX, opened.next()).await.context("opening a stream")??;
        Ok(opened)
    }

    /// Reads to the end of the next balance.
    async fn next(&mut self) -> anyhow::Result<()> {
        loop {
            if let Some(begin) = place_of(EVENT, &self.read)
                && let Some(end) = place_of(b"\n\n", self.read.get(begin..).unwrap_or_default())
            {
                self.read.drain(..begin.saturating_add(end));
                return Ok(());
            }
            let read = self.stream.read_buf(&mut self.read).await?;
            ensure!(read > 0, "a stream ended: {}", String::from_utf8_lossy(&self.read));
        }
    }
}

fn place_of(what: &[u8], bytes: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
