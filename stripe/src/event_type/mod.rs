//! Which event types are understood, which must wait for a version that understands them, and which do not matter.

mod kinds;
mod moments;
#[cfg(test)]
mod tests;

pub use kinds::{api_path, classify_object, is_id, object_at};
pub use moments::{DisputeEvent, SessionEvent};

/// What is done with an event of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Carries a Checkout session; its [`SessionEvent`] says what the object cannot.
    Session,
    /// Carries a payment intent.
    PaymentIntent,
    /// Carries a charge.
    Charge,
    /// Carries one refund.
    Refund,
    /// Carries a dispute; its [`DisputeEvent`] says whether money moves.
    Dispute,
    /// Carries an invoice.
    Invoice,
    /// Carries what ties an invoice to the payment that paid it.
    InvoicePayment,
    /// Carries a credit note.
    CreditNote,
    /// Carries an order.
    Order,
    /// Carries a customer.
    Customer,
    /// Carries a subscription.
    Subscription,
    /// Carries an issuer's warning that a charge may be fraud.
    EarlyFraudWarning,
    /// A thin event of one of the classes above: it names its object, which has to be fetched first.
    Thin,
    /// Not understood yet, but it may move money or decide whose it is.
    Deferred,
    /// Moves nothing and decides nothing, or is not known at all.
    Unhandled,
}

/// The types that are not [`Class::Unhandled`]. A name that ends in `*` stands for all that begin like it, but for those
/// that stand before it.
const TABLE: [(&str, Class); 28] = [
    // Fulfils if it is paid; links customer and user; in setup mode nothing.
    ("checkout.session.completed", Class::Session),
    // The end of a session that was unpaid when it completed, or was never completed.
    ("checkout.session.async_payment_succeeded", Class::Session),
    ("checkout.session.async_payment_failed", Class::Session),
    ("checkout.session.expired", Class::Session),
    // The same purchase by another door; may come first, or alone where there is no Checkout.
    ("payment_intent.succeeded", Class::PaymentIntent),
    // What was begun with it will not be paid.
    ("payment_intent.canceled", Class::PaymentIntent),
    ("charge.succeeded", Class::Charge),
    // A bank transfer that paid a part: it lies in the customer's cash balance, and the payment intent is pending until it
    // is whole and succeeds.
    ("payment_intent.partially_funded", Class::PaymentIntent),
    // What was only authorised by `charge.succeeded` is now taken, or never will be.
    ("charge.captured", Class::Charge),
    ("charge.expired", Class::Charge),
    // Metadata that was added later, which names users; also told when a charge was captured asynchronously.
    ("charge.updated", Class::Charge),
    // Orders, a door that Stripe closed again; old tenants have them. The event says what the object may not: it is paid.
    ("order.payment_succeeded", Class::Order),
    // The subscription door. `invoice.paid` grants; `invoice.payment_succeeded` tells of the same payment. The events
    // before them (created, finalized, updated) move nothing, and whatever they say stands in the paid invoice too.
    ("invoice.paid", Class::Invoice),
    ("invoice.payment_succeeded", Class::Invoice),
    // Ends of an invoice that was not paid, and corrections of one that was.
    ("invoice.voided", Class::Invoice),
    ("invoice.marked_uncollectible", Class::Invoice),
    ("credit_note.*", Class::CreditNote),
    // Ties an invoice to its payment intent since Basil. Others of the family, such as `detached`, loosen what was
    // tied; what becomes of the credits then is for a person to say.
    ("invoice_payment.paid", Class::InvoicePayment),
    ("invoice_payment.*", Class::Deferred),
    // Refunds. Both families carry one refund object; `charge.refunded` carries the charge with its cumulative figure.
    ("charge.refunded", Class::Charge),
    ("charge.refund.*", Class::Refund),
    ("refund.*", Class::Refund),
    // Disputes: only funds_withdrawn and funds_reinstated move money, the others tell how it stands.
    ("charge.dispute.*", Class::Dispute),
    // The moment to freeze, if the policy says so.
    ("radar.early_fraud_warning.*", Class::EarlyFraudWarning),
    // Evidence of whose a customer is. Their cards, sources, discounts and tax ids are none.
    ("customer.created", Class::Customer),
    ("customer.updated", Class::Customer),
    ("customer.deleted", Class::Customer),
    // The same of a subscription: whatever happens to it, its metadata may name a user.
    ("customer.subscription.*", Class::Subscription),
];

/// Thin events tell of the same as their classic twin, whose type stands behind this.
const THIN_PREFIX: &str = "v1.";

/// The class of an event type. A thin event carries no object, so a type that is understood has to wait until its
/// object was fetched.
pub fn classify(event_type: &str, thin: bool) -> Class {
    if !thin {
        return look_up(event_type);
    }
    match event_type.strip_prefix(THIN_PREFIX).map(look_up) {
        None | Some(Class::Unhandled) => Class::Unhandled,
        Some(Class::Deferred) => Class::Deferred,
        Some(_) => Class::Thin,
    }
}

fn look_up(event_type: &str) -> Class {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(family) => event_type.starts_with(family),
        None => event_type == pattern,
    };
    TABLE.iter().find(|(pattern, _)| fits(pattern)).map_or(Class::Unhandled, |&(_, class)| class)
}
