//! What Stripe tells of each kind of purchase, in the order in which it happens.

use clap::ValueEnum;

use crate::events::{Dispute, Event, Purchase, Refund, Standing};

/// Seconds between one thing and the next that happens to a purchase.
const LATER: i64 = 60;

/// Parts of the money that two partial refunds give back, in hundredths: half of it, all together.
const PARTS: [i64; 2] = [20, 30];

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// A user buys credits
    Purchase,
    /// A user pays by bank debit: the money comes after the checkout
    AsyncPurchase,
    /// A user buys credits, and all of the money is refunded
    Refund,
    /// A user buys credits, and a fifth and then three tenths of the money are refunded
    PartialRefund,
    /// A user buys credits, disputes the charge, and the bank finds for the user
    DisputeLost,
    /// A user buys credits, disputes the charge, and the bank gives the money back
    DisputeWon,
    /// A user begins a subscription; its credits are what the catalogue says of its price
    Subscription,
    /// Somebody buys credits whom nothing names
    Unresolved,
    /// The app's server names the user, the payment link another one
    Conflict,
    /// Many purchases at once, some delivered twice, in random order
    Storm,
}

/// Everything that is told of one purchase. What happens to it later happens after its `created`.
pub(super) fn of(kind: Kind, purchase: &Purchase) -> Vec<Event> {
    let (later, still_later) =
        (purchase.created.saturating_add(LATER), purchase.created.saturating_add(2 * LATER));
    let dispute = Dispute { of: purchase, created: later };
    match kind {
        Kind::AsyncPurchase => vec![
            purchase.payment_intent_processing(),
            purchase.session_completed_unpaid(),
            purchase.charge_succeeded_at(later),
            purchase.payment_intent_succeeded_at(later),
            purchase.async_payment_succeeded(later),
        ],
        Kind::Refund => bought(purchase).chain(refunds(purchase, &[100])).collect(),
        Kind::PartialRefund => bought(purchase).chain(refunds(purchase, &PARTS)).collect(),
        Kind::DisputeLost => bought(purchase)
            .chain([
                dispute.created(),
                dispute.funds_withdrawn(),
                dispute.closed(still_later, Standing::Lost),
            ])
            .collect(),
        Kind::DisputeWon => bought(purchase)
            .chain([
                dispute.created(),
                dispute.funds_withdrawn(),
                dispute.closed(still_later, Standing::Won),
                dispute.funds_reinstated(still_later),
            ])
            .collect(),
        Kind::Purchase | Kind::Subscription | Kind::Unresolved | Kind::Conflict | Kind::Storm => {
            bought(purchase).collect()
        }
    }
}

/// A purchase that is paid at once.
fn bought(purchase: &Purchase) -> impl Iterator<Item = Event> {
    [purchase.charge_succeeded(), purchase.payment_intent_succeeded(), purchase.session_completed()]
        .into_iter()
}

/// Refunds of so many hundredths of the money each, one after the other.
fn refunds(purchase: &Purchase, hundredths: &[i64]) -> Vec<Event> {
    let (mut amount_so_far, mut created) = (0_i64, purchase.created);
    let mut events = Vec::new();
    for (number, part) in (1..).zip(hundredths) {
        let amount = purchase.amount.saturating_mul(*part) / 100;
        amount_so_far = amount_so_far.saturating_add(amount);
        created = created.saturating_add(LATER);
        let refund = Refund { of: purchase, number, amount, amount_so_far, created };
        events.extend([refund.created(), refund.charge_refunded()]);
        events.extend(refund.updated());
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_tells_each_event_once() {
        let purchase = Purchase { name: "1".to_owned(), amount: 1_000, ..Purchase::default() };
        for (kind, count) in [
            (Kind::Purchase, 3),
            (Kind::AsyncPurchase, 5),
            (Kind::Refund, 7),
            (Kind::PartialRefund, 11),
            (Kind::DisputeLost, 6),
            (Kind::DisputeWon, 7),
        ] {
            let told = of(kind, &purchase);
            let mut ids: Vec<&str> = told.iter().map(|event| event.id.as_str()).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!((told.len(), ids.len()), (count, count), "{kind:?}");
        }
    }
}
