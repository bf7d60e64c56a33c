//! How many credits a payment is worth: by the catalogue, or by metadata where no entry exists. Never by money, which
//! holds tax, shipping and currency conversion. What is unknown is unpriced, never zero.

use std::collections::{BTreeMap, BTreeSet};

use ledger::DEFAULT_UNIT;

use crate::bought::{self, List, Uncountable};
use crate::payment::{Claims, Facts, StaffVerdict};
use crate::world::{Entry, World};

/// Largest quantity of one line: a million is a purchase, more is a mistake.
pub const MAX_QUANTITY: i64 = 1_000_000;

/// Largest number of credits of one line, so that sums stay far from the range of 64 bits.
pub const MAX_CREDITS: i64 = 1_000_000_000_000_000;

/// Longest name of a unit, in bytes.
pub const MAX_UNIT_BYTES: usize = 40;

/// One line of a payment: what it is worth once it is paid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Name of the line within its payment.
    pub line: String,
    /// Unit.
    pub unit: String,
    /// Credits, in the unit's smallest part; positive.
    pub credits: i64,
}

/// What a payment is worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Worth {
    /// What is known to be due, also while something else is in doubt.
    pub lines: Vec<Line>,
    /// What is not known.
    pub doubt: Option<Doubt>,
    /// The catalogue says of all that was bought that it does not concern us.
    pub is_not_ours: bool,
}

/// Why the worth of a payment is not known, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Nothing says.
    Unknown,
    /// What is said does not fit together: what differs, in words for staff.
    Mismatch(String),
}

impl Worth {
    /// These credits.
    pub const fn known(lines: Vec<Line>) -> Self {
        Self { lines, doubt: None, is_not_ours: false }
    }

    fn doubtful(doubt: Doubt) -> Self {
        Self { doubt: Some(doubt), ..Self::default() }
    }

    fn not_ours() -> Self {
        Self { is_not_ours: true, ..Self::default() }
    }
}

/// What a payment is worth by its facts and this catalogue: by the lines that Stripe lists, else by what metadata claim. A
/// person's word, where given, outranks both.
pub fn worth(facts: &Facts, world: &World) -> Worth {
    if let Some(StaffVerdict::Assign { worth: Some((credits, unit)), .. }) =
        facts.staff.as_ref().map(|staff| &staff.verdict)
    {
        let (line, unit, credits) = ("assigned".into(), unit.clone(), *credits);
        return Worth::known(vec![Line { line, unit, credits }]);
    }
    if let Some((_, list)) = facts.list() {
        return by_list(list, &facts.claims, world);
    }
    let claims = &facts.claims;
    if let (Some(price), 1) = (claims.prices.first(), claims.prices.len())
        && world.catalogue.get(price) == Some(&Entry::NotOurs)
    {
        return Worth::not_ours();
    }
    match Claim::read(claims) {
        Ok(claim) => claim.worth(world),
        Err(detail) => Worth::doubtful(Doubt::Mismatch(detail)),
    }
}

/// The worth of what Stripe lists. Credits that metadata name must agree with it; where the catalogue knows none of its prices,
/// they stand alone.
fn by_list(list: &List, claims: &Claims, world: &World) -> Worth {
    if !list.complete {
        return Worth::doubtful(Doubt::Unknown);
    }
    let (sums, problems) = bought::sums(list, world.policy.prorates);
    let mut credits: BTreeMap<(&str, &str), i128> = BTreeMap::new();
    let (mut unknown, mut ours) = (problems.contains(&Uncountable::Line), false);
    for (price, sum) in &sums {
        match world.catalogue.get(*price) {
            None => unknown = true,
            Some(Entry::NotOurs) => {}
            Some(Entry::Credits { credits: per_one, unit }) => {
                ours = true;
                credits.insert((unit, price), credits_of(*per_one, sum));
            }
        }
    }
    if problems.contains(&Uncountable::Period) && (ours || unknown) {
        let detail =
            "it only adjusts a period whose length it does not say; assign what it is worth";
        return Worth::doubtful(Doubt::Mismatch(detail.into()));
    }
    if !ours && !unknown {
        return if sums.is_empty() { Worth::known(Vec::new()) } else { Worth::not_ours() };
    }
    if !ours && !claims.credits.is_empty() {
        let claims = Claims { prices: BTreeSet::new(), ..claims.clone() };
        return Claim::read(&claims).map_or_else(
            |detail| Worth::doubtful(Doubt::Mismatch(detail)),
            |claim| claim.worth(world),
        );
    }
    let Some(lines) = netted(credits) else {
        let detail = "its lines come to more credits than can be".to_owned();
        return Worth::doubtful(Doubt::Mismatch(detail));
    };
    if let Some(detail) = contradiction(claims, &lines).filter(|_| !unknown) {
        return Worth::doubtful(Doubt::Mismatch(detail));
    }
    Worth { lines, doubt: unknown.then_some(Doubt::Unknown), is_not_ours: false }
}

/// Whole ones, and parts of a period rounded down towards nothing.
fn credits_of(per_one: i64, sum: &bought::Sum) -> i128 {
    let whole = i128::from(per_one).saturating_mul(i128::from(sum.quantity));
    sum.parts.iter().fold(whole, |credits, (quantity, part, of)| {
        let product = i128::from(per_one).saturating_mul(i128::from(*quantity));
        let share = product.saturating_mul(i128::from(*part)).checked_div(i128::from(*of));
        credits.saturating_add(share.unwrap_or_default())
    })
}

