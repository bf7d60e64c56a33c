//! What one event says, translated into our words, and the keys that deciding it may touch.

use std::collections::BTreeSet;

use ledger::decision::Reason;
use ledger::ids::CaseId;

use crate::customer;
use crate::evidence::{Evidence, Kind, user_id};
use crate::payment::{Facts, StaffVerdict};
use crate::world::Entry;

/// What one event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing for the books: ignored, or deferred.
    Nothing(Reason),
    /// It cannot be read: a case.
    Unreadable {
        /// `Malformed` or `UnsupportedShape`.
        reason: Reason,
        /// What is wrong with it, in words for staff; no values out of the body.
        error: String,
    },
    /// Something of a payment.
    Payment(PaymentNews),
    /// Something of a Stripe customer.
    Customer {
        /// Customer (of Connect: `acct_…/cus_…`).
        key: String,
        /// What was said.
        facts: customer::Facts,
    },
    /// The app told of a user.
    User(Registration),
    /// The catalogue changed.
    Price {
        /// Stripe's price id.
        price: String,
        /// What one of it is worth now.
        entry: Entry,
    },
    /// A person, or the clock, acted on a case.
    Act(Act),
    /// A body was erased.
    Erased,
}

/// What an event says of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentNews {
    /// Name for the payment, should this be the first that is heard of it.
    pub root_key: String,
    /// All objects of one payment that the event ties together, the one that it carries included.
    pub objects: BTreeSet<String>,
    /// What joins.
    pub facts: Facts,
}

/// A user, as the app tells of him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The app's own id.
    pub user: String,
    /// E-mail, as given.
    pub email: Option<String>,
    /// Whether the app says that it is the user's.
    pub email_verified: bool,
    /// Name, as given.
    pub name: Option<String>,
    /// Keyed hash of the e-mail, hexadecimal.
    pub email_hash: Option<String>,
    /// Keyed hash of the name, hexadecimal.
    pub name_hash: Option<String>,
    /// The app's own key-value pairs, as JSON text.
    pub metadata: String,
}

/// An act on a case, by the version that was seen: of two at once, one wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The case.
    pub case: CaseId,
    /// Its version when it was looked at.
    pub version: i32,
    /// What to do.
    pub kind: ActKind,
}

/// What can be done to a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActKind {
    /// A person settles it.
    Settle {
        /// How.
        verdict: StaffVerdict,
        /// Dismissing: what stands on the unclaimed account is written off.
        write_off: bool,
    },
    /// A person wants it to be decided anew.
    Retry,
    /// The clock says that its wait is over.
    Due,
}

/// The keys that deciding may touch: what is to be locked and read before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Stripe objects that lead to payments.
    pub objects: BTreeSet<String>,
    /// Stripe customers.
    pub customers: BTreeSet<String>,
    /// Users that evidence names.
    pub users: BTreeSet<String>,
    /// Values that may be users' ids; candidates only.
    pub candidates: BTreeSet<String>,
    /// Keyed hashes of e-mails.
    pub emails: BTreeSet<String>,
    /// Keyed hashes of names.
    pub names: BTreeSet<String>,
    /// Prices.
    pub prices: BTreeSet<String>,
    /// Cases that are acted on.
    pub cases: BTreeSet<CaseId>,
}

impl Keys {
    /// Adds what an event touches.
    pub fn add_news(&mut self, news: &News) {
        match news {
            News::Payment(payment) => {
                self.objects.extend(payment.objects.iter().cloned());
                self.add_payment(&payment.facts);
            }
            News::Customer { key, facts } => {
                self.customers.insert(key.clone());
                self.add_evidence(&facts.evidence);
            }
            News::User(registration) => drop(self.users.insert(registration.user.clone())),
            News::Price { price, .. } => drop(self.prices.insert(price.clone())),
            News::Act(act) => {
                self.cases.insert(act.case);
                if let ActKind::Settle { verdict: StaffVerdict::Assign { user, .. }, .. } =
                    &act.kind
                {
                    self.users.insert(user.clone());
                }
            }
            News::Nothing(_) | News::Unreadable { .. } | News::Erased => {}
        }
    }

    /// Adds what the facts of a payment touch.
    pub fn add_payment(&mut self, facts: &Facts) {
        self.customers.extend(facts.customers.iter().cloned());
        self.prices.extend(facts.claims.prices.iter().cloned());
        self.add_evidence(&facts.evidence);
        if let Some(StaffVerdict::Assign { user, .. }) =
            facts.staff.as_ref().map(|staff| &staff.verdict)
        {
            self.users.insert(user.clone());
        }
    }

    /// Adds what pieces of evidence touch.
    pub fn add_evidence<'a>(&mut self, evidence: impl IntoIterator<Item = &'a Evidence>) {
        for piece in evidence {
            match piece.kind {
                Kind::Email => drop(self.emails.insert(piece.value.clone())),
                Kind::Name => drop(self.names.insert(piece.value.clone())),
                Kind::IdShaped => drop(self.candidates.insert(piece.value.clone())),
                Kind::Staff | Kind::Link | Kind::Metadata | Kind::ClientReference => {
                    self.users.extend(user_id(&piece.value).map(str::to_owned));
                }
            }
        }
    }

    /// Whether everything of the other is in this one.
    pub fn covers(&self, other: &Self) -> bool {
        other.objects.is_subset(&self.objects)
            && other.customers.is_subset(&self.customers)
            && other.users.is_subset(&self.users)
            && other.candidates.is_subset(&self.candidates)
            && other.emails.is_subset(&self.emails)
            && other.names.is_subset(&self.names)
            && other.prices.is_subset(&self.prices)
            && other.cases.is_subset(&self.cases)
    }
}
