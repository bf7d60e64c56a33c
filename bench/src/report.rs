//! What is printed: medians of pairs, and their ratio.
#![expect(clippy::float_arithmetic, reason = "rates and ratios are measurements, not credits")]

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// Figures of one scenario.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What was measured.
    pub scenario: &'static str,
    /// Ours: the median over the pairs.
    pub ours: f64,
    /// What it is compared with: the median over the pairs.
    pub limit: f64,
    /// What the figures are: `/s`, or ` ms`.
    pub figures: &'static str,
    /// What the limit is.
    pub limit_name: String,
    /// Ours by the limit.
    pub ratio: f64,
    /// Median time of an answer, in milliseconds, where there are answers.
    pub p50_ms: Option<f64>,
    /// 99th percentile of it.
    pub p99_ms: Option<f64>,
    /// Most memory that any of the measured processes had resident, where the system tells.
    pub rss_mib: Option<f64>,
    /// Each pair: ours, limit.
    pub pairs: Vec<(f64, f64)>,
}

impl Report {
    /// The medians of these pairs.
    pub(crate) fn new(
        scenario: &'static str,
        limit_name: String,
        pairs: Vec<(f64, f64)>,
        rss_kib: Option<u32>,
    ) -> Self {
        let ours = median(pairs.iter().map(|pair| pair.0));
        let limit = median(pairs.iter().map(|pair| pair.1));
        Self {
            scenario,
            ours: rounded(ours),
            limit: rounded(limit),
            figures: "/s",
            limit_name,
            ratio: rounded(ours / limit),
            p50_ms: None,
            p99_ms: None,
            rss_mib: rss_kib.map(|kib| rounded(f64::from(kib) / 1024.0)),
            pairs: pairs.into_iter().map(|(a, b)| (rounded(a), rounded(b))).collect(),
        }
    }

    /// Adds percentiles of times.
    pub(crate) fn with_times(mut self, mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        (self.p50_ms, self.p99_ms) = (percentile(&times, 50), percentile(&times, 99));
        self
    }

    /// Says that its figures are in milliseconds.
    pub(crate) fn in_milliseconds(mut self) -> Self {
        self.figures = " ms";
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, ours, limit, figures, limit_name, ratio, .. } = self;
        write!(f, "{scenario}: {ours:.0}{figures} beside {limit:.0}{figures} ({limit_name}): ")?;
        write!(f, "ratio {ratio:.2}")?;
        if let (Some(p50), Some(p99)) = (self.p50_ms, self.p99_ms) {
            write!(f, ", answers p50 {p50:.1} ms, p99 {p99:.1} ms")?;
        }
        if let Some(rss) = self.rss_mib {
            write!(f, ", memory {rss:.0} MiB")?;
        }
        Ok(())
    }
}

/// How many per second that is.
pub(crate) fn rate(count: usize, elapsed: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / elapsed.as_secs_f64()
}

/// How long so many take at that rate.
pub(crate) fn lasting(count: usize, rate: f64) -> Option<Duration> {
    let count = f64::from(u32::try_from(count).ok()?);
    Duration::try_from_secs_f64(count / rate).ok()
}

/// 99th percentile of these times, in milliseconds.
pub(crate) fn p99_ms(mut times: Vec<Duration>) -> Option<f64> {
    times.sort_unstable();
    percentile(&times, 99)
}

fn percentile(sorted: &[Duration], percent: usize) -> Option<f64> {
    let place = sorted.len().saturating_mul(percent).checked_div(100)?;
    sorted.get(place).map(|time| rounded(time.as_secs_f64() * 1000.0))
}

/// How many come in these seconds at that rate.
pub(crate) fn count_in(rate: f64, seconds: u32) -> usize {
    Duration::try_from_secs_f64(rate * f64::from(seconds))
        .ok()
        .and_then(|count| usize::try_from(count.as_secs()).ok())
        .unwrap_or(usize::MAX)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    let lower = values.len().saturating_sub(1) / 2;
    let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
    f64::midpoint(at(lower), at(upper))
}

/// To a hundredth: what lies behind it is noise.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Report;

    #[test]
    fn medians_of_pairs_are_compared() {
        let pairs = vec![(300.0, 100.0), (100.0, 200.0), (200.0, 400.0)];
        let report = Report::new("test", "other".to_owned(), pairs, Some(2048));
        assert_eq!((report.ours, report.limit, report.ratio), (200.0, 200.0, 1.0));
        assert_eq!(report.rss_mib, Some(2.0));
    }

    #[test]
    fn percentiles_are_in_milliseconds() {
        let times = (1..=200).map(Duration::from_millis).collect();
        let report = Report::new("test", "other".to_owned(), vec![(1.0, 1.0)], None);
        let report = report.with_times(times);
        assert_eq!((report.p50_ms, report.p99_ms), (Some(101.0), Some(199.0)));
    }
}
