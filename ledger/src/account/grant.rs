//! A grant: a block of credits from one source, and its place in the order of drawing.

use jiff::Timestamp;

use super::posting::Source;

/// Until when credits can be spent, and before which others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Terms {
    /// From this instant they cannot be spent; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// Lower is drawn first.
    pub priority: i16,
}

/// A block of credits from one source, with what remains of it (`credit_grant`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// `seq` of the posting that granted it.
    pub grant_id: i64,
    /// Until when it can be spent, and before which others.
    pub terms: Terms,
    /// Where it came from; `None` for credits that were given away.
    pub source: Option<Source>,
    /// Credits at the start.
    pub granted: i64,
    /// Credits left.
    pub remaining: i64,
    /// Credits of these that holds reserve.
    pub held: i64,
}

impl Grant {
    /// Whether anything is left of it.
    pub const fn is_open(&self) -> bool {
        self.remaining > 0
    }

    /// Whether it ran out of time: from the instant of `expires_at` on.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.terms.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// Credits left that no hold reserves.
    pub const fn unheld(&self) -> i64 {
        self.remaining.saturating_sub(self.held)
    }

    /// Its place in the order of drawing.
    pub fn place(&self) -> DrawPlace {
        DrawPlace {
            priority: self.terms.priority,
            expires_at: self.terms.expires_at.unwrap_or(Timestamp::MAX),
            grant_id: self.grant_id,
        }
    }
}

/// The order in which grants are drawn from: by priority, then what expires first, then the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DrawPlace {
    /// Lower is drawn first.
    pub priority: i16,
    /// Earlier is drawn first; the end of time for grants that never expire.
    pub expires_at: Timestamp,
    /// Lower, so older, is drawn first.
    pub grant_id: i64,
}
