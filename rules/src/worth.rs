//! How many credits a payment is worth: by the catalogue, or by metadata where no entry exists. Never by money, which
//! holds tax, shipping and currency conversion. What is unknown is unpriced, never zero.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ledger::DEFAULT_UNIT;
use ledger::account::Terms;

use crate::bought::{self, List, Uncountable};
use crate::catalogue::{Counting, Credits, Entry, Known};
use crate::expiry::NoEnd;
use crate::payment::{Claims, Facts};
use crate::world::World;

/// Largest quantity of one line: a million is a purchase, more is a mistake.
pub const MAX_QUANTITY: i64 = 1_000_000;

/// Largest number of credits of one line, so that sums stay far from the range of 64 bits.
pub const MAX_CREDITS: i64 = 1_000_000_000_000_000;

/// Longest name of a unit, in bytes.
pub const MAX_UNIT_BYTES: usize = 40;

/// Name of the line of what a person said that a payment is worth.
pub(crate) const ASSIGNED: &str = "assigned";

/// One line of a payment: what it is worth once it is paid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Name of the line within its payment.
    pub line: String,
    /// Unit.
    pub unit: String,
    /// Credits, in the unit's smallest part; positive.
    pub credits: i64,
    /// Until when they can be spent, and before which others.
    pub terms: Terms,
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

/// The catalogue as it counts for one payment.
#[derive(Clone, Copy, Debug)]
pub struct Prices<'a> {
    facts: &'a Facts,
    world: &'a World,
    bought_at: Timestamp,
    known: &'a Known,
}

impl<'a> Prices<'a> {
    /// For a payment with these facts, by what of the catalogue is known. What is not paid yet counts as bought now.
    pub fn of(facts: &'a Facts, world: &'a World, known: &'a Known) -> Self {
        let paid_at = facts.paid_at.and_then(|second| Timestamp::from_second(second).ok());
        Self { facts, world, bought_at: paid_at.unwrap_or(world.now), known }
    }

    /// The entry that counts for a price.
    pub fn counting(&self, price: &str) -> Option<Counting<'a>> {
        let keys = self.facts.keys_of(price);
        self.world.catalogue.counting(&keys, self.bought_at, self.known)
    }

    fn entry(&self, price: &str) -> Option<&'a Entry> {
        self.counting(price).map(|counting| counting.entry)
    }

    /// So many credits of a price as a line, by what its entry says of one.
    fn line(
        &self,
        price: &str,
        (worth, credits): (&Credits, i64),
        period_end: Option<i64>,
    ) -> Result<Line, Doubt> {
        let end = worth.expires.as_ref().map(|expires| expires.ends_at(self.bought_at, period_end));
        let expires_at = end.transpose().map_err(|problem| {
            Doubt::Mismatch(match problem {
                NoEnd::NoPeriod => format!(
                    "the catalogue says of {price} that its credits end with the billing period, but what was bought has none"
                ),
                NoEnd::BeyondCalendar => format!("credits of {price} would end after the calendar does"),
            })
        })?;
        let terms = Terms { expires_at, priority: worth.priority };
        Ok(Line { line: line_of_price(price), unit: worth.unit.clone(), credits, terms })
    }
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

/// What a payment is worth by its facts and by what of the catalogue is known: by the lines that Stripe lists, else by what
/// metadata claim. A person's word, where given, outranks both.
pub fn worth(facts: &Facts, world: &World, known: &Known) -> Worth {
    let prices = &Prices::of(facts, world, known);
    if let Some((credits, unit)) = facts.staff_worth() {
        let (line, unit, credits) = (ASSIGNED.into(), unit.clone(), *credits);
        return Worth::known(vec![Line { line, unit, credits, terms: Terms::default() }]);
    }
    if let Some((_, list)) = facts.list() {
        return by_list(list, &facts.claims, prices);
    }
    let claims = &facts.claims;
    if let (Some(price), 1) = (claims.prices.first(), claims.prices.len())
        && prices.entry(price) == Some(&Entry::NotOurs)
    {
        return Worth::not_ours();
    }
    match Claim::read(claims) {
        Ok(claim) => claim.worth(prices),
        Err(detail) => Worth::doubtful(Doubt::Mismatch(detail)),
    }
}

/// The worth of what Stripe lists. Credits that metadata name must agree with it; where the catalogue knows none of its prices,
/// they stand alone.
fn by_list(list: &List, claims: &Claims, prices: &Prices<'_>) -> Worth {
    if !list.complete {
        return Worth::doubtful(Doubt::Unknown);
    }
    let sums = bought::sums(list, prices.world.policy.prorates);
    let mut bought = Vec::new();
    let (mut unknown, mut ours, mut problem) = (sums.has_unpriced, false, None);
    for (price, sum) in &sums.by_price {
        let entry = prices.entry(price);
        if entry == Some(&Entry::NotOurs) {
            continue;
        }
        problem = problem.or_else(|| problem_of(price, sum));
        unknown |= sum.problem == Some(Uncountable::Quantity);
        match entry {
            Some(Entry::Credits(worth)) => {
                ours = true;
                bought.push((*price, worth, credits_of(worth.credits, sum), sum.ends_at));
            }
            Some(Entry::NotOurs) | None => unknown = true,
        }
    }
    if let Some(detail) = problem {
        return Worth::doubtful(Doubt::Mismatch(detail));
    }
    if !ours && !unknown {
        let is_empty = sums.by_price.is_empty();
        return if is_empty { Worth::known(Vec::new()) } else { Worth::not_ours() };
    }
    if !ours && !claims.credits.is_empty() {
        let claims = Claims { prices: BTreeSet::new(), ..claims.clone() };
        return Claim::read(&claims).map_or_else(
            |detail| Worth::doubtful(Doubt::Mismatch(detail)),
            |claim| claim.worth(prices),
        );
    }
    let lines = match netted(bought, prices) {
        Ok(lines) => lines,
        Err(doubt) => return Worth::doubtful(doubt),
    };
    if let Some(detail) = contradiction(claims, &lines).filter(|_| !unknown) {
        return Worth::doubtful(Doubt::Mismatch(detail));
    }
    Worth { lines, doubt: unknown.then_some(Doubt::Unknown), is_not_ours: false }
}

