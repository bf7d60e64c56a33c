//! What a token claims, and whether that holds.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Number;

use super::{Issuer, Refusal};

/// By how much the issuer's clock and ours may differ.
const LEEWAY: SignedDuration = SignedDuration::from_secs(30);

/// The claims that count; a token may have others. All of these have to be there but for `nbf`.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    aud: Audience,
    /// The user.
    pub(super) sub: String,
    /// When it ends.
    exp: Number,
    /// When it begins to hold.
    nbf: Option<Number>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Claims {
    /// Whether this is whom it is for, or among those.
    pub(super) fn is_for(&self, audience: &str) -> bool {
        match &self.aud {
            Audience::One(one) => one == audience,
            Audience::Several(several) => several.iter().any(|one| one == audience),
        }
    }

    /// Refuses what does not hold at `now`, of this issuer and for its audience.
    pub(super) fn check(&self, issuer: &Issuer, now: Timestamp) -> Result<(), Refusal> {
        if self.iss != issuer.name {
            return Err(Refusal::Issuer);
        }
        if !self.is_for(&issuer.audience) {
            return Err(Refusal::Audience);
        }
        if self.sub.is_empty() {
            return Err(Refusal::Claims);
        }
        let now = now.as_duration();
        if now.saturating_sub(LEEWAY) >= since_epoch(&self.exp)? {
            return Err(Refusal::Ended);
        }
        let begins = self.nbf.as_ref().map(since_epoch).transpose()?;
        if begins.is_some_and(|begins| now.saturating_add(LEEWAY) < begins) {
            return Err(Refusal::NotYet);
        }
        Ok(())
    }
}

/// A `NumericDate`: seconds since 1970, of which some issuers tell fractions.
fn since_epoch(date: &Number) -> Result<SignedDuration, Refusal> {
    let whole = date.as_i64().map(SignedDuration::from_secs);
    let exact = || SignedDuration::try_from_secs_f64(date.as_f64()?).ok();
    whole.or_else(exact).ok_or(Refusal::Claims)
}
