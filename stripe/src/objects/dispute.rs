//! A dispute: a payer's bank takes money back, or only asks.

use serde_json::Value;

use super::UnsupportedShape;
use super::fields::Fields;

/// What we read of a dispute. Its status moves no money: see [`crate::event_type::DisputeEvent`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// `dp_…` (`du_…` for some payment methods). Those of 2013 have none: they go by their charge, which has no other.
    pub id: String,
    /// `warning_…` (an inquiry), `needs_response`, `under_review`, `won`, `lost` or `prevented`.
    pub status: Option<String>,
    /// What is disputed, in the currency's minor unit; may differ from what was charged.
    pub amount: Option<i64>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
    /// Charge that is disputed.
    pub charge: Option<String>,
    /// Payment intent of that charge.
    pub payment_intent: Option<String>,
    /// Whether the charge can still be refunded: then no money was withdrawn.
    pub is_charge_refundable: Option<bool>,
    /// What moved so far: a withdrawal, and what was reinstated. Old disputes name only the first,
    /// by its id.
    pub balance_transactions: Vec<BalanceTransaction>,
}

/// A movement of the account's balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceTransaction {
    /// `txn_…`.
    pub id: Option<String>,
    /// What moved, in the minor unit of its own currency: negative when it was withdrawn.
    pub amount: Option<i64>,
    /// When it moved, in seconds since 1970.
    pub created: Option<i64>,
    /// ISO 4217 code, lower case: the account's currency, which may not be the dispute's.
    pub currency: Option<String>,
    /// `dispute` or `dispute_reversal`; older ones do not say.
    pub reporting_category: Option<String>,
    /// `adjustment`.
    pub kind: Option<String>,
}

/// Where a dispute's money is, by its movements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Whether all of it is back.
    pub is_reinstated: bool,
    /// When it last moved, in seconds since 1970.
    pub at: Option<i64>,
}

impl Dispute {
    /// Reads a dispute.
    pub fn read(object: &Value) -> Result<Self, UnsupportedShape> {
        let fields = Fields::of(object, "dispute")?;
        let movements = fields.list("balance_transactions", BalanceTransaction::of)?;
        let charge = fields.reference("charge")?;
        let charge_instead = charge.clone().filter(|_| !fields.has("id"));
        Ok(Self {
            id: charge_instead.map_or_else(|| fields.id(), Ok)?,
            status: fields.text("status")?,
            amount: fields.integer("amount")?,
            currency: fields.text("currency")?,
            charge,
            payment_intent: fields.reference("payment_intent")?,
            is_charge_refundable: fields.flag("is_charge_refundable")?,
            balance_transactions: movements.unwrap_or_default(),
        })
    }

    /// What its movements come to: whether each withdrawal was followed by a reinstatement, and since when it is so. None
    /// if no movement is told.
    pub fn moved(&self) -> Option<Moved> {
        let amounts = self.balance_transactions.iter().filter_map(|moved| moved.amount);
        let (back, gone): (Vec<_>, Vec<_>) =
            amounts.filter(|amount| *amount != 0).partition(|amount| amount.is_positive());
        let at = self.balance_transactions.iter().filter_map(|moved| moved.created).max();
        let is_moved = !(back.is_empty() && gone.is_empty());
        is_moved.then_some(Moved { is_reinstated: back.len() >= gone.len(), at })
    }
}

impl BalanceTransaction {
    fn of(fields: &Fields<'_>) -> Result<Self, UnsupportedShape> {
        Ok(Self {
            id: fields.reference("id")?,
            amount: fields.integer("amount")?,
            created: fields.integer("created")?,
            currency: fields.text("currency")?,
            reporting_category: fields.text("reporting_category")?,
            kind: fields.text("type")?,
        })
    }
}
