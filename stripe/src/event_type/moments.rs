//! What only the type of an event says, and not the object that it carries.

/// What happened to a session. A failed payment leaves the session `complete` and `unpaid`, just as it was while the
/// payment was still under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionEvent {
    /// The customer went through with it. Whether it is paid, the object says.
    Completed,
    /// A payment that was still under way then has arrived.
    PaymentSucceeded,
    /// It will not arrive.
    PaymentFailed,
    /// The customer did not go through with it in time.
    Expired,
}

impl SessionEvent {
    /// What an event of this type, classic or thin, says of its session; none for other types.
    pub fn of(event_type: &str) -> Option<Self> {
        match without_prefix(event_type) {
            "checkout.session.completed" => Some(Self::Completed),
            "checkout.session.async_payment_succeeded" => Some(Self::PaymentSucceeded),
            "checkout.session.async_payment_failed" => Some(Self::PaymentFailed),
            "checkout.session.expired" => Some(Self::Expired),
            _ => None,
        }
    }
}

/// What happened to a dispute. Its status does not tell: money is withdrawn when it opens, but not for an inquiry, and
/// may be reinstated before it is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisputeEvent {
    /// The disputed money was taken from the balance.
    FundsWithdrawn,
    /// It was given back.
    FundsReinstated,
    /// No money moved: it was opened, updated or closed.
    Other,
}

impl DisputeEvent {
    /// What an event of this type, classic or thin, says of its dispute.
    pub fn of(event_type: &str) -> Self {
        match without_prefix(event_type) {
            "charge.dispute.funds_withdrawn" => Self::FundsWithdrawn,
            "charge.dispute.funds_reinstated" => Self::FundsReinstated,
            _ => Self::Other,
        }
    }
}

fn without_prefix(event_type: &str) -> &str {
    event_type.strip_prefix(super::THIN_PREFIX).unwrap_or(event_type)
}