/// Lines of what is left when, unit by unit, what is given back is taken from what is bought; never below zero. None if it
/// is more than a line can have.
fn netted(credits: BTreeMap<(&str, &str), i128>) -> Option<Vec<Line>> {
    let mut back: BTreeMap<&str, i128> = BTreeMap::new();
    for ((unit, _), credits) in credits.iter().filter(|(_, credits)| **credits < 0) {
        let sum = back.entry(unit).or_default();
        *sum = sum.saturating_sub(*credits);
    }
    let mut lines = Vec::new();
    for ((unit, price), credits) in credits.into_iter().filter(|(_, credits)| *credits > 0) {
        let back = back.entry(unit).or_default();
        let taken = credits.min(*back);
        *back = back.saturating_sub(taken);
        let credits = i64::try_from(credits.saturating_sub(taken))
            .ok()
            .filter(|credits| *credits <= MAX_CREDITS)?;
        if credits > 0 {
            lines.push(Line { line: line_of_price(price), unit: unit.to_owned(), credits });
        }
    }
    Some(lines)
}

/// What metadata say that the lines do not, in words.
fn contradiction(claims: &Claims, lines: &[Line]) -> Option<String> {
    let claimed = match single("credits", &claims.credits) {
        Err(detail) => return Some(detail),
        Ok(None) => return None,
        Ok(Some(text)) => number("credits", text, MAX_CREDITS),
    };
    let sum = lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.credits));
    match claimed {
        Err(detail) => Some(detail),
        Ok(claimed) if claimed != sum => {
            Some(format!("metadata says {claimed} credits, the lines and the catalogue {sum}"))
        }
        Ok(_) => None,
    }
}

/// Whether this many credits can be one line's.
pub fn is_credits(credits: i64) -> bool {
    (1..=MAX_CREDITS).contains(&credits)
}

/// Whether this can be the name of a unit.
pub fn is_unit(unit: &str) -> bool {
    !unit.trim().is_empty() && unit.len() <= MAX_UNIT_BYTES && !unit.contains(char::is_control)
}

/// The claims, read: at most one of each.
struct Claim<'a> {
    price: Option<&'a str>,
    quantity: i64,
    credits: Option<i64>,
    unit: Option<&'a str>,
}

impl<'a> Claim<'a> {
    fn read(claims: &'a Claims) -> Result<Self, String> {
        let quantity = match single("quantity", &claims.quantities)? {
            None => 1,
            Some(text) => number("quantity", text, MAX_QUANTITY)?,
        };
        let credits = single("credits", &claims.credits)?;
        let unit = single("unit", &claims.units)?;
        if unit.is_some_and(|unit| !is_unit(unit)) {
            return Err(format!(
                "the unit in metadata is no name of at most {MAX_UNIT_BYTES} bytes"
            ));
        }
        Ok(Self {
            price: single("price", &claims.prices)?,
            quantity,
            credits: credits.map(|text| number("credits", text, MAX_CREDITS)).transpose()?,
            unit,
        })
    }

    fn worth(&self, world: &World) -> Worth {
        if let Some(price) = self.price
            && let Some(Entry::Credits { credits, unit }) = world.catalogue.get(price)
        {
            return self.by_catalogue(price, *credits, unit);
        }
        self.credits.map_or_else(
            || Worth::doubtful(Doubt::Unknown),
            |credits| {
                let line = self.price.map_or_else(|| "credits".into(), line_of_price);
                let unit = self.unit.unwrap_or(DEFAULT_UNIT).to_owned();
                Worth::known(vec![Line { line, unit, credits }])
            },
        )
    }

    fn by_catalogue(&self, price: &str, per_one: i64, unit: &str) -> Worth {
        let Some(credits) =
            per_one.checked_mul(self.quantity).filter(|credits| is_credits(*credits))
        else {
            return Worth::doubtful(Doubt::Mismatch(format!(
                "{} of {price} are more credits than can be",
                self.quantity
            )));
        };
        if self.credits.is_some_and(|claimed| claimed != credits) {
            let claimed = self.credits.unwrap_or_default();
            return Worth::doubtful(Doubt::Mismatch(format!(
                "metadata says {claimed} credits, the catalogue {credits}"
            )));
        }
        if self.unit.is_some_and(|claimed| claimed != unit) {
            let claimed = self.unit.unwrap_or_default();
            return Worth::doubtful(Doubt::Mismatch(format!(
                "metadata says unit {claimed}, the catalogue {unit}"
            )));
        }
        Worth::known(vec![Line { line: line_of_price(price), unit: unit.to_owned(), credits }])
    }
}

/// One and the same line, whichever object names the price.
fn line_of_price(price: &str) -> String {
    format!("price:{price}")
}

fn single<'a>(what: &str, texts: &'a BTreeSet<String>) -> Result<Option<&'a str>, String> {
    if texts.len() > 1 {
        let all: Vec<&str> = texts.iter().map(String::as_str).collect();
        return Err(format!("its objects name different {what}: {}", all.join(", ")));
    }
    Ok(texts.first().map(String::as_str))
}

fn number(what: &str, text: &str, max: i64) -> Result<i64, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { text.parse().ok() } else { None };
    number
        .filter(|number| (1..=max).contains(number))
        .ok_or_else(|| format!("{what} in metadata is not a whole number from 1 to {max}: {text}"))
}
