//! Stripe's signature: who vouches for these bytes, and when they did.
//!
//! The header is `Stripe-Signature: t=<unix>,v1=<hex>[,v1=<hex>…][,v0=<hex>]`. A `v1` is the HMAC-SHA256 of the bytes
//! of `t` as they stand in the header, a dot and the raw body, under the whole text of the secret.
//!
//! Stricter than Stripe's own libraries on purpose: they accept times in the future, some accept `t=123abc`, and they
//! sign the number that they understood instead of the bytes that were sent.

mod header;
mod secret;
#[cfg(test)]
mod tests;

use subtle::{Choice, ConstantTimeEq};

pub use header::{MAX_HEADER_BYTES, MAX_V1};
pub use secret::{MIN_SECRET_BYTES, Secret, WeakSecret};

/// How far the time of a delivery may lie from ours, in seconds, in both directions; the last second still counts.
/// Stripe's own default; it signs each retry anew, so that only a replayed or badly delayed delivery is older.
pub const TOLERANCE_SECONDS: u32 = 300;

/// How old, or how far ahead, a signature may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    /// At most so many seconds from now, in both directions. Every delivery is checked like this.
    Seconds(u32),
    /// The time is not judged. Only for a delivery that was accepted once, when its stored proof is checked again.
    NotChecked,
}

impl Tolerance {
    /// What a delivery is held to: [`TOLERANCE_SECONDS`].
    pub const STANDARD: Self = Self::Seconds(TOLERANCE_SECONDS);

    /// Both directions: a time far ahead could otherwise be replayed until it is over.
    fn allows(self, signed_at: i64, now: i64) -> bool {
        match self {
            Self::Seconds(seconds) => now.abs_diff(signed_at) <= u64::from(seconds),
            Self::NotChecked => true,
        }
    }
}

/// Why a delivery is not accepted. Senders are told none of this; the trace of rejected deliveries keeps the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header is absent or empty.
    #[error("there is no Stripe-Signature header")]
    NoHeader,
    /// The header is not a list of `scheme=value`, not ASCII, or longer than [`MAX_HEADER_BYTES`].
    #[error("the Stripe-Signature header is not a list of scheme=value")]
    MalformedHeader,
    /// There is not exactly one `t` of 1 to 12 digits.
    #[error("the Stripe-Signature header has not exactly one time of 1 to 12 digits")]
    BadTime,
    /// The signature is right, but its time is too far from ours: a replay, a long delay, or a clock that is wrong.
    #[error(
        "the signature is authentic but its time is outside the tolerance; check this machine's clock"
    )]
    OutsideTolerance,
    /// No `v1` fits under any of the secrets, or there is no `v1`.
    #[error("no v1 signature matches under any configured secret")]
    NoMatchingSignature,
    /// More than [`MAX_V1`] signatures.
    #[error("the Stripe-Signature header has more than {MAX_V1} v1 signatures")]
    TooManySignatures,
}

impl SignatureError {
    /// Number of the reason in `rejected_delivery.reason`; it never changes its meaning.
    pub fn code(self) -> i16 {
        match self {
            Self::NoHeader => 1,
            Self::MalformedHeader => 2,
            Self::BadTime => 3,
            Self::OutsideTolerance => 4,
            Self::NoMatchingSignature => 5,
            Self::TooManySignatures => 9,
        }
    }
}

/// Says which of the `secrets` (its index) vouches for the raw bytes of `body`.
///
/// `header` is the value of `Stripe-Signature`, empty if there was none. The time is judged last, so that
/// [`SignatureError::OutsideTolerance`] is only ever said of authentic bytes.
pub fn verify(
    header: &[u8],
    body: &[u8],
    secrets: &[Secret],
    now_unix_seconds: i64,
    tolerance: Tolerance,
) -> Result<usize, SignatureError> {
    let header = header::parse(header)?;
    let index = secrets
        .iter()
        .position(|secret| {
            let expected = secret.mac(header.time_text, body);
            // All candidates are compared, each in constant time, whichever of them fits.
            let fits = header
                .candidates
                .iter()
                .fold(Choice::from(0), |fits, candidate| fits | expected.ct_eq(candidate));
            bool::from(fits)
        })
        .ok_or(SignatureError::NoMatchingSignature)?;
    if tolerance.allows(header.unix_seconds, now_unix_seconds) {
        Ok(index)
    } else {
        Err(SignatureError::OutsideTolerance)
    }
}

/// The header value with which Stripe would send `body` at `unix_seconds`: for simulated deliveries and probes.
pub fn sign(secret: &Secret, unix_seconds: i64, body: &[u8]) -> String {
    let time_text = unix_seconds.to_string();
    let mac = secret.mac(time_text.as_bytes(), body);
    format!("t={time_text},v1={}", hex::encode(mac))
}
