//! Secrets of our own making, for `up` and `demo`. A machine that serves live money has none of these.

use rand::RngExt as _;
use service::clock::Clock;
use store::Store;
use store::keys::{self, KeyRole, KeyText, NewKey};
use store::tenant::Tenant;

/// Letters of a secret: 43 of 62 are 256 bits.
const SECRET_LEN: usize = 43;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A signing secret as Stripe's look.
pub(crate) fn webhook_secret() -> String {
    format!("whsec_{}", random())
}

/// A key that signs checkout references.
pub(crate) fn signing_key() -> String {
    random()
}

/// An API key of a tenant, made by `maker`.
pub(crate) async fn make_key(
    store: &Store,
    tenant: &Tenant,
    role: KeyRole,
    maker: &str,
) -> Result<KeyText, store::Error> {
    let new = NewKey {
        tenant_id: tenant.tenant_id,
        livemode: tenant.livemode,
        role,
        scopes: None,
        name: format!("{maker}: {}", role.name()),
        expires_at: None,
    };
    Ok(keys::create(store, &new, Clock::system().now()).await?.1)
}

fn random() -> String {
    let mut rng = rand::rng();
    let letter = || BASE62.get(rng.random_range(0..BASE62.len())).copied().map_or('0', char::from);
    std::iter::repeat_with(letter).take(SECRET_LEN).collect()
}

#[cfg(test)]
mod tests {
    use rules::reference::SigningKeys;
    use stripe::signature::Secret;

    use super::*;

    #[test]
    fn secrets_differ_and_are_strong_enough_for_ourselves() {
        let one = webhook_secret();
        assert!(Secret::parse(&one).is_ok() && one != webhook_secret());
        let one = signing_key();
        assert!(SigningKeys::parse(&one).is_ok() && one != signing_key());
    }
}
