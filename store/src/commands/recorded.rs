//! Commands as they are recorded: their kind, and their parameters as JSON.

use jiff::Timestamp;
use ledger::account::{Operation, Terms};
use ledger::chain::to_microseconds;
use ledger::ids::{HoldId, SpendId};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::request::{AccountKey, Command, Note};

impl Command {
    /// The number that the database keeps (`command.kind`).
    pub const fn kind(&self) -> i16 {
        match self {
            Self::Spend { .. } => 1,
            Self::Hold { .. } => 2,
            Self::Capture { .. } => 3,
            Self::Release { .. } => 4,
            Self::Grant { .. } => 5,
            Self::Reverse { .. } => 6,
            Self::SetLimit { .. } => 7,
            Self::SetFrozen { .. } => 8,
            Self::ExpireGrant { .. } => 9,
            Self::ExpireHold { .. } => 10,
        }
    }

    /// The name that metrics show.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Spend { .. } => "spend",
            Self::Hold { .. } => "hold",
            Self::Capture { .. } => "capture",
            Self::Release { .. } => "release",
            Self::Grant { .. } => "grant",
            Self::Reverse { .. } => "reverse",
            Self::SetLimit { .. } => "limit",
            Self::SetFrozen { .. } => "freeze",
            Self::ExpireGrant { .. } => "expire_grant",
            Self::ExpireHold { .. } => "expire_hold",
        }
    }

    /// The account, where the command names it; the others name a hold or a spend of it.
    pub(super) const fn account(&self) -> Option<&AccountKey> {
        if let Self::Spend { account, .. }
        | Self::Hold { account, .. }
        | Self::Grant { account, .. }
        | Self::ExpireGrant { account, .. }
        | Self::SetLimit { account, .. }
        | Self::SetFrozen { account, .. } = self
        {
            return Some(account);
        }
        None
    }

    /// The hold that it ends.
    pub(super) const fn hold(&self) -> Option<HoldId> {
        if let Self::Capture { hold_id, .. }
        | Self::Release { hold_id }
        | Self::ExpireHold { hold_id } = self
        {
            return Some(*hold_id);
        }
        None
    }

    /// The grant that it ends.
    pub(super) const fn grant(&self) -> Option<i64> {
        if let Self::ExpireGrant { grant_id, .. } = self { Some(*grant_id) } else { None }
    }

    /// The spend that it gives back.
    pub(super) const fn spend(&self) -> Option<SpendId> {
        if let Self::Reverse { spend_id, .. } = self { Some(*spend_id) } else { None }
    }

    /// What the app says of it.
    pub(super) const fn note(&self) -> Option<&Note> {
        if let Self::Spend { note, .. } | Self::Hold { note, .. } = self {
            Some(note)
        } else {
            None
        }
    }

    /// What the ledger evaluates. Instants are in whole microseconds, which is what the database keeps.
    pub(super) fn operation(&self, command_id: Uuid) -> Operation {
        match self {
            Self::Spend { amount, .. } => Operation::Spend { amount: *amount },
            Self::Hold { amount, expires_at, .. } => Operation::Hold {
                hold_id: HoldId(command_id),
                amount: *amount,
                expires_at: to_microseconds(*expires_at),
            },
            Self::Capture { hold_id, amount } => {
                Operation::Capture { hold_id: *hold_id, amount: *amount }
            }
            Self::Release { hold_id } => Operation::Release { hold_id: *hold_id },
            Self::ExpireHold { hold_id } => Operation::ExpireHold { hold_id: *hold_id },
            Self::Grant { amount, terms, contra, .. } => Operation::Grant {
                amount: *amount,
                terms: whole(*terms),
                contra: *contra,
                source: None,
            },
            Self::ExpireGrant { grant_id, .. } => Operation::ExpireGrant { grant_id: *grant_id },
            Self::Reverse { spend_id, expired, terms } => {
                Operation::Reverse { spend_id: *spend_id, expired: *expired, terms: whole(*terms) }
            }
            Self::SetLimit { overdraft_limit, .. } => {
                Operation::SetLimit { overdraft_limit: *overdraft_limit }
            }
            Self::SetFrozen { frozen, .. } => Operation::SetFrozen { frozen: *frozen },
        }
    }

    /// Its parameters as they are recorded (`command.body`); `note` is what the app said of it, or of the hold that it
    /// captures.
    pub(super) fn body(&self, note: &Note) -> Value {
        match self {
            Self::Spend { amount, .. } => noted(json!({ "amount": amount }), note),
            Self::Hold { amount, expires_at, .. } => {
                noted(json!({ "amount": amount, "expires_at": instant(*expires_at) }), note)
            }
            Self::Capture { hold_id, amount } => {
                noted(json!({ "hold": hold_id.to_string(), "amount": amount }), note)
            }
            Self::Release { hold_id } | Self::ExpireHold { hold_id } => {
                json!({ "hold": hold_id.to_string() })
            }
            Self::Grant { amount, terms, reason, contra, .. } => {
                let more = json!({ "amount": amount, "contra": contra.name(), "reason": reason });
                with_terms(more, *terms)
            }
            Self::ExpireGrant { grant_id, .. } => json!({ "grant": grant_id }),
            Self::Reverse { spend_id, expired, terms } => {
                let more = json!({ "spend": spend_id.to_string(), "expired": expired.name() });
                with_terms(more, *terms)
            }
            Self::SetLimit { overdraft_limit, .. } => json!({ "overdraft_limit": overdraft_limit }),
            Self::SetFrozen { frozen, reason, .. } => json!({ "frozen": frozen, "reason": reason }),
        }
    }
}

/// What the app said of a command that is recorded.
pub(super) fn note_of(body: &str) -> Note {
    serde_json::from_str(body).unwrap_or_default()
}

fn whole(terms: Terms) -> Terms {
    Terms { expires_at: terms.expires_at.map(to_microseconds), ..terms }
}

fn instant(at: Timestamp) -> String {
    to_microseconds(at).to_string()
}

fn with_terms(body: Value, terms: Terms) -> Value {
    let terms = json!({ "expires_at": terms.expires_at.map(instant), "priority": terms.priority });
    merged(body, terms)
}

fn noted(body: Value, note: &Note) -> Value {
    merged(body, json!(note))
}

fn merged(mut body: Value, more: Value) -> Value {
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        let more: Map<String, Value> = more;
        body.extend(more);
    }
    body
}
