//! What one event says, translated into our words, and the keys that deciding it may touch.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ledger::decision::Reason;
use ledger::ids::CaseId;

use crate::catalogue::{self, Entry};
use crate::customer;
use crate::evidence::{Evidence, Kind, user_id};
use crate::payment::{Facts, StaffVerdict};

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
    Payment(Box<PaymentNews>),
    /// Something of Stripe customers or subscriptions, by their ids (of Connect: `acct_…/cus_…`).
    Customers(BTreeMap<String, customer::Facts>),
    /// It only names an object, which has to be fetched from Stripe: the key under which its case waits for it.
    ToFetch(String),
    /// It was fetched from Stripe.
    Fetched {
        /// The key under which cases wait for it, whatever it says.
        key: String,
        /// What it says.
        said: Box<News>,
    },
    /// The app told of a user.
    User(Registration),
    /// The catalogue changed.
    Price(CatalogueNews),
    /// A person, or the clock, acted on a case.
    Act(Act),
    /// A person moves a payment to another user.
    Reassigned(Reassignment),
    /// A person says that another system credited a payment before.
    Imported(Box<Importing>),
    /// A body was erased.
    Erased,
}

/// What an event says of a payment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentNews {
    /// Name for the payment, should this be the first that is heard of it.
    pub root_key: String,
    /// All objects of one payment that the event ties together, the one that it carries included.
    pub objects: BTreeSet<String>,
    /// What joins.
    pub facts: Facts,
    /// What it says of the payment's customer and subscription, by their ids.
    pub customers: BTreeMap<String, customer::Facts>,
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

/// A person says whose a payment is that stands with the wrong user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reassignment {
    /// The payment, by its name or that of any of its objects.
    pub payment: String,
    /// Its version when it was looked at: of two at once, one wins.
    pub version: i64,
    /// The right user.
    pub user: String,
}

/// A payment that another system credited before this one kept the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Importing {
    /// Any of its objects.
    pub payment: String,
    /// Whom it was credited to.
    pub user: String,
    /// How many credits of which unit.
    pub worth: (i64, String),
    /// How many of them that system took back again.
    pub reversed: i64,
    /// Money paid, in the currency's minor unit.
    pub paid: Option<i64>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
    /// When it was paid, in seconds since 1970.
    pub paid_at: Option<i64>,
}

/// A version of a catalogue entry, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueNews {
    /// Price, product or lookup key that it is for.
    pub key: String,
    /// What it says.
    pub entry: Entry,
    /// Purchases from then on count by it, if that is said.
    pub valid_from: Option<Timestamp>,
    /// When it was told.
    pub told_at: Timestamp,
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
    /// Prices, each by the keys under which the catalogue may have it.
    pub prices: BTreeSet<catalogue::Keys>,
    /// Cases that are acted on.
    pub cases: BTreeSet<CaseId>,
    /// What cases wait for that these keys would open: whoever brings it must be kept out meanwhile.
    pub waits: BTreeSet<String>,
}

impl News {
    /// What is said, whether or not it had to be fetched.
    pub fn said(&self) -> &Self {
        if let Self::Fetched { said, .. } = self { said } else { self }
    }

    /// The objects of the payment that it is about, and the name of that should it be the first that is heard of it.
    pub fn of_payment(&self) -> Option<(Vec<&String>, &String)> {
        if let Self::Payment(news) = self {
            Some((news.objects.iter().collect(), &news.root_key))
        } else if let Self::Imported(said) = self {
            Some((vec![&said.payment], &said.payment))
        } else {
            None
        }
    }
}

impl Keys {
    /// Adds what an event touches.
    pub fn add_news(&mut self, news: &News) {
        match news {
            News::Payment(payment) => {
                self.objects.extend(payment.objects.iter().cloned());
                self.add_payment(&payment.facts);
                self.add_customers(&payment.customers);
            }
            News::Customers(told) => self.add_customers(told),
            News::ToFetch(key) => drop(self.waits.insert(key.clone())),
            News::Fetched { key, said } => {
                self.waits.insert(key.clone());
                self.add_news(said);
            }
            News::User(registration) => drop(self.users.insert(registration.user.clone())),
            News::Price(told) => drop(self.prices.insert(vec![told.key.clone()])),
            News::Act(act) => {
                self.cases.insert(act.case);
                if let ActKind::Settle { verdict: StaffVerdict::Assign { user, .. }, .. } =
                    &act.kind
                {
                    self.users.insert(user.clone());
                }
            }
            News::Reassigned(reassignment) => {
                self.objects.insert(reassignment.payment.clone());
                self.users.insert(reassignment.user.clone());
            }
            News::Imported(said) => {
                self.objects.insert(said.payment.clone());
                self.users.insert(said.user.clone());
            }
            News::Nothing(_) | News::Unreadable { .. } | News::Erased => {}
        }
    }

