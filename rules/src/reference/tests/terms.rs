//! Terms that cannot be signed.

use super::*;

#[track_caller]
fn check(change: impl FnOnce(&mut Terms), expected: TermsError) {
    let mut terms = terms();
    change(&mut terms);
    assert_eq!(sign(&both(), &terms), Err(expected), "{terms:?}");
}

#[test]
fn what_could_not_be_read_again_is_not_signed() {
    for text in ["", " ", " acme", "acme\n", "ac\0me", &"x".repeat(256)] {
        check(|terms| terms.tenant = text.into(), TermsError::Tenant);
        check(|terms| terms.price = text.into(), TermsError::Price);
    }
    for user in
        ["", " ", "u_1 ", "undefined", "NULL", "u\u{7f}", &"x".repeat(256), &"é".repeat(128)]
    {
        check(|terms| terms.user = user.into(), TermsError::User);
    }
    for quantity in [i64::MIN, -1, 0, 1_000_001, i64::MAX] {
        check(|terms| terms.quantity = quantity, TermsError::Quantity);
    }
    for credits in [i64::MIN, -1, 0, 1_000_000_000_000_001] {
        check(|terms| terms.credits = Some(credits), TermsError::Credits);
    }
    for unit in ["", " ", "a\tb", &"x".repeat(41)] {
        check(|terms| terms.unit = Some(unit.into()), TermsError::Unit);
    }
    for expires_at in [i64::MIN, -1, 0] {
        check(|terms| terms.expires_at = expires_at, TermsError::Expiry);
    }
}

#[test]
fn what_is_too_long_together_is_not_signed() {
    let long =
        |price_bytes| Terms { user: "u".repeat(255), price: "p".repeat(price_bytes), ..terms() };
    // 337 bytes of terms and 32 of the signature are 492 characters: 500 with `tly1_k2_`.
    assert_eq!(reference(&both(), &long(49)).len(), 500);
    assert_eq!(sign(&both(), &long(50)), Err(TermsError::TooLong));
}

#[test]
fn a_reason_is_a_sentence_for_whoever_reads_the_log() {
    let reason = ReferenceError::from(TermsError::Encoding);
    assert_eq!(reason.to_string(), "the reference is authentic but not well-formed");
    let source = std::error::Error::source(&reason).map(ToString::to_string);
    assert_eq!(source.as_deref(), Some("the terms are not the eight fields of a reference"));
}
