//! Events per second when one projector drains a backlog.

use crate::Options;
use crate::purchases::{Purchases, delivered};
use crate::report::{Report, rate};
use crate::stand::Stand;

/// What has to be reached at least, in events per second: ten times what a large shop sells in its best minute.
const MARK: f64 = 5_000.0;

/// The backlog of purchases that are told once each is smaller by this much: it only shows what a credit costs.
const ONCE_SHARE: u32 = 4;

/// Measures it: purchases told by three events each, as they come, and purchases told by one, where every event moves
/// credits.
pub async fn project(options: &Options) -> anyhow::Result<Vec<Report>> {
    let stand = Stand::make(options).await?;
    let mut events = Purchases::by_all_doors();
    stand.open_shop(&mut events).await?;
    let all_doors = drain(&stand, "project", events, options.backlog, options.pairs).await?;
    let once = options.backlog / ONCE_SHARE;
    let once =
        drain(&stand, "project, purchases only", Purchases::by_session(), once, options.pairs);
    Ok(vec![all_doors, once.await?])
}

/// Appends a backlog and drains it with a process of its own, each time anew.
async fn drain(
    stand: &Stand,
    scenario: &'static str,
    mut events: Purchases,
    count: u32,
    times: u32,
) -> anyhow::Result<Report> {
    let count = usize::try_from(count)?;
    let (mut pairs, mut peak) = (Vec::new(), None);
    for number in 1..=times {
        let now = stand.now();
        stand.append_all(events.by_ref().take(count).map(|body| delivered(now, body))).await?;
        stand.checkpoint().await?;
        let begun = stand.clock.mark();
        let projector = stand.serve("projector").await?;
        stand.drained().await?;
        let elapsed = stand.clock.mark().saturating_duration_since(begun);
        peak = peak.max(projector.peak_kib());
        projector.kill().await?;
        let ours = rate(count, elapsed);
        tracing::info!(scenario, number, ours, "backlog drained");
        pairs.push((ours, MARK));
    }
    Ok(Report::new(scenario, "the least that is promised".to_owned(), pairs, peak))
}
