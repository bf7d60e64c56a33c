//! The classes, type by type, as they were decided by hand.

use std::collections::BTreeSet;

use super::{Class, DisputeEvent, SessionEvent, api_path, classify, classify_object, object_at};
use crate::{envelope, testing};

/// Every type of Stripe's that is understood.
const UNDERSTOOD: [(&str, Class); 44] = [
    ("charge.captured", Class::Charge),
    ("charge.dispute.closed", Class::Dispute),
    ("charge.dispute.created", Class::Dispute),
    ("charge.dispute.funds_reinstated", Class::Dispute),
    ("charge.dispute.funds_withdrawn", Class::Dispute),
    ("charge.dispute.updated", Class::Dispute),
    ("charge.expired", Class::Charge),
    ("charge.refund.updated", Class::Refund),
    ("charge.refunded", Class::Charge),
    ("charge.succeeded", Class::Charge),
    ("charge.updated", Class::Charge),
    ("checkout.session.async_payment_failed", Class::Session),
    ("checkout.session.async_payment_succeeded", Class::Session),
    ("checkout.session.completed", Class::Session),
    ("checkout.session.expired", Class::Session),
    ("credit_note.created", Class::CreditNote),
    ("credit_note.updated", Class::CreditNote),
    ("credit_note.voided", Class::CreditNote),
    ("customer.created", Class::Customer),
    ("customer.deleted", Class::Customer),
    ("customer.subscription.created", Class::Subscription),
    ("customer.subscription.deleted", Class::Subscription),
    ("customer.subscription.paused", Class::Subscription),
    ("customer.subscription.pending_update_applied", Class::Subscription),
    ("customer.subscription.pending_update_expired", Class::Subscription),
    ("customer.subscription.resumed", Class::Subscription),
    ("customer.subscription.trial_will_end", Class::Subscription),
    ("customer.subscription.updated", Class::Subscription),
    ("customer.updated", Class::Customer),
    ("invoice.marked_uncollectible", Class::Invoice),
    ("invoice.paid", Class::Invoice),
    ("invoice.payment_succeeded", Class::Invoice),
    ("invoice.voided", Class::Invoice),
    ("invoice_payment.paid", Class::InvoicePayment),
    ("payment_intent.partially_funded", Class::PaymentIntent),
    ("order.payment_succeeded", Class::Order),
    ("payment_intent.canceled", Class::PaymentIntent),
    ("payment_intent.succeeded", Class::PaymentIntent),
    ("radar.early_fraud_warning.created", Class::EarlyFraudWarning),
    ("radar.early_fraud_warning.updated", Class::EarlyFraudWarning),
    ("refund.created", Class::Refund),
    ("refund.failed", Class::Refund),
    ("refund.updated", Class::Refund),
    // A refund of a kind that Stripe has not invented yet is a refund still.
    ("refund.reversed", Class::Refund),
];

/// Every type that has to wait.
const DEFERRED: [&str; 1] = ["invoice_payment.detached"];

#[test]
fn types_that_matter() {
    for (event_type, class) in UNDERSTOOD {
        assert_eq!(classify(event_type, false), class, "{event_type}");
    }
    for event_type in DEFERRED {
        assert_eq!(classify(event_type, false), Class::Deferred, "{event_type}");
    }
}

#[test]
fn types_that_do_not_matter() {
    for event_type in [
        "",
        "*",
        "charge",
        "charge.failed",
        "charge.pending",
        "charge.succeeded.twice",
        "charge.refundable",
        "Charge.Succeeded",
        " charge.succeeded",
        "v1.charge.succeeded",
        "checkout.session",
        "refund",
        "invoice.created",
        "invoice.finalized",
        "invoice.payment_failed",
        "invoice.upcoming",
        "invoice.updated",
        "invoice_payment",
        "customer.source.created",
        "customer.subscription",
        "issuing_dispute.created",
        "issuing_dispute.funds_reinstated",
        "application_fee.refunded",
        "application_fee.refund.updated",
        "payment_intent.created",
        "review.opened",
        "foo.created",
    ] {
        assert_eq!(classify(event_type, false), Class::Unhandled, "{event_type:?}");
    }
}

#[test]
fn thin_twins_of_what_matters_wait_for_their_object() {
    let understood = UNDERSTOOD.map(|(event_type, _)| (event_type, Class::Thin));
    for (event_type, class) in
        understood.into_iter().chain(DEFERRED.map(|event_type| (event_type, Class::Deferred)))
    {
        assert_eq!(classify(&format!("v1.{event_type}"), true), class, "{event_type}");
        assert_eq!(classify(event_type, true), Class::Unhandled, "{event_type} without v1.");
    }
    for event_type in [
        "v1.billing.meter.no_meter_found",
        "v2.core.account.created",
        "v1.v1.charge.succeeded",
        "v1.",
        "",
    ] {
        assert_eq!(classify(event_type, true), Class::Unhandled, "{event_type:?}");
    }
}

