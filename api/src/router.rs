//! The router: every operation of the table behind the same door.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, on};
use service::http::{catch_panics, log_requests};
use service::problem;

use crate::auth::{Operation, authorize};
use crate::state::ApiState;
use crate::{audit, cases, catalogue, checkout, events, explain, payments, users};

/// Longest body. The longest one that makes sense is a user with 50 pairs of metadata.
const BODY_MAX_BYTES: usize = 256 * 1024;

/// Everything that the API serves.
pub fn router(state: ApiState) -> Router {
    let mut router = Router::new();
    for operation in Operation::ALL {
        let door = from_fn_with_state((state.clone(), operation), authorize);
        router = router.route(operation.path(), handler(operation).route_layer(door));
    }
    let router = router
        .merge(problem::routes())
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(from_fn(log_requests));
    catch_panics(router, problem::panicked).with_state(state)
}

/// Who answers.
fn handler(operation: Operation) -> MethodRouter<ApiState> {
    let method = operation.method();
    match operation {
        Operation::UserImport => on(method, users::import::handler),
        Operation::UserPut => on(method, users::put::handler),
        Operation::UserGet => on(method, users::get::handler),
        Operation::BalanceGet => on(method, users::balance::handler),
        Operation::PostingList => on(method, users::postings::handler),
        Operation::GrantList => on(method, users::grants::handler),
        Operation::CheckoutParams => on(method, checkout::params::handler),
        Operation::CheckoutGet => on(method, checkout::get::handler),
        Operation::CaseList => on(method, cases::list::handler),
        Operation::CaseGet => on(method, cases::show::handler),
        Operation::CaseAssign => on(method, cases::assign::handler),
        Operation::CaseDismiss => on(method, cases::dismiss::handler),
        Operation::CaseRetry => on(method, cases::retry::handler),
        Operation::EventList => on(method, events::list::handler),
        Operation::EventGet => on(method, events::show::handler),
        Operation::EventPayload => on(method, events::payload::handler),
        Operation::PaymentGet => on(method, payments::show::handler),
        Operation::PaymentReassign => on(method, payments::reassign::handler),
        Operation::Explain => on(method, explain::handler),
        Operation::AuditList => on(method, audit::list::handler),
        Operation::CatalogueList => on(method, catalogue::list::handler),
        Operation::CatalogueGet => on(method, catalogue::get::handler),
        Operation::CataloguePut => on(method, catalogue::put::handler),
    }
}
