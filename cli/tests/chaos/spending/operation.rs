//! What clients ask, and what they are answered.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::model::Deed;

/// What a client asks of an account.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Read,
    Spend { amount: i64 },
    Hold { amount: i64, seconds: i64 },
    Capture { hold: String, amount: Option<i64> },
    Release { hold: String },
    Reverse { spend: String, is_renewed: bool },
    Grant { amount: i64, priority: i16, expires_at: Option<Timestamp> },
}

/// An answer, whatever it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Whether it says that it was given before.
    pub(super) is_repeated: bool,
    pub(super) body: String,
}

/// One operation of a client, with all its tries under one key.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// Number of its account.
    pub(super) account: usize,
    /// Its `Idempotency-Key`.
    pub(super) key: String,
    pub(super) ask: Ask,
    /// The moment before it was sent first. Moments are counted, so that no two are the same.
    pub(super) invoked: u64,
    /// The moment after it was answered; none if it is not known what became of it.
    pub(super) completed: Option<u64>,
    /// The time of day when the client had its answer, or gave up.
    pub(super) until: Timestamp,
    /// The last answer that says what became of it.
    pub(super) answer: Option<Answer>,
}

impl Ask {
    /// Where it is sent, for this user.
    pub(super) fn path(&self, user: &str) -> String {
        match self {
            Self::Read => format!("/v1/users/{user}/balance"),
            Self::Spend { .. } => format!("/v1/users/{user}/spends"),
            Self::Hold { .. } => format!("/v1/users/{user}/holds"),
            Self::Grant { .. } => format!("/v1/users/{user}/grants"),
            Self::Capture { hold, .. } => format!("/v1/holds/{hold}/capture"),
            Self::Release { hold } => format!("/v1/holds/{hold}/release"),
            Self::Reverse { spend, .. } => format!("/v1/spends/{spend}/reverse"),
        }
    }

    /// What is sent; nothing with a question.
    pub(super) fn body(&self) -> Option<Value> {
        let body = match self {
            Self::Read => return None,
            Self::Spend { amount } | Self::Capture { amount: Some(amount), .. } => {
                json!({ "amount": amount })
            }
            Self::Hold { amount, seconds } => json!({ "amount": amount, "expires_in": seconds }),
            Self::Capture { amount: None, .. } | Self::Release { .. } => json!({}),
            Self::Reverse { is_renewed, .. } => {
                json!({ "expired": if *is_renewed { "renew" } else { "lapse" } })
            }
            Self::Grant { amount, priority, expires_at } => {
                json!({
                    "amount": amount,
                    "priority": priority,
                    "expires_at": expires_at,
                    "reason": "a test",
                })
            }
        };
        Some(body)
    }

    /// Whether this is what was recorded for it.
    pub(super) fn is_done_by(&self, deed: &Deed) -> bool {
        match (self, deed) {
            (Self::Spend { amount }, Deed::Spend { amount: done, .. })
            | (Self::Hold { amount, .. }, Deed::Hold { amount: done, .. }) => amount == done,
            (Self::Capture { hold, amount }, Deed::Capture { hold: of, amount: done, .. }) => {
                hold == of && amount == done
            }
            (Self::Release { hold }, Deed::Release { hold: of }) => hold == of,
            (
                Self::Reverse { spend, is_renewed },
                Deed::Reverse { spend: of, is_renewed: done, .. },
            ) => spend == of && is_renewed == done,
            (
                Self::Grant { amount, priority, expires_at },
                Deed::Grant { amount: done, terms, .. },
            ) => {
                amount == done
                    && *priority == terms.priority
                    && expires_at.unwrap_or(Timestamp::MAX) == terms.expires_at
            }
            _ => false,
        }
    }
}
