//! Who pays: customers and subscriptions, as evidence for their payments.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stripe::objects::{Customer, Subscription, UnsupportedShape};

use super::stripe_events::Reader;
use crate::evidence::Kind;
use crate::news::News;

impl Reader<'_> {
    pub(super) fn customer(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let customer = Customer::read(object)?;
        let mut evidence = BTreeSet::new();
        // A customer outlives his checkouts: a reference is judged by the time at which he had it.
        self.add_metadata(&mut evidence, "customer", &customer.metadata, self.said_at());
        self.add_hashed(&mut evidence, "customer", Kind::Email, &customer.emails);
        self.add_hashed(&mut evidence, "customer", Kind::Name, &customer.names);
        let told = BTreeMap::from([(self.id(&customer.id), self.shared(evidence))]);
        Ok(News::Customers(told))
    }

    pub(super) fn subscription(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let subscription = Subscription::read(object)?;
        let mut evidence = BTreeSet::new();
        let created = self.created(object);
        self.add_metadata(&mut evidence, "subscription", &subscription.metadata, created);
        let told = BTreeMap::from([(self.id(&subscription.id), self.shared(evidence))]);
        Ok(News::Customers(told))
    }
}
