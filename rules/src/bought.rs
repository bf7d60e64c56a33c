//! What Stripe itself lists as bought: the lines of an invoice or of a Checkout session.
//!
//! Invoices carry their lines; a session's have to be pulled. A list that was cut off tells nothing: half a purchase must
//! not pass for the whole.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// By how much periods of one interval may differ, in seconds: months by three days.
const PERIODS_DIFFER_BY: i64 = 3 * 86_400;

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

/// The lines of one document. The order is that of the join: all of them before a part, the newer before the older.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct List {
    /// Whether these are all.
    pub complete: bool,
    /// `created` of the event that told it, in seconds since 1970.
    #[serde(default)]
    pub said_at: i64,
    /// Lines by their id, or number where they have none.
    pub lines: BTreeMap<String, Bought>,
}

impl List {
    /// Joins what was said of the same document elsewhere. One of the two counts whole: lines can be taken away while an
    /// invoice is a draft.
    pub fn join(&mut self, other: Self) {
        if *self < other {
            *self = other;
        }
    }

    /// Prices that it names.
    pub fn prices(&self) -> impl Iterator<Item = &String> {
        self.lines.values().filter_map(|line| line.price.as_ref())
    }
}

/// What is bought of one price, all its lines together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Whole ones.
    pub quantity: i64,
    /// Latest end of a period that is paid for, in seconds since 1970; none where nothing that is bought lasts.
    pub ends_at: Option<i64>,
    /// Parts of a period: quantity (negative where it is given back), part and whole in seconds.
    pub parts: Vec<(i64, i64, i64)>,
    /// Why not all of its lines are counted in.
    pub problem: Option<Uncountable>,
}

/// Why a line cannot be counted. Of several reasons the greatest is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Uncountable {
    /// It has no whole quantity.
    Quantity,
    /// It bills a part of a period, and no other line says how long the whole is.
    Period,
    /// It takes money off without being the rest of a period. Whether what was bought goes back with it, or is only cheaper,
    /// nobody says.
    Negative,
}

/// Everything that a list says was bought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums<'a> {
    /// By price.
    pub by_price: BTreeMap<&'a str, Sum>,
    /// Whether there are lines of money but no price.
    pub has_unpriced: bool,
}

/// Sums of a complete list by price. Lines of no money and no price are remarks.
pub fn sums(list: &List, prorates: bool) -> Sums<'_> {
    let mut sums = Sums::default();
    for line in list.lines.values().filter(|line| prorates || !line.proration) {
        let Some(price) = &line.price else {
            sums.has_unpriced |= line.amount.unwrap_or_default() != 0;
            continue;
        };
        let sum = sums.by_price.entry(price).or_default();
        if let Err(problem) = sum.add(line, list) {
            sum.problem = sum.problem.max(Some(problem));
        }
    }
    sums
}

impl Sum {
    fn add(&mut self, line: &Bought, list: &List) -> Result<(), Uncountable> {
        let quantity = line.quantity.ok_or(Uncountable::Quantity)?;
        let is_back = line.amount.is_some_and(i64::is_negative);
        if line.proration {
            let (part, whole) = line.part_of(list).ok_or(Uncountable::Period)?;
            let quantity = if is_back { quantity.saturating_neg() } else { quantity };
            self.parts.push((quantity, part, whole));
        } else if is_back {
            return Err(Uncountable::Negative);
        } else {
            self.quantity = self.quantity.saturating_add(quantity);
        }
        let ends_at = line.period.filter(|_| !is_back && line.seconds().is_some());
        self.ends_at = self.ends_at.max(ends_at.map(|(_, end)| end));
        Ok(())
    }
}

impl Bought {
    /// What a prorated line pays for of its whole period, both in seconds. That period is the one of a line which ends with
    /// it, or the next one, which begins where it ends; others, such as the year that begins when a month is left, are of
    /// another price's interval. None where no such line is there, or two that differ.
    fn part_of(&self, list: &List) -> Option<(i64, i64)> {
        let (part, (_, end)) = (self.seconds()?, self.period?);
        let is_same_interval = |line: &&Self| {
            line.period.is_some_and(|(start, its_end)| end == start || end == its_end)
        };
        let whole_lines = list.lines.values().filter(|line| !line.proration);
        let wholes: BTreeSet<i64> = whole_lines
            .filter(is_same_interval)
            .filter_map(Self::seconds)
            .filter(|whole| part <= whole.saturating_add(PERIODS_DIFFER_BY))
            .collect();
        let whole = wholes.first().filter(|_| wholes.len() == 1)?;
        Some((part.min(*whole), *whole))
    }

    fn seconds(&self) -> Option<i64> {
        let (start, end) = self.period?;
        end.checked_sub(start).filter(|seconds| *seconds > 0)
    }
}
