//! `GET /v1/checkout_sessions/{id}?wait=…`: for the page that a buyer comes back to. It never grants anything: it tells.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use ledger::ids::Owner;
use schemars::JsonSchema;
use serde::Serialize;
use store::read::checkout::{Checkout, checkout_is_received, checkout_list};
use store::read::payments::Status as Paid;

use super::awaited::Seen;
use crate::auth::Caller;
use crate::error::RouteError;
use crate::params::Params;
use crate::path::Id;
use crate::state::ApiState;

/// Longest wait that can be asked for: below the half minute after which many proxies give up.
pub(crate) const WAIT_MAX_SECONDS: u64 = 30;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "CheckoutStatus")]
#[serde(rename_all = "snake_case")]
enum Status {
    /// Nobody told of such a session, or not one that sells credits.
    Unknown,
    /// Stripe told of it; nothing is decided yet.
    Received,
    /// The payment is under way.
    Pending,
    /// Paid, and a case holds it.
    InReview,
    /// The credits are the user's.
    Credited,
    /// All of the credits were taken back.
    Reversed,
    /// There will be no credits: the payment failed, or a person decided so.
    Failed,
}

/// The checkout session object.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct CheckoutSession {
    #[schemars(extend("const" = "checkout_session"))]
    object: &'static str,
    id: String,
    status: Status,
    /// Credits that the user has of it, or will have once it is credited; null while nobody knows.
    credits: Option<i64>,
    unit: Option<String>,
    user: Option<String>,
    payment: Option<String>,
    as_of: Timestamp,
}

impl CheckoutSession {
    /// What the caller may know of it. A user is told of his own; another's is to him one that nobody told of, however long
    /// he waits, and of one that is nobody's yet he learns how far it is.
    fn for_caller(self, caller: &Caller) -> Self {
        let Some(own) = caller.user() else { return self };
        let is_of = |user: &String| user == own;
        if self.user.as_ref().is_some_and(is_of) {
            return self;
        }
        let status = if self.user.is_none() { self.status } else { Status::Unknown };
        Self { status, credits: None, unit: None, user: None, payment: None, ..self }
    }
}

impl Status {
    /// Whether waiting longer is of no use: nothing changes without a further event or a person.
    const fn is_final(self) -> bool {
        match self {
            Self::Unknown | Self::Received | Self::Pending => false,
            Self::InReview | Self::Credited | Self::Reversed | Self::Failed => true,
        }
    }
}

/// Answers at once if the status is final, else as soon as it is, or when the time that was asked for is up.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    Id(session): Id,
    mut params: Params,
) -> Result<Json<CheckoutSession>, RouteError> {
    let wait = params.parsed("wait", "a whole number of seconds from 0 to 30", |text| {
        text.parse().ok().filter(|seconds| *seconds <= WAIT_MAX_SECONDS)
    })?;
    params.finish()?;
    let wait = Duration::from_secs(wait.unwrap_or_default());
    if !wait.is_zero() {
        let settled = tokio::time::timeout(wait, settled(&state, &caller, &session)).await;
        if let Some(settled) = settled.ok().flatten() {
            return Ok(Json(settled));
        }
    }
    look(&state, &caller, &session).await.map(Json)
}

/// Waits until the status is final; none if the process is to end before.
async fn settled(state: &ApiState, caller: &Caller, session: &str) -> Option<CheckoutSession> {
    let mut watching = state.checkouts.on((caller.tenant_id, session.to_owned()));
    loop {
        let Seen { checkout, as_of } = watching.next().await?;
        // Whether it was received does not matter: what is only received is not final.
        let seen = show(session.to_owned(), checkout, false, as_of).for_caller(caller);
        if seen.status.is_final() {
            return Some(seen);
        }
    }
}

async fn look(
    state: &ApiState,
    caller: &Caller,
    session: &str,
) -> Result<CheckoutSession, RouteError> {
    let (client, tenant_id) = (state.reads.get().await?, caller.tenant_id);
    let as_of = state.clock.now();
    // In this order: what is decided in between shows among the payments.
    let is_received = checkout_is_received(&client, tenant_id, session).await?;
    let checkout = checkout_list(&client, tenant_id, &[session]).await?.pop().flatten();
    Ok(show(session.to_owned(), checkout, is_received, as_of).for_caller(caller))
}

