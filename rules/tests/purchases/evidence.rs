//! Whose it is: each rank alone, every pair, and what contradicts.

use ledger::decision::Reason::{
    self, Conflict, Credited, Joined, NoEvidence, UnknownUser, UnsignedOnly,
};
use rules::policy::Policy;
use rules::reference::METADATA_KEY;
use serde_json::{Value, json};

use super::bodies::{
    ADA, BOB, PRICE, SAID_AT, charge, customer, event, intent, invoice, names, registered,
    registered_as, session, session_of, typed,
};
use super::engine::Engine;
use super::references::{keys, signed};

/// Where a user can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Signed,
    Link,
    SubscriptionLink,
    CustomerMetadata,
    SubscriptionMetadata,
    Metadata,
    Alias,
    ClientReference,
}

impl Place {
    const ALL: [Self; 8] = [
        Self::Signed,
        Self::Link,
        Self::SubscriptionLink,
        Self::CustomerMetadata,
        Self::SubscriptionMetadata,
        Self::Metadata,
        Self::Alias,
        Self::ClientReference,
    ];

    fn rank(self) -> i16 {
        match self {
            Self::Signed => 1,
            Self::Link | Self::SubscriptionLink => 2,
            Self::CustomerMetadata | Self::SubscriptionMetadata | Self::Metadata | Self::Alias => 3,
            Self::ClientReference => 4,
        }
    }

    /// Names the user here: in what is known before, or in the fields of the session.
    fn name(self, user: &str, engine: &mut Engine, fields: &mut Value) {
        match self {
            Self::Signed => fields["metadata"][METADATA_KEY] = signed(user).into(),
            Self::Link => {
                let linked = json!({
                    "id": "cs_0", "payment_intent": "pi_0", "customer": "cus_1", "metadata": names(user),
                });
                engine.tell(&session(linked));
                fields["customer"] = "cus_1".into();
            }
            Self::CustomerMetadata => {
                engine.tell(&customer(
                    SAID_AT,
                    json!({"id": "cus_2", "metadata": {"user_id": user}}),
                ));
                // A session names one customer. This is that of its payment intent.
                engine.tell(&intent(json!({"customer": "cus_2", "status": "processing"})));
            }
            Self::SubscriptionLink => {
                let began = json!({
                    "id": "in_0", "subscription": "sub_1",
                    "parent": {"subscription_details": {"subscription": "sub_1", "metadata": {"user_id": user}}},
                });
                engine.tell(&invoice(began));
                fields["subscription"] = "sub_1".into();
            }
            Self::SubscriptionMetadata => {
                let subscription =
                    json!({"id": "sub_2", "object": "subscription", "metadata": {"user_id": user}});
                engine.tell(&event("customer.subscription.created", &subscription));
                // A session names one subscription. This is that of an invoice of its payment intent.
                let void = json!({
                    "status": "void", "payment_intent": "pi_1",
                    "parent": {"subscription_details": {"subscription": "sub_2", "metadata": {}}},
                });
                engine.tell(&typed("invoice.voided", invoice(void)));
            }
            Self::Metadata => fields["metadata"]["user_id"] = user.into(),
            Self::Alias => fields["metadata"]["session_user_id"] = user.into(),
            Self::ClientReference => fields["client_reference_id"] = user.into(),
        }
    }
}

fn engine(accept_unsigned_reference: bool) -> Engine {
    let mut engine = Engine::with_users();
    let signing_keys = Some(keys());
    engine.world.policy = Policy { accept_unsigned_reference, signing_keys, ..Policy::default() };
    engine
}

/// Who is named where, and with which e-mail in the session: then this is decided.
#[track_caller]
fn check(
    accept: bool,
    named: &[(Place, &str)],
    email: Option<&str>,
    expected: (Reason, Option<i16>),
) {
    let mut engine = engine(accept);
    let mut fields = json!({"metadata": {"price": PRICE}});
    if let Some(email) = email {
        fields["customer_details"] = json!({"email": email});
    }
    for (place, user) in named {
        place.name(user, &mut engine, &mut fields);
    }
    let pos = engine.tell(&session(fields));
    let decision = engine.latest(pos);
    assert_eq!((decision.reason, decision.rank), expected, "{named:?} {email:?}");
    let is_open = decision.reason != Credited;
    assert_eq!(engine.unclaimed(), if is_open { 100 } else { 0 }, "{named:?} {email:?}");
}

