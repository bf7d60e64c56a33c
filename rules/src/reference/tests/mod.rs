//! What is signed verifies, and nothing else does.

mod keys;
mod properties;
mod tenant;
mod terms;
mod vectors;

use super::*;

const KEY_2: &str = "8d1f6c0b97a24e35f7c9d2ab60e4135897bd24c6f01ea3958c7d5b46e29f0a13";
const KEY_1: &str = "Vq3xTz8LkWn5RyBd7GmHs2JcFp9AeUu4Ko6iXvN1ZwE";
const EXPIRES_AT: i64 = 1_798_761_600;

fn keys(list: &str) -> SigningKeys {
    SigningKeys::parse(list).unwrap()
}

fn both() -> SigningKeys {
    keys(&format!("k2:{KEY_2},1:{KEY_1}"))
}

fn terms() -> Terms {
    Terms {
        tenant: "acme".into(),
        user: "6f1e0c52-3b9d-4a77-9c1e-2f5b8d40a613".into(),
        price: "price_1QxWm2Lk9aTz3VbNc7RdYf5H".into(),
        quantity: 1,
        credits: None,
        unit: None,
        expires_at: EXPIRES_AT,
        nonce: [7; NONCE_BYTES],
    }
}

/// The reference itself.
fn reference(keys: &SigningKeys, terms: &Terms) -> String {
    sign(keys, terms).unwrap().metadata.remove(METADATA_KEY).unwrap()
}

#[test]
fn metadata_holds_the_reference_alone_and_client_reference_id_the_same_if_it_fits() {
    let signed = sign(&both(), &terms()).unwrap();
    assert_eq!(signed.metadata.keys().collect::<Vec<_>>(), ["tally_reference"]);
    assert_eq!(signed.client_reference_id.as_ref(), signed.metadata.get("tally_reference"));

    for (user_bytes, is_in_both) in [(1, true), (36, true), (49, true), (50, false), (255, false)] {
        let long = Terms { user: "u".repeat(user_bytes), ..terms() };
        let signed = sign(&both(), &long).unwrap();
        let reference = &signed.metadata[METADATA_KEY];
        assert!(reference.len() <= MAX_METADATA_CHARS, "{user_bytes}");
        assert_eq!(signed.client_reference_id.is_some(), is_in_both, "{user_bytes}");
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        assert!(reference.chars().all(plain), "{reference}");
    }
}

#[test]
fn the_last_second_counts_and_the_next_does_not() {
    let reference = reference(&both(), &terms());
    for created in [i64::MIN, 0, EXPIRES_AT - 1, EXPIRES_AT] {
        assert_eq!(verify(&both(), "acme", &reference, created), Ok(terms()), "{created}");
    }
    for created in [EXPIRES_AT + 1, i64::MAX] {
        let verdict = verify(&both(), "acme", &reference, created);
        assert_eq!(verdict, Err(ReferenceError::Expired), "{created}");
    }
}

#[test]
fn the_first_key_signs_and_all_of_them_verify() {
    let [old, new] = [format!("1:{KEY_1}"), format!("k2:{KEY_2}")];
    let rolled = keys(&format!("{new},{old}"));
    let [by_old, by_new] = [&old, &new].map(|list| reference(&keys(list), &terms()));
    assert_eq!(reference(&rolled, &terms()), by_new);
    for reference in [&by_old, &by_new] {
        assert_eq!(verify(&rolled, "acme", reference, 0), Ok(terms()));
    }
    assert_eq!(verify(&keys(&new), "acme", &by_old, 0), Err(ReferenceError::UnknownKey));
    assert_eq!(verify(&keys(&old), "acme", &by_new, 0), Err(ReferenceError::UnknownKey));
}

#[test]
fn the_id_of_the_key_is_signed_too() {
    let twice = keys(&format!("k2:{KEY_2},k3:{KEY_2}"));
    let reference = reference(&twice, &terms());
    let other = reference.replace("tly1_k2_", "tly1_k3_");
    assert_eq!(verify(&twice, "acme", &reference, 0), Ok(terms()));
    assert_eq!(verify(&twice, "acme", &other, 0), Err(ReferenceError::BadMac));
}

#[test]
fn every_single_bit_that_is_changed_is_refused() {
    let long = Terms { user: "界".repeat(85), credits: Some(50), ..terms() };
    let short = Terms { tenant: "a".into(), user: "7".into(), price: "p".into(), ..terms() };
    // The ids are one bit apart, so that a change of the id finds a key.
    let keys = keys(&format!("k2:{KEY_2},k3:{KEY_2}"));
    for terms in [terms(), short, long] {
        let reference = reference(&keys, &terms);
        for (at, bit) in (0..reference.len()).flat_map(|at| (0..7).map(move |bit| (at, bit))) {
            let mut changed = reference.clone().into_bytes();
            changed[at] ^= 1 << bit;
            // The eighth bit is left alone: with it an ASCII text is no text any more.
            let changed = String::from_utf8(changed).unwrap();
            assert!(
                verify(&keys, "acme", &changed, 0).is_err(),
                "bit {bit} of byte {at}: {changed}"
            );
        }
    }
}

#[test]
fn every_single_bit_of_what_is_signed_counts() {
    let reference = reference(&both(), &terms());
    let encoded = reference.strip_prefix("tly1_k2_").unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(encoded).unwrap();
    for (at, bit) in (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << bit;
        let changed = format!("tly1_k2_{}", URL_SAFE_NO_PAD.encode(changed));
        let verdict = verify(&both(), "acme", &changed, 0);
        assert_eq!(verdict, Err(ReferenceError::BadMac), "bit {bit} of byte {at}");
    }
}

#[test]
fn no_part_of_a_reference_is_one() {
    let reference = reference(&both(), &terms());
    for end in 0..reference.len() {
        assert!(verify(&both(), "acme", &reference[..end], 0).is_err(), "{end}");
        assert!(verify(&both(), "acme", &reference[end + 1..], 0).is_err(), "{end}");
    }
    assert!(verify(&both(), "acme", &reference.repeat(2), 0).is_err());
}
