//! The one table of operations: method, path, the least role that may, the scope that a narrowed key needs, and what users
//! may who come with a token of their own. The router is built from it, so that nothing is served that does not stand here.

use axum::routing::MethodFilter;
use http::Method;
use store::keys::KeyRole;

/// Everything that the API can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Register or change many users.
    UserImport,
    /// Register or change a user.
    UserPut,
    /// Show a user.
    UserGet,
    /// Show what a user has.
    BalanceGet,
    /// Show what a user has, in each unit.
    BalanceList,
    /// Tell what a user has, and each change of it.
    BalanceStream,
    /// The movements of a user's account.
    PostingList,
    /// The grants of a user's account.
    GrantList,
    /// Kinds of credits.
    UnitList,
    /// Use a user's credits.
    SpendCreate,
    /// Show a spend.
    SpendGet,
    /// Give a spend back.
    SpendReverse,
    /// Reserve a user's credits.
    HoldCreate,
    /// Show a hold.
    HoldGet,
    /// Spend what a hold reserves.
    HoldCapture,
    /// Let go what a hold reserves.
    HoldRelease,
    /// Give a user credits.
    GrantCreate,
    /// Refuse spends and holds.
    AccountFreeze,
    /// Allow them again.
    AccountThaw,
    /// Say how far below zero an account may go.
    AccountOverdraft,
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
    /// Take over a payment that another system credited.
    PaymentImport,
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

/// What an operation is open to a user for, who comes with a token of the app's issuer. It is never a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForUsers {
    /// Nothing.
    No,
    /// The user that its path names, if that is he.
    Own,
    /// What its handler tells him: it has the caller, and leaves out what is another's.
    Told,
}

/// The methods that there are.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Get,
    Post,
    Put,
}

/// What the table says of an operation.
#[derive(Debug)]
struct Row {
    verb: Verb,
    path: &'static str,
    least_role: KeyRole,
    scope: &'static str,
    for_users: ForUsers,
}

const fn row(
    verb: Verb,
    path: &'static str,
    least_role: KeyRole,
    scope: &'static str,
    for_users: ForUsers,
) -> Row {
    Row { verb, path, least_role, scope, for_users }
}

/// Who may write credits off when dismissing a case.
pub(crate) const WRITE_OFF: KeyRole = KeyRole::Approver;

impl Operation {
    /// All of them.
    pub const ALL: [Self; 38] = [
        Self::UserImport,
        Self::UserPut,
        Self::UserGet,
        Self::BalanceGet,
        Self::BalanceList,
        Self::BalanceStream,
        Self::PostingList,
        Self::GrantList,
        Self::UnitList,
        Self::SpendCreate,
        Self::SpendGet,
        Self::SpendReverse,
        Self::HoldCreate,
        Self::HoldGet,
        Self::HoldCapture,
        Self::HoldRelease,
        Self::GrantCreate,
        Self::AccountFreeze,
        Self::AccountThaw,
        Self::AccountOverdraft,
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
        Self::PaymentImport,
        Self::Explain,
        Self::AuditList,
        Self::CatalogueList,
        Self::CatalogueGet,
        Self::CataloguePut,
    ];

