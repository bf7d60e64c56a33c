//! Signed references: what they prove where they stand, and that what does not verify proves nothing.

use ledger::decision::Reason::{
    self, Conflict, Credited, CreditsMismatch, NoEvidence, UnknownPrice, UnknownUser,
};
use rules::evidence::Kind;
use rules::policy::Policy;
use rules::reference::{METADATA_KEY, NONCE_BYTES, SigningKeys, TenantKeys, Terms};
use serde_json::{Value, json};

use super::bodies::{
    ADA, BOB, PRICE, SAID_AT, charge, customer, intent, invoice, names, session, session_of, typed,
};
use super::engine::Engine;

const KEY: &str = "k1:8d1f6c0b97a24e35f7c9d2ab60e4135897bd24c6f01ea3958c7d5b46e29f0a13";

/// Keys of the tenant that the engine is.
pub(crate) fn keys() -> TenantKeys {
    keys_of(KEY, "acme")
}

fn keys_of(list: &str, tenant: &str) -> TenantKeys {
    TenantKeys::new(SigningKeys::parse(list).unwrap(), tenant, true)
}

fn terms(user: &str) -> Terms {
    Terms {
        tenant: String::new(),
        user: user.into(),
        price: PRICE.into(),
        quantity: 1,
        credits: None,
        unit: None,
        expires_at: SAID_AT,
        nonce: [7; NONCE_BYTES],
    }
}

fn sign(keys: &TenantKeys, terms: Terms) -> String {
    keys.sign(terms).unwrap().metadata.remove(METADATA_KEY).unwrap()
}

/// A reference to this user and the usual price, in force.
pub(crate) fn signed(user: &str) -> String {
    sign(&keys(), terms(user))
}

/// Users and prices are known, and these keys are in force, or none.
fn engine_with(signing_keys: Option<TenantKeys>) -> Engine {
    let mut engine = Engine::with_users();
    engine.world.policy = Policy { signing_keys, ..Policy::default() };
    engine
}

fn engine() -> Engine {
    engine_with(Some(keys()))
}

/// A session with this reference and nothing else.
fn stripped(reference: &str) -> Value {
    session(json!({"client_reference_id": reference}))
}

/// The one decision on an event, its reason and the rank that settled it.
#[track_caller]
fn told(engine: &mut Engine, body: &Value) -> (Reason, Option<i16>) {
    let pos = engine.tell(body);
    let decision = engine.latest(pos);
    (decision.reason, decision.rank)
}

#[test]
fn a_reference_says_whose_it_is_and_what_was_bought_wherever_it_stands() {
    let reference = signed(ADA);
    let metadata = json!({"metadata": {METADATA_KEY: reference}});
    for body in [
        stripped(&reference),
        stripped(&format!(" {reference}\n")),
        session(metadata.clone()),
        session_of(json!({"user_id": reference})),
        intent(metadata.clone()),
        charge(metadata),
    ] {
        let mut engine = engine();
        assert_eq!(told(&mut engine, &body), (Credited, Some(1)), "{body}");
        assert_eq!((engine.balance(ADA), engine.unclaimed()), (100, 0), "{body}");
    }
}

#[test]
fn quantity_and_credits_are_those_that_were_signed() {
    for (quantity, credits, price, worth) in
        [(3, None, PRICE, 300), (3, Some(300), PRICE, 300), (2, Some(70), "price_new", 70)]
    {
        let mut engine = engine();
        let terms = Terms { quantity, credits, price: price.into(), ..terms(ADA) };
        assert_eq!(told(&mut engine, &stripped(&sign(&keys(), terms))), (Credited, Some(1)));
        assert_eq!(engine.balance(ADA), worth);
    }
    let mut engine = engine();
    let wrong = Terms { credits: Some(500), ..terms(ADA) };
    assert_eq!(told(&mut engine, &stripped(&sign(&keys(), wrong))).0, CreditsMismatch);
    let body =
        session(json!({"client_reference_id": signed(ADA), "metadata": {"price": "price_x"}}));
    assert_eq!(told(&mut engine_with(Some(keys())), &body).0, CreditsMismatch);
}

#[test]
fn expiry_is_judged_by_the_creation_of_the_session() {
    for (created, expected) in [
        (json!(SAID_AT), (Credited, Some(1))),
        (json!(SAID_AT - 1_000_000), (Credited, Some(1))),
        (json!(SAID_AT + 1), (NoEvidence, None)),
        // Without one, it is when Stripe told of it.
        (Value::Null, (Credited, Some(1))),
    ] {
        let fields = json!({"client_reference_id": signed(ADA), "created": created});
        let mut engine = engine();
        assert_eq!(told(&mut engine, &session(fields)), expected, "{created}");
    }
    // What is paid for or told of late was begun in time.
    let fields = json!({"client_reference_id": signed(ADA), "created": SAID_AT});
    let mut late = typed("checkout.session.async_payment_succeeded", session(fields));
    late["created"] = (SAID_AT + 1_000_000).into();
    assert_eq!(told(&mut engine(), &late), (Credited, Some(1)));
}

