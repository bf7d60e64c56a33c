//! Leaving an API alone that fails every request, or asks for it.

use jiff::{SignedDuration, Timestamp};

/// The first rest, and the longest one that nobody asked for.
const FIRST: SignedDuration = SignedDuration::from_secs(1);
const LONGEST: SignedDuration = SignedDuration::from_mins(1);

/// How long nothing is asked for.
#[derive(Default)]
pub(super) struct Rest {
    /// Rests without success in between.
    times: u32,
    until: Timestamp,
}

impl Rest {
    /// Whether there is none now.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.until <= now
    }

    /// Begins one: each is twice as long as the one before, and as long as the other side asks for at least.
    pub(super) fn begin(&mut self, now: Timestamp, asked: Option<SignedDuration>) {
        self.times = self.times.saturating_add(1);
        let own = doubled(FIRST, LONGEST, self.times);
        let rest = asked.map_or(own, |asked| asked.max(own));
        self.until = now.saturating_add(rest).unwrap_or(Timestamp::MAX);
    }

    /// Something succeeded: the next one begins with the shortest.
    pub(super) fn forget(&mut self) {
        self.times = 0;
    }
}

/// A pause that begins with `first` and doubles each time, up to the longest.
pub(super) fn doubled(
    first: SignedDuration,
    longest: SignedDuration,
    times: u32,
) -> SignedDuration {
    let factor = 2_i32.saturating_pow(times.saturating_sub(1));
    first.checked_mul(factor).map_or(longest, |pause| pause.min(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many seconds a rest takes that begins now.
    fn seconds(rest: &mut Rest, asked: Option<i64>) -> i64 {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        rest.begin(at(0), asked.map(SignedDuration::from_secs));
        (0..=1_000).find(|second| rest.is_over(at(*second))).unwrap()
    }

    #[test]
    fn rests_double_until_something_succeeds() {
        let mut rest = Rest::default();
        assert!(rest.is_over(Timestamp::UNIX_EPOCH));
        let taken: Vec<i64> = (0..8).map(|_| seconds(&mut rest, None)).collect();
        assert_eq!(taken, [1, 2, 4, 8, 16, 32, 60, 60]);
        rest.forget();
        assert_eq!(seconds(&mut rest, None), 1);
    }

    #[test]
    fn a_longer_rest_that_is_asked_for_is_given() {
        let mut rest = Rest::default();
        let taken = [Some(100), Some(1), None].map(|asked| seconds(&mut rest, asked));
        assert_eq!(taken, [100, 2, 4]);
    }
}
