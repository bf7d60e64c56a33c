//! The configuration: what is wrong stops the program with the name of the place, and no secret is ever printed.

use std::fs;

use crate::program::{SECRET, run, tally};

#[test]
fn what_is_wrong_is_named_and_not_shown() {
    for (name, value, told) in [
        ("TALLY_LISTN", "127.0.0.1:1", "TALLY_LISTN"),
        ("STRIPE_WEBHOOK_SECRET", "", "the signing secret is empty"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_abcdefghij", "shorter than 24 bytes"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_changeme_changeme_changeme", "placeholder"),
        ("TALLY_SIGNING_KEY", "abcdefghijklmnopqrstuvwxyz", "shorter than 32 bytes"),
        ("STRIPE_SECRET_KEY", "sk_live_4eC39HqLyjWDarjtT1zdp7dc", "key of live mode"),
        ("STRIPE_SECRET_KEY", "pk_test_TYooMQauvdEDq54NiTphI7jx", "begin with sk_"),
        ("STRIPE_API_BASE", "api.stripe.com", "no address like https://api.stripe.com"),
        ("TALLY_MODE", "production", "live or test"),
        ("TALLY_LISTEN", "8080", "127.0.0.1:8080"),
        ("PORT", "http", "PORT: "),
        ("DATABASE_URL", "mysql://hunter2@localhost/x", "postgres://"),
        ("TALLY_CONFIG", "/no/such/file", "/no/such/file"),
        ("LOG_FORMAT", "xml", "json or pretty"),
    ] {
        let mut command = tally(&["config", "show"]);
        let refused = run(command.env("TALLY_MODE", "test").env(name, value));
        assert_eq!(refused.code, Some(2), "{name}: {}", refused.stderr);
        assert!(refused.stderr.contains(name), "{name}: {}", refused.stderr);
        assert!(refused.stderr.contains(told), "{name}: {}", refused.stderr);
        let is_secret = name.contains("SECRET") || name.contains("KEY") || name.contains("URL");
        assert!(
            !is_secret || value.is_empty() || !refused.stderr.contains(value),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn show_hides_secrets_and_says_where_they_come_from() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tally.toml");
    let toml = format!(
        "[[tenants]]\nname = \"shop\"\n[[tenants.endpoints]]\nname = \"eu\"\nmode = \"test\"\nsecrets = [\"{SECRET}\"]\n\
         [tenants.catalogue]\nprice_50 = {{ credits = 50 }}\n"
    );
    fs::write(&file, toml).unwrap();
    let key = folder.path().join("key");
    let (new, old) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
    fs::write(&key, format!("new:{new},old:{old}\n")).unwrap();
    for arguments in [&["config", "show"][..], &["config", "show", "--json"]] {
        let mut command = tally(arguments);
        command.env("TALLY_CONFIG", &file).env("TALLY_SIGNING_KEY_FILE", &key);
        command.env("DATABASE_URL", "postgres://shop:hunter2@db.example.com/shop");
        command.env("TALLY_KEY_APP", "tally_test_key_that_nobody_may_see");
        command.env("STRIPE_API_KEY", "rk_test_51HcanaryThatNobodyMaySee");
        let shown = run(&mut command);
        assert_eq!(shown.code, Some(0), "{}", shown.stderr);
        for secret in [SECRET, "hunter2", new, old, "tally_test_key", "canary"] {
            assert!(!shown.stdout.contains(secret), "{}", shown.stdout);
        }
        for told in [
            "postgres://shop@db.example.com/shop",
            "TALLY_SIGNING_KEY_FILE",
            "(hidden, new, old)",
            "tenants.shop.create_users",
            "STRIPE_API_KEY",
            "https://api.stripe.com",
            "tenants.shop.endpoints.eu",
            "50 credits",
            "tally.toml",
        ] {
            assert!(shown.stdout.contains(told), "{told} in {}", shown.stdout);
        }
    }
}

#[test]
fn toml_that_is_wrong_is_named_by_its_line_without_quoting_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tally.toml");
    fs::write(&file, format!("[[tenants]]\nname = \"shop\"\nsecert = \"{SECRET}\"\n")).unwrap();
    let refused = run(tally(&["config", "show"]).env("TALLY_CONFIG", &file));
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("tally.toml line 3"), "{}", refused.stderr);
    assert!(refused.stderr.contains("secert"), "{}", refused.stderr);
    assert!(!refused.stderr.contains(SECRET), "{}", refused.stderr);
}
