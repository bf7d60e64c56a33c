//! Acknowledged deliveries per second, in turns with pgbench: first with a projector at work on what arrives, then
//! without one.

use std::time::Duration;

use stripe::signature::Secret;

use crate::Options;
use crate::load::{CONNECTIONS, Pace, deliver};
use crate::opponents::insert;
use crate::pgbench::Pgbench;
use crate::purchases::{Purchases, request};
use crate::report::{Report, count_in, rate};
use crate::service::{SECRET, Service};
use crate::stand::Stand;

/// Deliveries that warm everything up and tell how many will fill a turn.
const WARM_UP: usize = 10_000;

/// Most deliveries of a turn: they are made beforehand and held in memory, 3 kB each.
const TURN_MAX: usize = 200_000;

/// Measures it.
pub async fn ingest(options: &Options) -> anyhow::Result<Vec<Report>> {
    let stand = Stand::make(options).await?;
    let mut events = Purchases::by_all_doors();
    stand.open_shop(&mut events).await?;
    let mut bench = Bench {
        pgbench: insert::prepare(&stand).await?,
        ingest: stand.serve("ingest").await?,
        secret: Secret::parse(SECRET)?,
        events,
        stand,
        options,
        turn: WARM_UP,
    };
    bench.turn = count_in(bench.deliver().await?.0, options.seconds).min(TURN_MAX);
    // The projector comes first: without it, a backlog would be left.
    let projector = bench.stand.serve("projector").await?;
    let projected = bench.compare("ingest, projector running", Some(&projector)).await?;
    projector.kill().await?;
    let paused = bench.compare("ingest, projector paused", None).await?;
    bench.ingest.kill().await?;
    Ok(vec![paused, projected])
}

struct Bench<'a> {
    stand: Stand,
    options: &'a Options,
    pgbench: Pgbench,
    ingest: Service,
    secret: Secret,
    events: Purchases,
    /// Deliveries of a turn.
    turn: usize,
}

impl Bench<'_> {
    /// All pairs of one scenario.
    async fn compare(
        &mut self,
        scenario: &'static str,
        projector: Option<&Service>,
    ) -> anyhow::Result<Report> {
        let (mut pairs, mut times) = (Vec::new(), Vec::new());
        for number in 1..=self.options.pairs {
            let (ours, took) = self.deliver().await?;
            if projector.is_some() {
                self.stand.drained().await?;
            }
            self.stand.checkpoint().await?;
            let theirs = self.pgbench.run(self.options.seconds).await?;
            tracing::info!(scenario, number, ours, theirs, "pair measured");
            pairs.push((ours, theirs));
            times.extend(took);
        }
        let peaks = [Some(&self.ingest), projector].into_iter().flatten();
        let peak = peaks.filter_map(Service::peak_kib).max();
        let limit = format!(
            "pgbench, one row per transaction, {} connections; ours has {CONNECTIONS}",
            self.pgbench.clients
        );
        Ok(Report::new(scenario, limit, pairs, peak).with_times(times))
    }

    /// One turn of ours: deliveries per second, and the time of each answer.
    async fn deliver(&mut self) -> anyhow::Result<(f64, Vec<Duration>)> {
        let now = self.stand.now();
        let bodies = self.events.by_ref().take(self.turn);
        let requests: Vec<Vec<u8>> = bodies.map(|body| request(&self.secret, now, &body)).collect();
        self.stand.checkpoint().await?;
        let delivered = deliver(self.ingest.address, requests, 200, Pace::Free).await?;
        Ok((rate(delivered.times.len(), delivered.elapsed), delivered.times))
    }
}
