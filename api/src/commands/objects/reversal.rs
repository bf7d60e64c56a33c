//! The reversal object: a spend that was given back.

use jiff::Timestamp;
use ledger::account::{ExpiredPolicy, MoveKind};
use schemars::JsonSchema;
use serde::Serialize;
use store::commands::Done;

use super::{Balance, Share, moves_of, shares};

/// A spend that was given back.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Reversal")]
pub(crate) struct ReversalObject<'a> {
    #[schemars(extend("const" = "reversal"))]
    object: &'static str,
    /// The spend.
    spend: String,
    user: &'a str,
    unit: &'a str,
    amount: i64,
    /// What became of credits whose grant has expired: `lapse` or `renew`.
    #[schemars(with = "crate::commands::reverse::Expired")]
    expired: &'static str,
    /// Credits of the amount that expired at once.
    lapsed: i64,
    /// Where the credits went; what went to no grant has paid a debt.
    grants: Vec<Share>,
    seq: i64,
    created: Timestamp,
    balance: Balance,
}

/// The reversal; none if the command gave nothing back, which does not occur.
pub(super) fn of(done: &Done, expired: ExpiredPolicy) -> Option<ReversalObject<'_>> {
    let spend = done.reversed.as_ref()?;
    let moves = || done.postings.iter().flat_map(|posting| &posting.moves);
    let back =
        done.postings.iter().flat_map(|posting| moves_of(&posting.moves, MoveKind::GivenBack));
    let renewed = done.grant.iter().map(|grant| (grant.grant_id, grant.granted));
    let lapsed = moves().filter(|one| one.kind == MoveKind::Expired).map(|one| one.amount);
    Some(ReversalObject {
        object: "reversal",
        spend: spend.spend_id.to_string(),
        user: &done.user,
        unit: &done.unit,
        amount: spend.amount,
        expired: match expired {
            ExpiredPolicy::Lapse => "lapse",
            ExpiredPolicy::Renew => "renew",
        },
        lapsed: lapsed.fold(0, i64::saturating_add),
        grants: shares(&done.user, &done.unit, back.chain(renewed)),
        seq: done.step,
        created: done.recorded_at,
        balance: done.after.into(),
    })
}
