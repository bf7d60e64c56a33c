//! Deliveries as Stripe makes them: the headers, and a signature over the exact bytes.

use std::time::{SystemTime, UNIX_EPOCH};

use stripe::signature::{self, Secret};

/// A secret of an endpoint in test mode, for tests that need just one.
pub const SECRET: &str = "whsec_3nJk8Qv1ZrT6yWb0Xc5LmD2f";

/// What Stripe calls itself.
pub const USER_AGENT: &str = "Stripe/1.0 (+https://stripe.com/docs/webhooks)";

/// Value of the `Stripe-Signature` header with which `body` is sent at `unix_seconds`.
///
/// # Panics
/// If the secret is too weak to be a secret.
pub fn sign(secret: &str, unix_seconds: i64, body: &[u8]) -> String {
    signature::sign(
        &Secret::parse(secret).expect("a test's secret is a secret"),
        unix_seconds,
        body,
    )
}

/// All headers with which `body` is sent at `unix_seconds`; Stripe's own ones.
///
/// # Panics
/// If the secret is too weak to be a secret.
pub fn headers(secret: &str, unix_seconds: i64, body: &[u8]) -> [(&'static str, String); 4] {
    [
        ("user-agent", USER_AGENT.to_owned()),
        ("accept", "*/*; q=0.5, application/xml".to_owned()),
        ("content-type", "application/json; charset=utf-8".to_owned()),
        ("stripe-signature", sign(secret, unix_seconds, body)),
    ]
}

/// The time by this machine's clock, in seconds since 1970, for a server that runs by the same
/// clock.
///
/// # Panics
/// If the clock stands before 1970.
#[expect(clippy::disallowed_methods, reason = "the edge: a delivery over HTTP is signed now")]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    i64::try_from(since.as_secs()).expect("it is before the year 292,277,026,596")
}

#[cfg(test)]
mod tests {
    use stripe::signature::{Secret, Tolerance, verify};

    use super::{SECRET, headers, now};

    #[test]
    fn signed_delivery_is_accepted() {
        let [_, _, _, (name, value)] = headers(SECRET, now(), b"{}");
        assert_eq!(name, "stripe-signature");
        let secrets = [Secret::parse(SECRET).unwrap()];
        assert_eq!(verify(value.as_bytes(), b"{}", &secrets, now(), Tolerance::STANDARD), Ok(0));
    }
}
