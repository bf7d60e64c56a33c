//! The hash chain over an account's postings: each hash covers the one before it, so that a posting that was changed,
//! removed, inserted or swapped shows (DESIGN, section 7: tamper evidence).
//!
//! The encoding is fixed: every text with its length before it, every number big-endian, every time in microseconds
//! since 1970 (what Postgres keeps), every absent value as its own byte. A new encoding would be a new version tag.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::account::{Cause, Posting};

/// Names the encoding; the first thing that is hashed.
const VERSION_TAG: &str = "tally.posting.v1";

/// A SHA-256.
pub type Hash = [u8; 32];

/// What precedes an account's first posting.
pub const GENESIS: Hash = [0; 32];

/// The hash of a posting of this tenant's, over the one before it and everything that the posting says.
pub fn hash(tenant_id: i32, before: &Hash, posting: &Posting) -> Hash {
    let mut sha = Encoder(Sha256::new());
    sha.text(VERSION_TAG);
    sha.0.update(before);
    sha.0.update(tenant_id.to_be_bytes());
    sha.0.update(posting.account.0.as_bytes());
    sha.text(&posting.unit);
    sha.number(posting.seq);
    sha.0.update(posting.contra.code().to_be_bytes());
    sha.number(posting.amount);
    sha.number(posting.balance_after);
    match &posting.cause {
        Cause::Decision { pos, rev, effect_no } => {
            sha.0.update([1]);
            sha.number(*pos);
            sha.0.update(rev.to_be_bytes());
            sha.0.update(effect_no.to_be_bytes());
        }
        Cause::Command(id) => {
            sha.0.update([2]);
            sha.0.update(id.as_bytes());
        }
    }
    match &posting.source {
        None => sha.0.update([0]),
        Some(source) => {
            sha.0.update([1]);
            sha.text(&source.root_key);
            sha.text(&source.line);
        }
    }
    sha.time(posting.effective_at);
    sha.time(posting.recorded_at);
    sha.number(i64::try_from(posting.moves.len()).unwrap_or(i64::MAX));
    for grant_move in &posting.moves {
        sha.number(grant_move.grant_id);
        sha.0.update(grant_move.kind.code().to_be_bytes());
        sha.number(grant_move.amount);
    }
    sha.0.finalize().into()
}

/// The time in whole microseconds: what Postgres keeps, and so all that may be hashed.
pub fn to_microseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

struct Encoder(Sha256);

impl Encoder {
    fn text(&mut self, text: &str) {
        self.number(i64::try_from(text.len()).unwrap_or(i64::MAX));
        self.0.update(text.as_bytes());
    }

    fn number(&mut self, number: i64) {
        self.0.update(number.to_be_bytes());
    }

    fn time(&mut self, time: Timestamp) {
        self.number(time.as_microsecond());
    }
}
