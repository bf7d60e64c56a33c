//! How many credits a payment is worth: by the catalogue, or by metadata where no entry exists. Never by money, which
//! holds tax, shipping and currency conversion. What is unknown is unpriced, never zero.

use std::collections::BTreeSet;

use ledger::DEFAULT_UNIT;

use crate::payment::{Claims, StaffVerdict};
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Worth {
    /// These credits.
    Known(Vec<Line>),
    /// The catalogue says that it does not concern us.
    NotOurs,
    /// Nothing says.
    Unknown,
    /// What is said does not fit together.
    Mismatch {
        /// What differs, in words for staff.
        detail: String,
    },
}

/// What the claims are worth by this catalogue. A person's word, where given, outranks both.
pub fn worth(claims: &Claims, staff: Option<&StaffVerdict>, world: &World) -> Worth {
    if let Some(StaffVerdict::Assign { worth: Some((credits, unit)), .. }) = staff {
        return Worth::Known(vec![Line {
            line: "assigned".into(),
            unit: unit.clone(),
            credits: *credits,
        }]);
    }
    if let (Some(price), 1) = (claims.prices.first(), claims.prices.len())
        && world.catalogue.get(price) == Some(&Entry::NotOurs)
    {
        return Worth::NotOurs;
    }
    match Claim::read(claims) {
        Ok(claim) => claim.worth(world),
        Err(detail) => Worth::Mismatch { detail },
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
        self.credits.map_or(Worth::Unknown, |credits| {
            let line = self.price.map_or_else(|| "credits".into(), line_of_price);
            let unit = self.unit.unwrap_or(DEFAULT_UNIT).to_owned();
            Worth::Known(vec![Line { line, unit, credits }])
        })
    }

    fn by_catalogue(&self, price: &str, per_one: i64, unit: &str) -> Worth {
        let Some(credits) =
            per_one.checked_mul(self.quantity).filter(|credits| is_credits(*credits))
        else {
            return Worth::Mismatch {
                detail: format!("{} of {price} are more credits than can be", self.quantity),
            };
        };
        if self.credits.is_some_and(|claimed| claimed != credits) {
            let claimed = self.credits.unwrap_or_default();
            return Worth::Mismatch {
                detail: format!("metadata says {claimed} credits, the catalogue {credits}"),
            };
        }
        if self.unit.is_some_and(|claimed| claimed != unit) {
            let claimed = self.unit.unwrap_or_default();
            return Worth::Mismatch {
                detail: format!("metadata says unit {claimed}, the catalogue {unit}"),
            };
        }
        Worth::Known(vec![Line { line: line_of_price(price), unit: unit.to_owned(), credits }])
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
