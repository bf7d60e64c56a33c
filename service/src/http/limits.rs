//! The limits of a listener, each with its reason.

use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;

/// Streams that one HTTP/2 connection may have open. Stripe and ordinary clients use a few.
const H2_STREAMS_MAX: u32 = 128;

/// Bytes that an HTTP/2 peer may send ahead of us reading them, on a stream and on the whole connection.
const H2_WINDOW: u32 = 256 * 1024;

/// How often a silent HTTP/2 connection is asked whether it is still there, and how long it may take to say so.
const H2_PING_EVERY: Duration = Duration::from_secs(20);
const H2_PING_TIMEOUT: Duration = Duration::from_secs(10);

/// The least that hyper lets an HTTP/1 connection buffer.
const H1_BUFFER_MIN: usize = 8192;

/// What a listener grants to one client and to all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open connections; more wait in the backlog of the listener.
    pub connections_max: usize,
    /// From the accept, or from the end of the last answer, to the last byte of the next request's headers. Also
    /// ends idle connections.
    pub header_read_timeout: Duration,
    /// Bytes of a request's line and headers, at least 8192; more is answered 431. (Their number is limited to 100 by
    /// hyper.)
    pub header_bytes_max: u32,
    /// Age at which a connection is closed after its current answer, so that load spreads to new processes.
    pub connection_age_max: Duration,
    /// How long an answer may go on once its connection is to close.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 4096,
            header_read_timeout: Duration::from_secs(5),
            header_bytes_max: 32 * 1024,
            connection_age_max: Duration::from_mins(5),
            // Less than `shutdown::DRAIN_MAX`: what stands behind the listener wants to finish as well.
            grace: Duration::from_secs(6),
        }
    }
}

impl Limits {
    /// A builder for connections under these limits. Versions are told apart by HTTP/2's preface.
    pub(super) fn builder(&self) -> auto::Builder<TokioExecutor> {
        // Headers have to fit into the buffer of an HTTP/1 connection; bodies pass through it in pieces.
        let buffer = usize::try_from(self.header_bytes_max).unwrap_or(usize::MAX);
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_read_timeout)
            .max_buf_size(buffer.max(H1_BUFFER_MIN));
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(H2_STREAMS_MAX)
            .max_header_list_size(self.header_bytes_max)
            .initial_stream_window_size(H2_WINDOW)
            .initial_connection_window_size(H2_WINDOW)
            .keep_alive_interval(H2_PING_EVERY)
            .keep_alive_timeout(H2_PING_TIMEOUT);
        builder
    }
}