#[test]
fn no_recorded_type_matters_besides_those_named_here() {
    let named: BTreeSet<&str> =
        UNDERSTOOD.iter().map(|(event_type, _)| *event_type).chain(DEFERRED).collect();
    for (name, body) in testing::bodies() {
        let event = envelope::peek(&body).unwrap();
        let matters = classify(&event.event_type, event.thin) != Class::Unhandled;
        let expected = !event.thin && named.contains(event.event_type.as_str());
        assert_eq!(matters, expected, "{name}: {}", event.event_type);
    }
}

#[test]
fn objects_are_of_the_class_of_the_events_that_carry_them() {
    for (event_type, kind, path) in [
        ("checkout.session.completed", "checkout.session", "/v1/checkout/sessions/x_1"),
        ("payment_intent.succeeded", "payment_intent", "/v1/payment_intents/x_1"),
        ("charge.succeeded", "charge", "/v1/charges/x_1"),
        ("charge.refund.updated", "refund", "/v1/refunds/x_1"),
        ("charge.dispute.created", "dispute", "/v1/disputes/x_1"),
        ("invoice.paid", "invoice", "/v1/invoices/x_1"),
        ("invoice_payment.paid", "invoice_payment", "/v1/invoice_payments/x_1"),
        ("credit_note.created", "credit_note", "/v1/credit_notes/x_1"),
        ("customer.created", "customer", "/v1/customers/x_1"),
        ("customer.subscription.created", "subscription", "/v1/subscriptions/x_1"),
        (
            "radar.early_fraud_warning.created",
            "radar.early_fraud_warning",
            "/v1/radar/early_fraud_warnings/x_1",
        ),
    ] {
        assert_eq!(classify_object(kind), Some(classify(event_type, false)), "{kind}");
        assert_eq!(api_path(kind, "x_1").as_deref(), Some(path), "{kind}");
        assert_eq!(object_at(path), Some((kind, "x_1")), "{path}");
    }
    for kind in ["", "Charge", "event", "order", "line_item", "balance_transaction", "list"] {
        assert_eq!(classify_object(kind), None, "{kind}");
    }
}

#[test]
fn every_recorded_object_is_of_the_class_of_its_event() {
    for (name, body) in testing::bodies() {
        let event = envelope::peek(&body).unwrap();
        let class = classify(&event.event_type, event.thin);
        if let (false, Some(kind)) = (event.thin, &event.object_type)
            // Stripe's API has no orders any more.
            && !matches!(class, Class::Unhandled | Class::Deferred | Class::Order)
        {
            assert_eq!(classify_object(kind), Some(class), "{name}");
        }
    }
}

#[test]
fn a_path_leads_to_one_object_and_nowhere_else() {
    assert_eq!(api_path("event", "evt_1Nisp-e2").as_deref(), Some("/v1/events/evt_1Nisp-e2"));
    for id in [
        "",
        ".",
        "..",
        "../charges",
        "ch_1/refund",
        "ch_1?expand[]=x",
        "ch_1#",
        "ch 1",
        "ch_1\n",
        "%2e",
        "ch_é",
    ] {
        assert_eq!(api_path("charge", id), None, "{id:?}");
        assert_eq!(object_at(&format!("/v1/charges/{id}")), None, "{id:?}");
    }
    for kind in ["", "order", "billing.meter", "charges", "Charge"] {
        assert_eq!(api_path(kind, "x_1"), None, "{kind:?}");
    }
    for path in
        ["", "x_1", "/x_1", "/v1/events/evt_1", "/v1/balance", "/v1/charges", "v1/charges/x_1"]
    {
        assert_eq!(object_at(path), None, "{path:?}");
    }
}

#[test]
fn what_only_the_type_says() {
    for (event_type, expected) in [
        ("checkout.session.completed", Some(SessionEvent::Completed)),
        ("checkout.session.async_payment_succeeded", Some(SessionEvent::PaymentSucceeded)),
        ("checkout.session.async_payment_failed", Some(SessionEvent::PaymentFailed)),
        ("checkout.session.expired", Some(SessionEvent::Expired)),
        ("v1.checkout.session.expired", Some(SessionEvent::Expired)),
        ("checkout.session.paused", None),
        ("payment_intent.succeeded", None),
    ] {
        assert_eq!(SessionEvent::of(event_type), expected, "{event_type}");
    }
    for (event_type, expected) in [
        ("charge.dispute.funds_withdrawn", DisputeEvent::FundsWithdrawn),
        ("charge.dispute.funds_reinstated", DisputeEvent::FundsReinstated),
        ("v1.charge.dispute.funds_withdrawn", DisputeEvent::FundsWithdrawn),
        ("charge.dispute.created", DisputeEvent::Other),
        ("charge.dispute.updated", DisputeEvent::Other),
        ("charge.dispute.closed", DisputeEvent::Other),
        ("issuing_dispute.funds_reinstated", DisputeEvent::Other),
    ] {
        assert_eq!(DisputeEvent::of(event_type), expected, "{event_type}");
    }
}
