//! What a command did, as its answer shows it. The bytes are saved with the effect, for whoever asks again.

mod account;
mod grant;
mod hold;
mod reversal;
mod spend;

use ledger::account::{GrantMove, MoveKind};
use ledger::ids::{GrantId, Owner, PostingId};
use schemars::JsonSchema;
use serde::Serialize;
use store::commands::{After, Command, Done, Request};

pub(crate) use account::SettingObject;
pub(crate) use grant::GrantObject;
pub(crate) use hold::HoldObject;
pub(crate) use reversal::ReversalObject;
pub(crate) use spend::SpendObject;

/// The answer to a command that was carried out.
pub(super) fn render(request: &Request, done: &Done) -> Vec<u8> {
    // Texts, integers and maps with text keys: there is nothing here that could fail to be written.
    let json = match &request.command {
        Command::Spend { .. } => serde_json::to_vec(&SpendObject::made(done)),
        Command::Hold { .. }
        | Command::Capture { .. }
        | Command::Release { .. }
        | Command::ExpireHold { .. } => serde_json::to_vec(&HoldObject::made(done)),
        Command::Grant { reason, .. } => serde_json::to_vec(&grant::of(done, reason)),
        Command::Reverse { expired, .. } => serde_json::to_vec(&reversal::of(done, *expired)),
        Command::SetLimit { overdraft_limit, .. } => {
            serde_json::to_vec(&account::overdraft(done, *overdraft_limit))
        }
        Command::SetFrozen { frozen, reason, .. } => {
            serde_json::to_vec(&account::freeze(done, *frozen, reason))
        }
        // Only the clock asks for it, and reads no answer.
        Command::ExpireGrant { .. } => Ok(Vec::new()),
    };
    json.unwrap_or_default()
}

/// Credits of one grant: drawn from it, reserved of it, or given back to it.
#[derive(Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "GrantShare")]
pub(crate) struct Share {
    grant: String,
    amount: i64,
}

/// The account after a command; amounts in the unit's smallest part.
#[derive(Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "BalanceAfter")]
pub(crate) struct Balance {
    available: i64,
    held: i64,
    posted: i64,
    debt: i64,
}

impl From<After> for Balance {
    fn from(after: After) -> Self {
        let After { available, held, debt, posted } = after;
        Self { available, held, posted, debt }
    }
}

/// Makes shares of what moved, or is reserved, of the grants of a user's account.
fn shares(user: &str, unit: &str, credits: impl IntoIterator<Item = (i64, i64)>) -> Vec<Share> {
    let account = Owner::User(user.to_owned()).account_id();
    let share = |(seq, amount)| {
        let grant = GrantId(PostingId { account, unit: unit.to_owned(), seq });
        Share { grant: grant.to_string(), amount }
    };
    credits.into_iter().map(share).collect()
}

/// The moves of this kind, as grant and credits.
fn moves_of(moves: &[GrantMove], kind: MoveKind) -> impl Iterator<Item = (i64, i64)> {
    let own = moves.iter().filter(move |one| one.kind == kind);
    own.map(|one| (one.grant_id, one.amount))
}