/// What is wrong with the lines of a price so that nobody but a person can say what they all are worth.
fn problem_of(price: &str, sum: &bought::Sum) -> Option<String> {
    match sum.problem? {
        Uncountable::Quantity => None,
        Uncountable::Period => Some(format!(
            "a line of {price} adjusts a period whose length the invoice does not say; assign what it is worth"
        )),
        Uncountable::Negative => Some(format!(
            "a line of {price} takes money off and does not adjust a period; assign what all of it is worth"
        )),
    }
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

/// What is bought of a price: its id, what one of it is worth, credits of it all, and the end of its period.
type Priced<'a> = (&'a str, &'a Credits, i128, Option<i64>);

/// Lines of what is left when, unit by unit, what is given back is taken from what is bought; never below zero.
fn netted(mut bought: Vec<Priced<'_>>, prices: &Prices<'_>) -> Result<Vec<Line>, Doubt> {
    bought.sort_by_key(|(price, worth, _, _)| (&worth.unit, *price));
    let mut back: BTreeMap<&str, i128> = BTreeMap::new();
    for (_, worth, credits, _) in bought.iter().filter(|(_, _, credits, _)| credits.is_negative()) {
        let sum = back.entry(&worth.unit).or_default();
        *sum = sum.saturating_sub(*credits);
    }
    let mut lines = Vec::new();
    for (price, worth, credits, ends_at) in
        bought.iter().filter(|(_, _, credits, _)| credits.is_positive())
    {
        let back = back.entry(&worth.unit).or_default();
        let taken = (*credits).min(*back);
        *back = back.saturating_sub(taken);
        let credits = i64::try_from(credits.saturating_sub(taken)).ok();
        let Some(credits) = credits.filter(|credits| *credits <= MAX_CREDITS) else {
            return Err(Doubt::Mismatch("its lines come to more credits than can be".to_owned()));
        };
        if credits > 0 {
            lines.push(prices.line(price, (worth, credits), *ends_at)?);
        }
    }
    Ok(lines)
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

/// Whether this can be the name of a unit: a word, which stands in a URL and in a line of text.
pub fn is_unit(unit: &str) -> bool {
    (1..=MAX_UNIT_BYTES).contains(&unit.len())
        && !unit.contains(|c: char| c.is_control() || c.is_whitespace())
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
                "the unit in metadata is no word of at most {MAX_UNIT_BYTES} bytes"
            ));
        }
        Ok(Self {
            price: single("price", &claims.prices)?,
            quantity,
            credits: credits.map(|text| number("credits", text, MAX_CREDITS)).transpose()?,
            unit,
        })
    }

    fn worth(&self, prices: &Prices<'_>) -> Worth {
        if let Some(price) = self.price
            && let Some(Entry::Credits(worth)) = prices.entry(price)
        {
            let line = self.by_catalogue(price, worth, prices);
            return line.map_or_else(Worth::doubtful, |line| Worth::known(vec![line]));
        }
        self.credits.map_or_else(
            || Worth::doubtful(Doubt::Unknown),
            |credits| {
                let line = self.price.map_or_else(|| "credits".into(), line_of_price);
                let unit = self.unit.unwrap_or(DEFAULT_UNIT).to_owned();
                Worth::known(vec![Line { line, unit, credits, terms: Terms::default() }])
            },
        )
    }

    fn by_catalogue(
        &self,
        price: &str,
        worth: &Credits,
        prices: &Prices<'_>,
    ) -> Result<Line, Doubt> {
        let credits = worth.credits.checked_mul(self.quantity);
        let Some(credits) = credits.filter(|credits| is_credits(*credits)) else {
            let quantity = self.quantity;
            let detail = format!("{quantity} of {price} are more credits than can be");
            return Err(Doubt::Mismatch(detail));
        };
        if let Some(claimed) = self.credits.filter(|claimed| *claimed != credits) {
            let detail = format!("metadata says {claimed} credits, the catalogue {credits}");
            return Err(Doubt::Mismatch(detail));
        }
        if let Some(claimed) = self.unit.filter(|claimed| *claimed != worth.unit) {
            let detail = format!("metadata says unit {claimed}, the catalogue {}", worth.unit);
            return Err(Doubt::Mismatch(detail));
        }
        prices.line(price, (worth, credits), None)
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