#[test]
fn each_place_alone() {
    for place in Place::ALL {
        let credited = (Credited, Some(place.rank()));
        let unsigned = place == Place::ClientReference;
        let alone = if unsigned { (UnsignedOnly, None) } else { credited };
        check(false, &[(place, ADA)], None, alone);
        check(true, &[(place, ADA)], None, credited);
    }
    check(true, &[], None, (NoEvidence, None));
    check(true, &[], Some("ada@example.com"), (NoEvidence, None));
}

#[test]
fn every_pair_of_places() {
    for (index, one) in Place::ALL.into_iter().enumerate() {
        for other in Place::ALL.into_iter().skip(index + 1) {
            let best = one.rank().min(other.rank());
            check(false, &[(one, ADA), (other, ADA)], None, (Credited, Some(best)));
            check(false, &[(one, ADA), (other, BOB)], None, (Conflict, None));
            check(false, &[(one, BOB), (other, ADA)], None, (Conflict, None));
        }
    }
    let three = [(Place::Metadata, ADA), (Place::Alias, ADA), (Place::ClientReference, BOB)];
    check(false, &three, None, (Conflict, None));
}

#[test]
fn a_verified_email_of_another_contradicts_every_place() {
    for place in Place::ALL {
        let alone = (Credited, Some(place.rank()));
        check(true, &[(place, ADA)], Some(" Bob@Example.com"), (Conflict, None));
        check(true, &[(place, ADA)], Some("ada@example.com"), alone);
        check(true, &[(place, ADA)], Some("nobody@example.com"), alone);
    }
}

#[test]
fn a_second_email_of_a_payment_contradicts_like_the_first() {
    for (email, expected) in [("ada@example.com", (100, 0)), ("bob@example.com", (0, 100))] {
        let mut engine = Engine::with_users();
        let metadata = json!({"user_id": ADA, "price": PRICE});
        let details = json!({"email": "ada@example.com"});
        engine.tell(&session(json!({"metadata": metadata, "customer_details": details})));
        engine.tell(&charge(json!({"receipt_email": email})));
        assert_eq!((engine.balance(ADA), engine.unclaimed()), expected, "{email}");
    }
}

#[test]
fn an_unverified_email_blocks_nobody() {
    let mut engine = Engine::with_users();
    engine
        .tell(&registered("u_eve", json!({"email": "ada@work.example", "email_verified": false})));
    let metadata = json!({"user_id": ADA, "price": PRICE, "user_email": "ada@work.example"});
    let pos = engine.tell(&session_of(metadata));
    assert_eq!(engine.latest(pos).reason, Credited);
    assert_eq!(engine.balance(ADA), 100);
}

#[test]
fn words_for_nothing_are_no_evidence() {
    for word in ["undefined", "null", "", "  ", "00000000-0000-0000-0000-000000000000"] {
        let mut engine = engine(true);
        let fields = json!({
            "client_reference_id": word, "metadata": {"user_id": word, "user_id_backup": ADA, "price": PRICE},
        });
        let pos = engine.tell(&session(fields));
        assert_eq!((engine.latest(pos).reason, engine.balance(ADA)), (Credited, 100), "{word:?}");

        let mut engine = Engine::with_users();
        let fields = json!({"client_reference_id": word, "metadata": {"user_id": word}});
        let pos = engine.tell(&session(fields));
        assert_eq!(engine.latest(pos).reason, NoEvidence, "{word:?}");
    }
}

