//! A line of an invoice: one thing that was bought, or the rest of one that was given up.
//!
//! Basil (2025-03-31) moved `price` into `pricing.price_details`, and `proration`, `subscription` and
//! `subscription_item` into `parent`, under the name that `parent.type` says.

use std::collections::BTreeMap;

use super::fields::Fields;
use super::{Period, Price, UnsupportedShape};

/// What we read of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceLine {
    /// `il_…`; until 2019-12-03 the id of what it bills (`ii_…`, `sub_…`), which is unique in its invoice only.
    pub id: String,
    /// Its price, or its plan before there were prices.
    pub price: Option<Price>,
    /// How many. None where Stripe names none, or a fraction: that is not one.
    pub quantity: Option<i64>,
    /// What it comes to before tax, in the currency's minor unit; negative for what was given up.
    pub amount: Option<i64>,
    /// Whether it bills or gives back a part of a period, because a subscription changed within it.
    pub proration: Option<bool>,
    /// What it is for.
    pub period: Option<Period>,
    /// Subscription that it bills.
    pub subscription: Option<String>,
    /// Item of that subscription.
    pub subscription_item: Option<String>,
    /// Metadata: of the subscription, if the line bills one.
    pub metadata: BTreeMap<String, String>,
}

impl InvoiceLine {
    /// Reads a line of an invoice.
    pub(super) fn of(line: &Fields<'_>) -> Result<Self, UnsupportedShape> {
        let parent = parent(line)?;
        let reference = |name: &str| match line.reference(name)? {
            Some(id) => Ok(Some(id)),
            None => parent.as_ref().map_or(Ok(None), |parent| parent.reference(name)),
        };
        let proration = match line.flag("proration")? {
            Some(proration) => Some(proration),
            None => parent.as_ref().map_or(Ok(None), |parent| parent.flag("proration"))?,
        };
        Ok(Self {
            id: line.id()?,
            price: price(line)?,
            quantity: quantity(line)?,
            amount: line.integer("amount")?,
            proration,
            period: period(line)?,
            subscription: reference("subscription")?,
            subscription_item: reference("subscription_item")?,
            metadata: line.metadata()?,
        })
    }
}

/// The details of what made the line, since Basil.
fn parent<'a>(line: &Fields<'a>) -> Result<Option<Fields<'a>>, UnsupportedShape> {
    let Some(parent) = line.object("parent")? else { return Ok(None) };
    let Some(details) = parent.text("type")? else { return Ok(None) };
    parent.object(&details)
}

/// Basil tells the product beside the price, which is not expanded.
fn price(line: &Fields<'_>) -> Result<Option<Price>, UnsupportedShape> {
    let Some(pricing) = line.object("pricing")? else {
        return Price::of(line);
    };
    let Some(details) = pricing.object("price_details")? else { return Ok(None) };
    let Some(price) = Price::of(&details)? else { return Ok(None) };
    let product = price.product.or(details.reference("product")?);
    Ok(Some(Price { product, ..price }))
}

/// Quantities with a fraction stand in `quantity_decimal` (2026); `quantity` is then rounded, or null.
fn quantity(line: &Fields<'_>) -> Result<Option<i64>, UnsupportedShape> {
    let decimal = line.text("quantity_decimal")?;
    let fraction = decimal.as_deref().and_then(|decimal| decimal.split_once('.'));
    let is_whole = fraction.is_none_or(|(_, digits)| digits.bytes().all(|digit| digit == b'0'));
    Ok(line.integer("quantity")?.filter(|_| is_whole))
}

fn period(line: &Fields<'_>) -> Result<Option<Period>, UnsupportedShape> {
    let period = line.object("period")?;
    period.map_or(Ok(None), |period| Period::of(&period, "start", "end"))
}
