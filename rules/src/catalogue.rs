//! The catalogue: what one of a price is worth, in versions, each of which counts from a moment on.
//!
//! An entry stands for a price, for whichever price has a lookup key, or for all prices of a product; for a purchase
//! the one for its price counts before that for the lookup key, and that before the one for the product.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::DEFAULT_UNIT;
use serde::{Deserialize, Serialize};

use crate::expiry::Expiry;
use crate::worth::{MAX_CREDITS, MAX_UNIT_BYTES, is_credits, is_unit};

/// Stands before a lookup key, which looks like nothing in particular; ids of prices and products stand alone.
const LOOKUP_KEY: &str = "lookup_key:";

/// Longest key, in bytes: ids have up to 255, lookup keys up to 200.
pub const MAX_KEY_BYTES: usize = 255;

/// Keys under which the catalogue may have a price, in the order in which they count.
pub type Keys = Vec<String>;

/// Newest position of each key that is known of; whatever stands under others is known too.
pub type Known = BTreeMap<String, i64>;

/// What the catalogue says of a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// One of it is worth this much.
    Credits(Credits),
    /// It does not concern us.
    NotOurs,
}

/// What one of a price is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credits {
    /// Credits per quantity of one, in the unit's smallest part.
    pub credits: i64,
    /// Unit.
    pub unit: String,
    /// How long they last; `None`: for ever.
    pub expires: Option<Expiry>,
    /// Lower is drawn first.
    pub priority: i16,
}

/// An entry as it is said, to be judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Said {
    /// Credits per quantity of one.
    pub credits: Option<i64>,
    /// Unit.
    pub unit: Option<String>,
    /// How long they last: a duration, or `period_end`.
    pub expires: Option<String>,
    /// Lower is drawn first.
    pub priority: Option<i16>,
    /// It does not concern us.
    #[serde(default)]
    pub not_ours: bool,
}

/// Why something said cannot be an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member} {problem}")]
pub struct Refusal {
    /// Which member of it.
    pub member: &'static str,
    /// What is wrong with that, after its name.
    pub problem: String,
}

/// By what other names a price is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// Its product's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Its lookup key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup_key: Option<String>,
}

/// The entries of some keys, with all their versions: by the moment from which they count (none: from ever), then by the
/// position that set them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue(BTreeMap<String, BTreeMap<(Option<Timestamp>, i64), Entry>>);

/// The version of an entry that counts for a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counting<'a> {
    /// Position that set it.
    pub pos: i64,
    /// What it says.
    pub entry: &'a Entry,
}

impl Said {
    /// The entry, if it can be one.
    pub fn judge(self) -> Result<Entry, Refusal> {
        let refuse = |member, problem: String| Err(Refusal { member, problem });
        if self.not_ours {
            if self != (Self { not_ours: true, ..Self::default() }) {
                return refuse(
                    "not_ours",
                    "is said of what is worth no credits: say nothing else".into(),
                );
            }
            return Ok(Entry::NotOurs);
        }
        let Some(credits) = self.credits else {
            return refuse("credits", "is missing: say how many, or not_ours".into());
        };
        if !is_credits(credits) {
            return refuse("credits", format!("is not a whole number from 1 to {MAX_CREDITS}"));
        }
        let unit = self.unit.unwrap_or_else(|| DEFAULT_UNIT.into());
        if !is_unit(&unit) {
            return refuse("unit", format!("is not a name of at most {MAX_UNIT_BYTES} bytes"));
        }
        match self.expires.map(|text| text.parse()).transpose() {
            Ok(expires) => {
                let priority = self.priority.unwrap_or_default();
                Ok(Entry::Credits(Credits { credits, unit, expires, priority }))
            }
            Err(problem) => refuse("expires", format!("cannot be read: {problem}")),
        }
    }
}

impl Names {
    /// Joins what was said of the same price elsewhere. A lookup key can pass from one price to another: of two, the
    /// first by its letters counts, whatever the order in which they were told.
    pub fn join(&mut self, other: Self) {
        let first = |one: Option<String>, another: Option<String>| match (one, another) {
            (Some(one), Some(another)) => Some(one.min(another)),
            (one, another) => one.or(another),
        };
        self.product = first(self.product.take(), other.product);
        self.lookup_key = first(self.lookup_key.take(), other.lookup_key);
    }