#[test]
fn users_that_nobody_knows() {
    check(false, &[(Place::Metadata, "u_new")], None, (UnknownUser, None));
    check(false, &[(Place::ClientReference, "u_new")], None, (UnknownUser, None));
    check(false, &[(Place::Metadata, "u_new"), (Place::Alias, ADA)], None, (Conflict, None));
    check(false, &[(Place::Metadata, "u_new")], Some("bob@example.com"), (Conflict, None));

    let mut engine = Engine::with_users();
    engine.tell(&session(json!({"customer": "cus_1", "metadata": names("u_new")})));
    let (_, case) = engine.open_case();
    assert_eq!(Vec::from_iter(case.waits_for), ["customer:cus_1", "user:u_new"]);
    assert_eq!(engine.payment().claimant.as_deref(), Some("u_new"));
    assert_eq!(
        case.detail.candidates[0].why,
        "named by checkout.session.metadata.user_id, but is not in the directory"
    );
}

#[test]
fn candidates_are_told_with_why_and_never_chosen() {
    const UUID: &str = "7d6f1c6e-2d0a-4f6b-9f36-1d2f7f0a9b11";
    let mut engine = Engine::with_users();
    engine.tell(&registered(UUID, json!({"name": "Cleo"})));
    let fields = json!({
        "success_url": UUID, "customer_details": {"email": "bob@example.com", "name": " cleo "},
        "metadata": {"price": PRICE},
    });
    let pos = engine.tell(&session(fields));
    assert_eq!(engine.latest(pos).reason, NoEvidence);
    let (_, case) = engine.open_case();
    let candidates: Vec<_> =
        case.detail.candidates.iter().map(|one| (one.user.as_str(), one.why.as_str())).collect();
    let expected = [
        (BOB, "the e-mail in checkout.session.customer_details.email is their verified e-mail"),
        (
            UUID,
            "their id stands in checkout.session.success_url; the name in checkout.session.customer_details.name is theirs",
        ),
    ];
    assert_eq!(candidates, expected);
    let money = (case.detail.paid, case.detail.currency.as_deref());
    assert_eq!((case.detail.credits, money), (Some(100), (Some(1190), Some("eur"))));
    assert_eq!(engine.payment().claimant, None);
    let shown = format!("{case:?}");
    assert!(!shown.contains("example.com") && !shown.to_lowercase().contains("\"cleo"), "{shown}");
}

#[test]
fn all_evidence_is_recorded_in_the_order_of_its_rank() {
    let mut engine = Engine::with_users();
    let fields = json!({
        "client_reference_id": ADA, "customer_email": "x@example.com", "metadata": names(ADA), "customer": "cus_1",
    });
    let pos = engine.tell(&session(fields));
    let decision = engine.latest(pos);
    let recorded: Vec<_> =
        decision.evidence.iter().map(|piece| (piece.kind.rank(), piece.at.as_str())).collect();
    let expected = [
        (3, "checkout.session.metadata.user_id"),
        (4, "checkout.session.client_reference_id"),
        (5, "checkout.session.customer_email"),
    ];
    assert_eq!(recorded, expected);
    assert_eq!(decision.evidence[2].value, Engine::key().hash_text("x@example.com").unwrap());
}

#[test]
fn what_payments_share_never_moves_an_applied_payment() {
    let mut engine = Engine::with_users();
    let email = json!({"email": "late@example.com"});
    let fields = json!({"customer": "cus_1", "metadata": names(ADA), "customer_details": email});
    engine.tell(&session(fields));
    // Stripe's customer names another user now, and another user proves to own the e-mail that the session had.
    engine.tell(&customer(SAID_AT + 1, json!({"metadata": {"user_id": BOB}})));
    engine.tell(&registered_as("u_late", "late@example.com"));
    let late = charge(
        json!({"customer": "cus_1", "billing_details": email, "receipt_email": "x@example.com"}),
    );
    let pos = engine.tell(&late);
    assert_eq!((engine.latest(pos).reason, engine.balance(ADA)), (Joined, 100));
    assert_eq!(engine.open_cases(), []);
}

