//! The router: every operation of the table behind the same door.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, on};
use service::http::{catch_panics, log_requests};
use service::problem;

use crate::auth::{ForUsers, Operation, authorize};
use crate::state::ApiState;
use crate::{
    audit, cases, catalogue, checkout, commands, events, explain, openapi, payments, units, users,
};

/// Longest body. The longest one that makes sense is a user with 50 pairs of metadata.
const BODY_MAX_BYTES: usize = 256 * 1024;

/// Everything that the API serves.
pub fn router(state: ApiState) -> Router {
    let is_for_users = |path| {
        let at_path = Operation::ALL.into_iter().filter(move |operation| operation.path() == path);
        at_path.map(Operation::for_users).any(|open| open != ForUsers::No)
    };
    let (for_users, for_keys): (Vec<_>, Vec<_>) =
        Operation::ALL.into_iter().partition(|operation| is_for_users(operation.path()));
    let mut for_users = behind_the_door(&state, for_users);
    if let Some(cors) = state.origins.layer() {
        // Outside of the door: a preflight has no key, and a refusal is to be read by the page as well.
        for_users = for_users.layer(cors);
    }
    let router = behind_the_door(&state, for_keys)
        .merge(for_users)
        .merge(openapi::routes().method_not_allowed_fallback(problem::no_such_method))
        .merge(problem::routes().method_not_allowed_fallback(problem::no_such_method))
        .fallback(problem::no_such_route)
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(from_fn(log_requests));
    catch_panics(router, problem::panicked).with_state(state)
}

/// Routes to these operations.
fn behind_the_door(state: &ApiState, operations: Vec<Operation>) -> Router<ApiState> {
    let mut router = Router::new();
    for operation in operations {
        let door = from_fn_with_state((state.clone(), operation), authorize);
        router = router.route(operation.path(), handler(operation).route_layer(door));
    }
    router.method_not_allowed_fallback(problem::no_such_method)
}

/// Who answers.
fn handler(operation: Operation) -> MethodRouter<ApiState> {
    let method = operation.filter();
    match operation {
        Operation::UserImport => on(method, users::import::handler),
        Operation::UserPut => on(method, users::put::handler),
        Operation::UserGet => on(method, users::get::handler),
        Operation::BalanceGet => on(method, users::balance::get::handler),
        Operation::BalanceList => on(method, users::balance::list::handler),
        Operation::BalanceStream => on(method, users::balance::stream::handler),
        Operation::PostingList => on(method, users::postings::handler),
        Operation::GrantList => on(method, users::grants::handler),
        Operation::UnitList => on(method, units::list::handler),
        Operation::SpendCreate => on(method, commands::spend::handler),
        Operation::SpendGet => on(method, commands::show::spend),
        Operation::SpendReverse => on(method, commands::reverse::handler),
        Operation::HoldCreate => on(method, commands::hold::handler),
        Operation::HoldGet => on(method, commands::show::hold),
        Operation::HoldCapture => on(method, commands::capture::handler),
        Operation::HoldRelease => on(method, commands::release::handler),
        Operation::GrantCreate => on(method, commands::grant::handler),
        Operation::AccountFreeze => on(method, commands::freeze::freeze),
        Operation::AccountThaw => on(method, commands::freeze::thaw),
        Operation::AccountOverdraft => on(method, commands::overdraft::handler),
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
        Operation::PaymentImport => on(method, payments::import::handler),
        Operation::Explain => on(method, explain::handler),
        Operation::AuditList => on(method, audit::list::handler),
        Operation::CatalogueList => on(method, catalogue::list::handler),
        Operation::CatalogueGet => on(method, catalogue::get::handler),
        Operation::CataloguePut => on(method, catalogue::put::handler),
    }
}