    /// Method, path, the least role that may, scope, and what users may: a line each, however long.
    #[rustfmt::skip]
    const fn row(self) -> Row {
        use ForUsers::{No, Own, Told};
        use KeyRole::{Admin, App, Read, Support};
        use Verb::{Get, Post, Put};
        match self {
            Self::UserImport => row(Post, "/v1/users", App, "users:write", No),
            Self::UserPut => row(Put, "/v1/users/{user}", App, "users:write", No),
            Self::UserGet => row(Get, "/v1/users/{user}", Read, "users:read", Own),
            Self::BalanceGet => row(Get, "/v1/users/{user}/balance", Read, "balance:read", Own),
            Self::BalanceList => row(Get, "/v1/users/{user}/balances", Read, "balance:read", Own),
            Self::BalanceStream => row(Get, "/v1/users/{user}/balance/stream", Read, "balance:read", Own),
            Self::PostingList => row(Get, "/v1/users/{user}/postings", Read, "postings:read", Own),
            Self::GrantList => row(Get, "/v1/users/{user}/grants", Read, "grants:read", Own),
            Self::UnitList => row(Get, "/v1/units", Read, "balance:read", Told),
            Self::SpendCreate => row(Post, "/v1/users/{user}/spends", App, "spends:write", No),
            Self::SpendGet => row(Get, "/v1/spends/{id}", Read, "spends:read", No),
            Self::SpendReverse => row(Post, "/v1/spends/{id}/reverse", App, "spends:write", No),
            Self::HoldCreate => row(Post, "/v1/users/{user}/holds", App, "holds:write", No),
            Self::HoldGet => row(Get, "/v1/holds/{id}", Read, "holds:read", No),
            Self::HoldCapture => row(Post, "/v1/holds/{id}/capture", App, "holds:write", No),
            Self::HoldRelease => row(Post, "/v1/holds/{id}/release", App, "holds:write", No),
            Self::GrantCreate => row(Post, "/v1/users/{user}/grants", App, "grants:write", No),
            Self::AccountFreeze => row(Post, "/v1/users/{user}/freeze", Support, "accounts:write", No),
            Self::AccountThaw => row(Post, "/v1/users/{user}/thaw", Support, "accounts:write", No),
            Self::AccountOverdraft => row(Post, "/v1/users/{user}/overdraft", Admin, "overdrafts:write", No),
            Self::CheckoutParams => row(Post, "/v1/checkout_params", App, "checkout:write", No),
            Self::CheckoutGet => row(Get, "/v1/checkout_sessions/{id}", Read, "checkout:read", Told),
            Self::CaseList => row(Get, "/v1/cases", Support, "cases:read", No),
            Self::CaseGet => row(Get, "/v1/cases/{id}", Support, "cases:read", No),
            Self::CaseAssign => row(Post, "/v1/cases/{id}/assign", Support, "cases:write", No),
            Self::CaseDismiss => row(Post, "/v1/cases/{id}/dismiss", Support, "cases:write", No),
            Self::CaseRetry => row(Post, "/v1/cases/{id}/retry", Support, "cases:write", No),
            Self::EventList => row(Get, "/v1/events", Support, "events:read", No),
            Self::EventGet => row(Get, "/v1/events/{id}", Support, "events:read", No),
            Self::EventPayload => row(Get, "/v1/events/{id}/payload", Support, "events:read", No),
            Self::PaymentGet => row(Get, "/v1/payments/{id}", Support, "payments:read", No),
            Self::PaymentReassign => row(Post, "/v1/payments/{id}/reassign", Support, "payments:write", No),
            Self::PaymentImport => row(Post, "/v1/payments/{id}/import", Admin, "payments:import", No),
            Self::Explain => row(Get, "/v1/explain/{id}", Support, "explain:read", No),
            Self::AuditList => row(Get, "/v1/audit", Support, "audit:read", No),
            Self::CatalogueList => row(Get, "/v1/catalogue", Support, "catalogue:read", No),
            Self::CatalogueGet => row(Get, "/v1/catalogue/{key}", Support, "catalogue:read", No),
            Self::CataloguePut => row(Put, "/v1/catalogue/{key}", Admin, "catalogue:write", No),
        }
    }

    /// Its method.
    pub const fn method(self) -> Method {
        match self.row().verb {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
            Verb::Put => Method::PUT,
        }
    }

    /// Its method, as the router reads it.
    pub(crate) const fn filter(self) -> MethodFilter {
        match self.row().verb {
            Verb::Get => MethodFilter::GET,
            Verb::Post => MethodFilter::POST,
            Verb::Put => MethodFilter::PUT,
        }
    }

    /// Its path, as the router reads it.
    pub const fn path(self) -> &'static str {
        self.row().path
    }

    /// The least role that may.
    pub const fn least_role(self) -> KeyRole {
        self.row().least_role
    }

    /// The scope that a key needs whose scopes were narrowed.
    pub const fn scope(self) -> &'static str {
        self.row().scope
    }

    /// What users may.
    pub const fn for_users(self) -> ForUsers {
        self.row().for_users
    }
}

/// Names of the scopes that a key of this role can have, each once, in order.
pub fn scopes_of(role: KeyRole) -> Vec<&'static str> {
    let within = Operation::ALL.into_iter().filter(|operation| operation.least_role() <= role);
    let mut scopes: Vec<_> = within.map(Operation::scope).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}
