//! What a client is told of its command.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use ledger::account::{LedgerError, Refusal};
use service::problem::{Code, Problem};
use store::commands::{Command, Outcome, Request};

use super::batcher::Failure;
use super::objects::render;
use crate::error::invalid;
use crate::users::not_found;

/// On an answer that was given before.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Seconds after which to come again when too much waits: by then it is done.
const BUSY_RETRY_SECONDS: u32 = 1;

/// Seconds after which to ask again when it is not known what became of a command.
const UNKNOWN_RETRY_SECONDS: u32 = 2;

/// The answer to a request with this outcome, or the refusal. What is done is done for all who ask under the same key, so
/// they all get the same bytes and the same status.
pub(super) fn of(
    request: &Request,
    outcome: Outcome,
    status: StatusCode,
) -> Result<Response, Problem> {
    match outcome {
        Outcome::Done(done) => Ok(json(status, render(request, &done))),
        Outcome::Replayed { answer, .. } => {
            let mut response = json(status, answer);
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            Ok(response)
        }
        Outcome::Refused(refusal) => Err(refused(&request.command, &refusal)),
        Outcome::UserUnknown => Err(user_unknown(&request.command)),
        Outcome::HoldUnknown => Err(Problem::new(Code::HoldNotFound)),
        Outcome::SpendUnknown => Err(Problem::new(Code::SpendNotFound)),
        Outcome::KeyReused => {
            let detail = "Another request was made under this Idempotency-Key. Take a new one for a new request.";
            Err(Problem::new(Code::IdempotencyKeyReused).detail(detail))
        }
        Outcome::KeyInFlight => {
            let detail = "Repeat the request in a moment, under the same key: you get the answer of the one under way.";
            let problem = Problem::new(Code::IdempotencyKeyInFlight).detail(detail);
            Err(problem.retry_after(BUSY_RETRY_SECONDS))
        }
    }
}

/// The refusal of a command without an outcome.
impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Busy => Self::new(Code::Unavailable).retry_after(BUSY_RETRY_SECONDS),
            Failure::Unknown => Self::new(Code::OutcomeUnknown).retry_after(UNKNOWN_RETRY_SECONDS),
            Failure::Fault => Self::new(Code::Internal),
        }
    }
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let content_type = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

fn user_unknown(command: &Command) -> Problem {
    match command {
        Command::Spend { account, .. }
        | Command::Hold { account, .. }
        | Command::Grant { account, .. }
        | Command::ExpireGrant { account, .. }
        | Command::SetLimit { account, .. }
        | Command::SetFrozen { account, .. } => not_found(&account.user),
        Command::Capture { .. }
        | Command::Release { .. }
        | Command::ExpireHold { .. }
        | Command::Reverse { .. } => Problem::new(Code::UserNotFound),
    }
}

/// What the books refused. They changed nothing, and saved no answer: the same request may succeed later.
fn refused(command: &Command, refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::Insufficient { wanted, available } => Problem::new(Code::InsufficientCredits)
            .param("amount")
            .detail(format!("{wanted} asked for, {available} available."))
            .with("available", *available),
        Refusal::Frozen => Problem::new(Code::AccountFrozen),
        Refusal::Past { at } => {
            let is_hold = matches!(command, Command::Hold { .. });
            let param = if is_hold { "expires_in" } else { "expires_at" };
            invalid(param, format!("{at} has passed."))
        }
        Refusal::NoHold { .. } => Problem::new(Code::HoldNotFound),
        Refusal::NoSpend { .. } => Problem::new(Code::SpendNotFound),
        Refusal::HoldExpired { hold_id } => {
            conflict(format!("The deadline of {hold_id} has passed."))
        }
        Refusal::HoldClosed { hold_id, state } => {
            conflict(format!("{hold_id} is {} already.", state.name()))
                .with("hold_status", state.name())
        }
        Refusal::HoldExists { hold_id } => conflict(format!("There is a hold {hold_id} already.")),
        Refusal::AlreadyReversed { spend_id } => {
            conflict(format!("{spend_id} was given back already."))
        }
        Refusal::AboveHeld { wanted, held } => {
            invalid("amount", format!("{wanted} to be captured, but only {held} are held."))
        }
        Refusal::Ledger(LedgerError::NotPositive { .. } | LedgerError::OutOfRange { .. }) => {
            invalid("amount", "The account's balance would leave what a 64-bit integer can count.")
        }
        // Faults of ours, or of the data: what the store should have seen to.
        Refusal::NotDue
        | Refusal::NotLoaded
        | Refusal::Ledger(LedgerError::NoGrant { .. } | LedgerError::Inconsistent { .. }) => {
            tracing::error!(%refusal, "answered 500: the books cannot carry out a command");
            Problem::new(Code::Internal)
        }
    }
}

fn conflict(detail: String) -> Problem {
    Problem::new(Code::Conflict).detail(detail)
}
