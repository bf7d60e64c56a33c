//! Invoices: drafted, finalized, paid, or given up.

use serde_json::{Value, json};

use super::payment_intent::{self, Progress};
use super::{invoice_line, invoice_payment, list};
use crate::fake_stripe::call::{Answer, Call, Method};
use crate::fake_stripe::lists;
use crate::fake_stripe::params::Params;
use crate::fake_stripe::refusal::Refusal;
use crate::fake_stripe::world::{World, list as embedded};

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (Method::Post, []) => create(world, call.params()),
        (Method::Post, [id, "finalize"]) => {
            world.find("invoice", id)?;
            finalize(world, id);
            Ok(world.get(id).clone())
        }
        (Method::Post, [id, "pay"]) => {
            world.find("invoice", id)?;
            let params = call.params();
            let method = params.text("payment_method").map(str::to_owned);
            pay(world, id, method, params.is_set("paid_out_of_band"))?;
            Ok(world.get(id).clone())
        }
        (Method::Post, [id, "void"]) => give_up(world, id, "void", "voided"),
        (Method::Post, [id, "mark_uncollectible"]) => {
            give_up(world, id, "uncollectible", "marked_uncollectible")
        }
        (Method::Get, []) => list(world, call, "invoice", &["customer", "status"]),
        (Method::Get, [id]) => world.find("invoice", id).cloned(),
        (Method::Get, [id, "lines"]) => {
            let lines = &world.find("invoice", id)?["lines"]["data"];
            lists::page(call, lines.as_array().map_or(&[], Vec::as_slice))
        }
        _ => Err(call.unknown()),
    }
}

fn create(world: &mut World, params: Params<'_>) -> Answer {
    let customer = params.required("customer")?.to_owned();
    world.find("customer", &customer)?;
    let mut items = Vec::new();
    if params.text("pending_invoice_items_behavior") == Some("include") {
        let waiting = world.of_kind("invoiceitem").filter(|item| item["invoice"].is_null());
        items.extend(waiting.filter(|item| item["customer"] == customer).cloned());
    }
    let lines: Vec<Value> = items.iter().map(|item| invoice_line::of_item(world, item)).collect();
    let id = draft(world, &customer, "manual", lines);
    for item in items {
        world.change(item["id"].as_str().unwrap_or_default(), json!({ "invoice": id }));
    }
    let mut fields = params.only(&["description"]);
    fields["metadata"] = params.metadata(&json!({}));
    world.change(&id, fields);
    world.tell("invoice.created", &id);
    Ok(world.get(&id).clone())
}

/// A draft with these lines, of which no event tells yet.
pub(super) fn draft(world: &mut World, customer: &str, reason: &str, lines: Vec<Value>) -> String {
    let id = world.new_id("in");
    let total = lines.iter().filter_map(|line| line["amount"].as_i64());
    let total = total.fold(0_i64, i64::saturating_add);
    let currency = lines.first().map_or_else(|| "usd".into(), |line| line["currency"].clone());
    let lines: Vec<Value> = lines
        .into_iter()
        .map(|mut line| {
            line["invoice"] = id.as_str().into();
            line
        })
        .collect();
    let payer = world.get(customer);
    let invoice = json!({
        "id": id,
        "object": "invoice",
        "amount_due": total,
        "amount_paid": 0,
        "amount_remaining": total,
        "attempt_count": 0,
        "attempted": false,
        "auto_advance": false,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": world.now(),
        "currency": currency,
        "customer": customer,
        "customer_account": null,
        "customer_email": payer["email"],
        "customer_name": payer["name"],
        "description": null,
        "lines": embedded(&format!("/v1/invoices/{id}/lines"), &lines),
        "livemode": world.livemode,
        "metadata": {},
        "number": null,
        "parent": null,
        "period_end": world.now(),
        "period_start": world.now(),
        "status": "draft",
        "status_transitions": {
            "finalized_at": null,
            "marked_uncollectible_at": null,
            "paid_at": null,
            "voided_at": null,
        },
        "subtotal": total,
        "total": total,
        "total_taxes": [],
    });
    world.insert(invoice);
    id
}

/// It becomes a demand, unless it is one already.
pub(super) fn finalize(world: &mut World, id: &str) {
    if world.get(id)["status"] != "draft" {
        return;
    }
    let count = world.of_kind("invoice").filter(|invoice| invoice["status"] != "draft").count();
    let number = format!("3DAA104C-{:04}", count.saturating_add(1));
    reach(world, id, "open", "finalized_at");
    world.change(id, json!({ "number": number }));
    world.tell("invoice.finalized", id);
}

/// The money for it is taken, by this payment method or the customer's own; it is finalized if it was not.
pub(super) fn pay(
    world: &mut World,
    id: &str,
    method: Option<String>,
    is_out_of_band: bool,
) -> Result<(), Refusal> {
    finalize(world, id);
    let invoice = world.get(id).clone();
    if invoice["status"] != "open" {
        let message = "Invoice is not open, so that it cannot be paid.";
        return Err(Refusal::invalid("invoice_not_open", message));
    }
    if invoice["amount_due"] != 0 && !is_out_of_band {
        let payer = world.get(invoice["customer"].as_str().unwrap_or_default());
        let own = payer["invoice_settings"]["default_payment_method"].as_str().map(str::to_owned);
        let method = method.or(own).ok_or_else(|| {
            let message = "There is no payment_method, and the customer has no default one.";
            Refusal::invalid("invoice_payment_intent_requires_action", message)
        })?;
        take_money(world, &invoice, &method)?;
    }
    let fields = json!({
        "amount_paid": if is_out_of_band { 0.into() } else { invoice["amount_due"].clone() },
        "amount_remaining": 0,
        "attempted": true,
    });
    reach(world, id, "paid", "paid_at");
    world.change(id, fields);
    invoice_payment::told_paid(world, id);
    world.tell("invoice.paid", id);
    world.tell("invoice.payment_succeeded", id);
    Ok(())
}

fn take_money(world: &mut World, invoice: &Value, method: &str) -> Result<(), Refusal> {
    let id = invoice["id"].as_str().unwrap_or_default();
    let fields = json!({
        "amount": invoice["amount_due"],
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "description": "Payment for Invoice",
    });
    let intent = payment_intent::make(world, fields);
    invoice_payment::make(world, invoice, &intent);
    let is_paid = match payment_intent::confirm(world, &intent, method) {
        Ok(Progress::Paid | Progress::Authorized) => true,
        Ok(Progress::Processing) => payment_intent::settle(world, &intent),
        Err(_declined) => false,
    };
    if is_paid {
        return Ok(());
    }
    world.change(id, json!({ "attempted": true, "attempt_count": 1 }));
    world.tell("invoice.payment_failed", id);
    Err(Refusal::declined())
}

fn give_up(world: &mut World, id: &str, status: &str, event: &str) -> Answer {
    world.find("invoice", id)?;
    reach(world, id, status, &format!("{event}_at"));
    world.tell(&format!("invoice.{event}"), id);
    Ok(world.get(id).clone())
}

/// A new status, and since when it has it.
fn reach(world: &mut World, id: &str, status: &str, since: &str) {
    let mut transitions = world.get(id)["status_transitions"].clone();
    transitions[since] = world.now().into();
    world.change(id, json!({ "status": status, "status_transitions": transitions }));
}
