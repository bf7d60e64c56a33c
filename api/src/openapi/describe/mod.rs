//! What each operation is, in words, and what it reads and answers. The match is exhaustive: an operation that is not
//! described does not compile.

mod checkout;
mod credits;
mod staff;
mod users;

use super::description::Description;
use crate::auth::Operation;

/// The description of an operation.
pub(super) fn describe(operation: Operation) -> Description {
    match operation {
        Operation::UserImport => users::import(),
        Operation::UserPut => users::put(),
        Operation::UserGet => users::get(),
        Operation::BalanceGet => users::balance(),
        Operation::BalanceList => users::balances(),
        Operation::BalanceStream => users::stream(),
        Operation::PostingList => users::postings(),
        Operation::GrantList => users::grants(),
        Operation::UnitList => users::units(),
        Operation::SpendCreate => credits::spend(),
        Operation::SpendGet => credits::spend_get(),
        Operation::SpendReverse => credits::reverse(),
        Operation::HoldCreate => credits::hold(),
        Operation::HoldGet => credits::hold_get(),
        Operation::HoldCapture => credits::capture(),
        Operation::HoldRelease => credits::release(),
        Operation::GrantCreate => credits::grant(),
        Operation::AccountFreeze => credits::freeze(),
        Operation::AccountThaw => credits::thaw(),
        Operation::AccountOverdraft => credits::overdraft(),
        Operation::CheckoutParams => checkout::params(),
        Operation::CheckoutGet => checkout::get(),
        Operation::CaseList => staff::cases(),
        Operation::CaseGet => staff::case(),
        Operation::CaseAssign => staff::assign(),
        Operation::CaseDismiss => staff::dismiss(),
        Operation::CaseRetry => staff::retry(),
        Operation::EventList => staff::events(),
        Operation::EventGet => staff::event(),
        Operation::EventPayload => staff::payload(),
        Operation::PaymentGet => staff::payment(),
        Operation::PaymentReassign => staff::reassign(),
        Operation::PaymentImport => staff::import(),
        Operation::Explain => staff::explain(),
        Operation::AuditList => staff::audit(),
        Operation::CatalogueList => staff::catalogue(),
        Operation::CatalogueGet => staff::entry(),
        Operation::CataloguePut => staff::set(),
    }
}
