//! Refunds and disputes of any amounts: what is left is one division of what all of them took, rounded down.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use super::bodies::{ADA, at, charge, charge_refunded, dispute, intent, priced, refund, with};
use super::engine::Engine;

/// A purchase of so many credits for so much.
fn bought(credits: i64, paid: i64) -> Engine {
    let mut engine = Engine::with_users();
    engine.tell(&priced("price_any", credits));
    let metadata = json!({"user_id": ADA, "price": "price_any"});
    let money = json!({"amount": paid, "amount_received": paid, "metadata": metadata});
    engine.tell(&intent(money.clone()));
    engine.tell(&charge(with(money, json!({"amount_refunded": 0}))));
    engine
}

/// What is left by the rule: one division, rounded down, and never less than nothing.
fn left(credits: i64, gone: i64, paid: i64) -> i64 {
    let gone = i128::from(gone.clamp(0, paid));
    credits - i64::try_from(i128::from(credits) * gone / i128::from(paid)).unwrap()
}

fn worth() -> impl Strategy<Value = (i64, i64)> {
    (1..=1_000_000_000_000_i64, 1..=100_000_000_i64)
}

/// Cuts an amount into parts at these places.
fn parts(amount: i64, cuts: &[Index]) -> Vec<i64> {
    let whole = usize::try_from(amount).unwrap() + 1;
    let mut cuts: Vec<i64> =
        cuts.iter().map(|cut| i64::try_from(cut.index(whole)).unwrap()).collect();
    cuts.extend([0, amount]);
    cuts.sort_unstable();
    cuts.windows(2).map(|ends| ends[1] - ends[0]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn one_refund_cut_into_parts_takes_what_the_whole_takes(
        (credits, paid) in worth(),
        refunded in any::<Index>(),
        cuts in prop::collection::vec(any::<Index>(), 0..6),
        figures in prop::collection::vec(any::<bool>(), 6),
        seed in any::<Index>(),
    ) {
        let refunded = i64::try_from(refunded.index(usize::try_from(paid).unwrap() + 1)).unwrap();
        let mut whole = bought(credits, paid);
        whole.tell(&refund("re_whole", refunded, 10, "succeeded"));
        prop_assert_eq!(whole.balance(ADA), left(credits, refunded, paid));

        let (mut told, mut so_far) = (Vec::new(), 0);
        for (number, (part, has_figure)) in (1..).zip(parts(refunded, &cuts).into_iter().zip(figures)) {
            so_far += part;
            told.push(refund(&format!("re_{number}"), part, 10 * number, "succeeded"));
            if has_figure {
                let figure = charge_refunded(so_far, json!({"amount": paid}));
                told.push(at(10 * number, figure));
            }
        }
        let turn = seed.index(told.len());
        told.rotate_left(turn);
        let mut engine = bought(credits, paid);
        for body in &told {
            engine.tell(body);
            prop_assert!(engine.balance(ADA) >= whole.balance(ADA));
        }
        prop_assert_eq!(engine.balance(ADA), whole.balance(ADA));
        prop_assert_eq!(engine.payment().legs.values().map(|leg| leg.posted).sum::<i64>(), whole.balance(ADA));
    }

    #[test]
    fn a_dispute_that_is_won_restores_exactly_what_it_took(
        (credits, paid) in worth(),
        refunds in prop::collection::vec(1..=60_000_000_i64, 0..4),
        disputed in 1..=200_000_000_i64,
        is_refunded_meanwhile in any::<bool>(),
    ) {
        let mut engine = bought(credits, paid);
        let tell_refunds = |engine: &mut Engine| {
            for (number, amount) in (1..).zip(&refunds) {
                engine.tell(&refund(&format!("re_{number}"), *amount, 10 * number, "succeeded"));
            }
        };
        let refunded = refunds.iter().sum::<i64>();
        if !is_refunded_meanwhile {
            tell_refunds(&mut engine);
        }
        engine.tell(&dispute("funds_withdrawn", "dp_1", disputed, 100));
        if is_refunded_meanwhile {
            tell_refunds(&mut engine);
        }
        let gone = refunded.saturating_add(disputed);
        prop_assert_eq!(engine.balance(ADA), left(credits, gone, paid));
        engine.tell(&dispute("funds_reinstated", "dp_1", disputed, 200));
        prop_assert_eq!(engine.balance(ADA), left(credits, refunded, paid));
    }

    #[test]
    fn what_fails_is_given_back_to_the_last_credit(
        (credits, paid) in worth(),
        refunds in prop::collection::vec((1..=60_000_000_i64, any::<bool>()), 1..6),
    ) {
        let mut engine = bought(credits, paid);
        for (number, (amount, _)) in (1..).zip(&refunds) {
            engine.tell(&refund(&format!("re_{number}"), *amount, 10 * number, "pending"));
        }
        for (number, (amount, fails)) in (1..).zip(&refunds) {
            let status = if *fails { "failed" } else { "succeeded" };
            engine.tell(&at(1_000, refund(&format!("re_{number}"), *amount, 10 * number, status)));
        }
        let stay: i64 = refunds.iter().filter(|(_, fails)| !fails).map(|(amount, _)| amount).sum();
        prop_assert_eq!(engine.balance(ADA), left(credits, stay, paid));
    }
}