#[test]
fn what_a_session_hands_on_ends_the_same_in_either_order() {
    let metadata = json!({METADATA_KEY: signed(ADA)});
    let at = |created: i64| json!({"metadata": metadata, "created": created});
    let begun = session(at(SAID_AT - 60));
    let paid_late = intent(at(SAID_AT + 60));
    for order in super::books::orders(&[begun, paid_late.clone()]) {
        let mut engine = engine();
        for body in &order {
            engine.tell(body);
        }
        assert_eq!((engine.balance(ADA), engine.open_cases().len()), (100, 0));
    }
    // A session that began too late makes nothing that is in force.
    let begun_late = session(at(SAID_AT + 1));
    for order in super::books::orders(&[begun_late, paid_late]) {
        let mut engine = engine();
        for body in &order {
            engine.tell(body);
        }
        assert_eq!((engine.balance(ADA), engine.open_reasons()), (0, vec![NoEvidence]));
    }
}

/// References that prove nothing, each with the reason that is recorded.
fn unproven() -> Vec<(String, &'static str)> {
    let reference = signed(ADA);
    let (last, rest) = (reference.chars().last().unwrap(), &reference[..reference.len() - 2]);
    let other_key = "k1:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde1";
    let unknown_key = KEY.replace("k1:", "k9:");
    vec![
        (format!("{rest}A{last}"), "bad_mac"),
        (sign(&keys_of(other_key, "acme"), terms(ADA)), "bad_mac"),
        (sign(&keys_of(&unknown_key, "acme"), terms(ADA)), "unknown_key"),
        (sign(&keys_of(KEY, "shop"), terms(ADA)), "other_tenant"),
        (
            sign(&TenantKeys::new(SigningKeys::parse(KEY).unwrap(), "acme", false), terms(ADA)),
            "other_tenant",
        ),
        (sign(&keys(), Terms { expires_at: SAID_AT - 1, ..terms(ADA) }), "expired"),
        (reference.replace("k1_", "k1_B"), "bad_mac"),
        (format!("{reference}="), "malformed"),
        (reference[..40].to_owned(), "malformed"),
        ("tly1_".to_owned(), "malformed"),
    ]
}

#[test]
fn what_does_not_verify_is_no_evidence_and_recorded_with_its_reason() {
    for (reference, why) in unproven() {
        for fields in [
            json!({"client_reference_id": reference}),
            json!({"metadata": {METADATA_KEY: reference}}),
            json!({"metadata": {"user_id": reference}}),
        ] {
            let mut engine = engine();
            // Not even where unsigned references suffice: it is none.
            engine.world.policy.accept_unsigned_reference = true;
            engine.world.policy.create_users = true;
            let pos = engine.tell(&session(fields.clone()));
            let decision = engine.latest(pos);
            assert_eq!((decision.reason, decision.rank), (NoEvidence, None), "{fields}");
            let recorded: Vec<_> =
                decision.evidence.iter().map(|piece| (piece.kind, piece.value.as_str())).collect();
            assert_eq!(recorded, [(Kind::BadReference, why)], "{fields}");
            let (_, case) = engine.open_case();
            assert_eq!(case.detail.candidates, [], "{fields}");
            let error = case.detail.error.unwrap();
            assert!(error.contains(&decision.evidence[0].at), "{error}");
            assert_eq!(engine.balance(ADA), 0);
        }
    }
}

#[test]
fn what_does_not_verify_says_nothing_of_what_was_bought() {
    for (reference, _) in unproven() {
        let fields = json!({"client_reference_id": reference, "metadata": {"user_id": ADA}});
        let mut engine = engine();
        assert_eq!(told(&mut engine, &session(fields)).0, UnknownPrice, "{reference}");
        // Whose it is, is known: the reference is no reason why it is open.
        assert_eq!(engine.open_case().1.detail.error, None, "{reference}");
    }
}

#[test]
fn other_evidence_suffices_beside_a_reference_that_proves_nothing() {
    for (reference, why) in unproven() {
        let mut engine = engine();
        let fields = json!({"client_reference_id": reference, "metadata": names(BOB)});
        let pos = engine.tell(&session(fields));
        let decision = engine.latest(pos);
        assert_eq!((decision.reason, decision.rank), (Credited, Some(3)), "{reference}");
        assert_eq!(decision.evidence.last().unwrap().value, why);
        assert_eq!(engine.balance(BOB), 100);
    }
}

