//! The system accounts: the other side of every movement.

/// The other side of every movement (`posting.contra`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SystemAccount {
    /// Credits that were bought.
    Sale,
    /// Credits taken back because their money was refunded.
    Refund,
    /// Credits taken back, or given again, because of a dispute.
    Dispute,
    /// Credits that were used.
    Spend,
    /// Credits that ran out of time.
    Expiry,
    /// Credits that were given away.
    Promo,
    /// Corrections by people.
    Adjustment,
    /// The way between a payment's unclaimed account and a user's: what leaves one enters the other.
    Unclaimed,
    /// Credits that nobody will claim, by an approver's decision.
    WriteOff,
}

impl SystemAccount {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Sale,
        Self::Refund,
        Self::Dispute,
        Self::Spend,
        Self::Expiry,
        Self::Promo,
        Self::Adjustment,
        Self::Unclaimed,
        Self::WriteOff,
    ];

    /// The number that the database keeps.
    pub const fn code(self) -> i16 {
        match self {
            Self::Sale => 1,
            Self::Refund => 2,
            Self::Dispute => 3,
            Self::Spend => 4,
            Self::Expiry => 5,
            Self::Promo => 6,
            Self::Adjustment => 7,
            Self::Unclaimed => 8,
            Self::WriteOff => 9,
        }
    }

    /// The name that API and CLI show.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Spend => "spend",
            Self::Expiry => "expiry",
            Self::Promo => "promo",
            Self::Adjustment => "adjustment",
            Self::Unclaimed => "unclaimed",
            Self::WriteOff => "write_off",
        }
    }

    /// The system account with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.code() == code)
    }
}
