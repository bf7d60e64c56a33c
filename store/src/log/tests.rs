//! What of the log needs no database.

use super::*;

#[test]
fn slots_are_fixed_for_ever() {
    // The first eight bytes of the SHA-256 as a big-endian number, modulo 64: `printf pi_1 | sha256sum`.
    for (key, slot) in [("", 20), ("pi_1", 41), ("cs_test_1", 26), ("user:u_1", 55)] {
        assert_eq!(slot_of(key), slot, "{key}");
    }
}

#[test]
fn numbers_that_are_stored_come_back() {
    for number in 1..=5 {
        assert_eq!(Origin::from_number(number).map(Origin::number), Some(number));
        assert_eq!(Source::from_number(number).map(Source::number), Some(number));
    }
    assert_eq!((Origin::from_number(0), Source::from_number(6)), (None, None));
}
