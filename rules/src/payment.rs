//! The payment as a joined state: whatever door news of a purchase comes through, it only joins facts into it.
//!
//! [`Facts::join`] is commutative, associative and idempotent, so that duplicates and order do not matter (DESIGN,
//! section 5): an object's progress takes the furthest, with its amount; of a list the newest telling counts whole, of a
//! person's decisions the latest; everything else is a union. What went back joins in [`crate::reversal`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::bought::List;
use crate::catalogue::{self, Known, Names};
use crate::evidence::{Evidence, user_id};
use crate::imported::Import;
use crate::reversal::{Reversals, Taken};
use crate::world::Attached;

/// How far an object says that its payment has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Begun, not paid.
    #[default]
    Pending,
    /// It will not be paid: it failed, expired, or was voided.
    Failed,
    /// Paid: the money is in, or none is due.
    Paid,
}

/// Which of Stripe's objects tells. The first knows best how much was paid, the last what was bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// A payment intent.
    PaymentIntent,
    /// A charge.
    Charge,
    /// A Checkout session.
    Session,
    /// An invoice.
    Invoice,
}

/// What one of Stripe's objects says of the payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Kind of object.
    pub door: Door,
    /// How far it has come.
    pub progress: Progress,
    /// Money, in the currency's minor unit, as the telling that had come furthest says: credits depend on it only where a
    /// part of it goes back.
    pub amount: Option<i64>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
}

/// What the metadata of its objects say that was bought. Texts as they stand; [`crate::worth`] reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Price ids.
    pub prices: BTreeSet<String>,
    /// Quantities.
    pub quantities: BTreeSet<String>,
    /// Credits.
    pub credits: BTreeSet<String>,
    /// Units.
    pub units: BTreeSet<String>,
}

impl Claims {
    /// Whether nothing is claimed.
    pub fn is_empty(&self) -> bool {
        self.prices.is_empty() && self.credits.is_empty()
    }

    /// Joins what was claimed elsewhere.
    pub fn join(&mut self, other: Self) {
        self.prices.extend(other.prices);
        self.quantities.extend(other.quantities);
        self.credits.extend(other.credits);
        self.units.extend(other.units);
    }
}

/// What a person decided about the payment. Of two, the later position counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StaffDecision {
    /// Position of the operator event.
    pub pos: i64,
    /// What was decided.
    pub verdict: StaffVerdict,
    /// Of a reassignment: users whom evidence named until then, which it overrules. Evidence that names anybody else since
    /// contradicts it. None where a case was settled: that outranks whatever is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overruled: Option<BTreeSet<String>>,
}

/// The two ways in which a person settles a case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffVerdict {
    /// It is this user's.
    Assign {
        /// The user.
        user: String,
        /// How many credits of which unit it is worth, where that was open.
        worth: Option<(i64, String)>,
    },
    /// No credits are due.
    Dismiss,
}

/// Everything that was said of one payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// What each object says, by its id (of Connect: `acct_…/id`).
    pub objects: BTreeMap<String, Told>,
    /// Stripe customers that its objects name.
    pub customers: BTreeSet<String>,
    /// Evidence that stands on its own objects; and whose it was taken for, where that was contradicted and nothing else of
    /// it says so.
    pub evidence: BTreeSet<Evidence>,
    /// What was bought, by metadata.
    pub claims: Claims,
    /// What was bought, by the lines of its invoices and sessions, by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lists: BTreeMap<String, List>,
    /// By what other names prices are known that it names, by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, Names>,
    /// The keys that were looked up in the catalogue when it was last valued, each with the newest position that it had been
    /// set at: a payment that was credited keeps to what the catalogue said then. Concluded and not said: it joins nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub valued_by: Known,
    /// What went back.
    #[serde(default)]
    pub reversals: Reversals,
    /// Early fraud warnings.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub warnings: BTreeSet<String>,
    /// Earliest `created` of an event that told that it is paid, in seconds since 1970.
    pub paid_at: Option<i64>,
    /// What a person decided.
    pub staff: Option<StaffDecision>,
    /// That another system credited it before, by the ids of its objects under which that was said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub imports: BTreeMap<String, Import>,
    /// Customers and subscriptions that it linked to its user.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub linked: BTreeSet<String>,
    /// The wait for a session or invoice is over.
    pub waited: bool,
    /// Events that were ignored because the payment was not ours, with their newest revision: they are decided anew
    /// should it turn out to be.
    #[serde(default)]
    pub set_aside: BTreeMap<i64, Attached>,
}

