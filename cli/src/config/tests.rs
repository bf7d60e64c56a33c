//! The configuration as a whole, without a process around it.

use std::fs;
use std::net::SocketAddr;

use ledger::account::ClawbackPolicy;

use super::catalogue::described;
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
    let usual = rules::policy::Policy::default();
    assert_eq!(format!("{:?}", tenant.policy), format!("{usual:?}"));
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
        create_users = true
        clawback = "write_off"
        [[tenants.endpoints]]
        name = "eu"
        mode = "live"
        secrets = ["whsec_9fJ2kPq7ZtXc4VbN1mLs8RwE"]
        [[tenants.stripe_keys]]
        mode = "live"
        key = "rk_live_51HqLyjWDarjtT1zdp7dc"
        [tenants.catalogue]
        price_50 = { credits = 50 }
        price_gpu = { credits = 60, unit = "gpu_seconds", expires = "P1M", priority = 2, valid_from = "2027-01-01T00:00:00.0000001Z" }
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
    assert!(shop.policy.create_users && !other.policy.create_users);
    let policies = [shop.policy.clawback, other.policy.clawback];
    assert_eq!(policies, [ClawbackPolicy::WriteOff, ClawbackPolicy::Debt]);
    let worths = shop.catalogue.iter().map(|entry| described(entry.worth.as_ref()));
    let expected = ["50 credits", "60 gpu_seconds, for P1M, priority 2", "not ours"];
    assert_eq!(worths.collect::<Vec<_>>(), expected);
    let moments: Vec<_> = shop.catalogue.iter().map(|entry| entry.valid_from).collect();
    assert_eq!(moments, [None, "2027-01-01T00:00:00Z".parse().ok(), None]);
    let modes: Vec<_> = shop.stripe_keys.iter().map(|one| one.mode).collect();
    assert_eq!(modes, [Mode::Live]);
    assert!(shop.directory.as_ref().unwrap().url.is_none());
    assert_eq!(settings.modes(Mode::Test), [Mode::Live, Mode::Test], "an endpoint is live");
}