#[test]
fn without_keys_no_reference_proves_anything() {
    let mut engine = engine_with(None);
    engine.world.policy.accept_unsigned_reference = true;
    let pos = engine.tell(&stripped(&signed(ADA)));
    assert_eq!(engine.latest(pos).evidence[0].value, "unknown_key");
    assert_eq!(engine.open_reasons(), [NoEvidence]);
}

#[test]
fn a_bare_payment_with_a_reference_is_ours_even_if_it_proves_nothing() {
    let (tampered, _) = unproven().remove(0);
    let mut engine = engine();
    let body = intent(json!({"metadata": {METADATA_KEY: tampered}}));
    assert_eq!(told(&mut engine, &body).0, NoEvidence);
    engine.wait(3_600);
    assert_eq!(engine.open_reasons(), [NoEvidence]);
}

#[test]
fn a_payment_link_is_not_believed_what_it_sells() {
    let fields = json!({"client_reference_id": signed(ADA), "payment_link": "plink_1"});
    let mut engine = engine();
    // Whose it is, nobody could change; but the reference may come from the page of another price.
    assert_eq!(told(&mut engine, &session(fields)).0, UnknownPrice);
    let (_, case) = engine.open_case();
    let wanted = "pull:/v1/checkout/sessions/cs_1?expand[]=line_items";
    assert!(case.waits_for.contains(wanted), "{case:?}");
    assert_eq!(engine.payment().claimant.as_deref(), Some(ADA));
    // The link's own metadata are its maker's.
    let fields = json!({"payment_link": "plink_1", "metadata": {METADATA_KEY: signed(ADA)}});
    assert_eq!(told(&mut engine_with(Some(keys())), &session(fields)), (Credited, Some(1)));
}

#[test]
fn a_signature_does_not_outrank_a_contradiction() {
    let mut engine = engine();
    let fields = json!({"client_reference_id": signed(ADA), "metadata": names(BOB)});
    assert_eq!(told(&mut engine, &session(fields)).0, Conflict);
    let email = json!({"client_reference_id": signed(ADA), "customer_email": "bob@example.com"});
    assert_eq!(told(&mut engine_with(Some(keys())), &session(email)).0, Conflict);
    assert_eq!(told(&mut engine_with(Some(keys())), &stripped(&signed("u_new"))).0, UnknownUser);
}

#[test]
fn a_subscription_is_whose_its_session_was_signed_for() {
    let began = json!({
        "mode": "subscription", "payment_intent": null, "invoice": null, "customer": "cus_1",
        "subscription": "sub_1", "client_reference_id": signed(ADA), "created": SAID_AT,
    });
    let bare = json!({"subscription": "sub_1", "customer": "cus_1"});
    let mut engine = engine();
    engine.tell(&session(began));
    assert_eq!(told(&mut engine, &invoice(with_details(bare, &json!({})))), (Credited, Some(1)));
    assert_eq!(engine.balance(ADA), 100);
}

/// The metadata of an invoice's subscription, instead of the usual ones.
fn with_details(mut fields: Value, metadata: &Value) -> Value {
    fields["parent"] = json!({
        "type": "subscription_details",
        "subscription_details": {"subscription": "sub_1", "metadata": metadata},
    });
    fields
}

#[test]
fn an_invoice_and_a_subscription_carry_the_reference_of_their_checkout() {
    let metadata = json!({METADATA_KEY: signed(ADA)});
    let mut engine = engine();
    let first = with_details(json!({"created": SAID_AT}), &metadata);
    assert_eq!(told(&mut engine, &invoice(first)), (Credited, Some(1)));
    // When the next period is billed, that of the checkout is over. By then the subscription is linked.
    let next = with_details(json!({"id": "in_2", "created": SAID_AT + 2_592_000}), &metadata);
    assert_eq!(told(&mut engine, &invoice(next)), (Credited, Some(2)));
    assert_eq!(engine.balance(ADA), 200);

    let mut engine = engine_with(Some(keys()));
    let began =
        json!({"id": "sub_1", "object": "subscription", "metadata": metadata, "created": SAID_AT});
    let mut later = super::bodies::event("customer.subscription.updated", &began);
    later["created"] = (SAID_AT + 2_592_000).into();
    engine.tell(&later);
    let bare = with_details(json!({"created": SAID_AT + 2_592_000}), &json!({}));
    assert_eq!(told(&mut engine, &invoice(bare)), (Credited, Some(1)));
}

#[test]
fn a_customers_reference_is_in_force_until_it_expires() {
    let told_of = |created: i64| {
        customer(created, json!({"metadata": {METADATA_KEY: signed(ADA)}, "created": 1}))
    };
    for (created, expected) in [(SAID_AT, Credited), (SAID_AT + 1, NoEvidence)] {
        let mut engine = engine();
        engine.tell(&told_of(created));
        let body = session(json!({"customer": "cus_1", "metadata": {"price": PRICE}}));
        assert_eq!(told(&mut engine, &body).0, expected);
    }
}
