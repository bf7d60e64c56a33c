//! The grammar of the `Stripe-Signature` header, before any cryptography.

use super::SignatureError;

/// Most `v1` signatures in one header. Stripe sends one per secret that is in force: two while a secret is rolled.
pub const MAX_V1: usize = 8;

/// Longest header that is looked at, in bytes: seven times what [`MAX_V1`] signatures and a time need.
pub const MAX_HEADER_BYTES: usize = 4096;

/// Most digits of a time: enough for the next 29,000 years, and no overflow.
const MAX_TIME_DIGITS: usize = 12;

/// Bytes of an HMAC-SHA256.
pub(super) const MAC_BYTES: usize = 32;

/// What a well-formed header claims.
#[derive(Debug)]
pub(super) struct Header<'a> {
    /// The bytes of `t` as they were sent: they are what was signed, leading zeros included.
    pub(super) time_text: &'a [u8],
    /// The same as a number: seconds since 1970.
    pub(super) unix_seconds: i64,
    /// Every `v1` that is 32 bytes of hexadecimal; the others cannot match anything.
    pub(super) candidates: Vec<[u8; MAC_BYTES]>,
}

/// Reads the header. Schemes are exact (`V1` and ` v1` are not `v1`), and those that are not known are passed over, so
/// that Stripe may add new ones.
pub(super) fn parse(header: &[u8]) -> Result<Header<'_>, SignatureError> {
    if header.is_empty() {
        return Err(SignatureError::NoHeader);
    }
    if header.len() > MAX_HEADER_BYTES || !header.is_ascii() {
        return Err(SignatureError::MalformedHeader);
    }
    let mut times = Vec::with_capacity(1);
    let mut signatures = Vec::with_capacity(2);
    for item in header.split(|&byte| byte == b',') {
        let mut parts = item.splitn(2, |&byte| byte == b'=');
        let (Some(scheme), Some(value)) = (parts.next(), parts.next()) else {
            return Err(SignatureError::MalformedHeader);
        };
        match scheme {
            b"t" => times.push(value),
            b"v1" => signatures.push(value),
            _ => {}
        }
    }
    if signatures.len() > MAX_V1 {
        return Err(SignatureError::TooManySignatures);
    }
    let [time_text] = times[..] else { return Err(SignatureError::BadTime) };
    Ok(Header {
        time_text,
        unix_seconds: seconds(time_text).ok_or(SignatureError::BadTime)?,
        candidates: signatures.into_iter().filter_map(decode).collect(),
    })
}

/// `^[0-9]{1,12}$`, and nothing that a lenient number parser takes besides (signs, blanks, underscores).
fn seconds(text: &[u8]) -> Option<i64> {
    let plain = text.len() <= MAX_TIME_DIGITS && text.iter().all(u8::is_ascii_digit);
    if plain { str::from_utf8(text).ok()?.parse().ok() } else { None }
}

/// Exactly 32 bytes, in either case. A shorter value is never compared: half a signature must not pass.
fn decode(text: &[u8]) -> Option<[u8; MAC_BYTES]> {
    let mut mac = [0; MAC_BYTES];
    hex::decode_to_slice(text, &mut mac).ok()?;
    Some(mac)
}
