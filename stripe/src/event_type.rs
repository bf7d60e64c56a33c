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
