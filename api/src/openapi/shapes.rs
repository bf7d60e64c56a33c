//! Shapes of what the pure crates write, which know no schema.

use schemars::JsonSchema;

use super::words::EvidenceKind;

/// One piece of evidence of whose a payment is (`rules::world::RankedEvidence`).
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Evidence {
    /// 0 outranks all.
    rank: i16,
    #[schemars(with = "EvidenceKind")]
    kind: &'static str,
    /// Where it stood, such as `checkout.session.metadata.user_id`.
    at: String,
    /// A user's id, the keyed hash of an e-mail or name, or why a reference does not verify.
    value: String,
}

/// Somebody who may be the right user (`rules::world::Candidate`).
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct Candidate {
    user: String,
    /// Why, in words.
    why: String,
}
