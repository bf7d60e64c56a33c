//! What Stripe lists as bought: the lines of an invoice or of a session, and by what other names their prices are known.

use std::collections::BTreeMap;

use stripe::objects::{InvoiceLine, LineItem, Price};

use crate::bought::Bought;
use crate::catalogue::Names;

/// The other names of these prices, those that have any.
pub(super) fn names_of<'a>(prices: impl Iterator<Item = &'a Price>) -> BTreeMap<String, Names> {
    let mut names: BTreeMap<String, Names> = BTreeMap::new();
    for Price { id, product, lookup_key } in prices {
        if product.is_some() || lookup_key.is_some() {
            let (product, lookup_key) = (product.clone(), lookup_key.clone());
            names.entry(id.clone()).or_default().join(Names { product, lookup_key });
        }
    }
    names
}

/// The lines of a session, which have numbers but no ids.
pub(super) fn of_items(items: &[LineItem]) -> BTreeMap<String, Bought> {
    let line = |(number, item): (usize, &LineItem)| {
        let price = item.price.as_ref().map(|price| price.id.clone());
        let bought =
            Bought { price, quantity: item.quantity, amount: None, proration: false, period: None };
        (format!("{number:03}"), bought)
    };
    items.iter().enumerate().map(line).collect()
}

/// The lines of an invoice by their ids.
pub(super) fn of_lines<'a>(
    lines: impl Iterator<Item = &'a InvoiceLine>,
) -> BTreeMap<String, Bought> {
    let mut named: BTreeMap<String, Bought> = BTreeMap::new();
    for line in lines {
        let bought = Bought {
            price: line.price.as_ref().map(|price| price.id.clone()),
            quantity: line.quantity,
            amount: line.amount,
            proration: line.proration == Some(true),
            period: line.period.as_ref().map(|period| (period.start, period.end)),
        };
        // Until 2019 lines went by the subscription that they bill, which two of them may have in common.
        let same = named.keys().filter(|name| name.split('#').next() == Some(&line.id));
        let name = match same.count() {
            0 => line.id.clone(),
            count => format!("{}#{count}", line.id),
        };
        named.insert(name, bought);
    }
    named
}
