//! Keep-alive connections that send as fast as they are answered, or at a rate. The requests are made beforehand and an answer is
//! read no further than necessary, so that what is measured is the service and not this client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use service::clock::Clock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::report::lasting;

/// Connections that Stripe, or the app's servers, are imitated with.
pub(crate) const CONNECTIONS: usize = 64;

/// Longest answer that is read: ours have some hundred bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// What came of a load.
#[derive(Debug)]
pub(crate) struct Delivered {
    /// From before the first request to after the last answer.
    pub(crate) elapsed: Duration,
    /// Time of each answer.
    pub(crate) times: Vec<Duration>,
}

/// When the requests are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Each as soon as a connection is free.
    Free,
    /// So many per second, evenly; the time of an answer begins when its request was due.
    PerSecond(f64),
}

/// Sends all requests over [`CONNECTIONS`] connections. Anything but the status that is expected is an error.
pub(crate) async fn deliver(
    address: SocketAddr,
    requests: Vec<Vec<u8>>,
    expected: u16,
    pace: Pace,
) -> anyhow::Result<Delivered> {
    let mut streams = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        streams.push(connect(address).await?);
    }
    let clock = Clock::system();
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let begun = clock.mark();
    let mut senders = JoinSet::new();
    for mut stream in streams {
        let (requests, next, clock) = (Arc::clone(&requests), Arc::clone(&next), clock.clone());
        senders.spawn(async move {
            let mut times = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = requests.get(number) else { return Ok(times) };
                let sent = match due(pace, begun, number) {
                    None => clock.mark(),
                    Some(due) => {
                        tokio::time::sleep_until(due.into()).await;
                        due
                    }
                };
                let status = exchange(&mut stream, request).await?;
                ensure!(status == expected, "a request was answered {status}");
                times.push(since(&clock, sent));
            }
        });
    }
    let mut times = Vec::new();
    while let Some(sender) = senders.join_next().await {
        times.extend(sender??);
    }
    Ok(Delivered { elapsed: since(&clock, begun), times })
}

/// When the request of this number is to be sent, if that is said.
fn due(pace: Pace, begun: Instant, number: usize) -> Option<Instant> {
    match pace {
        Pace::Free => None,
        Pace::PerSecond(rate) => begun.checked_add(lasting(number, rate)?),
    }
}

/// Status of a GET.
pub(crate) async fn get(address: SocketAddr, path: &str) -> anyhow::Result<u16> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    exchange(&mut connect(address).await?, request.as_bytes()).await
}

/// A connection that is kept.
pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address).await;
    let stream = stream.with_context(|| format!("connecting to {address}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends a request and reads its answer; its status.
pub(crate) async fn exchange(stream: &mut TcpStream, request: &[u8]) -> anyhow::Result<u16> {
    let answer = ask(stream, request).await?;
    let status = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
    status.and_then(|digits| digits.parse().ok()).context("an answer without a status")
}

/// Sends a request and reads its answer, head and body.
pub(crate) async fn ask(stream: &mut TcpStream, request: &[u8]) -> anyhow::Result<Vec<u8>> {
    stream.write_all(request).await?;
    let mut answer = Vec::with_capacity(1024);
    while !is_complete(&answer)? {
        let read = stream.read_buf(&mut answer).await?;
        ensure!(read > 0, "the connection was closed before the answer was complete");
    }
    Ok(answer)
}

/// Whether an answer has come to its end.
fn is_complete(answer: &[u8]) -> anyhow::Result<bool> {
    if answer.len() > ANSWER_BYTES_MAX {
        bail!("an answer has more than {ANSWER_BYTES_MAX} bytes");
    }
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(false);
    };
    let (head, body) = answer.split_at(end);
    let length = std::str::from_utf8(head)?.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let length = length.context("an answer that does not say its length")?;
    Ok(body.len() >= length.saturating_add(4))
}

fn since(clock: &Clock, mark: Instant) -> Duration {
    clock.mark().saturating_duration_since(mark)
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn an_answer_ends_where_it_says() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert!(is_complete(answer).unwrap());
        assert!(!is_complete(&answer[..answer.len() - 1]).unwrap());
        assert!(!is_complete(b"HTTP/1.1 200 OK\r\n").unwrap());
        assert!(is_complete(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
