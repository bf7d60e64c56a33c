//! An order: a door of 2015 to 2022, before Checkout had line items. It names stock keeping units, and the charge that paid it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::Fields;
use super::{Found, UnsupportedShape};

/// What we read of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// `or_…`.
    pub id: String,
    /// The charge that paid it.
    pub charge: Option<String>,
    /// What was to be paid, in the currency's minor unit.
    pub amount: Option<i64>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
    /// Customer.
    pub customer: Option<String>,
    /// The order's own metadata.
    pub metadata: BTreeMap<String, String>,
    /// E-mails that it names.
    pub emails: Vec<Found>,
    /// Names of the receiver.
    pub names: Vec<Found>,
}

impl Order {
    /// Reads an order.
    pub fn read(object: &Value) -> Result<Self, UnsupportedShape> {
        let fields = Fields::of(object, "order")?;
        Ok(Self {
            id: fields.id()?,
            charge: fields.reference("charge")?,
            amount: fields.integer("amount")?,
            currency: fields.text("currency")?,
            customer: fields.customer()?,
            metadata: fields.metadata()?,
            emails: fields.found(&["email"]),
            names: fields.found(&["shipping.name"]),
        })
    }
}
