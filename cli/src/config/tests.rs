//! The configuration as a whole, without a process around it.

use std::fs;
use std::net::SocketAddr;

use super::environment::Environment;
use super::error::ConfigError;
use super::*;

fn resolve(pairs: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let pairs = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    Settings::resolve(&Environment::of(pairs)?)
}

/// Resolves a TOML file.
fn resolve_file(text: &str) -> Result<Settings, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tally.toml");
    fs::write(&path, text).unwrap();
    resolve(&[("TALLY_CONFIG", path.to_str().unwrap())])
}

#[test]
fn a_listener_is_where_the_most_particular_setting_says() {
    for (pairs, listen) in [
        (&[][..], "127.0.0.1:8080"),
        (&[("PORT", "10000")], "0.0.0.0:10000"),
        (&[("HOST", "0.0.0.0")], "0.0.0.0:8080"),
        (&[("HOST", "::1"), ("PORT", "3000")], "[::1]:3000"),
        (&[("PORT", "10000"), ("TALLY_LISTEN", "localhost:9")], "127.0.0.1:9"),
    ] {
        let expected: SocketAddr = listen.parse().unwrap();
        assert_eq!(resolve(pairs).unwrap().listen.value, expected, "{pairs:?}");
    }
}

#[test]
fn commands_find_the_service_where_it_listens() {
    let settings = resolve(&[("PORT", "3000")]).unwrap();
    assert_eq!(settings.url.value, "http://127.0.0.1:3000");
    let settings = resolve(&[("TALLY_URL", "https://credits.example.com")]).unwrap();
    assert_eq!(settings.url.value, "https://credits.example.com");
}

#[test]
fn without_a_file_there_is_one_tenant_with_the_usual_policy() {
    let settings = resolve(&[]).unwrap();
    let [tenant] = settings.tenants.as_slice() else { panic!("{:?}", settings.tenants) };
    assert_eq!(tenant.name, "default");
    assert_eq!(tenant.policy, rules::policy::Policy::default());
}

#[test]
fn live_brings_test_along() {
    let settings = resolve(&[]).unwrap();
    assert_eq!(settings.modes(Mode::Test), [Mode::Test]);
    assert_eq!(settings.modes(Mode::Live), [Mode::Live, Mode::Test]);
}

#[test]
fn a_file_says_what_belongs_to_each_tenant() {
    let settings = resolve_file(
        r#"
        alias_root = true
        [[tenants]]
        name = "shop"
        user_id_keys = ["uid"]
        accept_unsigned_reference = true
        [[tenants.endpoints]]
        name = "eu"
        mode = "live"
        secrets = ["whsec_9fJ2kPq7ZtXc4VbN1mLs8RwE"]
        [[tenants.stripe_keys]]
        mode = "live"
        key = "rk_live_51HqLyjWDarjtT1zdp7dc"
        [tenants.catalogue]
        price_50 = { credits = 50 }
        price_gpu = { credits = 60, unit = "gpu_seconds" }
        price_shirt = { not_ours = true }
        [tenants.directory]
        query = "SELECT id::text, email, name FROM users WHERE id::text = ANY($1)"
        [[tenants]]
        name = "other"
        "#,
    )
    .unwrap();
    assert!(settings.alias_root);
    let [shop, other] = settings.tenants.as_slice() else { panic!("{:?}", settings.tenants) };
    assert_eq!(shop.policy.user_id_keys, ["uid"]);
    assert!(shop.policy.accept_unsigned_reference && !other.policy.accept_unsigned_reference);
    let worths: Vec<_> = shop.catalogue.iter().map(|entry| entry.worth.clone()).collect();
    let unit = |credits: i64, unit: &str| Some((credits, unit.to_owned()));
    assert_eq!(worths, [unit(50, "credits"), unit(60, "gpu_seconds"), None]);
    let modes: Vec<_> = shop.stripe_keys.iter().map(|one| one.mode).collect();
    assert_eq!(modes, [Mode::Live]);
    assert!(shop.directory.as_ref().unwrap().url.is_none());
    assert_eq!(settings.modes(Mode::Test), [Mode::Live, Mode::Test], "an endpoint is live");
}

#[test]
fn what_is_wrong_in_a_file_is_named_by_its_place() {
    let endpoint = "[[tenants]]\nname = \"shop\"\n[[tenants.endpoints]]\nname = \"eu\"\n";
    let key = "[[tenants]]\nname = \"shop\"\n[[tenants.stripe_keys]]\nmode = \"test\"\n";
    let price = "[[tenants]]\nname = \"shop\"\n[tenants.catalogue]\nprice_1 = ";
    let directory = "[[tenants]]\nname = \"shop\"\n[tenants.directory]\nquery = ";
    for (text, told) in [
        ("colour = 1", "line 1"),
        ("[[tenants]]\nname = \"a b\"", "tenants.a b"),
        ("[[tenants]]\nname = \"a\"\n[[tenants]]\nname = \"a\"", "two tenants"),
        (&format!("{endpoint}mode = \"paper\""), "line 5"),
        (&format!("{endpoint}mode = \"test\""), "endpoints.eu: it has no signing secret"),
        (
            &format!("{endpoint}mode = \"test\"\nsecrets = [\"whsec_short\"]"),
            "endpoints.eu: the signing secret",
        ),
        (
            &format!("{endpoint}mode = \"test\"\nsecret_env = \"NO_SUCH\""),
            "endpoints.eu: NO_SUCH: the variable",
        ),
        (key, "stripe_keys.test: name one of key, key_env and key_file"),
        (&format!("{key}key = \"sk_test_1\"\nkey_env = \"NO_SUCH\""), "NO_SUCH: the variable"),
        (&format!("{key}key = \"sk_live_1\""), "stripe_keys.test: it is a key of live mode"),
        (&format!("{key}key = \"whsec_1\""), "stripe_keys.test: it is no key"),
        (&format!("{price}{{ credits = 0 }}"), "catalogue.price_1: credits is not"),
        (&format!("{price}{{ credits = 5, unit = \"\" }}"), "catalogue.price_1: unit is not"),
        (&format!("{price}{{ credits = 5, not_ours = true }}"), "worth no credits"),
        (&format!("{price}{{ }}"), "say credits"),
        (&format!("{directory}\"SELECT 1\""), "directory: the query has no $1"),
        (&format!("{directory}\"$1\"\nurl = \"mysql://x\""), "directory: a connection URL"),
    ] {
        let refused = resolve_file(text).err().map(|error| error.to_string());
        let refused = refused.unwrap_or_else(|| panic!("accepted {text}"));
        assert!(refused.contains(told), "{told} in {refused}");
        assert!(refused.contains("tally.toml"), "{refused}");
    }
}

#[test]
fn live_keys_are_sent_by_https_only() {
    let base = |mode: &str, base: &str| {
        let settings = resolve(&[("TALLY_MODE", mode), ("STRIPE_API_BASE", base)]);
        settings.map(|settings| settings.stripe_api_base.value).map_err(|error| error.to_string())
    };
    assert_eq!(base("test", "http://127.0.0.1:12111/").unwrap(), "http://127.0.0.1:12111");
    assert_eq!(base("live", "https://stripe.example").unwrap(), "https://stripe.example");
    assert!(base("live", "http://stripe.example").unwrap_err().contains("https only"));
    for not_an_address in ["ftp://stripe.example", "https://stripe.example/v1", "stripe.example"] {
        assert!(base("test", not_an_address).is_err(), "{not_an_address}");
    }
    assert_eq!(resolve(&[]).unwrap().stripe_api_base.value, "https://api.stripe.com");
}
