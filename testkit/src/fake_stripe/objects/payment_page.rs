//! The page on which somebody pays for a Checkout session. Stripe documents no API for it; its CLI uses this one.

use serde_json::{Value, json};

use super::payment_intent::{self, Progress};
use super::{customer, payment_method, subscription};
use crate::fake_stripe::call::{Answer, Call, Method};
use crate::fake_stripe::params::Params;
use crate::fake_stripe::refusal::Refusal;
use crate::fake_stripe::world::World;

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (Method::Get, [session]) => page(world, session),
        (Method::Post, [session, "confirm"]) => {
            confirm(world, call.params(), session)?;
            page(world, session)
        }
        _ => Err(call.unknown()),
    }
}

fn page(world: &World, session: &str) -> Answer {
    let session = world.find("checkout.session", session)?;
    Ok(json!({
        "id": session["id"],
        "object": "checkout.session",
        "payment_status": session["payment_status"],
        "session_id": session["id"],
        "state": session["status"],
    }))
}

/// Somebody pays.
fn confirm(world: &mut World, params: Params<'_>, id: &str) -> Result<(), Refusal> {
    let session = world.find("checkout.session", id)?.clone();
    if session["status"] != "open" {
        let message = "This Checkout Session is no longer open.";
        return Err(Refusal::invalid("checkout_session_unexpected_state", message));
    }
    let expected = params.integer("expected_amount")?;
    if expected.is_some_and(|expected| session["amount_total"] != expected) {
        let message = "The expected amount is not what the Checkout Session asks for.";
        return Err(Refusal::invalid("checkout_amount_mismatch", message));
    }
    let method = payment_method::resolve(world, params.required("payment_method")?)?;
    let customer = payer(world, &session, &method);
    let details = world.get(&method)["billing_details"].clone();
    world.change(
        id,
        json!({
            "customer": customer,
            "customer_details": {
                "address": details["address"],
                "email": email(&session, &details),
                "name": details["name"],
                "phone": details["phone"],
                "tax_exempt": "none",
                "tax_ids": [],
            },
        }),
    );
    match session["mode"].as_str() {
        Some("subscription") => subscribe(world, &session, customer.as_deref(), &method)?,
        Some("payment") if session["payment_status"] == "unpaid" => {
            return pay(world, &session, customer.as_deref(), &method);
        }
        _ => {}
    }
    complete(world, id);
    Ok(())
}

/// The session's customer; a new one where the session asks for it or a subscription needs it.
fn payer(world: &mut World, session: &Value, method: &str) -> Option<String> {
    if let Some(customer) = session["customer"].as_str() {
        return Some(customer.to_owned());
    }
    if session["mode"] == "payment" && session["customer_creation"] != "always" {
        return None;
    }
    let id = customer::make(world);
    let details = &world.get(method)["billing_details"];
    let fields = json!({ "email": email(session, details), "name": details["name"] });
    world.change(&id, fields);
    world.tell("customer.created", &id);
    Some(id)
}

/// What the session asked for by itself comes before what the payer typed in.
fn email<'a>(session: &'a Value, details: &'a Value) -> &'a Value {
    let prefilled = &session["customer_email"];
    if prefilled.is_null() { &details["email"] } else { prefilled }
}

fn pay(
    world: &mut World,
    session: &Value,
    customer: Option<&str>,
    method: &str,
) -> Result<(), Refusal> {
    let id = session["id"].as_str().unwrap_or_default();
    let fields = json!({
        "amount": session["amount_total"],
        "currency": session["currency"],
        "customer": customer,
        "metadata": world.handed_down(id),
    });
    // A second try, after a card was declined, is one of the same payment intent.
    let begun = session["payment_intent"].as_str().map(str::to_owned);
    let intent = begun.unwrap_or_else(|| payment_intent::make(world, fields));
    world.change(id, json!({ "payment_intent": intent }));
    if payment_intent::confirm(world, &intent, method)? != Progress::Processing {
        world.change(id, json!({ "payment_status": "paid" }));
        complete(world, id);
        return Ok(());
    }
    complete(world, id);
    if payment_intent::settle(world, &intent) {
        world.change(id, json!({ "payment_status": "paid" }));
        world.tell("checkout.session.async_payment_succeeded", id);
    } else {
        world.tell("checkout.session.async_payment_failed", id);
    }
    Ok(())
}

fn subscribe(
    world: &mut World,
    session: &Value,
    customer: Option<&str>,
    method: &str,
) -> Result<(), Refusal> {
    let id = session["id"].as_str().unwrap_or_default();
    let items = session["line_items"].as_array().into_iter().flatten();
    let items: Vec<(Value, i64)> =
        items.map(|item| (item["price"].clone(), item["quantity"].as_i64().unwrap_or(1))).collect();
    let metadata = world.handed_down(id);
    let customer = customer.unwrap_or_default();
    let subscription = subscription::start(world, customer, &metadata, &items, Some(method))?;
    let invoice = world.get(&subscription)["latest_invoice"].clone();
    let fields =
        json!({ "subscription": subscription, "invoice": invoice, "payment_status": "paid" });
    world.change(id, fields);
    Ok(())
}

fn complete(world: &mut World, id: &str) {
    world.change(id, json!({ "status": "complete", "url": null }));
    world.tell("checkout.session.completed", id);
}
