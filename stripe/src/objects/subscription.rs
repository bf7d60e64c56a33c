//! A subscription: its metadata say whose its invoices are. It grants nothing itself.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::Fields;
use super::{Period, Price, UnsupportedShape};

/// What we read of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// `sub_…` (`su_…` in 2013).
    pub id: String,
    /// Customer, or customer account.
    pub customer: Option<String>,
    /// `active`, `trialing`, `past_due`, `canceled`, `unpaid`, `paused` or `incomplete…`.
    pub status: Option<String>,
    /// The subscription's metadata.
    pub metadata: BTreeMap<String, String>,
    /// What is subscribed to, if the list is complete.
    pub items: Option<Vec<SubscriptionItem>>,
}

/// One thing that is subscribed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionItem {
    /// Its price, or its plan before there were prices.
    pub price: Option<Price>,
    /// How many.
    pub quantity: Option<i64>,
    /// The current period: its own since Basil (2025-03-31), the subscription's before.
    pub current_period: Option<Period>,
}

impl Subscription {
    /// Reads a subscription.
    pub fn read(object: &Value) -> Result<Self, UnsupportedShape> {
        let fields = Fields::of(object, "subscription")?;
        Ok(Self {
            id: fields.id()?,
            customer: fields.customer()?,
            status: fields.text("status")?,
            metadata: fields.metadata()?,
            items: items(&fields)?,
        })
    }
}

/// Old subscriptions (2014) have one plan and no items.
fn items(subscription: &Fields<'_>) -> Result<Option<Vec<SubscriptionItem>>, UnsupportedShape> {
    let shared = current_period(subscription)?;
    let read = |item: &Fields<'_>| {
        let own = current_period(item)?;
        Ok(SubscriptionItem {
            price: Price::of(item)?,
            quantity: item.integer("quantity")?,
            current_period: own.or(shared),
        })
    };
    if subscription.has("items") || !subscription.has("plan") {
        return subscription.list("items", read);
    }
    Ok(Some(vec![read(subscription)?]))
}

fn current_period(fields: &Fields<'_>) -> Result<Option<Period>, UnsupportedShape> {
    Period::of(fields, "current_period_start", "current_period_end")
}
