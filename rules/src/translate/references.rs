//! Signed references: what they prove where they stand in Stripe's objects, and what they say was bought.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stripe::objects::Session;

use super::stripe_events::Reader;
use crate::evidence::{Evidence, Kind, user_id};
use crate::payment::Claims;
use crate::reference::{METADATA_KEY, ReferenceError, Terms, is_reference};

impl Reader<'_> {
    /// When an object was created, in seconds since 1970: by that time the expiry of its references is judged. What a session
    /// hands on to its payment intent or subscription is never older than the session, and so never judged more mildly.
    pub(super) fn created(&self, object: &Value) -> i64 {
        object.get("created").and_then(Value::as_i64).unwrap_or_else(|| self.said_at())
    }

    /// Records a text that is meant as a signed reference: whom it names, or why it proves nothing. What it says, if it
    /// verifies.
    pub(super) fn add_reference(
        &self,
        evidence: &mut BTreeSet<Evidence>,
        at: String,
        text: &str,
        created: i64,
    ) -> Option<Terms> {
        let keys = self.policy.signing_keys.as_ref().ok_or(ReferenceError::UnknownKey);
        let verdict = keys.and_then(|keys| keys.verify(text.trim(), created));
        let (kind, value) = match &verdict {
            Ok(terms) => (Kind::Signed, terms.user.clone()),
            Err(error) => (Kind::BadReference, error.name().to_owned()),
        };
        evidence.insert(Evidence { kind, at, value });
        verdict.ok()
    }

    /// Records the references in metadata: under their own key, and where a user's id was to stand. What those say that
    /// verify.
    pub(super) fn add_references(
        &self,
        evidence: &mut BTreeSet<Evidence>,
        name: &str,
        metadata: &BTreeMap<String, String>,
        created: i64,
    ) -> Vec<Terms> {
        let mut signed = Vec::new();
        for (field, text) in metadata {
            let is_meant = if field == METADATA_KEY {
                !text.trim().is_empty()
            } else {
                is_reference(text) && self.policy.user_id_keys.contains(field)
            };
            if is_meant {
                let at = format!("{name}.metadata.{field}");
                signed.extend(self.add_reference(evidence, at, text, created));
            }
        }
        signed
    }

    /// Records a session's `client_reference_id`, signed or not. What it says, if it is signed and verifies.
    pub(super) fn add_client_reference(
        &self,
        evidence: &mut BTreeSet<Evidence>,
        session: &Session,
        created: i64,
    ) -> Option<Terms> {
        let at = "checkout.session.client_reference_id".to_owned();
        let text = session.client_reference_id.as_deref()?;
        if is_reference(text) {
            return self.add_reference(evidence, at, text, created);
        }
        if let Some(user) = user_id(text) {
            let value = user.to_owned();
            evidence.insert(Evidence { kind: Kind::ClientReference, at, value });
        }
        None
    }
}

/// What a reference in a session's `client_reference_id` says was bought. Nothing, if the session came from a payment link:
/// the buyer could have taken a reference to the link of another price.
pub(super) fn claims_of_client_reference(session: &Session, terms: Option<&Terms>) -> Claims {
    let is_ours = session.payment_link.is_none();
    terms.filter(|_| is_ours).map(claims_of).unwrap_or_default()
}

/// What a reference says was bought.
pub(super) fn claims_of(terms: &Terms) -> Claims {
    Claims {
        prices: BTreeSet::from([terms.price.clone()]),
        quantities: BTreeSet::from([terms.quantity.to_string()]),
        credits: terms.credits.iter().map(ToString::to_string).collect(),
        units: terms.unit.iter().cloned().collect(),
    }
}
