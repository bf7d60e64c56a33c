//! What a decision can say: its outcome, and the reason for it. The numbers are what the database keeps.

/// What became of one event (`decision.outcome`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Its facts are part of the books, whether or not credits moved.
    Applied,
    /// It concerns nobody's credits.
    Ignored,
    /// It may, but this version of the rules does not understand it yet.
    Deferred,
    /// A case holds it until a fact or a person settles it.
    InReview,
}

impl Outcome {
    /// All outcomes, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Applied, Self::Ignored, Self::Deferred, Self::InReview];

    /// The number that the database keeps.
    pub const fn code(self) -> i16 {
        match self {
            Self::Applied => 1,
            Self::Ignored => 2,
            Self::Deferred => 3,
            Self::InReview => 4,
        }
    }

    /// The name that API and CLI show.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Ignored => "ignored",
            Self::Deferred => "deferred",
            Self::InReview => "in_review",
        }
    }

    /// The outcome with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }

    /// The outcome with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// Why (`decision.reason`; from 40 on also `review_case.reason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Credits moved because of it.
    Credited,
    /// It told of a payment that had been told of; nothing moved.
    Joined,
    /// It told of a payment that is not paid yet.
    Pending,
    /// It told of a customer: evidence for payments.
    Evidence,
    /// It registered a user, or changed one.
    Registered,
    /// It changed the catalogue.
    Catalogued,
    /// A person's act, or the clock's, took effect.
    Operated,
    /// It tells that a body was erased.
    Erased,
    /// Its type moves no credits.
    UnhandledType,
    /// A session that only stores a payment method.
    SetupMode,
    /// A payment for something that we do not keep the books of.
    NotOurs,
    /// A person decided that no credits are due.
    Dismissed,
    /// An act that came too late: the case had changed.
    Stale,
    /// Its type may move credits, and these rules cannot tell yet.
    NotUnderstoodYet,
    /// The evidence names a user that the directory does not know.
    UnknownUser,
    /// Nothing says whose it is.
    NoEvidence,
    /// The evidence names several users.
    Conflict,
    /// Only an unsigned reference says whose it is.
    UnsignedOnly,
    /// Nothing says how many credits it is worth.
    UnknownPrice,
    /// Metadata and catalogue differ about its worth.
    CreditsMismatch,
    /// The bytes are no event.
    Malformed,
    /// An object of it has a shape that cannot be read.
    UnsupportedShape,
    /// Deciding it failed again and again.
    Error,
    /// A bare payment that waits for its session or invoice.
    Waiting,
}

impl Reason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 24] = [
        Self::Credited,
        Self::Joined,
        Self::Pending,
        Self::Evidence,
        Self::Registered,
        Self::Catalogued,
        Self::Operated,
        Self::Erased,
        Self::UnhandledType,
        Self::SetupMode,
        Self::NotOurs,
        Self::Dismissed,
        Self::Stale,
        Self::NotUnderstoodYet,
        Self::UnknownUser,
        Self::NoEvidence,
        Self::Conflict,
        Self::UnsignedOnly,
        Self::UnknownPrice,
        Self::CreditsMismatch,
        Self::Malformed,
        Self::UnsupportedShape,
        Self::Error,
        Self::Waiting,
    ];

    /// Number, name and the outcome that it goes with.
    const fn row(self) -> (i16, &'static str, Outcome) {
        match self {
            Self::Credited => (10, "credited", Outcome::Applied),
            Self::Joined => (11, "joined", Outcome::Applied),
            Self::Pending => (12, "pending", Outcome::Applied),
            Self::Evidence => (13, "evidence", Outcome::Applied),
            Self::Registered => (14, "registered", Outcome::Applied),
            Self::Catalogued => (15, "catalogued", Outcome::Applied),
            Self::Operated => (16, "operated", Outcome::Applied),
            Self::Erased => (17, "erased", Outcome::Applied),
            Self::UnhandledType => (20, "unhandled_type", Outcome::Ignored),
            Self::SetupMode => (21, "setup_mode", Outcome::Ignored),
            Self::NotOurs => (22, "not_ours", Outcome::Ignored),
            Self::Dismissed => (23, "dismissed", Outcome::Ignored),
            Self::Stale => (24, "stale", Outcome::Ignored),
            Self::NotUnderstoodYet => (30, "not_understood_yet", Outcome::Deferred),
            Self::UnknownUser => (40, "unknown_user", Outcome::InReview),
            Self::NoEvidence => (41, "no_evidence", Outcome::InReview),
            Self::Conflict => (42, "conflict", Outcome::InReview),
            Self::UnsignedOnly => (43, "unsigned_only", Outcome::InReview),
            Self::UnknownPrice => (44, "unknown_price", Outcome::InReview),
            Self::CreditsMismatch => (45, "credits_mismatch", Outcome::InReview),
            Self::Malformed => (46, "malformed", Outcome::InReview),
            Self::UnsupportedShape => (47, "unsupported_shape", Outcome::InReview),
            Self::Error => (48, "error", Outcome::InReview),
            Self::Waiting => (49, "waiting", Outcome::InReview),
        }
    }

    /// The number that the database keeps.
    pub const fn code(self) -> i16 {
        self.row().0
    }

    /// The name that API and CLI show.
    pub const fn name(self) -> &'static str {
        self.row().1
    }

    /// The outcome that a decision with this reason has.
    pub const fn outcome(self) -> Outcome {
        self.row().2
    }

    /// The reason with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The reason with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_code(outcome.code()), Some(outcome));
            assert_eq!(Outcome::from_name(outcome.name()), Some(outcome));
        }
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(reason));
            assert_eq!(Reason::from_name(reason.name()), Some(reason));
        }
        assert_eq!(Outcome::from_code(0), None);
        assert_eq!(Reason::from_name("forgotten"), None);
    }

    #[test]
    fn a_reason_from_40_on_is_that_of_a_case() {
        for reason in Reason::ALL {
            assert_eq!(reason.code() >= 40, reason.outcome() == Outcome::InReview, "{reason:?}");
        }
    }
}
