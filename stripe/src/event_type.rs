//! Which event types are understood, which must wait for a version that understands them, and which do not matter.

/// What is done with an event of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Understood: carries a Checkout session.
    Session,
    /// Understood: carries a payment intent.
    PaymentIntent,
    /// Understood: carries a charge.
    Charge,
    /// Understood: carries a customer.
    Customer,
    /// Not understood yet, but it may move money or decide whose it is.
    Deferred,
    /// Moves nothing and decides nothing, or is not known at all.
    Unhandled,
}

/// The types that are not [`Class::Unhandled`]. A name that ends in `*` stands for all that begin like it.
const TABLE: [(&str, Class); 24] = [
    // Fulfils if it is paid; links customer and user; in setup mode nothing.
    ("checkout.session.completed", Class::Session),
    // The end of a session that was unpaid when it completed, or was never completed.
    ("checkout.session.async_payment_succeeded", Class::Deferred),
    ("checkout.session.async_payment_failed", Class::Deferred),
    ("checkout.session.expired", Class::Deferred),
    // The same purchase by another door; may come first, or alone where there is no Checkout.
    ("payment_intent.succeeded", Class::PaymentIntent),
    ("charge.succeeded", Class::Charge),
    // Money that arrives in parts, or later than it was authorised.
    ("payment_intent.partially_funded", Class::Deferred),
    ("charge.captured", Class::Deferred),
    // Orders, a door that Stripe closed again; old tenants have them.
    ("order.payment_succeeded", Class::Deferred),
    // The subscription door. `invoice.paid` grants; `invoice.payment_succeeded` tells of the same payment.
    ("invoice.paid", Class::Deferred),
    ("invoice.payment_succeeded", Class::Deferred),
    // Ties an invoice to its payment intent since Basil.
    ("invoice_payment.*", Class::Deferred),
    // Ends of an invoice that was not paid, and corrections of one that was.
    ("invoice.voided", Class::Deferred),
    ("invoice.marked_uncollectible", Class::Deferred),
    ("credit_note.*", Class::Deferred),
    // Refunds. Both families carry one refund object; `charge.refunded` carries the charge with its cumulative figure.
    ("charge.refunded", Class::Deferred),
    ("charge.refund.*", Class::Deferred),
    ("refund.*", Class::Deferred),
    // Disputes: only funds_withdrawn and funds_reinstated move money, the others tell how it stands.
    ("charge.dispute.*", Class::Deferred),
    // The moment to freeze, if the policy says so.
    ("radar.early_fraud_warning.*", Class::Deferred),
    // Evidence of whose a customer is.
    ("customer.created", Class::Customer),
    ("customer.updated", Class::Customer),
    ("customer.deleted", Class::Deferred),
    ("customer.subscription.*", Class::Deferred),
];

/// Thin events tell of the same as their classic twin, whose type stands behind this.
const THIN_PREFIX: &str = "v1.";

/// The class of an event type. A thin event carries no object, so even a type that is understood has to wait until its
/// object was fetched.
pub fn classify(event_type: &str, thin: bool) -> Class {
    if !thin {
        return look_up(event_type);
    }
    match event_type.strip_prefix(THIN_PREFIX).map(look_up) {
        None | Some(Class::Unhandled) => Class::Unhandled,
        Some(_) => Class::Deferred,
    }
}

fn look_up(event_type: &str) -> Class {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(family) => event_type.starts_with(family),
        None => event_type == pattern,
    };
    TABLE.iter().find(|(pattern, _)| fits(pattern)).map_or(Class::Unhandled, |&(_, class)| class)
}

#[cfg(test)]
mod tests {
    //! The classes, type by type, as they were decided by hand.

    use std::collections::BTreeSet;

    use super::{Class, classify};
    use crate::{envelope, testing};

    /// Every type of Stripe's that is not unhandled.
    const UNDERSTOOD: [(&str, Class); 5] = [
        ("checkout.session.completed", Class::Session),
        ("payment_intent.succeeded", Class::PaymentIntent),
        ("charge.succeeded", Class::Charge),
        ("customer.created", Class::Customer),
        ("customer.updated", Class::Customer),
    ];
    const DEFERRED: [&str; 36] = [
        "charge.captured",
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.refund.updated",
        "charge.refunded",
        "checkout.session.async_payment_failed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.expired",
        "credit_note.created",
        "credit_note.updated",
        "credit_note.voided",
        "customer.deleted",
        "customer.subscription.created",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.pending_update_applied",
        "customer.subscription.pending_update_expired",
        "customer.subscription.resumed",
        "customer.subscription.trial_will_end",
        "customer.subscription.updated",
        "invoice.marked_uncollectible",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice.voided",
        "invoice_payment.detached",
        "invoice_payment.paid",
        "order.payment_succeeded",
        "payment_intent.partially_funded",
        "radar.early_fraud_warning.created",
        "radar.early_fraud_warning.updated",
        "refund.created",
        "refund.failed",
        "refund.updated",
    ];

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
            "charge.succeeded.twice",
            "charge.refundable",
            "Charge.Succeeded",
            " charge.succeeded",
            "v1.charge.succeeded",
            "refund",
            "invoice.payment_failed",
            "invoice_payment",
            "customer.source.created",
            "issuing_dispute.created",
            "application_fee.refunded",
            "payment_intent.created",
            "foo.created",
        ] {
            assert_eq!(classify(event_type, false), Class::Unhandled, "{event_type:?}");
        }
    }

    #[test]
    fn thin_twins_of_what_matters_wait_for_their_object() {
        let understood = UNDERSTOOD.map(|(event_type, _)| event_type);
        for event_type in understood.iter().chain(&DEFERRED) {
            assert_eq!(
                classify(&format!("v1.{event_type}"), true),
                Class::Deferred,
                "{event_type}"
            );
            assert_eq!(classify(event_type, true), Class::Unhandled, "{event_type} without v1.");
        }
        for event_type in ["v1.billing.meter.no_meter_found", "v2.core.account.created", "v1.", ""]
        {
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
}
