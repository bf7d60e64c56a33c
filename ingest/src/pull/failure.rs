//! Why an object was not pulled, and what to do about it.

use jiff::SignedDuration;

use super::memory::Came;

/// Why there is no new event. Its text says what to do, and nothing of what was answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The key of the case leads nowhere.
    #[error("it is nothing that may be asked for; assign or dismiss the case")]
    Path,
    /// 404.
    #[error(
        "Stripe has no such object; check that STRIPE_SECRET_KEY is of the account and the mode of the webhook"
    )]
    NotFound,
    /// 403.
    #[error(
        "STRIPE_SECRET_KEY may not read it; give the key the right to read this kind of object, or for a connected \
         account have it connected again"
    )]
    Forbidden,
    /// Another status that is none of the others here.
    #[error("Stripe refuses it with status {0}")]
    Refused(u16),
    /// It is said to stand somewhere else, and our key goes nowhere else.
    #[error("it was redirected (status {0}), which is never followed; check STRIPE_API_BASE")]
    Redirected(u16),
    /// The answer is larger than [`super::Limits::body_bytes_max`].
    #[error("the answer is too large; assign or dismiss the case")]
    TooLarge,
    /// It carries a list that is longer than is read.
    #[error("it carries too long a list; assign or dismiss the case")]
    TooManyPages,
    /// The answer is not the object.
    #[error("the answer is not the object that was asked for; check STRIPE_API_BASE")]
    Unreadable,
    /// It says that it is of the other mode.
    #[error("it is of the other mode; check that STRIPE_SECRET_KEY is of the mode of the webhook")]
    OtherMode,
    /// 401.
    #[error("Stripe does not know the key; check STRIPE_SECRET_KEY")]
    Unauthorized,
    /// 429.
    #[error("Stripe asks for fewer requests; it is asked again later")]
    Throttled(RetryAfter),
    /// Something went wrong on Stripe's side.
    #[error("Stripe cannot serve it (status {0}); it is asked again later")]
    Broken(u16, RetryAfter),
    /// No whole answer within [`super::Limits::timeout`].
    #[error("Stripe did not answer in time; it is asked again later")]
    TimedOut,
    /// No answer.
    #[error("Stripe cannot be reached; check STRIPE_API_BASE and the network: {0}")]
    Unreachable(String),
    /// The log did not take it.
    #[error("it is not stored, and is asked again later: {0}")]
    NotStored(store::Error),
}

/// How long the other side wants to be left alone, if it says.
pub(super) type RetryAfter = Option<SignedDuration>;

impl Failure {
    /// `outcome` in the metrics.
    pub(super) const fn outcome(&self) -> &'static str {
        match self {
            Self::Path => "bad_path",
            Self::NotFound => "not_found",
            Self::Forbidden => "forbidden",
            Self::Refused(_) => "refused",
            Self::Redirected(_) => "redirected",
            Self::TooLarge | Self::TooManyPages => "too_large",
            Self::Unreadable => "unreadable",
            Self::OtherMode => "other_mode",
            Self::Unauthorized => "unauthorized",
            Self::Throttled(_) => "throttled",
            Self::Broken(..) => "failed",
            Self::TimedOut => "timed_out",
            Self::Unreachable(_) => "unreachable",
            Self::NotStored(_) => "not_stored",
        }
    }

    /// Whether it may pass by itself.
    pub(super) const fn came(&self) -> Came {
        match self {
            Self::Path
            | Self::NotFound
            | Self::Forbidden
            | Self::Refused(_)
            | Self::Redirected(_)
            | Self::TooLarge
            | Self::TooManyPages
            | Self::Unreadable
            | Self::OtherMode => Came::Refusal,
            Self::Unauthorized
            | Self::Throttled(_)
            | Self::Broken(..)
            | Self::TimedOut
            | Self::Unreachable(_)
            | Self::NotStored(_) => Came::Nothing,
        }
    }

    /// Whether every other request would fail as well.
    pub(super) const fn concerns_all(&self) -> bool {
        matches!(self, Self::Unauthorized | Self::Throttled(_))
    }

    /// What the other side says of when to come again.
    pub(super) const fn retry_after(&self) -> RetryAfter {
        if let Self::Throttled(after) | Self::Broken(_, after) = self { *after } else { None }
    }
}