fn show(
    id: String,
    checkout: Option<Checkout>,
    is_received: bool,
    as_of: Timestamp,
) -> CheckoutSession {
    let mut shown = CheckoutSession {
        object: "checkout_session",
        id,
        status: if is_received { Status::Received } else { Status::Unknown },
        credits: None,
        unit: None,
        user: None,
        payment: None,
        as_of,
    };
    let Some(checkout) = checkout else { return shown };
    let settled = status(&checkout);
    if settled != Status::Unknown {
        shown.status = settled;
    }
    let credits = match shown.status {
        Status::Credited | Status::Reversed => Some(checkout.posted),
        // What was refunded meanwhile will not be his.
        Status::InReview if checkout.purchased > 0 => Some(checkout.posted),
        Status::Pending | Status::Received | Status::InReview => {
            Some(checkout.expected).filter(|credits| *credits != 0)
        }
        Status::Unknown | Status::Failed => None,
    };
    shown.credits = credits.filter(|_| checkout.unit.is_some());
    shown.unit = checkout.unit.filter(|_| shown.credits.is_some());
    shown.user = match checkout.owner {
        Some(Owner::User(user)) => Some(user),
        Some(Owner::Unclaimed(_)) | None => checkout.claimant,
    };
    shown.payment = Some(checkout.root_key);
    shown
}

fn status(checkout: &Checkout) -> Status {
    // Where a part was credited, only the rest was dismissed.
    let is_credited = matches!(checkout.owner, Some(Owner::User(_)));
    match checkout.status {
        _ if checkout.is_dismissed && !is_credited => Status::Failed,
        Paid::Unknown | Paid::NotOurs => Status::Unknown,
        Paid::Pending => Status::Pending,
        Paid::Failed => Status::Failed,
        Paid::Paid => match &checkout.owner {
            _ if checkout.purchased > 0 && checkout.posted <= 0 => Status::Reversed,
            Some(Owner::User(_)) if checkout.posted > 0 => Status::Credited,
            _ if checkout.has_open_case => Status::InReview,
            Some(_) | None => Status::Received,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid() -> Checkout {
        Checkout {
            root_key: "pi_1".into(),
            status: Paid::Paid,
            claimant: None,
            owner: Some(Owner::User("u_1".into())),
            is_dismissed: false,
            has_open_case: false,
            unit: Some("credits".into()),
            expected: 500,
            posted: 500,
            purchased: 500,
        }
    }

    #[track_caller]
    fn check(checkout: Checkout, status: Status, credits: Option<i64>, user: Option<&str>) {
        let shown = show("cs_1".into(), Some(checkout), false, Timestamp::UNIX_EPOCH);
        let seen = (shown.status, shown.credits, shown.user.as_deref());
        assert_eq!(seen, (status, credits, user));
    }

    #[test]
    fn each_state_has_its_word() {
        let unclaimed = || Checkout {
            owner: Some(Owner::Unclaimed("pi_1".into())),
            claimant: Some("u_9".into()),
            has_open_case: true,
            ..paid()
        };
        let unpaid = || Checkout {
            status: Paid::Pending,
            owner: None,
            claimant: Some("u_1".into()),
            posted: 0,
            purchased: 0,
            ..paid()
        };
        check(paid(), Status::Credited, Some(500), Some("u_1"));
        check(Checkout { posted: 200, ..paid() }, Status::Credited, Some(200), Some("u_1"));
        check(Checkout { posted: 0, ..paid() }, Status::Reversed, Some(0), Some("u_1"));
        check(unclaimed(), Status::InReview, Some(500), Some("u_9"));
        check(Checkout { posted: 450, ..unclaimed() }, Status::InReview, Some(450), Some("u_9"));
        check(Checkout { posted: 0, ..unclaimed() }, Status::Reversed, Some(0), Some("u_9"));
        check(
            Checkout { unit: None, expected: 0, posted: 0, purchased: 0, ..unclaimed() },
            Status::InReview,
            None,
            Some("u_9"),
        );
        check(unpaid(), Status::Pending, Some(500), Some("u_1"));
        check(Checkout { status: Paid::Failed, ..unpaid() }, Status::Failed, None, Some("u_1"));
        check(
            Checkout { is_dismissed: true, owner: None, posted: 0, ..paid() },
            Status::Failed,
            None,
            None,
        );
        let in_part = Checkout { is_dismissed: true, ..paid() };
        check(in_part, Status::Credited, Some(500), Some("u_1"));
        check(
            Checkout { status: Paid::NotOurs, owner: None, claimant: None, ..unpaid() },
            Status::Unknown,
            None,
            None,
        );
    }

    #[test]
    fn without_a_payment_it_is_received_or_unknown() {
        let status =
            |is_received| show("cs_1".into(), None, is_received, Timestamp::UNIX_EPOCH).status;
        assert_eq!(status(true), Status::Received);
        assert_eq!(status(false), Status::Unknown);
    }
}