#[test]
fn units_are_listed_with_their_scale_and_prices_are_in_one_of_them() {
    let file = |units: &str, prices: &str| {
        format!("[[tenants]]\nname = \"shop\"\n{units}\n[tenants.catalogue]\n{prices}\n")
    };
    let unit = |of: &str| format!("[[tenants.units]]\n{of}\n");
    let two = unit("name = \"eur\"\nscale = 2") + &unit("name = \"gpu\"\ndefault = true");
    let settings = resolve_file(&file(
        &two,
        "price_1 = { credits = 5 }\nprice_2 = { credits = 6, unit = \"eur\" }\nprice_3 = { not_ours = true }",
    ))
    .unwrap();
    let [shop] = settings.tenants.as_slice() else { panic!("{:?}", settings.tenants) };
    let units: Vec<_> =
        shop.units.iter().map(|unit| (unit.name.as_str(), unit.scale, unit.is_default)).collect();
    assert_eq!(units, [("eur", 2, false), ("gpu", 0, true)]);
    let worths = shop.catalogue.iter().map(|entry| described(entry.worth.as_ref()));
    assert_eq!(worths.collect::<Vec<_>>(), ["5 gpu", "6 eur", "not ours"]);
    // The first one is meant where none is named.
    let first = resolve_file(&file(&unit("name = \"eur\""), "")).unwrap();
    assert!(first.tenants[0].units[0].is_default);
    for (units, prices, told) in [
        (unit("name = \"two words\""), "", "units.two words: a name is one word"),
        (unit("name = \"eur\"\nscale = 19"), "", "units.eur: scale is not"),
        (unit("name = \"eur\"").repeat(2), "", "units.eur: two units have this name"),
        (
            unit("name = \"a\"\ndefault = true") + &unit("name = \"b\"\ndefault = true"),
            "",
            "units.b: two units are the default one",
        ),
        (unit("name = \"eur\"\ndigits = 2"), "", "line 5"),
        (
            two,
            "price_1 = { credits = 5, unit = \"credits\" }",
            "catalogue.price_1: credits is not one of the tenant's units",
        ),
    ] {
        let refused = resolve_file(&file(&units, prices)).err().map(|error| error.to_string());
        let refused = refused.unwrap_or_else(|| panic!("accepted {units}{prices}"));
        assert!(refused.contains(told), "{told} in {refused}");
    }
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
        (
            &format!("{price}{{ credits = 5, unit = \"gpu seconds\" }}"),
            "catalogue.price_1: unit is not",
        ),
        (&format!("{price}{{ credits = 5, not_ours = true }}"), "worth no credits"),
        (
            &format!("{price}{{ credits = 5, expires = \"a month\" }}"),
            "price_1: expires cannot be read",
        ),
        (
            &format!("{price}{{ credits = 5, valid_from = \"1969-01-01T00:00:00Z\" }}"),
            "before 1970",
        ),
        (&format!("{price}{{ credits = 5, valid_from = 2027-01-01T00:00:00Z }}"), "line 4"),
        (&format!("{price}{{ credits = 5, lasts = 5 }}"), "line 4"),
        (
            &format!("{price}{{ credits = 5 }}\n\"a b\" = {{ credits = 5 }}"),
            "catalogue.a b: it is neither",
        ),
        (&format!("{price}{{ }}"), "credits is missing"),
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
fn no_secret_is_told_that_stands_where_something_else_is_expected() {
    const CANARY: &str = "whsec_9fJ2kPq7ZtXc4VbN1mLs8RwE";
    let endpoint = "[[tenants]]\nname = \"shop\"\n[[tenants.endpoints]]\n";
    let key = "[[tenants]]\nname = \"shop\"\n[[tenants.stripe_keys]]\n";
    for (text, told) in [
        (
            format!("{endpoint}mode = \"test\"\nsecrets = \"{CANARY}\""),
            "line 5: what stands there will not do: expected a sequence",
        ),
        (
            format!("{endpoint}mode = \"{CANARY}\""),
            "line 4: what stands there will not do: expected `live` or `test`",
        ),
        (format!("{endpoint}mode = \"test\"\nsecrets = [[\"{CANARY}\"]]"), "expected a string"),
        (format!("alias_root = \"{CANARY}\""), "expected a boolean"),
        (format!("{key}mode = \"test\"\nkey = {{ is = \"{CANARY}\" }}"), "expected a string"),
        (format!("{key}mode = \"test\"\nkey = {CANARY}"), "line 5"),
    ] {
        let refused = resolve_file(&text).err().map(|error| error.to_string());
        let refused = refused.unwrap_or_else(|| panic!("accepted {text}"));
        assert!(refused.contains(told) && !refused.contains(CANARY), "{told} in {refused}");
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

#[test]
fn the_first_of_the_signing_keys_signs_and_weak_ones_are_refused() {
    const OLD: &str = "Vq3xTz8LkWn5RyBd7GmHs2JcFp9AeUu4Ko6iXvN1ZwE";
    const NEW: &str = "8d1f6c0b97a24e35f7c9d2ab60e4135897bd24c6f01ea3958c7d5b46e29f0a13";
    let keys = |list: &str| {
        let settings =
            resolve(&[("TALLY_SIGNING_KEY", list)]).map_err(|error| error.to_string())?;
        let keys = settings.signing_keys.unwrap().value;
        Ok::<Vec<String>, String>(keys.ids().iter().map(|id| (*id).to_owned()).collect())
    };
    assert_eq!(keys(OLD), Ok(vec!["1".to_owned()]));
    assert_eq!(keys(&format!("2:{NEW}, {OLD}")), Ok(vec!["2".to_owned(), "1".to_owned()]));
    for (list, told) in [
        (String::new(), "key number 1 is empty"),
        (format!("{NEW},short"), "key number 2"),
        (format!("1:{NEW},{OLD}"), "has the id of another"),
        (OLD[..31].to_owned(), "shorter than 32 bytes"),
        ("change_me_please_change_me_please".to_owned(), "placeholder"),
    ] {
        let refused = keys(&list).unwrap_err();
        assert!(refused.starts_with("TALLY_SIGNING_KEY: ") && refused.contains(told), "{refused}");
    }
    assert!(resolve(&[]).unwrap().signing_keys.is_none());
}

const ISSUER: [(&str, &str); 2] =
    [("TALLY_JWT_ISSUER", "https://issuer.example"), ("TALLY_JWT_AUDIENCE", "credits")];

const LONG_SECRET: &str = "8d1f6c0b97a24e35f7c9d2ab60e41358";

#[test]
fn an_issuer_is_said_whole_or_not_at_all() {
    let with = |more: &[(&str, &str)]| {
        let pairs: Vec<_> = ISSUER.iter().chain(more).copied().collect();
        let settings = resolve(&pairs).map_err(|error| error.to_string())?;
        Ok::<String, String>(settings.access.issuer.unwrap().to_string())
    };
    let url = ("TALLY_JWT_JWKS_URL", "https://issuer.example/jwks.json");
    let secret = ("TALLY_JWT_SECRET", LONG_SECRET);
    let shown = with(&[url, ("TALLY_JWT_SECRET", "")]).unwrap();
    assert!(shown.ends_with("by the keys at https://issuer.example/jwks.json"), "{shown}");
    assert!(with(&[secret]).unwrap().ends_with("[HS256] by a secret (hidden)"));
    let narrow = with(&[url, ("TALLY_JWT_ALGORITHMS", "ES256, ES384")]).unwrap();
    assert!(narrow.contains("[ES256, ES384]"), "{narrow}");
    let http = ("TALLY_JWT_JWKS_URL", "http://issuer.example/jwks.json");
    assert!(with(&[http]).is_ok(), "test mode has no money");
    for (more, told) in [
        (&[][..], "TALLY_JWT_JWKS_URL: set one of"),
        (&[url, secret], "TALLY_JWT_JWKS_URL: set one of"),
        (&[("TALLY_JWT_SECRET", "short")], "TALLY_JWT_SECRET: the secret is shorter"),
        (&[("TALLY_JWT_JWKS", "{}")], "TALLY_JWT_JWKS: it is no JSON Web Key Set"),
        (&[url, ("TALLY_JWT_ALGORITHMS", "HS256")], "TALLY_JWT_ALGORITHMS: HS256 does not go"),
        (&[url, ("TALLY_JWT_ALGORITHMS", "none")], "TALLY_JWT_ALGORITHMS: none is no"),
        (&[http, ("TALLY_MODE", "live")], "TALLY_JWT_JWKS_URL: keys are read by https only"),
    ] {
        let refused = with(more).unwrap_err();
        assert!(refused.starts_with(told), "{told} in {refused}");
    }
    let alone = resolve(&[url]).err().unwrap().to_string();
    assert!(alone.starts_with("TALLY_JWT_ISSUER: it is missing"), "{alone}");
    assert!(resolve(&[]).unwrap().access.issuer.is_none());
}

#[test]
fn origins_and_limits_are_read_and_shown() {
    let shown = |pairs: &[(&str, &str)], name: &str| {
        let settings = resolve(pairs).map_err(|error| error.to_string())?;
        let line = settings.show().into_iter().find(|line| line.name == name).unwrap();
        Ok::<_, String>(line.value)
    };
    for (name, value, expected) in [
        (
            "TALLY_CORS_ORIGINS",
            "https://a.example,https://b.example",
            "https://a.example, https://b.example",
        ),
        ("TALLY_RATE_LIMIT", "50:200", "50 per second, 200 at once"),
        ("TALLY_RATE_LIMIT", "off", "off"),
        ("TALLY_JWT_RATE_LIMIT", "off", "off"),
        ("TALLY_JWT_RATE_LIMIT", "", "20 per second, 100 at once"),
        ("TALLY_JWT_SECRET_FILE", "", ""),
    ] {
        let name_shown = name.trim_end_matches("_FILE");
        let value = shown(&[(name, value)], name_shown).unwrap().unwrap_or_default();
        assert_eq!(value, expected, "{name}");
    }
    assert_eq!(shown(&[], "TALLY_RATE_LIMIT").unwrap().unwrap(), "off");
    assert_eq!(shown(&[], "TALLY_CORS_ORIGINS").unwrap(), None);
    let secret = [&ISSUER[..], &[("TALLY_JWT_SECRET", LONG_SECRET)]].concat();
    assert_eq!(shown(&secret, "TALLY_JWT_SECRET").unwrap().unwrap(), "(hidden)");
    for (name, value) in [
        ("TALLY_CORS_ORIGINS", "*"),
        ("TALLY_CORS_ORIGINS", "https://a.example/"),
        ("TALLY_RATE_LIMIT", "fast"),
        ("TALLY_JWT_RATE_LIMIT", "0"),
    ] {
        let refused = shown(&[(name, value)], name).unwrap_err();
        assert!(refused.starts_with(&format!("{name}: ")), "{refused}");
    }
}

#[test]
fn a_file_names_issuers_by_mode() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, format!("{LONG_SECRET}\n")).unwrap();
    let tenant = "[[tenants]]\nname = \"shop\"\n[[tenants.jwt]]\naudience = \"credits\"\n";
    let test = format!("mode = \"test\"\nissuer = \"i\"\nsecret_file = \"{}\"", secret.display());
    let settings = resolve_file(&format!("{tenant}{test}")).unwrap();
    let [issuer] = settings.tenants[0].issuers.as_slice() else { panic!("{:?}", settings.tenants) };
    assert_eq!((issuer.mode, issuer.issuer.names()), (Mode::Test, ("i", "credits")));
    let shown = settings.show().into_iter().find(|line| line.name == "tenants.shop.jwt.test");
    assert_eq!(shown.unwrap().value.unwrap(), "i for credits, [HS256] by a secret (hidden)");
    for (text, told) in [
        ("mode = \"live\"\nissuer = \"i\"", "jwt.live.jwks_url: set one of"),
        (
            "mode = \"live\"\nissuer = \"\"\njwks_url = \"https://i/k\"",
            "jwt.live.issuer: it is missing",
        ),
        (
            "mode = \"live\"\nissuer = \"i\"\njwks_url = \"http://i/k\"",
            "jwt.live.jwks_url: keys are read",
        ),
        ("mode = \"live\"\nissuer = \"i\"\nsecret = \"x\"", "line 7"),
        ("issuer = \"i\"", "line 3"),
    ] {
        let refused = resolve_file(&format!("{tenant}{text}")).err().unwrap().to_string();
        assert!(refused.contains(told), "{told} in {refused}");
    }
}
