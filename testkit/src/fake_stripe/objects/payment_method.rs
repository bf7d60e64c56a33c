//! Payment methods. Stripe's test methods (`pm_card_visa`, `tok_visa`, …) decide how a payment by them ends.

use serde_json::{Value, json};

use super::list;
use crate::fake_stripe::call::{Answer, Call, Method};
use crate::fake_stripe::refusal::Refusal;
use crate::fake_stripe::world::World;

/// How payments by a payment method end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fake_stripe) enum Behaviour {
    /// At once, for good.
    Pays,
    /// Refused at once.
    Declines,
    /// Paid, then disputed: the funds are withdrawn.
    Disputed,
    /// Paid, then asked about: no funds move.
    Inquired,
    /// Paid; a refund succeeds and fails afterwards.
    RefundFails,
    /// Under way first, then paid.
    PaysLater,
    /// Under way first, then refused.
    FailsLater,
}

/// Test cards, by what follows `pm_card_` and `tok_`.
const CARDS: [(&str, Behaviour); 10] = [
    ("visa", Behaviour::Pays),
    ("mastercard", Behaviour::Pays),
    ("bypassPending", Behaviour::Pays),
    ("chargeDeclined", Behaviour::Declines),
    ("visa_chargeDeclined", Behaviour::Declines),
    ("chargeCustomerFail", Behaviour::Declines),
    ("createDispute", Behaviour::Disputed),
    ("createDisputeProductNotReceived", Behaviour::Disputed),
    ("createDisputeInquiry", Behaviour::Inquired),
    ("refundFail", Behaviour::RefundFails),
];

/// Test bank accounts.
const IBANS: [(&str, Behaviour); 3] = [
    ("AT611904300234573201", Behaviour::PaysLater),
    ("AT861904300235473202", Behaviour::FailsLater),
    ("IT60X0542811101000000123456", Behaviour::FailsLater),
];

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (Method::Post, []) => create(world, call),
        (Method::Post, [name, "attach"]) => {
            let customer = call.params().required("customer")?.to_owned();
            world.find("customer", &customer)?;
            let id = resolve(world, name)?;
            attach(world, &id, &customer);
            Ok(world.get(&id).clone())
        }
        (Method::Get, []) => list(world, call, "payment_method", &["customer", "type"]),
        (Method::Get, [id]) => world.find("payment_method", id).cloned(),
        _ => Err(call.unknown()),
    }
}

fn create(world: &mut World, call: &Call) -> Answer {
    let params = call.params();
    let kind = params.required("type")?;
    let behaviour = if kind == "sepa_debit" {
        let iban = params.at("sepa_debit").required("iban")?;
        IBANS.iter().find(|(known, _)| *known == iban).map_or(Behaviour::PaysLater, |known| known.1)
    } else if let Some(token) = params.at("card").text("token") {
        card(token).ok_or_else(|| Refusal::no_such("token", token))?
    } else {
        Behaviour::Pays
    };
    let id = make(world, kind, behaviour);
    let mut fields = json!({ "metadata": params.metadata(&json!({})) });
    let billing_details = params.json("billing_details");
    if billing_details.is_object() {
        fields["billing_details"] = billing_details;
    }
    world.change(&id, fields);
    Ok(world.get(&id).clone())
}

/// What the test card of this name does.
fn card(name: &str) -> Option<Behaviour> {
    let short = name.strip_prefix("pm_card_").or_else(|| name.strip_prefix("tok_"))?;
    CARDS.iter().find(|(known, _)| *known == short).map(|known| known.1)
}

/// The payment method of this id; for the name of a test card a new one, as Stripe makes it.
pub(super) fn resolve(world: &mut World, name: &str) -> Result<String, Refusal> {
    if let Some(behaviour) = card(name) {
        return Ok(make(world, "card", behaviour));
    }
    world.find("payment_method", name).map(|_found| name.to_owned())
}

/// Says whose it is.
pub(super) fn attach(world: &mut World, id: &str, customer: &str) {
    let before = world.change(id, json!({ "customer": customer }));
    if before["customer"] != customer {
        world.tell("payment_method.attached", id);
    }
}

fn make(world: &mut World, kind: &str, behaviour: Behaviour) -> String {
    let id = world.new_id("pm");
    let mut method = json!({
        "id": id,
        "object": "payment_method",
        "billing_details": { "address": null, "email": null, "name": null, "phone": null },
        "created": world.now(),
        "customer": null,
        "customer_account": null,
        "livemode": world.livemode,
        "metadata": {},
        "type": kind,
    });
    method[kind] = if kind == "card" {
        json!({ "brand": "visa", "country": "US", "funding": "credit", "last4": "4242" })
    } else {
        Value::Object(serde_json::Map::new())
    };
    world.insert(method);
    world.behaviours.insert(id.clone(), behaviour);
    id
}

/// How payments by this payment method end.
pub(super) fn behaviour(world: &World, id: &str) -> Behaviour {
    world.behaviours.get(id).copied().unwrap_or(Behaviour::Pays)
}
