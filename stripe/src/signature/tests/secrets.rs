//! Which texts are fit to be a signing secret.

use super::super::{Secret, WeakSecret};

#[test]
fn weak_secrets_are_refused_with_their_reason() {
    let cases = [
        ("", WeakSecret::Empty),
        (" ", WeakSecret::Blank),
        (" \t\n", WeakSecret::Blank),
        ("\u{a0}\u{a0}", WeakSecret::Blank),
        ("\"whsec_5f0c2a9be41d4c7c8a36e1f7\"", WeakSecret::Quoted),
        ("'whsec_5f0c2a9be41d4c7c8a36e1f7'", WeakSecret::Quoted),
        ("whsec_5f0c2a9be41d4c7c8a36e1f7\"", WeakSecret::Quoted),
        ("\"\"", WeakSecret::Quoted),
        ("whsec_5f0c2a9be41d4c7c8a36e1f7 ", WeakSecret::WhiteSpace),
        ("whsec_5f0c2a9be41d4c7c8a36e1f7\n", WeakSecret::WhiteSpace),
        (" whsec_5f0c2a9be41d4c7c8a36e1f7", WeakSecret::WhiteSpace),
        ("whsec_5f0c2a9be41d 4c7c8a36e1f7", WeakSecret::WhiteSpace),
        ("whsec_5f0c2a9be41d\u{0}4c7c8a36e1f7", WeakSecret::WhiteSpace),
        ("whsec_", WeakSecret::Placeholder),
        ("whsec_xxx", WeakSecret::Placeholder),
        ("whsec_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", WeakSecret::Placeholder),
        ("whsec_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", WeakSecret::Placeholder),
        ("whsec_...", WeakSecret::Placeholder),
        ("whsec_5f0c2a9be41d4c7c8a36e1…", WeakSecret::Placeholder),
        ("whsec_00000000000000000000000000000000", WeakSecret::Placeholder),
        ("whsec_12341234123412341234123412341234", WeakSecret::Placeholder),
        ("changeme", WeakSecret::Placeholder),
        ("ChangeMeChangeMeChangeMeChangeMe", WeakSecret::Placeholder),
        ("whsec_your_webhook_signing_secret_here", WeakSecret::Placeholder),
        ("<your webhook secret>", WeakSecret::WhiteSpace),
        ("<your-stripe-webhook-signing-secret>", WeakSecret::Placeholder),
        ("${STRIPE_WEBHOOK_SIGNING_KEY}", WeakSecret::Placeholder),
        ("whsec_example0123456789abcdef", WeakSecret::Placeholder),
        ("whsec_test_secret", WeakSecret::TooShort),
        ("whsec_5f0c2a9be41d4c7c8", WeakSecret::TooShort),
    ];
    for (text, expected) in cases {
        assert_eq!(Secret::parse(text).err(), Some(expected), "{text:?}");
    }
}

#[test]
fn real_secrets_are_taken() {
    let taken = [
        // 24 bytes, the fewest.
        "whsec_5f0c2a9be41d4c7c8a",
        // Stripe's dashboard: 32 letters and digits.
        "whsec_aB3dE5fG7hJ9kL1mN3pQ5rS7tV9wX1yZ",
        // The Stripe CLI: 64 hexadecimal digits.
        "whsec_9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        // Without the prefix; the key is the whole text, whatever it is.
        "9f86d081884c7d659a2feaa0",
        // A run of x, as chance may have it.
        "whsec_aB3dE5fG7hJ9xxxxxL1mN3pQ5rS7tV9w",
    ];
    for text in taken {
        assert_eq!(Secret::parse(text).err(), None, "{text:?}");
    }
}

#[test]
fn a_secret_shows_itself_nowhere() {
    let text = "whsec_5f0c2a9be41d4c7c8a36e1f7";
    assert_eq!(format!("{:?}", Secret::parse(text).unwrap()), "Secret(…)");

    let weak = "whsec_hunter2";
    let refusal = Secret::parse(weak).unwrap_err();
    for shown in [refusal.to_string(), format!("{refusal:?}")] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
