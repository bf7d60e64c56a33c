//! The keys of one tenant: what it signs with, and what its references are verified by.

use super::{ReferenceError, SignedReference, SigningKeys, Terms, TermsError, sign, verify};

/// What stands behind the name of a business for its tenant of test mode. No name has a colon, so it is no other's.
const TEST_SUFFIX: &str = ":test";

/// Keys, and what the tenant is called in a reference. One list of keys may serve many tenants: what was signed for one of
/// them proves nothing to another, nor what was signed in test mode to live mode.
#[derive(Clone, Debug)]
pub struct TenantKeys {
    keys: SigningKeys,
    tenant: String,
}

impl TenantKeys {
    /// Keys for the business of this name, in one of its modes.
    pub fn new(keys: SigningKeys, name: &str, livemode: bool) -> Self {
        let suffix = if livemode { "" } else { TEST_SUFFIX };
        Self { keys, tenant: format!("{name}{suffix}") }
    }

    /// What the tenant is called in a reference.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Signs these terms; whatever tenant they name, it is this one.
    pub fn sign(&self, terms: Terms) -> Result<SignedReference, TermsError> {
        sign(&self.keys, &Terms { tenant: self.tenant.clone(), ..terms })
    }

    /// What a reference says, if it is this tenant's and was in force at `created`, in seconds since 1970.
    pub fn verify(&self, text: &str, created: i64) -> Result<Terms, ReferenceError> {
        verify(&self.keys, &self.tenant, text, created)
    }
}
