//! How often one caller may ask: a leaky bucket for each key, and for each user with a token.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use service::problem::{Code, Problem};

use super::caller::{Caller, Who};

/// After how many requests the callers are forgotten who have not asked for so long that they may ask as if they never had.
/// It bounds the memory: no more callers than this are remembered beyond those who are asking right now.
const SWEEP_EVERY: u32 = 10_000;

/// Highest number that can be set: beyond it the time between two requests could not be counted in nanoseconds.
const NUMBER_MAX: u32 = 1_000_000;

/// How often one caller may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests per second, in the long run.
    pub per_second: NonZeroU32,
    /// Requests that may come at once.
    pub burst: NonZeroU32,
}

/// The limits of this process. Each process counts for itself.
#[derive(Default)]
pub(crate) struct RateLimits {
    keys: Option<Limiter>,
    users: Option<Limiter>,
}

struct Limiter {
    /// By tenant, and what the caller is called as an actor.
    callers: DefaultKeyedRateLimiter<(i32, String)>,
    requests: AtomicU32,
}

impl RateLimits {
    /// `None`: as often as one likes.
    pub(crate) fn new(keys: Option<RateLimit>, users: Option<RateLimit>) -> Self {
        Self { keys: keys.map(Limiter::new), users: users.map(Limiter::new) }
    }

    /// Counts a request, or refuses it and says when to come again.
    pub(crate) fn check(&self, caller: &Caller) -> Result<(), Problem> {
        let limiter = match caller.who {
            Who::Key(_) => &self.keys,
            Who::User(_) => &self.users,
        };
        let wait = limiter.as_ref().map_or(Ok(()), |limiter| limiter.check(caller));
        wait.map_err(|seconds| Problem::new(Code::RateLimited).retry_after(seconds))
    }
}

impl Limiter {
    fn new(limit: RateLimit) -> Self {
        let quota = Quota::per_second(limit.per_second).allow_burst(limit.burst);
        Self { callers: DefaultKeyedRateLimiter::keyed(quota), requests: AtomicU32::new(0) }
    }

    /// The error is in how many seconds to come again.
    fn check(&self, caller: &Caller) -> Result<(), u32> {
        if self.requests.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.callers.retain_recent();
            self.callers.shrink_to_fit();
        }
        self.callers.check_key(&(caller.tenant_id, caller.actor())).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            // Rounded up, so that who comes then is let in.
            u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1)
        })
    }
}

impl FromStr for RateLimit {
    type Err = String;

    /// Reads `50:200`, 50 requests per second and 200 at once, or `50`, which is as many at once.
    fn from_str(text: &str) -> Result<Self, String> {
        let (rate, burst) = text.split_once(':').unwrap_or((text, text));
        let number = |text: &str| {
            let number =
                text.trim().parse().ok().filter(|number: &NonZeroU32| number.get() <= NUMBER_MAX);
            number.ok_or_else(|| {
                format!("it is requests per second and, after a colon, at once, such as 50:200, up to {NUMBER_MAX}")
            })
        };
        Ok(Self { per_second: number(rate)?, burst: number(burst)? })
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per second, {} at once", self.per_second, self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: u32) -> Caller {
        Caller { tenant_id: 1, who: Who::User(format!("u_{number}")) }
    }

    #[test]
    fn a_limit_is_two_numbers_or_one() {
        let limit = |text: &str| text.parse::<RateLimit>().map(|limit| limit.to_string()).ok();
        assert_eq!(limit("50:200").as_deref(), Some("50 per second, 200 at once"));
        assert_eq!(limit(" 7 ").as_deref(), Some("7 per second, 7 at once"));
        for text in ["", "0", "5:0", "-1", "1.5", "1:2:3", "1000001", "off"] {
            assert_eq!(limit(text), None, "{text}");
        }
    }

    #[test]
    fn who_asks_too_often_is_refused_and_nobody_else() {
        let limits = RateLimits::new(None, Some("1:3".parse().unwrap()));
        let refused = (0..20).filter_map(|_| limits.check(&user(1)).err()).collect::<Vec<_>>();
        assert!(refused.len() >= 10, "{refused:?}");
        assert_eq!(refused[0].code, Code::RateLimited);
        assert_eq!(refused[0].retry_after_seconds, Some(1));
        assert!(limits.check(&user(2)).is_ok());
    }

    #[test]
    fn who_does_not_ask_any_more_is_forgotten() {
        let limiter = Limiter::new("1000000".parse().unwrap());
        for number in 0..=SWEEP_EVERY {
            limiter.check(&user(number)).unwrap();
        }
        assert!(limiter.callers.len() < 100, "{} are remembered", limiter.callers.len());
    }
}