    fn add_customers(&mut self, customers: &BTreeMap<String, customer::Facts>) {
        for (key, facts) in customers {
            self.customers.insert(key.clone());
            self.add_evidence(facts.evidence());
        }
    }

    /// Adds what the facts of a payment touch.
    pub fn add_payment(&mut self, facts: &Facts) {
        self.customers.extend(facts.customers.iter().cloned());
        self.prices.extend(facts.price_keys());
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
                Kind::Staff
                | Kind::Signed
                | Kind::Link
                | Kind::Metadata
                | Kind::ClientReference => {
                    self.users.extend(user_id(&piece.value).map(str::to_owned));
                }
                Kind::BadReference | Kind::Created => {}
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
            && other.waits.is_subset(&self.waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::{Claims, StaffDecision};

    fn set(texts: &[&str]) -> BTreeSet<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn evidence(kind: Kind, value: &str) -> Evidence {
        Evidence { kind, at: "somewhere".into(), value: value.into() }
    }

    fn assign(user: &str) -> StaffVerdict {
        StaffVerdict::Assign { user: user.into(), worth: None }
    }

    #[test]
    fn a_payment_touches_all_that_its_facts_name() {
        let facts = Facts {
            customers: set(&["cus_1"]),
            evidence: BTreeSet::from([
                evidence(Kind::Metadata, "u_1"),
                evidence(Kind::ClientReference, " u_2 "),
                evidence(Kind::Link, "null"),
                evidence(Kind::Email, "e1"),
                evidence(Kind::Name, "n1"),
                evidence(Kind::IdShaped, "id1"),
            ]),
            claims: Claims { prices: set(&["price_1"]), ..Claims::default() },
            staff: Some(StaffDecision { pos: 1, verdict: assign("u_3"), overruled: None }),
            ..Facts::default()
        };
        let news = PaymentNews {
            root_key: "pi_1".into(),
            objects: set(&["pi_1", "cs_1"]),
            facts,
            ..PaymentNews::default()
        };
        let mut keys = Keys::default();
        keys.add_news(&News::Payment(Box::new(news)));
        let expected = Keys {
            objects: set(&["cs_1", "pi_1"]),
            customers: set(&["cus_1"]),
            users: set(&["u_1", "u_2", "u_3"]),
            candidates: set(&["id1"]),
            emails: set(&["e1"]),
            names: set(&["n1"]),
            prices: BTreeSet::from([vec!["price_1".into()]]),
            ..Keys::default()
        };
        assert_eq!(keys, expected);
    }

    #[test]
    fn other_news_touch_what_they_are_about() {
        let case = CaseId::derive(1, "pi_1", "conflict");
        let kind = ActKind::Settle { verdict: assign("u_1"), write_off: false };
        let named = BTreeSet::from([evidence(Kind::Metadata, "u_2")]);
        let facts = customer::Facts::of_object(1, 1, named);
        let mut keys = Keys::default();
        keys.add_news(&News::Act(Act { case, version: 1, kind }));
        let told = BTreeMap::from([("cus_1".into(), facts)]);
        keys.add_news(&News::Customers(told));
        keys.add_news(&News::Price(CatalogueNews {
            key: "price_1".into(),
            entry: Entry::NotOurs,
            valid_from: None,
            told_at: Timestamp::UNIX_EPOCH,
        }));
        let (payment, user) = ("cs_1".into(), "u_3".into());
        keys.add_news(&News::Reassigned(Reassignment { payment, version: 1, user }));
        keys.add_news(&News::Erased);
        let expected = Keys {
            objects: set(&["cs_1"]),
            customers: set(&["cus_1"]),
            users: set(&["u_1", "u_2", "u_3"]),
            prices: BTreeSet::from([vec!["price_1".into()]]),
            cases: BTreeSet::from([case]),
            ..Keys::default()
        };
        assert_eq!(keys, expected);
    }

    #[test]
    fn keys_cover_what_is_in_them_all() {
        let one = |add: fn(&mut Keys) -> bool| {
            let mut keys = Keys::default();
            assert!(add(&mut keys));
            keys
        };
        let single: [fn(&mut Keys) -> bool; 8] = [
            |keys| keys.objects.insert("x".into()),
            |keys| keys.customers.insert("x".into()),
            |keys| keys.users.insert("x".into()),
            |keys| keys.candidates.insert("x".into()),
            |keys| keys.emails.insert("x".into()),
            |keys| keys.names.insert("x".into()),
            |keys| keys.prices.insert(vec!["x".into()]),
            |keys| keys.cases.insert(CaseId::derive(1, "x", "x")),
        ];
        for add in single {
            assert!(one(add).covers(&one(add)) && one(add).covers(&Keys::default()));
            assert!(!Keys::default().covers(&one(add)), "{:?}", one(add));
        }
    }
}
