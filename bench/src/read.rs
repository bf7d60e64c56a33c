//! Balances read over HTTP per second, in turns with pgbench running the very same statement.

use crate::Options;
use crate::app::App;
use crate::load::CONNECTIONS;
use crate::opponents::read as opponent;
use crate::report::{Report, count_in};
use crate::stand::Stand;

/// Users whose balances are read.
const USERS: usize = 100;

/// Spends that give them a history.
const SPENDS: usize = 20_000;

/// Reads that warm everything up and tell how many will fill a turn.
const WARM_UP: usize = 20_000;

/// Most reads of a turn: their requests are made beforehand and held in memory.
const TURN_MAX: usize = 600_000;

/// Measures it.
pub async fn read(options: &Options) -> anyhow::Result<Vec<Report>> {
    let stand = Stand::make(options).await?;
    stand.open_app().await?;
    let app = App::start(&stand).await?;
    let users: Vec<usize> = (0..USERS).collect();
    app.grant(&users, 1_000_000, 2).await?;
    app.spend(&users, SPENDS, None).await?;
    let pgbench = opponent::prepare(&stand, &users).await?;
    let (first, _) = app.read(&users, WARM_UP).await?;
    let turn = count_in(first, options.seconds).min(TURN_MAX);
    let (mut pairs, mut times) = (Vec::new(), Vec::new());
    for number in 1..=options.pairs {
        let (ours, took) = app.read(&users, turn).await?;
        let theirs = pgbench.run(options.seconds).await?;
        tracing::info!(number, ours, theirs, "pair measured");
        pairs.push((ours, theirs));
        times.extend(took);
    }
    let limit = format!(
        "the same statement by pgbench, {} connections; ours has {CONNECTIONS}",
        pgbench.clients
    );
    let report = Report::new("read", limit, pairs, app.peak_kib()).with_times(times);
    app.stop().await?;
    Ok(vec![report])
}