    /// The keys of a price with these names.
    pub fn keys(&self, price: &str) -> Keys {
        let lookup_key = self.lookup_key.as_ref().map(|name| format!("{LOOKUP_KEY}{name}"));
        [Some(price.to_owned()), lookup_key, self.product.clone()].into_iter().flatten().collect()
    }
}

impl Catalogue {
    /// No entries.
    pub const EMPTY: Self = Self(BTreeMap::new());

    /// Adds a version.
    pub fn add(&mut self, key: String, (valid_from, pos): (Option<Timestamp>, i64), entry: Entry) {
        self.0.entry(key).or_default().insert((valid_from, pos), entry);
    }

    /// Whether there is a version of this key, counting or not.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Whether there is a version of this key that was set before this position.
    pub fn has_before(&self, key: &str, pos: i64) -> bool {
        self.positions(key).any(|known| known < pos)
    }

    /// Newest position that this key was set at; 0 if it is not there.
    pub fn newest(&self, key: &str) -> i64 {
        self.positions(key).max().unwrap_or_default()
    }

    /// The entry that counts for what was bought at this moment, of what is known: the version with the latest moment that
    /// is not after it, and of those the newest; of the first of the keys that has one.
    pub fn counting(
        &self,
        keys: &Keys,
        bought_at: Timestamp,
        known: &Known,
    ) -> Option<Counting<'_>> {
        keys.iter().find_map(|key| {
            let until = self.0.get(key)?.range(..=(Some(bought_at), i64::MAX));
            let known_pos = known.get(key).copied().unwrap_or(i64::MAX);
            let mut known = until.rev().filter(|((_, pos), _)| *pos <= known_pos);
            known.next().map(|((_, pos), entry)| Counting { pos: *pos, entry })
        })
    }

    fn positions(&self, key: &str) -> impl Iterator<Item = i64> {
        self.0.get(key).into_iter().flatten().map(|((_, pos), _)| *pos)
    }
}

/// Whether purchases can count by an entry from this moment on: what is older than Stripe is a mistake.
pub fn is_moment(valid_from: Timestamp) -> bool {
    valid_from >= Timestamp::UNIX_EPOCH
}

