//! The one table of operations: method, path, and the least role that may. The router is built from it, so that nothing is
//! served that does not stand here.

use axum::routing::MethodFilter;
use store::keys::KeyRole;

/// Everything that the API can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Register or change many users.
    UserImport,
    /// Register or change a user.
    UserPut,
    /// Show a user.
    UserGet,
    /// Show what a user has.
    BalanceGet,
    /// The movements of a user's account.
    PostingList,
    /// The grants of a user's account.
    GrantList,
    /// What a checkout is to be started with.
    CheckoutParams,
    /// What became of a checkout.
    CheckoutGet,
    /// List cases.
    CaseList,
    /// Show a case.
    CaseGet,
    /// Say whose a payment is.
    CaseAssign,
    /// Say that no credits are due.
    CaseDismiss,
    /// Have a case decided anew.
    CaseRetry,
    /// List events.
    EventList,
    /// Show an event.
    EventGet,
    /// The exact bytes of an event.
    EventPayload,
    /// Show a payment.
    PaymentGet,
    /// Move a payment to the right user.
    PaymentReassign,
    /// Tell the story of anything.
    Explain,
    /// Who did what.
    AuditList,
    /// What prices are worth.
    CatalogueList,
    /// What a price is worth, and was.
    CatalogueGet,
    /// Say what a price is worth.
    CataloguePut,
}

/// Who may write credits off when dismissing a case.
pub(crate) const WRITE_OFF: KeyRole = KeyRole::Approver;

impl Operation {
    /// All of them.
    pub(crate) const ALL: [Self; 23] = [
        Self::UserImport,
        Self::UserPut,
        Self::UserGet,
        Self::BalanceGet,
        Self::PostingList,
        Self::GrantList,
        Self::CheckoutParams,
        Self::CheckoutGet,
        Self::CaseList,
        Self::CaseGet,
        Self::CaseAssign,
        Self::CaseDismiss,
        Self::CaseRetry,
        Self::EventList,
        Self::EventGet,
        Self::EventPayload,
        Self::PaymentGet,
        Self::PaymentReassign,
        Self::Explain,
        Self::AuditList,
        Self::CatalogueList,
        Self::CatalogueGet,
        Self::CataloguePut,
    ];

    /// Method, path and the least role that may.
    const fn row(self) -> (MethodFilter, &'static str, KeyRole) {
        use KeyRole::{Admin, App, Read, Support};
        match self {
            Self::UserImport => (MethodFilter::POST, "/v1/users", App),
            Self::UserPut => (MethodFilter::PUT, "/v1/users/{user}", App),
            Self::UserGet => (MethodFilter::GET, "/v1/users/{user}", Read),
            Self::BalanceGet => (MethodFilter::GET, "/v1/users/{user}/balance", Read),
            Self::PostingList => (MethodFilter::GET, "/v1/users/{user}/postings", Read),
            Self::GrantList => (MethodFilter::GET, "/v1/users/{user}/grants", Read),
            Self::CheckoutParams => (MethodFilter::POST, "/v1/checkout_params", App),
            Self::CheckoutGet => (MethodFilter::GET, "/v1/checkout_sessions/{id}", Read),
            Self::CaseList => (MethodFilter::GET, "/v1/cases", Support),
            Self::CaseGet => (MethodFilter::GET, "/v1/cases/{id}", Support),
            Self::CaseAssign => (MethodFilter::POST, "/v1/cases/{id}/assign", Support),
            Self::CaseDismiss => (MethodFilter::POST, "/v1/cases/{id}/dismiss", Support),
            Self::CaseRetry => (MethodFilter::POST, "/v1/cases/{id}/retry", Support),
            Self::EventList => (MethodFilter::GET, "/v1/events", Support),
            Self::EventGet => (MethodFilter::GET, "/v1/events/{id}", Support),
            Self::EventPayload => (MethodFilter::GET, "/v1/events/{id}/payload", Support),
            Self::PaymentGet => (MethodFilter::GET, "/v1/payments/{id}", Support),
            Self::PaymentReassign => (MethodFilter::POST, "/v1/payments/{id}/reassign", Support),
            Self::Explain => (MethodFilter::GET, "/v1/explain/{id}", Support),
            Self::AuditList => (MethodFilter::GET, "/v1/audit", Support),
            Self::CatalogueList => (MethodFilter::GET, "/v1/catalogue", Support),
            Self::CatalogueGet => (MethodFilter::GET, "/v1/catalogue/{key}", Support),
            Self::CataloguePut => (MethodFilter::PUT, "/v1/catalogue/{key}", Admin),
        }
    }

    /// Its method.
    pub(crate) const fn method(self) -> MethodFilter {
        self.row().0
    }

    /// Its path, as the router reads it.
    pub(crate) const fn path(self) -> &'static str {
        self.row().1
    }

    /// The least role that may.
    pub(crate) const fn least_role(self) -> KeyRole {
        self.row().2
    }
}
