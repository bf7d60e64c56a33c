//! Links from customers and subscriptions to users: the first resolved payment makes them, and they end with the verdict
//! that made them.

use crate::effects::Link;
use crate::world::World;

/// The first resolved payment of a customer links him to its user, and so releases what waits for the customer.
pub(crate) fn link(world: &mut World, root_key: &str, user: &str, pos: i64) {
    let payment = world.payments.get(root_key);
    let customers = payment.map(|payment| payment.facts.customers.clone()).unwrap_or_default();
    for customer in customers {
        if !world.links.contains_key(&customer) {
            world.links.insert(customer.clone(), user.to_owned());
            world.linked_by.insert(customer.clone(), root_key.to_owned());
            world.effects.woken.insert(format!("customer:{customer}"), pos);
            if let Some(payment) = world.payments.get_mut(root_key) {
                payment.facts.linked.insert(customer.clone());
            }
            world.effects.links.push(Link { customer, user: user.to_owned(), pos, until: None });
        }
    }
}

/// Ends the links that a payment made to anybody but the user whose it is now: what it was taken for says nothing of the
/// next payment. What contradicted them is judged anew.
pub(crate) fn unlink(world: &mut World, root_key: &str, user: Option<&str>, pos: i64) {
    let Some(payment) = world.payments.get_mut(root_key) else { return };
    let links = &world.links;
    let is_wrong =
        |customer: &String| links.get(customer).is_some_and(|linked| Some(linked.as_str()) != user);
    let ended: Vec<String> =
        payment.facts.linked.iter().filter(|customer| is_wrong(customer)).cloned().collect();
    payment.facts.linked.retain(|customer| !ended.contains(customer));
    for customer in ended {
        world.links.remove(&customer);
        world.linked_by.remove(&customer);
        world.effects.woken.insert(format!("customer:{customer}"), pos);
        let mut made = world.effects.links.iter_mut();
        match made.find(|link| link.customer == customer && link.until.is_none()) {
            Some(link) => link.until = Some(pos),
            None => world.effects.unlinked.push((customer, pos)),
        }
    }
}
