//! Reading a body, no more of it than allowed.

use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::answer::Refusal;

/// Largest body. Stripe's events have some kilobytes, the largest known ones some hundred.
pub(crate) const BYTES_MAX: usize = 1024 * 1024;

/// A body, and its share of the memory that all bodies may use. The share is given back when this is dropped.
pub(crate) struct Held {
    pub(crate) bytes: Bytes,
    pub(crate) share: Share,
}

/// A part of the budget.
#[derive(Default)]
pub(crate) struct Share(Option<OwnedSemaphorePermit>);

impl Share {
    fn grow(&mut self, budget: &Arc<Semaphore>, bytes: usize) -> Result<(), Refusal> {
        let bytes = u32::try_from(bytes).map_err(|_| Refusal::BodyTooLarge)?;
        let more = Arc::clone(budget)
            .try_acquire_many_owned(bytes)
            .map_err(|_none_left| Refusal::Overloaded)?;
        match &mut self.0 {
            Some(share) => share.merge(more),
            empty @ None => *empty = Some(more),
        }
        Ok(())
    }
}

/// Whether the sender announces more than is read. Then nothing is.
pub(crate) fn is_announced_too_large(body: &Body) -> bool {
    body.size_hint().lower() > u64::try_from(BYTES_MAX).unwrap_or(u64::MAX)
}

/// Reads the exact bytes. An ordinary body comes in one piece and is not copied.
pub(crate) async fn read(mut body: Body, budget: &Arc<Semaphore>) -> Result<Held, Refusal> {
    let mut share = Share::default();
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    let mut len: usize = 0;
    while let Some(frame) = body.frame().await {
        // Trailers say nothing that is signed.
        let Ok(piece) = frame.map_err(|_broken| Refusal::BodyIncomplete)?.into_data() else {
            continue;
        };
        len = len.saturating_add(piece.len());
        if len > BYTES_MAX {
            return Err(Refusal::BodyTooLarge);
        }
        share.grow(budget, piece.len())?;
        if first.is_empty() {
            first = piece;
        } else {
            if joined.is_empty() {
                joined.extend_from_slice(&first);
            }
            joined.extend_from_slice(&piece);
        }
    }
    let bytes = if joined.is_empty() { first } else { joined.freeze() };
    Ok(Held { bytes, share })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(bytes: usize) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(bytes))
    }

    #[tokio::test]
    async fn the_budget_is_given_back_with_the_body() {
        let budget = budget(8);
        let held = read(Body::from("12345678"), &budget).await.unwrap();
        assert_eq!(&held.bytes[..], b"12345678");
        assert_eq!(read(Body::from("9"), &budget).await.err(), Some(Refusal::Overloaded));
        drop(held);
        assert_eq!(budget.available_permits(), 8);
    }

    #[tokio::test]
    async fn a_body_has_one_mebibyte_at_most() {
        let budget = budget(2 * BYTES_MAX);
        let largest = Body::from(vec![b'x'; BYTES_MAX]);
        assert!(!is_announced_too_large(&largest));
        assert_eq!(read(largest, &budget).await.ok().map(|held| held.bytes.len()), Some(BYTES_MAX));
        let larger = Body::from(vec![b'x'; BYTES_MAX + 1]);
        assert!(is_announced_too_large(&larger));
        assert_eq!(read(larger, &budget).await.err(), Some(Refusal::BodyTooLarge));
    }
}
