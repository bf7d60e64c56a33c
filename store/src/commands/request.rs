//! What is asked for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::account::{ExpiredPolicy, SystemAccount, Terms};
use ledger::ids::{HoldId, SpendId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One command as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its id, made by the caller (version 7, so that ids follow time); also that of the hold or the spend that it makes.
    /// One that was carried out is not carried out again.
    pub command_id: Uuid,
    /// The client's key for it; `None` for what the clock asks for, whose ids are derived: asking twice is asking once.
    pub idempotency: Option<IdempotencyKey>,
    /// Who asks: `key_…`, `user:…`, or `keeper`.
    pub actor: String,
    /// What is to be done.
    pub command: Command,
}

/// The client's key for a command, and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The key.
    pub key: String,
    /// SHA-256 of method, route and canonical body: whether it is the same request.
    pub request_hash: [u8; 32],
}

/// An account by its user and unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountKey {
    /// The app's own id of the user.
    pub user: String,
    /// Unit.
    pub unit: String,
}

/// What the app says of a command for its own use: kept with it and shown again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What it was for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The app's own key-value pairs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// What the app, a person or the clock wants done on one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Uses credits.
    Spend {
        /// Whose.
        account: AccountKey,
        /// Credits.
        amount: i64,
        /// What for.
        note: Note,
    },
    /// Reserves credits for a job.
    Hold {
        /// Whose.
        account: AccountKey,
        /// Credits.
        amount: i64,
        /// Its deadline.
        expires_at: Timestamp,
        /// What for.
        note: Note,
    },
    /// Spends what a hold reserves, and releases the rest.
    Capture {
        /// The hold.
        hold_id: HoldId,
        /// Credits; `None`: all that it reserves.
        amount: Option<i64>,
    },
    /// Lets go what a hold reserves.
    Release {
        /// The hold.
        hold_id: HoldId,
    },
    /// Closes a hold whose deadline has passed.
    ExpireHold {
        /// The hold.
        hold_id: HoldId,
    },
    /// Gives credits away.
    Grant {
        /// To whom.
        account: AccountKey,
        /// Credits.
        amount: i64,
        /// Until when they can be spent, and before which others.
        terms: Terms,
        /// Why.
        reason: String,
        /// The other side: promo, or adjustment for a correction.
        contra: SystemAccount,
    },
    /// Takes out what a grant had left when it ran out of time.
    ExpireGrant {
        /// Whose.
        account: AccountKey,
        /// The grant.
        grant_id: i64,
    },
    /// Gives a spend back.
    Reverse {
        /// The spend.
        spend_id: SpendId,
        /// What becomes of credits whose grant has expired.
        expired: ExpiredPolicy,
        /// Terms of credits that can go back to no grant.
        terms: Terms,
    },
    /// Sets how far below zero spends and holds may go.
    SetLimit {
        /// Whose.
        account: AccountKey,
        /// Credits, not negative.
        overdraft_limit: i64,
    },
    /// Freezes an account, or thaws it.
    SetFrozen {
        /// Whose.
        account: AccountKey,
        /// Whether spends and holds are refused from now on.
        frozen: bool,
        /// Why.
        reason: String,
    },
}
