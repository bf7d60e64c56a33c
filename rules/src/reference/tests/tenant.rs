//! One list of keys, many tenants.

use super::*;

fn of(name: &str, livemode: bool) -> TenantKeys {
    TenantKeys::new(both(), name, livemode)
}

#[test]
fn what_was_signed_for_one_tenant_proves_nothing_to_another() {
    let tenants = [of("acme", true), of("acme", false), of("shop", true), of("shop", false)];
    let signed = tenants.each_ref().map(|tenant| {
        let mut signed = tenant.sign(terms()).unwrap();
        signed.metadata.remove(METADATA_KEY).unwrap()
    });
    for (by, reference) in tenants.iter().zip(&signed) {
        for tenant in &tenants {
            let expected = if tenant.tenant() == by.tenant() {
                Ok(Terms { tenant: by.tenant().to_owned(), ..terms() })
            } else {
                Err(ReferenceError::OtherTenant)
            };
            assert_eq!(tenant.verify(reference, EXPIRES_AT), expected);
        }
    }
}

#[test]
fn tenants_are_called_by_their_names() {
    assert_eq!(of("acme", true).tenant(), "acme");
    assert_eq!(of("acme", false).tenant(), "acme:test");
}

#[test]
fn whatever_begins_like_a_reference_is_meant_as_one() {
    for text in ["tly1_", "tly1_k2_x", " tly1_ \n", &reference(&both(), &terms())] {
        assert!(is_reference(text), "{text}");
    }
    for text in ["", "u_1", "TLY1_x", "x tly1_"] {
        assert!(!is_reference(text), "{text}");
    }
}
