//! Histories, as chance has them.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use rules::policy::Policy;
use serde_json::{Value, json};

use super::bodies::{
    ADA, BOB, PRICE, SAID_AT, charge, customer, intent, names, not_ours, priced, registered_as,
    session,
};
use super::engine::Engine;
use super::references::{keys, signed};

/// Root key of the purchase that is known before any history begins.
pub(crate) const KNOWN: &str = "pi_0";

/// What is known before any history begins: two users with verified e-mails, a third that is not known; three prices,
/// a fourth that is not; a customer that is linked, and one whose metadata names a user.
pub(crate) fn known(policy: Policy) -> Engine {
    let mut engine = Engine::with_users();
    engine.world.policy = policy;
    engine.tell(&priced("price_50", 50));
    engine.tell(&not_ours("price_shirt"));
    engine.tell(&customer(SAID_AT, json!({"id": "cus_of_bob", "metadata": {"user_id": BOB}})));
    engine.tell(&session(json!({
        "id": "cs_0", "payment_intent": KNOWN, "customer": "cus_of_ada", "metadata": names(ADA),
    })));
    engine
}

/// A policy.
pub(crate) fn policy() -> impl Strategy<Value = Policy> {
    any::<bool>().prop_map(|accept_unsigned_reference| Policy {
        accept_unsigned_reference,
        signing_keys: Some(keys()),
        ..Policy::default()
    })
}

/// Metadata that mostly names the usual user and price, if anything.
fn metadata() -> impl Strategy<Value = Value> {
    let user = weighted(0.4, select(&[ADA, ADA, ADA, ADA, BOB, "u_new", "undefined"][..]));
    let alias = weighted(0.1, select(&[ADA, ADA, BOB][..]));
    let prices = vec![PRICE, PRICE, PRICE, PRICE, "price_50", "price_shirt", "price_new"];
    let price = weighted(0.4, select(prices));
    let credits = weighted(0.2, select(&["100", "100", "50", "x"][..]));
    let quantity = weighted(0.1, select(&["1", "2", "0"][..]));
    let fields = (user, alias, price, credits, quantity);
    fields.prop_map(|(user, alias, price, credits, quantity)| {
        json!({
            "user_id": user, "user_id_backup": alias, "price": price, "credits": credits, "quantity": quantity,
        })
    })
}

/// What may stand in `client_reference_id`: nothing signed, something signed, something that only looks so.
fn references() -> Vec<String> {
    let plain = [ADA, ADA, BOB].map(str::to_owned);
    let tampered = signed(ADA).replace("k1_", "k1_A");
    plain.into_iter().chain([signed(ADA), signed(ADA), signed(BOB), tampered]).collect()
}

/// An event about the session, the payment intent or the charge of one purchase. Some do not say that they belong
/// together.
fn telling() -> impl Strategy<Value = Value> {
    let emails = vec!["ada@example.com", "ada@example.com", "bob@example.com", "x@example.com"];
    let customers = vec!["cus_new", "cus_new", "cus_of_ada", "cus_of_bob"];
    let parts = (
        0..3_usize,
        any::<bool>(),
        prop::bool::weighted(0.8),
        metadata(),
        weighted(0.3, select(emails)),
        weighted(0.4, select(customers)),
        weighted(0.2, select(references())),
        select(&[(Some(1190), Some("eur")), (Some(990), Some("chf")), (None, None)][..]),
    );
    parts.prop_map(|(object, is_tied, is_paid, metadata, email, customer, reference, money)| {
        let intent_id = is_tied.then_some("pi_1");
        let charge_id = is_tied.then_some("ch_1");
        let shared = json!({
            "customer": customer, "metadata": metadata, "amount_total": money.0, "amount_received": money.0,
            "amount": money.0, "currency": money.1,
        });
        let own = match (object, is_paid) {
            (0, _) => json!({
                "payment_status": if is_paid { "paid" } else { "unpaid" }, "payment_intent": intent_id,
                "client_reference_id": reference, "customer_details": {"email": email},
            }),
            (1, true) => json!({"latest_charge": charge_id, "receipt_email": email}),
            (1, false) => json!({"latest_charge": charge_id, "status": "processing"}),
            (_, is_paid) => json!({
                "captured": is_paid, "payment_intent": intent_id, "billing_details": {"email": email},
            }),
        };
        let mut fields = shared;
        fields.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        [session, intent, charge][object](fields)
    })
}

/// The events of one purchase, so many of them; where one does not say so, others tie it to the rest.
pub(crate) fn purchase(
    count: std::ops::RangeInclusive<usize>,
) -> impl Strategy<Value = Vec<Value>> {
    vec(telling(), count).prop_map(|mut told| {
        let is_loose = |body: &Value| {
            let object = &body["data"]["object"];
            object["object"] != "payment_intent" && object["payment_intent"].is_null()
        };
        if told.iter().any(is_loose) {
            told.push(charge(json!({"captured": false})));
            told.push(session(json!({"payment_status": "unpaid"})));
        }
        told
    })
}

/// One step of a history of several purchases.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Stripe, the app or the catalogue tells these in one batch.
    Tell(Vec<Value>),
    /// A person acts on one of the open cases.
    Act(prop::sample::Index, &'static str, Value),
    /// A person moves one of the payments to this user.
    Reassign(prop::sample::Index, &'static str),
    /// An event cannot be decided.
    Park(Value),
    /// Time passes.
    Wait(i64),
}

/// Any step. Purchases are 1 to 3; their objects are their own, their customers are shared.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    let of = |number: u8, body: &Value| -> Value {
        let text = body.to_string();
        let text = text.replace("cs_1", &format!("cs_1{number}"));
        let text = text.replace("pi_1", &format!("pi_1{number}"));
        text.replace("ch_1", &format!("ch_1{number}")).parse().unwrap()
    };
    let purchase = (1..=3_u8, telling()).prop_map(move |(number, body)| of(number, &body)).boxed();
    let named = select(&[None, Some(ADA), Some(BOB), Some("u_new")][..]);
    let customers = (select(&["cus_new", "cus_of_bob"][..]), named, 0..3_i64);
    let customers = customers.prop_map(|(id, user, later)| {
        customer(SAID_AT + later, json!({"id": id, "metadata": {"user_id": user}}))
    });
    let facts = select(vec![
        registered_as("u_new", "x@example.com"),
        priced("price_new", 70),
        priced(PRICE, 100),
    ]);
    let told = prop_oneof![6 => purchase.clone(), 2 => customers, 2 => facts];
    let acts = select(vec![
        ("assigned", json!({"user": ADA})),
        ("assigned", json!({"user": BOB, "credits": 30})),
        ("assigned", json!({"user": "u_new"})),
        ("dismissed", json!({})),
        ("dismissed", json!({"write_off": true})),
        ("retried", json!({})),
    ]);
    let acts = (any::<prop::sample::Index>(), acts);
    prop_oneof![
        8 => vec(told, 1..4).prop_map(Step::Tell),
        3 => acts.prop_map(|(which, (what, fields))| Step::Act(which, what, fields)),
        2 => (any::<prop::sample::Index>(), select(&[ADA, BOB, "u_new"][..]))
            .prop_map(|(which, user)| Step::Reassign(which, user)),
        1 => purchase.prop_map(Step::Park),
        1 => select(&[60, 15 * 60][..]).prop_map(Step::Wait),
    ]
}
