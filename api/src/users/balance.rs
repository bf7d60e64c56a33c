//! `GET /v1/users/{user}/balance`: one truthful object. All its parts come from one snapshot of the books.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use store::read::balance::{Parts, balance_get};

use super::{require, unit};
use crate::auth::Caller;
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// The balance object; amounts in the unit's smallest part.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Balance {
    object: &'static str,
    user: String,
    unit: String,
    available: i64,
    held: i64,
    pending: i64,
    in_review: i64,
    disputed: i64,
    debt: i64,
    posted: i64,
    expiring_next: Option<Expiry>,
    as_of: Timestamp,
    position: i64,
}

/// Credits that run out at one instant.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Expiry {
    amount: i64,
    at: Timestamp,
}

/// Answers with the balance in one unit: zeros for a user who has nothing, 404 for one whom nobody told of.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(user): Id,
    mut params: Params,
) -> Result<Json<Balance>, RouteError> {
    let unit = unit(&mut params)?;
    params.finish()?;
    let (client, now) = (state.client().await?, state.clock.now());
    let parts = balance_get(&client, caller.tenant_id, &user, &unit, now).await?;
    if parts.is_none() {
        // Registered a moment ago and not decided yet, or nobody told of.
        require(&client, caller.tenant_id, &user).await?;
    }
    Ok(Json(balance(&parts.unwrap_or_default(), user, unit, now)))
}

/// What follows from the parts. Credits whose time is over cannot be spent, though they are still posted.
fn balance(parts: &Parts, user: String, unit: String, as_of: Timestamp) -> Balance {
    let spendable = parts.posted.saturating_sub(parts.held).saturating_sub(parts.expired);
    Balance {
        object: "balance",
        user,
        unit,
        available: spendable.max(0),
        held: parts.held,
        pending: parts.pending,
        in_review: parts.in_review,
        disputed: parts.disputed,
        debt: parts.posted.saturating_neg().max(0),
        posted: parts.posted,
        expiring_next: parts.expiring_next.map(|(amount, at)| Expiry { amount, at }),
        as_of,
        position: parts.decided_pos,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(parts: &Parts, available: i64, debt: i64) {
        let balance = balance(parts, "u_1".into(), "credits".into(), Timestamp::UNIX_EPOCH);
        assert_eq!((balance.available, balance.debt), (available, debt));
    }

    #[test]
    fn available_is_what_is_neither_held_nor_expired() {
        check(&Parts { posted: 50, ..Parts::default() }, 50, 0);
        check(&Parts { posted: 50, held: 20, expired: 10, ..Parts::default() }, 20, 0);
        check(&Parts { posted: 10, held: 20, ..Parts::default() }, 0, 0);
        check(&Parts { posted: -7, ..Parts::default() }, 0, 7);
    }
}
