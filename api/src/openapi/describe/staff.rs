//! Staff's work: cases, events, payments, the catalogue, and who did what.

use serde_json::json;
use service::problem::Code;

use crate::list::List;
use crate::openapi::description::{Description, Tag};
use crate::openapi::texts::{AnyId, CatalogueKey};
use crate::openapi::words::{CaseReason, CaseStatus, DecisionReason, EventOutcome};
use crate::{audit, cases, catalogue, events, explain, payments};

pub(super) fn cases() -> Description {
    let text = "The one that was opened last first.";
    Description::new::<List<cases::Summary>>(Tag::Cases, "List cases", text)
        .query::<CaseStatus>("status", "Whether they still wait.")
        .query::<CaseReason>("reason", "Why they were opened.")
        .query::<AnyId>("user", "Whom their evidence names, or whose they are.")
        .query::<AnyId>("q", "Any id, user or e-mail that they are about.")
        .list()
        .then("caseGet", "id", FIRST)
        .then("caseRetry", "id", FIRST)
        .then("caseAssign", "id", FIRST)
        .then("caseDismiss", "id", FIRST)
}

pub(super) fn case() -> Description {
    let text = "Everything that a person needs to decide: why it waits and for what, the evidence with its rank, the \
                candidates with why, the payment so far, and the bytes that opened it.";
    of_case("Show a case", text).then("paymentGet", "id", "$response.body#/payment").then(
        "explain",
        "id",
        "$response.body#/id",
    )
}

pub(super) fn assign() -> Description {
    let text = "The credits go to that user. What the payment is worth is said where, and only where, nobody knows.";
    of_case("Say whose a payment is", text)
        .body::<cases::assign::Request>(json!({"user": "u_1", "reason": "He sent the receipt."}))
        .refuses(&[Code::Conflict, Code::UserNotFound, Code::NotDecidedYet])
}

pub(super) fn dismiss() -> Description {
    let text = "No credits are due. Credits that stand unclaimed are written off, which needs an approver.";
    of_case("Dismiss a case", text)
        .body::<cases::dismiss::Request>(json!({"reason": "A test purchase."}))
        .refuses(&[Code::Conflict, Code::NotDecidedYet])
}

pub(super) fn retry() -> Description {
    of_case("Have a case decided anew", "With what is known now.")
        .refuses(&[Code::Conflict, Code::NotDecidedYet])
}

pub(super) fn events() -> Description {
    Description::new::<List<events::EventObject>>(
        Tag::Events,
        "List events",
        "The log, newest first.",
    )
    .query::<AnyId>("type", "Their type, such as checkout.session.completed.")
    .query::<EventOutcome>("outcome", "What became of them.")
    .query::<DecisionReason>("reason", "Why.")
    .created()
    .list()
    .then("eventGet", "id", FIRST)
    .then("eventPayload", "id", FIRST)
    .then("explain", "id", FIRST)
}

pub(super) fn event() -> Description {
    let text = "Its envelope, and all that was decided of it; the last decision counts. The id is the speaker's own, or the \
                position.";
    of_event::<events::show::Shown>("Show an event", text)
}

pub(super) fn payload() -> Description {
    let text = "The exact bytes that were delivered, with the signature that covers them.";
    of_event::<AnyId>("Show the bytes of an event", text)
        .answers(&["application/json", "application/octet-stream"], None)
        .tells("X-Stripe-Signature", "Stripe's signature, as it was delivered.")
        .tells("X-Body-SHA256", "SHA-256 of the bytes.")
}

pub(super) fn payment() -> Description {
    let text = "By the id of any of its objects: a checkout session, a payment intent, a charge, an invoice.";
    of_payment("Show a payment", text).then("paymentReassign", "id", "$response.body#/id").then(
        "explain",
        "id",
        "$response.body#/id",
    )
}

pub(super) fn reassign() -> Description {
    let text =
        "Moves a payment that is credited to the wrong user, or was written off, to the right one.";
    of_payment("Move a payment to the right user", text)
        .body::<payments::reassign::Request>(
            json!({"user": "u_2", "reason": "He paid on her laptop."}),
        )
        .refuses(&[Code::Conflict, Code::UserNotFound, Code::NotDecidedYet])
}

pub(super) fn import() -> Description {
    let text = "What another system credited for a payment stands in an opening balance. It is not given again when Stripe tells of \
                the purchase, and is taken when the money goes back.";
    of_payment("Take over a payment that another system credited", text)
        .body::<payments::import::Request>(json!({"user": "u_1", "credits": 100, "reversed": 50}))
        .creates()
        .tells("Idempotent-Replayed", "true, if just this was imported before.")
        .refuses(&[Code::Conflict, Code::UserNotFound, Code::NotDecidedYet])
}

pub(super) fn explain() -> Description {
    let text = "In plain English, for whoever has to answer “where are my credits?”. Known are the ids of users, events (or \
                their positions), payments and any of their objects, cases, postings and grants.";
    Description::new::<explain::Explanation>(Tag::Payments, "Tell the story of anything", text)
        .at::<AnyId>("u_1")
}

pub(super) fn audit() -> Description {
    let text = "The acts of people, newest first: who, when, what, why, and what became of it.";
    Description::new::<List<audit::list::ActObject>>(Tag::Events, "List who did what", text)
        .list()
        .then("eventGet", "id", FIRST)
}

pub(super) fn catalogue() -> Description {
    let text = "In the order of their keys, each as it counts now.";
    Description::new::<List<catalogue::EntryObject>>(
        Tag::Catalogue,
        "List what prices are worth",
        text,
    )
    .list()
    .then("catalogueGet", "key", "$response.body#/data/0/key")
}

pub(super) fn entry() -> Description {
    let text = "The version that counts now, or will first, and all versions.";
    Description::new::<catalogue::get::EntryHistory>(
        Tag::Catalogue,
        "Show what a price is worth",
        text,
    )
    .at::<CatalogueKey>("price_50")
    .refuses(&[Code::PriceNotFound])
}

pub(super) fn set() -> Description {
    let text = "Adds a version. The first one of a key counts for purchases of any time, a later one for those that are paid \
                from now on, unless valid_from says otherwise. To say once more what was said last changes nothing.";
    Description::new::<catalogue::EntryObject>(Tag::Catalogue, "Say what a price is worth", text)
        .at::<CatalogueKey>("price_50")
        .body::<catalogue::put::Request>(json!({"credits": 50, "expires": "P1Y"}))
        .then("catalogueGet", "key", "$response.body#/key")
}

/// The id of the first row of a list.
const FIRST: &str = "$response.body#/data/0/id";

fn of_case(summary: &'static str, text: &'static str) -> Description {
    Description::new::<cases::show::CaseObject>(Tag::Cases, summary, text)
        .at::<AnyId>("case_0192f0c1-2d3e-7000-8000-000000000001")
        .refuses(&[Code::CaseNotFound])
}

fn of_event<T: schemars::JsonSchema>(summary: &'static str, text: &'static str) -> Description {
    let description = Description::new::<T>(Tag::Events, summary, text);
    description.at::<AnyId>("evt_1").refuses(&[Code::EventNotFound])
}

fn of_payment(summary: &'static str, text: &'static str) -> Description {
    Description::new::<payments::show::Shown>(Tag::Payments, summary, text)
        .at::<AnyId>("pi_1")
        .refuses(&[Code::PaymentNotFound])
}
