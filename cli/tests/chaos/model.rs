//! What the books must say in the end, written from DESIGN sections 5 and 6 and from nothing else.

use std::collections::{BTreeMap, BTreeSet};

/// A purchase as the world knows it, whichever of its events came first.
#[derive(Debug, Clone)]
pub(crate) struct Bought {
    /// What it is worth.
    pub(crate) credits: i64,
    /// Users whom its server-set metadata names, on whatever object.
    pub(crate) named: BTreeSet<String>,
    /// Stripe's customer.
    pub(crate) customer: Option<String>,
    /// Whether a paid session tells of it. Without one, a payment that names nothing is not ours.
    pub(crate) has_session: bool,
}

/// Credits, once everything is decided.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Books {
    /// Of each user who has any.
    pub(crate) balances: BTreeMap<String, i64>,
    /// Of payments whose owner nobody knows.
    pub(crate) unclaimed: i64,
}

/// The books after all of these purchases, in whatever order and however often they were told.
pub(crate) fn books(purchases: &[Bought], registered: &BTreeSet<String>) -> Books {
    let links = links(purchases, registered);
    let mut books = Books::default();
    for bought in purchases.iter().filter(|bought| is_ours(bought)) {
        match owner(bought, &links, registered) {
            Some(user) => *books.balances.entry(user).or_default() += bought.credits,
            None => books.unclaimed += bought.credits,
        }
    }
    books
}

fn is_ours(bought: &Bought) -> bool {
    bought.has_session || !bought.named.is_empty()
}

/// Customers whose owner a resolved purchase proves.
fn links(purchases: &[Bought], registered: &BTreeSet<String>) -> BTreeMap<String, String> {
    let proven = purchases.iter().filter(|bought| is_ours(bought)).filter_map(|bought| {
        Some((bought.customer.clone()?, owner(bought, &BTreeMap::new(), registered)?))
    });
    proven.collect()
}

/// The one user that all evidence names, if the directory knows that user.
fn owner(
    bought: &Bought,
    links: &BTreeMap<String, String>,
    registered: &BTreeSet<String>,
) -> Option<String> {
    let link = bought.customer.as_ref().and_then(|customer| links.get(customer));
    let named: BTreeSet<&String> = bought.named.iter().chain(link).collect();
    match Vec::from_iter(named)[..] {
        [only] if registered.contains(only) => Some(only.clone()),
        _ => None,
    }
}

#[test]
fn who_gets_what() {
    let bought = |credits, named: &[&str], customer: Option<&str>| Bought {
        credits,
        named: named.iter().map(|user| (*user).to_owned()).collect(),
        customer: customer.map(str::to_owned),
        has_session: true,
    };
    let purchases = [
        bought(1, &[], Some("cus_1")),
        bought(2, &["ann"], Some("cus_1")),
        bought(4, &["nobody"], None),
        bought(8, &["ann", "bob"], None),
        Bought { has_session: false, ..bought(16, &[], None) },
    ];
    let registered = ["ann", "bob"].map(str::to_owned).into();
    let expected = Books { balances: [("ann".to_owned(), 3)].into(), unclaimed: 12 };
    assert_eq!(books(&purchases, &registered), expected);
}
