//! A customer: evidence of whose the purchases are that it pays for.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::Fields;
use super::{Found, UnsupportedShape};

/// What we read of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// `cus_…`.
    pub id: String,
    /// The customer is gone. The API says so and no more of it; an event that tells of it still carries the rest.
    pub deleted: bool,
    /// The customer's metadata.
    pub metadata: BTreeMap<String, String>,
    /// E-mails that it names.
    pub emails: Vec<Found>,
    /// Names of the customer.
    pub names: Vec<Found>,
}

impl Customer {
    /// Reads a customer.
    pub fn read(object: &Value) -> Result<Self, UnsupportedShape> {
        let fields = Fields::of(object, "customer")?;
        Ok(Self {
            id: fields.id()?,
            deleted: fields.flag("deleted")? == Some(true),
            metadata: fields.metadata()?,
            emails: fields.found(&["email"]),
            names: fields.found(&["name", "shipping.name"]),
        })
    }
}
