//! What Stripe itself lists as bought: the lines of an invoice or of a Checkout session.
//!
//! Invoices carry their lines; a session's have to be pulled. A list that was cut off tells nothing: half a purchase must
//! not pass for the whole.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bought {
    /// Price id; lines without one exist (amounts that somebody typed in).
    pub price: Option<String>,
    /// How many; none where it is no whole number.
    pub quantity: Option<i64>,
    /// Money, in the currency's minor unit, of either sign. For its sign only: credits never depend on it.
    pub amount: Option<i64>,
    /// Whether it accounts for a change within a period that was billed before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proration: bool,
    /// Start and end of what it pays for, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<(i64, i64)>,
}

/// The lines of one document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Whether these are all.
    pub complete: bool,
    /// Lines by their id, or number where they have none.
    pub lines: BTreeMap<String, Bought>,
}

impl List {
    /// Joins what was said of the same document elsewhere.
    pub fn join(&mut self, other: Self) {
        self.complete |= other.complete;
        for (id, line) in other.lines {
            self.lines.entry(id).or_insert(line);
        }
    }

    /// Prices that it names.
    pub fn prices(&self) -> impl Iterator<Item = &String> {
        self.lines.values().filter_map(|line| line.price.as_ref())
    }
}

/// What is bought of one price, all its lines together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Whole ones.
    pub quantity: i64,
    /// Latest end of a period that is paid for, in seconds since 1970; none where nothing that is bought lasts.
    pub ends_at: Option<i64>,
    /// Parts of a period: quantity (negative where it is given back), part and whole in seconds.
    pub parts: Vec<(i64, i64, i64)>,
}

/// Why a list cannot be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Uncountable {
    /// A line has no price, or no whole quantity.
    Line,
    /// Prorated lines only: how long a whole period is, nobody says.
    Period,
}

/// Sums of a complete list by price. Lines of no money and no price are remarks.
pub fn sums(list: &List, prorates: bool) -> (BTreeMap<&str, Sum>, BTreeSet<Uncountable>) {
    let mut sums: BTreeMap<&str, Sum> = BTreeMap::new();
    let mut problems = BTreeSet::new();
    let whole =
        list.lines.values().filter(|line| !line.proration).filter_map(Bought::seconds).max();
    for line in list.lines.values().filter(|line| prorates || !line.proration) {
        let (Some(price), Some(quantity)) = (&line.price, line.quantity) else {
            let is_remark = line.price.is_none() && line.amount.unwrap_or_default() == 0;
            if !is_remark {
                problems.insert(Uncountable::Line);
            }
            continue;
        };
        let sum =
            sums.entry(price).or_insert(Sum { quantity: 0, ends_at: None, parts: Vec::new() });
        let is_back = line.amount.is_some_and(i64::is_negative);
        let ends_at = line.period.filter(|_| !is_back && line.seconds().is_some());
        sum.ends_at = sum.ends_at.max(ends_at.map(|(_, end)| end));
        if !line.proration {
            sum.quantity = sum.quantity.saturating_add(quantity);
            continue;
        }
        let (Some(part), Some(whole)) = (line.seconds(), whole) else {
            problems.insert(Uncountable::Period);
            continue;
        };
        let quantity = if is_back { quantity.saturating_neg() } else { quantity };
        sum.parts.push((quantity, part.min(whole), whole));
    }
    (sums, problems)
}

impl Bought {
    fn seconds(&self) -> Option<i64> {
        let (start, end) = self.period?;
        end.checked_sub(start).filter(|seconds| *seconds > 0)
    }
}