impl Facts {
    /// Joins what was said elsewhere.
    pub fn join(&mut self, other: Self) {
        for (id, told) in other.objects {
            match self.objects.get_mut(&id) {
                None => drop(self.objects.insert(id, told)),
                Some(known) => known.join(told),
            }
        }
        self.customers.extend(other.customers);
        self.evidence.extend(other.evidence);
        self.claims.join(other.claims);
        for (id, list) in other.lists {
            self.lists.entry(id).or_default().join(list);
        }
        for (price, names) in other.names {
            self.names.entry(price).or_default().join(names);
        }
        self.reversals.join(other.reversals);
        self.warnings.extend(other.warnings);
        self.paid_at = match (self.paid_at, other.paid_at) {
            (Some(one), Some(another)) => Some(one.min(another)),
            (one, another) => one.or(another),
        };
        self.staff = self.staff.take().max(other.staff);
        for (id, import) in other.imports {
            let known = self.imports.remove(&id);
            self.imports.extend(known.max(Some(import)).map(|import| (id, import)));
        }
        self.linked.extend(other.linked);
        self.waited |= other.waited;
        self.set_aside.extend(other.set_aside);
    }

    /// How far the payment has come: as far as any of its objects says. Where an invoice is among them, payment intents and
    /// charges do not say: each may have paid a part of it only, and the rest may never come. What was credited elsewhere
    /// was paid.
    pub fn progress(&self) -> Progress {
        if self.imported().is_some() {
            return Progress::Paid;
        }
        let is_invoiced = self.objects.values().any(|told| told.door == Door::Invoice);
        let is_of_all = |told: &&Told| matches!(told.door, Door::Session | Door::Invoice);
        let told = self.objects.values().filter(|told| !is_invoiced || is_of_all(told));
        told.map(|told| told.progress).max().unwrap_or_default()
    }

    /// Whether it concerns credits at all: a session or an invoice is ours unless the catalogue says otherwise; a bare
    /// payment intent or charge if it names a user, a price or credits, or a person says so.
    pub fn is_ours(&self) -> bool {
        self.objects.values().any(|told| matches!(told.door, Door::Session | Door::Invoice))
            || !self.claims.is_empty()
            || self.evidence.iter().any(|evidence| evidence.kind.is_meant_for_us())
            || self.staff.is_some()
    }

    /// Whether a person said that no credits are due.
    pub fn is_dismissed(&self) -> bool {
        self.staff.as_ref().is_some_and(|staff| staff.verdict == StaffVerdict::Dismiss)
    }

    /// Users whom evidence of its own names as such.
    pub fn named_users(&self) -> BTreeSet<String> {
        let naming = self.evidence.iter().filter(|piece| piece.kind.names_a_user());
        naming.filter_map(|piece| user_id(&piece.value)).map(str::to_owned).collect()
    }

    /// What a person said that it is worth: who settled its case, or who imported it.
    pub fn staff_worth(&self) -> Option<&(i64, String)> {
        let imported = || self.imported().map(|import| &import.worth);
        match &self.staff.as_ref()?.verdict {
            StaffVerdict::Assign { worth, .. } => worth.as_ref().or_else(imported),
            StaffVerdict::Dismiss => None,
        }
    }

    /// The list that says what was bought: an invoice's before a session's. None while there is none.
    pub fn list(&self) -> Option<(&str, &List)> {
        let door = |id: &String| self.objects.get(id).map(|told| told.door);
        let best = self.lists.iter().max_by_key(|(id, list)| (door(id), list.complete));
        best.map(|(id, list)| (id.as_str(), list))
    }

    /// Prices that anything names.
    pub fn prices(&self) -> BTreeSet<&String> {
        self.claims.prices.iter().chain(self.lists.values().flat_map(List::prices)).collect()
    }

    /// The keys of a price under which the catalogue may have it, in the order in which they count.
    pub fn keys_of(&self, price: &str) -> catalogue::Keys {
        self.names.get(price).map_or_else(|| vec![price.to_owned()], |names| names.keys(price))
    }

    /// Those of all its prices.
    pub fn price_keys(&self) -> BTreeSet<catalogue::Keys> {
        self.prices().into_iter().map(|price| self.keys_of(price)).collect()
    }

    /// What of the money went back.
    pub fn taken(&self) -> Taken {
        self.reversals.taken(self.money().0.unwrap_or_default())
    }

    /// Money and currency, by the preferred kind of object that knows them: of those that are paid, if any is. An invoice
    /// may be paid by several payment intents, a part by each. Where none says, what was imported does.
    pub fn money(&self) -> (Option<i64>, Option<&str>) {
        let furthest = self.objects.values().map(|told| told.progress).max();
        let known = |told: &&Told| Some(told.progress) == furthest && told.amount.is_some();
        let door = self.objects.values().filter(known).map(|told| told.door).min();
        let mut best =
            self.objects.values().filter(known).filter(|told| Some(told.door) == door).peekable();
        if let (None, Some(import)) = (best.peek(), self.imported()) {
            return (import.paid, import.currency.as_deref());
        }
        let currency = best.peek().and_then(|told| told.currency.as_deref());
        let sum = best.filter_map(|told| told.amount).reduce(i64::saturating_add);
        (sum, currency)
    }
}

impl Told {
    fn join(&mut self, other: Self) {
        self.door = self.door.min(other.door);
        // What was authorised or asked for may be more than what is then paid.
        (self.progress, self.amount) =
            (self.progress, self.amount).max((other.progress, other.amount));
        self.currency = self.currency.take().into_iter().chain(other.currency).min();
    }
}
