//! Keys whose commands are under way in this process.
//!
//! The database sees to it that a key has one effect, also among processes; but there a second command under the same key
//! would hold up its whole batch. So it waits here until the first one has landed, and goes then: it finds the first one's
//! answer, or, if that was refused, has its own turn.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Longest wait for another command under the same key.
const WAIT: Duration = Duration::from_secs(2);

/// The keys of one tenant that are under way.
#[derive(Debug, Default)]
pub(super) struct Flights {
    /// Each with what tells of its end.
    keys: Mutex<HashMap<String, watch::Receiver<()>>>,
}

/// A key that is under way, for as long as this lives.
#[derive(Debug)]
pub(super) struct Flight {
    flights: Arc<Flights>,
    key: String,
    /// Dropped with the flight, after its key is out of the map: that is what the receivers wait for.
    _under_way: watch::Sender<()>,
}

impl Flights {
    /// Takes off with this key once no other has it; `None` if that takes too long.
    pub(super) async fn take_off(self: &Arc<Self>, key: &str) -> Option<Flight> {
        let taking_off = async {
            loop {
                match self.try_take_off(key) {
                    Ok(flight) => return flight,
                    // Nothing is ever sent: it ends when the sender is dropped.
                    Err(mut other) => drop(other.changed().await),
                }
            }
        };
        tokio::time::timeout(WAIT, taking_off).await.ok()
    }

    fn try_take_off(self: &Arc<Self>, key: &str) -> Result<Flight, watch::Receiver<()>> {
        // Nothing that could panic is done under this lock.
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        match keys.entry(key.to_owned()) {
            Entry::Occupied(other) => Err(other.get().clone()),
            Entry::Vacant(vacant) => {
                let (under_way, ended) = watch::channel(());
                vacant.insert(ended);
                Ok(Flight { flights: Arc::clone(self), key: key.to_owned(), _under_way: under_way })
            }
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_key_is_under_way_once_at_a_time() {
        let flights = Arc::new(Flights::default());
        let first = flights.take_off("k").await.unwrap();
        assert!(flights.take_off("other").now_or_never().flatten().is_some());
        let mut second = Box::pin(flights.take_off("k"));
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        drop(second.await.unwrap());
        assert!(flights.keys.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let flights = Arc::new(Flights::default());
        let _first = flights.take_off("k").await.unwrap();
        assert!(flights.take_off("k").await.is_none());
    }
}
