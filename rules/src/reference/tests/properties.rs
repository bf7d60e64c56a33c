//! What holds of all terms and all texts.

use proptest::prelude::*;

use super::*;
use crate::evidence::user_id;

prop_compose! {
    fn any_terms()(
        tenant in "[a-z][a-z0-9_-]{0,15}",
        user in "\\PC{1,60}".prop_filter("no id", |text| user_id(text) == Some(text.as_str())),
        price in "[!-~]{1,32}",
        quantity in 1..=1_000_000_i64,
        credits in prop::option::of(1..=1_000_000_000_000_000_i64),
        unit in prop::option::of("[a-z]{1,8}"),
        expires_at in 1..=i64::MAX,
        nonce: [u8; NONCE_BYTES],
    ) -> Terms {
        Terms { tenant, user, price, quantity, credits, unit, expires_at, nonce }
    }
}

proptest! {
    #[test]
    fn what_is_signed_verifies(terms in any_terms()) {
        let reference = reference(&both(), &terms);
        prop_assert_eq!(verify(&both(), &terms.tenant, &reference, terms.expires_at), Ok(terms));
    }

    #[test]
    fn different_terms_are_different_references(one in any_terms(), mut other in any_terms(), alike in 0..8_usize) {
        // All but one field are alike, so that what differs is as little as can be.
        let fields: [fn(&Terms, &mut Terms); 8] = [
            |from, to| to.tenant.clone_from(&from.tenant),
            |from, to| to.user.clone_from(&from.user),
            |from, to| to.price.clone_from(&from.price),
            |from, to| to.quantity = from.quantity,
            |from, to| to.credits = from.credits,
            |from, to| to.unit.clone_from(&from.unit),
            |from, to| to.expires_at = from.expires_at,
            |from, to| to.nonce = from.nonce,
        ];
        for (_, copy) in fields.iter().enumerate().filter(|(field, _)| *field != alike) {
            copy(&one, &mut other);
        }
        let same = reference(&both(), &one) == reference(&both(), &other);
        prop_assert_eq!(same, one == other);
    }

    #[test]
    fn no_text_is_too_strange_to_be_refused(text: String, tenant: String, created: i64) {
        prop_assert_eq!(verify(&both(), &tenant, &text, created), Err(ReferenceError::NotAReference));
    }

    #[test]
    fn nor_one_that_begins_like_a_reference(text in "tly1_(k2|1|k3)?_?[A-Za-z0-9_-]{0,300}") {
        prop_assert!(verify(&both(), "acme", &text, 0).is_err());
    }

    #[test]
    fn authentic_bytes_have_one_spelling(terms in any_terms(), at: prop::sample::Index, byte: u8, more in prop::collection::vec(any::<u8>(), 0..2)) {
        // Whoever has the key may sign what no terms are written as; what is read all the same is written like that.
        let mut bytes = terms.encode().unwrap();
        bytes.extend(more);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = Terms::decode(&bytes) {
            prop_assert_eq!(read.encode(), Ok(bytes));
        }
    }
}
