//! What a process tells about itself: log lines on stderr, metrics at `/metrics`.
//!
//! Rules for log lines: a readable sentence and fields; a failure is logged once, where it is handled; never a payload,
//! an e-mail address or a secret. Spans are opened by hand with the fields that they need, never with
//! `#[instrument]`, which records every argument.

mod logs;
mod metrics;

pub use logs::{LogError, LogFormat, init_logs};
pub use metrics::{Metrics, MetricsError};
