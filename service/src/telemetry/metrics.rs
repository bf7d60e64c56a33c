//! Metrics: recorded through the `metrics` macros anywhere, rendered for Prometheus by the admin listener.
//!
//! Names begin with `tally_`, units come last (`_seconds`, `_bytes`), labels come from closed sets: an outside text
//! is never a label.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::shutdown::Shutdown;

/// Upper bounds for metrics that end in `_seconds`: from a cached answer to a time-out.
const SECONDS: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0, 300.0,
];

/// Upper bounds for metrics that end in `_size`: how many were taken together.
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// How often histograms are folded, so that their samples do not pile up between two scrapes.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// The recorder belongs to the process, as the macros do.
static INSTALLED: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Handle on the process's metrics.
#[derive(Clone)]
pub struct Metrics {
    prometheus: PrometheusHandle,
}

/// Metrics cannot be recorded.
#[derive(Debug, thiserror::Error)]
#[error("cannot install the metrics recorder of this process")]
pub struct MetricsError(#[from] BuildError);

impl Metrics {
    /// Installs the recorder of this process; further calls give the same one.
    pub fn install() -> Result<Self, MetricsError> {
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prometheus) = &*installed {
            return Ok(Self { prometheus: prometheus.clone() });
        }
        let prometheus = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
            .set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), SIZES)?
            .install_recorder()?;
        Ok(Self { prometheus: installed.insert(prometheus).clone() })
    }

    /// Folds histograms every few seconds until the drain begins.
    pub fn keep(&self, shutdown: &Shutdown) {
        let prometheus = self.prometheus.clone();
        let begun = shutdown.token();
        shutdown.spawn("metrics upkeep", async move {
            let mut every = tokio::time::interval(UPKEEP_EVERY);
            while begun.run_until_cancelled(every.tick()).await.is_some() {
                prometheus.run_upkeep();
            }
        });
    }

    /// All metrics in Prometheus's text format.
    pub fn render(&self) -> String {
        self.prometheus.render()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
