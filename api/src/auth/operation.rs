//! The one table of operations: method, path, and the least role that may. The router is built from it, so that nothing is
//! served that does not stand here.

use http::Method;
use store::keys::KeyRole;

/// Everything that the API can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
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
    /// Tell the story of anything.
    Explain,
    /// Who did what.
    AuditList,
    /// What a price is worth.
    CatalogueGet,
    /// Say what a price is worth.
    CataloguePut,
}

/// Who may write credits off when dismissing a case.
pub const WRITE_OFF: KeyRole = KeyRole::Approver;

impl Operation {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::UserPut,
        Self::UserGet,
        Self::BalanceGet,
        Self::PostingList,
        Self::GrantList,
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
        Self::Explain,
        Self::AuditList,
        Self::CatalogueGet,
        Self::CataloguePut,
    ];

    /// Method, path and the least role that may.
    const fn row(self) -> (Method, &'static str, KeyRole) {
        use KeyRole::{Admin, App, Read, Support};
        match self {
            Self::UserPut => (Method::PUT, "/v1/users/{user}", App),
            Self::UserGet => (Method::GET, "/v1/users/{user}", Read),
            Self::BalanceGet => (Method::GET, "/v1/users/{user}/balance", Read),
            Self::PostingList => (Method::GET, "/v1/users/{user}/postings", Read),
            Self::GrantList => (Method::GET, "/v1/users/{user}/grants", Read),
            Self::CheckoutGet => (Method::GET, "/v1/checkout_sessions/{id}", Read),
            Self::CaseList => (Method::GET, "/v1/cases", Support),
            Self::CaseGet => (Method::GET, "/v1/cases/{id}", Support),
            Self::CaseAssign => (Method::POST, "/v1/cases/{id}/assign", Support),
            Self::CaseDismiss => (Method::POST, "/v1/cases/{id}/dismiss", Support),
            Self::CaseRetry => (Method::POST, "/v1/cases/{id}/retry", Support),
            Self::EventList => (Method::GET, "/v1/events", Support),
            Self::EventGet => (Method::GET, "/v1/events/{id}", Support),
            Self::EventPayload => (Method::GET, "/v1/events/{id}/payload", Support),
            Self::PaymentGet => (Method::GET, "/v1/payments/{id}", Support),
            Self::Explain => (Method::GET, "/v1/explain/{id}", Support),
            Self::AuditList => (Method::GET, "/v1/audit", Support),
            Self::CatalogueGet => (Method::GET, "/v1/catalogue/{price}", Admin),
            Self::CataloguePut => (Method::PUT, "/v1/catalogue/{price}", Admin),
        }
    }

    /// Its method.
    pub const fn method(self) -> Method {
        self.row().0
    }

    /// Its path, as the router reads it.
    pub const fn path(self) -> &'static str {
        self.row().1
    }

    /// The least role that may.
    pub const fn least_role(self) -> KeyRole {
        self.row().2
    }
}
