//! Spends per second over HTTP, in turns with a double-entry movement in PL/pgSQL: spread over many accounts, and on one that
//! everybody wants; how long an answer takes at a rate that both can bear; and whether an old account costs more than a new
//! one.

use anyhow::bail;

use crate::Options;
use crate::app::App;
use crate::load::CONNECTIONS;
use crate::opponents::spend as opponent;
use crate::pgbench::Pgbench;
use crate::report::{Report, count_in, p99_ms};
use crate::stand::Stand;

/// Accounts that spends are spread over.
const ACCOUNTS: usize = 10_000;

/// Credits of each: more than any run can spend.
const CREDITS: u64 = 1_000_000_000_000;

/// Spends that warm everything up and tell how many will fill a turn.
const WARM_UP: usize = 10_000;

/// Most spends of a turn: their requests are made beforehand and held in memory.
const TURN_MAX: usize = 400_000;

/// What share of the opponent's best rate both are asked for when answers are timed.
const SHARE_TIMED: f64 = 0.5;

/// Accounts of one age that take turns, so that none of them is the only one of a batch.
const OF_ONE_AGE: usize = 4;

/// Open grants of an account that was given many.
const MANY_GRANTS: usize = 1_000;

/// Measures it.
pub async fn spend(options: &Options) -> anyhow::Result<Vec<Report>> {
    let stand = Stand::make(options).await?;
    stand.open_app().await?;
    opponent::make(&stand).await?;
    let app = App::start(&stand).await?;
    let bench = Bench { stand, app, options };
    let all: Vec<usize> = (0..ACCOUNTS).collect();
    bench.app.grant(&all, CREDITS, 1).await?;
    let mut reports = Vec::new();
    let spread = opponent::prepare(&bench.stand, ACCOUNTS).await?;
    reports.push(bench.compare("spend, 10,000 accounts", &all, &spread).await?);
    let hot = opponent::prepare(&bench.stand, 1).await?;
    reports.push(bench.compare("spend, one hot account", &all[..1], &hot).await?);
    reports.push(bench.timed(&all, &spread).await?);
    reports.extend(bench.aged().await?);
    reports.push(bench.many_grants().await?);
    bench.app.stop().await?;
    Ok(reports)
}

struct Bench<'a> {
    stand: Stand,
    app: App,
    options: &'a Options,
}

impl Bench<'_> {
    /// All pairs of one scenario.
    async fn compare(
        &self,
        scenario: &'static str,
        accounts: &[usize],
        pgbench: &Pgbench,
    ) -> anyhow::Result<Report> {
        let turn = self.turn(accounts).await?;
        let (mut pairs, mut times) = (Vec::new(), Vec::new());
        for number in 1..=self.options.pairs {
            self.stand.checkpoint().await?;
            let (ours, took) = self.app.spend(accounts, turn, None).await?;
            self.stand.checkpoint().await?;
            let theirs = pgbench.run(self.options.seconds).await?;
            tracing::info!(scenario, number, ours, theirs, "pair measured");
            pairs.push((ours, theirs));
            times.extend(took);
        }
        let limit =
            format!("PL/pgSQL by pgbench, {} connections; ours has {CONNECTIONS}", pgbench.clients);
        Ok(Report::new(scenario, limit, pairs, self.app.peak_kib()).with_times(times))
    }

    /// 99th percentiles at one rate.
    async fn timed(&self, accounts: &[usize], pgbench: &Pgbench) -> anyhow::Result<Report> {
        let rate = half_of(pgbench.run(self.options.seconds).await?);
        let turn = count_in(rate, self.options.seconds).min(TURN_MAX);
        let mut pairs = Vec::new();
        for _ in 0..self.options.pairs {
            let (_, took) = self.app.spend(accounts, turn, Some(rate)).await?;
            let theirs = pgbench.times_at(rate, self.options.seconds).await?;
            pairs.push((p99_ms(took).unwrap_or(f64::NAN), p99_ms(theirs).unwrap_or(f64::NAN)));
        }
        let limit = format!("PL/pgSQL by pgbench; both at {rate:.0}/s");
        Ok(Report::new("spend, p99 of an answer", limit, pairs, None).in_milliseconds())
    }

    /// Accounts with some and many postings, each beside those with few.
    async fn aged(&self) -> anyhow::Result<Vec<Report>> {
        let old = usize::try_from(self.options.history)?;
        let ages = [old / 10_000, old / 100, old];
        let mut accounts = ACCOUNTS..;
        let mut classes = Vec::new();
        for postings in ages {
            let class: Vec<usize> = accounts.by_ref().take(OF_ONE_AGE).collect();
            self.app.grant(&class, CREDITS, 1).await?;
            self.app.spend(&class, postings.saturating_mul(OF_ONE_AGE), None).await?;
            classes.push(class);
        }
        let [few, some, many] = &classes[..] else { bail!("three ages make three classes") };
        let turn = self.turn(few).await?;
        let (mut of_some, mut of_many) = (Vec::new(), Vec::new());
        for _ in 0..self.options.pairs {
            let young = self.app.spend(few, turn, None).await?.0;
            of_some.push((self.app.spend(some, turn, None).await?.0, young));
            of_many.push((self.app.spend(many, turn, None).await?.0, young));
        }
        let beside = |age: usize| format!("the same with {}; {age} postings before", ages[0]);
        Ok(vec![
            Report::new("spend, some postings before", beside(ages[1]), of_some, None),
            Report::new("spend, many postings before", beside(ages[2]), of_many, None),
        ])
    }

    /// Accounts with many open grants beside those with one.
    async fn many_grants(&self) -> anyhow::Result<Report> {
        // Beyond those of the ages.
        let mut accounts =
            ACCOUNTS.saturating_mul(2).saturating_sub(OF_ONE_AGE.saturating_mul(2))..;
        let one: Vec<usize> = accounts.by_ref().take(OF_ONE_AGE).collect();
        let many: Vec<usize> = accounts.by_ref().take(OF_ONE_AGE).collect();
        self.app.grant(&one, CREDITS, 1).await?;
        self.app.grant(&many, CREDITS / 1_000, MANY_GRANTS).await?;
        let turn = self.turn(&one).await?;
        let mut pairs = Vec::new();
        for _ in 0..self.options.pairs {
            let of_many = self.app.spend(&many, turn, None).await?.0;
            pairs.push((of_many, self.app.spend(&one, turn, None).await?.0));
        }
        Ok(Report::new("spend, 1,000 open grants", "the same with one".to_owned(), pairs, None))
    }

    /// How many spends fill a turn.
    async fn turn(&self, accounts: &[usize]) -> anyhow::Result<usize> {
        let (rate, _) = self.app.spend(accounts, WARM_UP, None).await?;
        Ok(count_in(rate, self.options.seconds).min(TURN_MAX))
    }
}

#[expect(clippy::float_arithmetic, reason = "rates are measurements, not credits")]
fn half_of(rate: f64) -> f64 {
    rate * SHARE_TIMED
}
