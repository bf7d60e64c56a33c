//! Disputes and inquiries. `evidence[uncategorized_text]` decides how one ends, as in Stripe's test mode:
//! `winning_evidence` or `losing_evidence`.

use serde_json::{Value, json};

use super::{list, update_metadata};
use crate::fake_stripe::call::{Answer, Call, Method};
use crate::fake_stripe::world::World;

/// What a disputed charge costs, in the currency's minor unit.
const FEE: i64 = 1_500;

/// Seconds that there are to answer.
const DUE_SECONDS: i64 = 604_800;

/// How serious it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The funds are withdrawn.
    Dispute,
    /// Only a question.
    Inquiry,
}

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (Method::Post, [id]) => {
            update_metadata(world, call, "dispute", id, &["charge.dispute.updated"])?;
            match call.params().at("evidence").text("uncategorized_text") {
                Some("winning_evidence") => win(world, id),
                Some("losing_evidence") => close(world, id),
                _ => {}
            }
            Ok(world.get(id).clone())
        }
        (Method::Post, [id, "close"]) => {
            world.find("dispute", id)?;
            close(world, id);
            Ok(world.get(id).clone())
        }
        (Method::Get, []) => list(world, call, "dispute", &["charge", "payment_intent"]),
        (Method::Get, [id]) => world.find("dispute", id).cloned(),
        _ => Err(call.unknown()),
    }
}

/// The payer's bank objects to the whole charge.
pub(super) fn open(world: &mut World, charge: &str, kind: Kind) {
    let id = world.new_id("du");
    let charge = world.get(charge).clone();
    let is_inquiry = kind == Kind::Inquiry;
    let dispute = json!({
        "id": id,
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": world.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": { "uncategorized_text": null },
        "evidence_details": {
            "due_by": world.now().saturating_add(DUE_SECONDS),
            "has_evidence": false,
            "past_due": false,
            "submission_count": 0,
        },
        "is_charge_refundable": is_inquiry,
        "livemode": world.livemode,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": "fraudulent",
        "status": if is_inquiry { "warning_needs_response" } else { "needs_response" },
    });
    world.insert(dispute);
    world.change(charge["id"].as_str().unwrap_or_default(), json!({ "disputed": true }));
    world.tell("charge.dispute.created", &id);
    if !is_inquiry {
        let amount = charge["amount"].as_i64().unwrap_or_default();
        let before = move_funds(world, &id, amount.saturating_neg(), FEE);
        world.tell_change("charge.dispute.funds_withdrawn", &id, &before);
    }
}

/// One more movement of funds; gives the dispute as it was before.
fn move_funds(world: &mut World, id: &str, amount: i64, fee: i64) -> Value {
    let transaction = json!({
        "id": world.new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "created": world.now(),
        "currency": world.get(id)["currency"],
        "fee": fee,
        "net": amount.saturating_sub(fee),
        "reporting_category": if amount < 0 { "dispute" } else { "dispute_reversal" },
        "source": id,
        "type": "adjustment",
    });
    let mut transactions = world.get(id)["balance_transactions"].clone();
    transactions.as_array_mut().into_iter().for_each(|list| list.push(transaction.clone()));
    world.change(id, json!({ "balance_transactions": transactions }))
}

fn win(world: &mut World, id: &str) {
    if is_over(world, id) {
        return;
    }
    let is_inquiry = is_inquiry(world, id);
    let status = if is_inquiry { "warning_closed" } else { "won" };
    let before = world.change(id, json!({ "status": status }));
    world.tell_change("charge.dispute.closed", id, &before);
    if !is_inquiry {
        let amount = world.get(id)["amount"].as_i64().unwrap_or_default();
        let before = move_funds(world, id, amount, 0);
        world.tell_change("charge.dispute.funds_reinstated", id, &before);
    }
}

/// It is given up: the payer keeps the money of a dispute, and an inquiry ends.
fn close(world: &mut World, id: &str) {
    if is_over(world, id) {
        return;
    }
    let status = if is_inquiry(world, id) { "warning_closed" } else { "lost" };
    let before = world.change(id, json!({ "status": status }));
    world.tell_change("charge.dispute.closed", id, &before);
}

fn is_inquiry(world: &World, id: &str) -> bool {
    let status = world.get(id)["status"].as_str().unwrap_or_default();
    status.starts_with("warning_")
}

fn is_over(world: &World, id: &str) -> bool {
    matches!(world.get(id)["status"].as_str(), Some("won" | "lost" | "warning_closed"))
}