/// Whether this can be the key of an entry.
pub fn is_key(key: &str) -> bool {
    let name = key.strip_prefix(LOOKUP_KEY);
    let fits = match name {
        Some(name) => !name.trim().is_empty() && name.trim() == name,
        None => !key.is_empty() && !key.contains(char::is_whitespace),
    };
    fits && key.len() <= MAX_KEY_BYTES && !key.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn worth(credits: i64) -> Entry {
        Said { credits: Some(credits), ..Said::default() }.judge().unwrap()
    }

    fn catalogue(versions: &[(&str, Option<i64>, i64, i64)]) -> Catalogue {
        let mut catalogue = Catalogue::default();
        for (key, valid_from, pos, credits) in versions {
            catalogue.add((*key).into(), (valid_from.map(at), *pos), worth(*credits));
        }
        catalogue
    }

    #[track_caller]
    fn check(
        catalogue: &Catalogue,
        keys: &[&str],
        (bought_at, known_pos): (i64, i64),
        pos: Option<i64>,
    ) {
        let known = keys.iter().map(|key| ((*key).to_owned(), known_pos)).collect();
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let counting = catalogue.counting(&keys, at(bought_at), &known);
        assert_eq!(counting.map(|counting| counting.pos), pos, "{keys:?} at {bought_at}");
    }

    #[test]
    fn the_latest_moment_that_is_not_after_the_purchase_counts() {
        let versions = [("p", None, 1, 10), ("p", Some(200), 2, 20), ("p", Some(100), 3, 30)];
        let told = catalogue(&versions);
        for (bought_at, pos) in [(0, 1), (99, 1), (100, 3), (199, 3), (200, 2), (9_999, 2)] {
            check(&told, &["p"], (bought_at, 9), Some(pos));
        }
        let later = catalogue(&[("p", Some(100), 1, 10)]);
        check(&later, &["p"], (99, 9), None);
    }

    #[test]
    fn of_two_with_the_same_moment_the_newer_counts() {
        let told = catalogue(&[
            ("p", None, 5, 10),
            ("p", None, 3, 20),
            ("p", Some(100), 7, 1),
            ("p", Some(100), 8, 2),
        ]);
        check(&told, &["p"], (50, 9), Some(5));
        check(&told, &["p"], (100, 9), Some(8));
    }

    #[test]
    fn what_was_set_after_a_position_is_not_known_there() {
        let told = catalogue(&[("p", None, 1, 10), ("p", None, 5, 20), ("p", Some(100), 7, 30)]);
        check(&told, &["p"], (200, 9), Some(7));
        check(&told, &["p"], (200, 6), Some(5));
        check(&told, &["p"], (200, 4), Some(1));
        check(&told, &["p"], (200, 0), None);
    }

    #[test]
    fn the_price_before_the_lookup_key_before_the_product() {
        let names = Names { product: Some("prod_1".into()), lookup_key: Some("gold".into()) };
        assert_eq!(names.keys("price_1"), ["price_1", "lookup_key:gold", "prod_1"]);
        assert_eq!(Names::default().keys("price_1"), ["price_1"]);
        let told = catalogue(&[
            ("prod_1", None, 3, 1),
            ("lookup_key:gold", Some(100), 2, 2),
            ("price_1", Some(200), 1, 3),
        ]);
        let keys = ["price_1", "lookup_key:gold", "prod_1"];
        for (bought_at, pos) in [(99, 3), (100, 2), (199, 2), (200, 1)] {
            check(&told, &keys, (bought_at, 9), Some(pos));
        }
        assert_eq!((told.newest("prod_1"), told.newest("x")), (3, 0));
        // What was not looked up before is known as it is.
        let known = Known::from([("price_1".into(), 0), ("prod_1".into(), 3)]);
        let counting = told.counting(&names.keys("price_1"), at(200), &known);
        assert_eq!(counting.map(|counting| counting.pos), Some(2));
    }

    #[test]
    fn names_join_in_any_order() {
        let name = |product: Option<&str>, lookup_key: Option<&str>| Names {
            product: product.map(str::to_owned),
            lookup_key: lookup_key.map(str::to_owned),
        };
        let told = [name(None, None), name(Some("p"), Some("b")), name(None, Some("a"))];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2]] {
            let mut joined = Names::default();
            for index in order {
                joined.join(told[index].clone());
            }
            assert_eq!(joined, name(Some("p"), Some("a")));
        }
    }

    #[test]
    fn keys_are_ids_and_lookup_keys() {
        for key in [
            "price_1",
            "prod_1",
            "gold",
            "lookup_key:gold",
            "lookup_key:gold plan",
            &"x".repeat(255),
        ] {
            assert!(is_key(key), "{key}");
        }
        for key in [
            "",
            " ",
            "a b",
            "price_1 ",
            "lookup_key:",
            "lookup_key: ",
            "lookup_key: x",
            "a\u{7}",
            &"x".repeat(256),
        ] {
            assert!(!is_key(key), "{key:?}");
        }
    }

    #[test]
    fn what_is_said_is_judged() {
        let said = |text: &str| serde_json::from_str::<Said>(text).unwrap().judge();
        let Ok(Entry::Credits(credits)) =
            said(r#"{"credits":5,"unit":"gpu","expires":"P1M","priority":-3}"#)
        else {
            panic!("it can be an entry")
        };
        assert_eq!((credits.credits, credits.unit.as_str(), credits.priority), (5, "gpu", -3));
        assert_eq!(credits.expires, "P1M".parse().ok());
        assert_eq!(said(r#"{"not_ours":true}"#), Ok(Entry::NotOurs));
        for (text, member) in [
            ("{}", "credits"),
            (r#"{"credits":0}"#, "credits"),
            (r#"{"credits":-1}"#, "credits"),
            (r#"{"credits":1000000000000001}"#, "credits"),
            (r#"{"credits":1,"unit":" "}"#, "unit"),
            (r#"{"credits":1,"expires":"1M"}"#, "expires"),
            (r#"{"not_ours":true,"credits":1}"#, "not_ours"),
            (r#"{"not_ours":true,"expires":"P1M"}"#, "not_ours"),
            (r#"{"not_ours":true,"priority":0}"#, "not_ours"),
        ] {
            assert_eq!(said(text).map_err(|refusal| refusal.member), Err(member), "{text}");
        }
    }
}
