//! The spend object.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::account::MoveKind;
use ledger::ids::SpendId;
use schemars::JsonSchema;
use serde::Serialize;
use store::commands::Done;
use store::read::spends::Spend;

use super::{Balance, Share, moves_of, shares};

/// Credits that were used.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Spend")]
pub(crate) struct SpendObject {
    #[schemars(extend("const" = "spend"))]
    object: &'static str,
    id: String,
    user: String,
    unit: String,
    amount: i64,
    description: Option<String>,
    metadata: BTreeMap<String, String>,
    /// The hold that was captured, if it came of one.
    hold: Option<String>,
    /// Whether it was given back.
    reversed: bool,
    /// Where the credits came from; what no grant covered is owed.
    grants: Vec<Share>,
    seq: i64,
    created: Timestamp,
    /// The account after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Balance")]
    balance: Option<Balance>,
}

impl SpendObject {
    /// The spend that was made.
    pub(super) fn made(done: &Done) -> Self {
        let moves = done.postings.iter().flat_map(|one| moves_of(&one.moves, MoveKind::Spent));
        let amounts = done.postings.iter().map(|posting| posting.amount);
        Self {
            object: "spend",
            id: SpendId(done.command_id).to_string(),
            user: done.user.clone(),
            unit: done.unit.clone(),
            amount: amounts.fold(0, i64::saturating_sub),
            description: done.note.description.clone(),
            metadata: done.note.metadata.clone(),
            hold: None,
            reversed: false,
            grants: shares(&done.user, &done.unit, moves),
            seq: done.step,
            created: done.recorded_at,
            balance: Some(done.after.into()),
        }
    }

    /// A spend as it is known.
    pub(in crate::commands) fn shown(id: SpendId, spend: Spend) -> Self {
        Self {
            object: "spend",
            id: id.to_string(),
            grants: shares(&spend.user, &spend.unit, spend.drawn),
            user: spend.user,
            unit: spend.unit,
            amount: spend.amount,
            description: spend.note.description,
            metadata: spend.note.metadata,
            hold: spend.hold.map(|hold| hold.to_string()),
            reversed: spend.is_reversed,
            seq: spend.step,
            created: spend.recorded_at,
            balance: None,
        }
    }
}