#[test]
fn what_its_own_objects_tell_later_is_weighed_against_an_applied_payment() {
    let against = [
        ("metadata", json!({"metadata": {"user_id": BOB}})),
        ("unknown", json!({"metadata": {"user_id": "u_new"}})),
        ("e-mail", json!({"billing_details": {"email": "bob@example.com"}})),
        ("linked customer", json!({"customer": "cus_of_bob"})),
    ];
    for (what, fields) in against {
        let mut engine = Engine::with_users();
        engine.tell(&session(json!({
            "id": "cs_0", "payment_intent": "pi_0", "customer": "cus_of_bob", "metadata": names(BOB),
        })));
        engine.tell(&session_of(names(ADA)));
        assert_eq!(engine.balance(ADA), 100);
        let pos = engine.tell(&charge(fields));
        assert_eq!(engine.latest(pos).reason, Conflict, "{what}");
        let stands = (engine.balance(ADA), engine.balance(BOB), engine.unclaimed());
        assert_eq!(stands, (0, 100, 100), "{what}");
        let (_, case) = engine.open_case();
        assert!(case.detail.candidates.iter().any(|one| one.user == ADA), "{what}: {case:?}");
    }
}

#[test]
fn a_customer_that_is_told_of_later_is_linked() {
    let mut engine = Engine::with_users();
    engine.tell(&session_of(names(ADA)));
    let pos = engine.tell(&charge(json!({"customer": "cus_1"})));
    assert_eq!(engine.latest(pos).reason, Joined);
    assert_eq!(engine.world.links["cus_1"], ADA);
}

#[test]
fn evidence_against_what_was_credited_opens_a_conflict_that_names_both_payments() {
    let second = |fields: Value| {
        let usual = json!({"id": "cs_2", "payment_intent": "pi_2", "customer": "cus_1"});
        session(super::bodies::with(usual, fields))
    };
    let first = json!({"customer": "cus_1", "metadata": names(ADA)});
    for against in [
        json!({"metadata": names(BOB)}),
        json!({"client_reference_id": BOB, "metadata": {"price": PRICE}}),
        json!({"metadata": {METADATA_KEY: signed(BOB)}}),
        json!({"customer_email": "bob@example.com", "metadata": {"price": PRICE}}),
    ] {
        let mut engine = engine(true);
        engine.tell(&session(first.clone()));
        let pos = engine.tell(&second(against.clone()));
        assert_eq!(engine.latest(pos).reason, Conflict, "{against}");
        let stands = (engine.balance(ADA), engine.balance(BOB), engine.unclaimed());
        assert_eq!(stands, (100, 0, 100), "what was credited stays: {against}");
        let (_, case) = engine.open_case();
        assert_eq!(case.root_key.as_deref(), Some("pi_2"));
        let ada = case.detail.candidates.iter().find(|one| one.user == ADA).unwrap();
        assert_eq!(ada.why, "named by cus_1 (payment pi_1)", "{against}");
    }
}

#[test]
fn a_changed_email_of_a_customer_never_gives_anything_to_another() {
    let mut engine = Engine::with_users();
    let email = |text: &str| customer(SAID_AT + 1, json!({"email": text}));
    engine.tell(&session(json!({"customer": "cus_1", "metadata": names(ADA)})));
    // The customer takes the verified e-mail of another user.
    engine.tell(&email("bob@example.com"));
    let later = engine.tell(&charge(json!({"customer": "cus_1"})));
    assert_eq!((engine.latest(later).reason, engine.open_cases().len()), (Joined, 0));
    assert_eq!((engine.balance(ADA), engine.balance(BOB)), (100, 0));
    assert_eq!(engine.world.links["cus_1"], ADA);
    // His next purchase is nobody's until a person looks at it.
    let next = json!({"id": "cs_2", "payment_intent": "pi_2", "customer": "cus_1", "metadata": {"price": PRICE}});
    let next = engine.tell(&session(next));
    assert_eq!(engine.latest(next).reason, Conflict);
    assert_eq!((engine.balance(ADA), engine.balance(BOB)), (100, 0));

    // An e-mail alone, whoever's it is, names nobody.
    let mut engine = Engine::with_users();
    engine.tell(&email("ada@example.com"));
    let pos = engine.tell(&session(json!({"customer": "cus_1", "metadata": {"price": PRICE}})));
    engine.tell(&email("bob@example.com"));
    assert_eq!((engine.latest(pos).reason, engine.unclaimed()), (NoEvidence, 100));
}
