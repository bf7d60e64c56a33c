//! The small words of a story: amounts, money, lists, evidence.

use rules::evidence::Kind;
use rules::world::{Candidate, RankedEvidence};
use serde_json::Value;

/// Letters of a SHA-256 that are shown: enough to recognise it, and to find it in a log.
const SHA256_SHOWN: usize = 12;

/// Currencies without a minor unit (Stripe, "zero-decimal currencies").
const ZERO_DECIMAL: [&str; 16] = [
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv",
    "xaf", "xof", "xpf",
];

/// Currencies whose minor unit is a thousandth (Stripe, "three-decimal currencies").
const THREE_DECIMAL: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

/// `1,500 credits`, `1 credit`.
pub(super) fn credits(amount: i64, unit: &str) -> String {
    let unit = match (amount, unit) {
        (1 | -1, "credits") => "credit",
        (_, unit) => unit,
    };
    format!("{} {unit}", grouped(&amount.to_string()))
}

/// What a key of the catalogue stands for, with it.
pub(super) fn catalogue_key(key: &str) -> String {
    match key.strip_prefix("lookup_key:") {
        Some(name) => format!("lookup key {name}"),
        None if key.starts_with("prod_") => format!("product {key}"),
        None => format!("price {key}"),
    }
}

/// `12.00 USD` of 1200 and `usd`.
pub(super) fn money(minor: i64, currency: &str) -> String {
    let decimals: usize = if ZERO_DECIMAL.contains(&currency) {
        0
    } else if THREE_DECIMAL.contains(&currency) {
        3
    } else {
        2
    };
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = decimals.saturating_add(1));
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals));
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction} {}", grouped(whole), currency.to_uppercase())
}

/// `a, b and c`.
pub(super) fn and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `a, b or c`.
pub(super) fn or(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// The sentences that there are, with a space between them.
pub(super) fn sentences<const N: usize>(parts: [Option<String>; N]) -> String {
    let there: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    there.join(" ")
}

/// The verb for so many of them.
pub(super) const fn were(amount: i64) -> &'static str {
    if amount == 1 { "was" } else { "were" }
}

/// The beginning of a SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let hex = hex::encode(bytes);
    format!("{}…", hex.get(..SHA256_SHOWN).unwrap_or(&hex))
}

/// The evidence that a decision weighed; none if it cannot be read.
pub(super) fn evidence_of(weighed: Option<&Value>) -> Vec<RankedEvidence> {
    let weighed = weighed.cloned().unwrap_or_default();
    serde_json::from_value(weighed).unwrap_or_default()
}

/// Why a payment is somebody's: the evidence of the rank that settled it.
pub(super) fn because(evidence: &[RankedEvidence], rank: Option<i16>) -> Option<String> {
    let decisive = evidence.iter().filter(|piece| Some(piece.rank) == rank);
    let mut reasons: Vec<String> = decisive.map(reason).collect();
    reasons.dedup();
    (!reasons.is_empty()).then(|| format!("because {}", and(&reasons)))
}

fn reason(piece: &RankedEvidence) -> String {
    let at = &piece.evidence.at;
    match piece.evidence.kind {
        Kind::Staff => "a person decided so".to_owned(),
        Kind::Signed => format!("a reference that your server signed names them ({at})"),
        Kind::Link if at == "this payment" => "the payment was theirs already".to_owned(),
        Kind::Link => format!("an earlier payment of the same Stripe customer, {at}, was theirs"),
        Kind::Metadata => format!("the metadata that your server set names them ({at})"),
        Kind::ClientReference => {
            format!("{at} names them (unsigned, but your policy accepts it)")
        }
        Kind::Email => format!("the e-mail in {at} is theirs"),
        Kind::IdShaped => format!("their id stands in {at}"),
        Kind::Name => format!("the name in {at} is theirs"),
        Kind::BadReference => format!("the reference in {at} does not verify"),
        Kind::Created => "they were added to the directory".to_owned(),
    }
}

/// Of a conflict: whether what was told contradicts a person's decision, and not other evidence.
pub(super) fn is_contested(evidence: &[RankedEvidence]) -> bool {
    evidence.iter().any(|piece| piece.evidence.kind == Kind::Staff)
}

/// Evidence that was weighed, but did not settle whose it is.
pub(super) fn weighed_as_well(evidence: &[RankedEvidence], rank: Option<i16>) -> Option<String> {
    let others = evidence.iter().filter(|piece| Some(piece.rank) != rank);
    let mut others: Vec<String> = others.map(place).collect();
    others.dedup();
    (!others.is_empty()).then(|| format!("Weighed as well: {}.", and(&others)))
}

/// A piece of evidence by where it stands. E-mails and names are kept as hashes, and cannot be shown.
fn place(piece: &RankedEvidence) -> String {
    let (at, value) = (&piece.evidence.at, &piece.evidence.value);
    match piece.evidence.kind {
        Kind::Email => format!("the e-mail in {at}"),
        Kind::Name => format!("the name in {at}"),
        Kind::IdShaped => format!("what looks like an id in {at} ({value})"),
        Kind::BadReference => format!("the reference in {at}, which proves nothing ({value})"),
        Kind::Created => format!("that {value} was not in the directory and was added to it"),
        Kind::Staff | Kind::Signed | Kind::Link | Kind::Metadata | Kind::ClientReference => {
            format!("{at} ({value})")
        }
    }
}

/// Everyone who may be the right user, each with why.
pub(super) fn candidates(candidates: &[Candidate]) -> Option<String> {
    let each: Vec<String> =
        candidates.iter().map(|one| format!("{} ({})", one.user, one.why)).collect();
    (!each.is_empty()).then(|| or(&each))
}

/// Whom the evidence names as users, once each.
pub(super) fn named(evidence: &[RankedEvidence]) -> Vec<String> {
    let naming = evidence.iter().filter(|piece| piece.evidence.kind.names_a_user());
    let mut users: Vec<String> = naming.map(|piece| piece.evidence.value.clone()).collect();
    users.sort();
    users.dedup();
    users
}

/// Digits in groups of three.
fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    format!("{sign}{}", groups.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_like_amounts() {
        assert_eq!(credits(1, "credits"), "1 credit");
        assert_eq!(credits(1_234_567, "credits"), "1,234,567 credits");
        assert_eq!(credits(-500, "gpu_seconds"), "-500 gpu_seconds");
        assert_eq!(money(1200, "usd"), "12.00 USD");
        assert_eq!(money(5, "eur"), "0.05 EUR");
        assert_eq!(money(-1_234_599, "eur"), "-12,345.99 EUR");
        assert_eq!(money(800, "jpy"), "800 JPY");
        assert_eq!(money(1500, "kwd"), "1.500 KWD");
        assert_eq!(and(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
