//! Statements that are sent together, one behind the other, without waiting for answers in between: a flight.
//!
//! If one of them fails, the server refuses those behind it (25P02), and which answer is seen first is chance. So all answers
//! are waited for, and the first failure in the order of sending is the one that is told. What sends again after its first
//! answer stands last.

/// Sends statements together: the tuple of what they return, or why the first of those that failed did.
///
/// ```text
/// let ((), rows) = flight!(lock(tx, keys), read(tx, keys))?;
/// ```
#[macro_export]
macro_rules! flight {
    ($($sent:expr),+ $(,)?) => {
        $crate::flight::Answers::landed($crate::flight::join!($($sent),+))
    };
}

#[doc(hidden)]
pub use futures_util::join;

/// The answers to a flight: a tuple of results.
pub trait Answers {
    /// What all of them returned.
    type Values;
    /// Why one of them failed.
    type Error;

    /// All that was returned, or the first failure.
    fn landed(self) -> Result<Self::Values, Self::Error>;
}

macro_rules! answers {
    ($($name:ident: $value:ident),+) => {
        impl<E, $($value),+> Answers for ($(Result<$value, E>),+) {
            type Values = ($($value),+);
            type Error = E;

            fn landed(self) -> Result<Self::Values, E> {
                let ($($name),+) = self;
                Ok(($($name?),+))
            }
        }
    };
}

answers!(a: A, b: B);
answers!(a: A, b: B, c: C);
answers!(a: A, b: B, c: C, d: D);
answers!(a: A, b: B, c: C, d: D, e: F);

#[cfg(test)]
mod tests {
    use std::convert::identity;

    #[tokio::test]
    async fn the_first_failure_in_the_order_of_sending_is_told() {
        let late = async {
            tokio::task::yield_now().await;
            Err::<(), _>("it")
        };
        let refused = async { Err::<(), _>("another failed") };
        let outcome = flight!(async { Ok(1) }, late, refused, async { Ok("fine") });
        assert_eq!(outcome.unwrap_err(), "it");
        let outcome: Result<_, ()> = flight!(async { Ok(identity(1)) }, async { Ok("fine") });
        assert_eq!(outcome, Ok((1, "fine")));
    }
}
