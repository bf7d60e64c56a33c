//! The hold object.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::account::{Hold, HoldState, MoveKind};
use ledger::ids::{HoldId, SpendId};
use schemars::JsonSchema;
use serde::Serialize;
use store::commands::Done;
use store::read::holds::Shown;

use super::{Balance, Share, moves_of, shares};

/// Credits that are reserved, or were.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Hold")]
pub(crate) struct HoldObject {
    #[schemars(extend("const" = "hold"))]
    object: &'static str,
    id: String,
    user: String,
    unit: String,
    amount: i64,
    /// `open`, `captured`, `released` or `expired`.
    #[schemars(with = "crate::openapi::words::HoldStatus")]
    status: &'static str,
    captured: i64,
    /// The spend that the capture made.
    spend: Option<String>,
    description: Option<String>,
    metadata: BTreeMap<String, String>,
    /// What it reserves of each grant, or what was captured of them.
    grants: Vec<Share>,
    expires: Timestamp,
    seq: i64,
    created: Timestamp,
    closed: Option<Timestamp>,
    /// The account after the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Balance")]
    balance: Option<Balance>,
}

impl HoldObject {
    /// The hold that was made or ended; none if the command had none, which does not occur.
    pub(super) fn made(done: &Done) -> Option<Self> {
        let hold = done.hold.as_ref()?;
        let drawn = done.postings.iter().flat_map(|one| moves_of(&one.moves, MoveKind::Spent));
        let (is_open, is_captured) =
            (hold.state == HoldState::Open, hold.state == HoldState::Captured);
        Some(Self {
            object: "hold",
            id: hold.hold_id.to_string(),
            user: done.user.clone(),
            unit: done.unit.clone(),
            amount: hold.amount,
            status: hold.state.name(),
            captured: hold.captured,
            spend: is_captured.then(|| SpendId(done.command_id).to_string()),
            description: done.note.description.clone(),
            metadata: done.note.metadata.clone(),
            grants: shares(&done.user, &done.unit, reserved(hold).chain(drawn)),
            expires: hold.expires_at,
            seq: done.step,
            created: made_at(hold.hold_id).unwrap_or(done.recorded_at),
            closed: (!is_open).then_some(done.recorded_at),
            balance: Some(done.after.into()),
        })
    }

    /// A hold as it stands at `now`. It ends at its deadline, also if nobody has noted that yet.
    pub(in crate::commands) fn shown(shown: Shown, now: Timestamp) -> Self {
        let Shown { user, unit, hold, note, drawn, step, end, .. } = shown;
        let is_over = hold.state == HoldState::Open && hold.expires_at <= now;
        let state = if is_over { HoldState::Expired } else { hold.state };
        let captured_by = end.filter(|_| state == HoldState::Captured);
        let reserved = reserved(&hold).filter(|_| !is_over);
        Self {
            object: "hold",
            id: hold.hold_id.to_string(),
            grants: shares(&user, &unit, reserved.chain(drawn)),
            user,
            unit,
            amount: hold.amount,
            status: state.name(),
            captured: hold.captured,
            spend: captured_by.map(|end| SpendId(end.command_id).to_string()),
            description: note.description,
            metadata: note.metadata,
            expires: hold.expires_at,
            seq: end.map_or(step, |end| end.step),
            created: made_at(hold.hold_id).unwrap_or(hold.expires_at),
            closed: end.map(|end| end.recorded_at).or_else(|| is_over.then_some(hold.expires_at)),
            balance: None,
        }
    }
}

/// What it reserves, by grant.
fn reserved(hold: &Hold) -> impl Iterator<Item = (i64, i64)> {
    hold.reserved.iter().map(|(grant, credits)| (*grant, *credits))
}

/// When a hold was asked for. Its id tells, so that every answer about it says the same.
fn made_at(HoldId(id): HoldId) -> Option<Timestamp> {
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanoseconds).ok()?).ok()
}
