//! Stripe's customer, who carries evidence of who somebody is.

use serde_json::{Value, json};

use super::envelope::{Event, Told};
use super::{CREATED, Metadata};

/// A customer.
#[derive(Debug, Clone)]
pub struct Customer {
    /// Makes its id: `cus_<name>`.
    pub name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// What the customer is called.
    pub customer_name: Option<String>,
    /// Its metadata.
    pub metadata: Metadata,
    /// When, in seconds since 1970.
    pub created: i64,
    /// Live or test mode.
    pub livemode: bool,
    /// Stripe Connect account.
    pub account: Option<String>,
}

impl Customer {
    /// A customer of whom nothing is known.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            email: None,
            customer_name: None,
            metadata: Metadata::new(),
            created: CREATED,
            livemode: false,
            account: None,
        }
    }

    /// `cus_<name>`.
    pub fn id(&self) -> String {
        format!("cus_{}", self.name)
    }

    /// Stripe made it.
    pub fn created_event(&self) -> Event {
        self.tell("customer.created", None)
    }

    /// It was changed, and this is how it is now. What it was before is told as an e-mail address
    /// that was missing.
    pub fn updated_event(&self) -> Event {
        self.tell("customer.updated", Some(json!({ "email": null })))
    }

    fn tell(&self, kind: &str, previous_attributes: Option<Value>) -> Event {
        let told = Told {
            name: &self.name,
            created: self.created,
            livemode: self.livemode,
            account: self.account.as_deref(),
        };
        let object = json!({
            "id": self.id(),
            "object": "customer",
            "address": null,
            "balance": 0,
            "created": self.created,
            "currency": null,
            "default_source": null,
            "delinquent": false,
            "description": null,
            "email": self.email,
            "invoice_prefix": "3DAA104C",
            "livemode": self.livemode,
            "metadata": self.metadata,
            "name": self.customer_name,
            "phone": null,
            "preferred_locales": [],
            "shipping": null,
            "tax_exempt": "none",
        });
        Event::new(kind, told, object, previous_attributes)
    }
}
