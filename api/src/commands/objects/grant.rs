//! The grant object of a command: credits that were given away.

use jiff::Timestamp;
use ledger::ids::{GrantId, Owner, PostingId};
use schemars::JsonSchema;
use serde::Serialize;
use store::commands::Done;

use super::Balance;

/// Credits that were given away.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "GrantGiven")]
pub(crate) struct GrantObject<'a> {
    #[schemars(extend("const" = "grant"))]
    object: &'static str,
    id: String,
    user: &'a str,
    unit: &'a str,
    amount: i64,
    granted: i64,
    /// Less than was granted where it paid a debt at once.
    remaining: i64,
    held: i64,
    open: bool,
    priority: i16,
    expires: Option<Timestamp>,
    payment: Option<&'a str>,
    line: Option<&'a str>,
    reason: &'a str,
    seq: i64,
    created: Timestamp,
    balance: Balance,
}

/// The grant that was made; none if the command made none, which does not occur.
pub(super) fn of<'a>(done: &'a Done, reason: &'a str) -> Option<GrantObject<'a>> {
    let grant = done.grant.as_ref()?;
    let account = Owner::User(done.user.clone()).account_id();
    let id = GrantId(PostingId { account, unit: done.unit.clone(), seq: grant.grant_id });
    Some(GrantObject {
        object: "grant",
        id: id.to_string(),
        user: &done.user,
        unit: &done.unit,
        amount: grant.granted,
        granted: grant.granted,
        remaining: grant.remaining,
        held: grant.held,
        open: grant.is_open(),
        priority: grant.terms.priority,
        expires: grant.terms.expires_at,
        payment: None,
        line: None,
        reason,
        seq: done.step,
        created: done.recorded_at,
        balance: done.after.into(),
    })
}
