//! Order and repetition do not matter to one purchase (DESIGN, section 5), and no history breaks the books.
//!
//! **What must be equal.** Take the events about one purchase's own objects (session, payment intent, charge), each told
//! at least once, and let what payments share be the same before the first of them and never change meanwhile: links,
//! customers, the directory, the catalogue, the policy. Then every order of them, with any repetitions, in any batches,
//! ends with
//! - the same balance of every user in every unit, and the same total on unclaimed accounts;
//! - one payment with the same joined facts, status, claimant and credits per line;
//! - an open case of the same reason that waits for the same and shows the same credits, or none.
//!
//! **What may differ.** Names that come from whatever came first: the root key, and so the ids of its account and cases.
//! Which of the events is said to have moved the credits, and how many of them are in review: an event that was applied
//! stays applied when a later one opens a case. The movements on the way there. Links to users: the first user whom a
//! part of the evidence names is linked, and a link is never edited.
//!
//! **Why shared evidence has to stand still.** A link, a customer's metadata, a registration or a catalogue entry heals
//! open cases but never moves a payment that is applied. So what it does depends on whether it came before: a payment
//! whose customer is named after it was credited stays as it is, and one that waited for it does not. For the same
//! reason the purchases of one customer are not independent: whichever is resolved first makes the link.

use std::collections::{BTreeMap, BTreeSet};

use ledger::decision::Reason;
use ledger::ids::Owner;
use proptest::prelude::*;
use rules::evidence::Kind;
use rules::payment::Facts;
use rules::world::{Leg, LegKind, Payment, Status};
use serde_json::{Value, json};

use super::books::orders;
use super::engine::Engine;
use super::histories::{KNOWN, Step, known, policy, purchase, step};
use super::reassign::reassign;

/// Up to so many events, all orders are tried.
const ALL_ORDERS_UP_TO: usize = 5;

/// What must be equal.
#[derive(Debug, PartialEq)]
struct End {
    balances: BTreeMap<(Option<String>, String), i64>,
    facts: Facts,
    stands: (Status, Option<String>, BTreeMap<(String, LegKind), Leg>),
    cases: Vec<(Reason, BTreeSet<String>, Option<i64>)>,
}

impl End {
    fn of(engine: &Engine) -> Self {
        let mut balances = BTreeMap::new();
        for ((owner, unit), account) in &engine.accounts {
            let user = match owner {
                Owner::User(user) => Some(user.clone()),
                Owner::Unclaimed(_) => None,
            };
            *balances.entry((user, unit.clone())).or_default() += account.posted;
        }
        balances.retain(|_, posted| *posted != 0);
        let purchases = engine.world.payments.iter().filter(|(root_key, _)| *root_key != KNOWN);
        let purchases: Vec<_> = purchases.map(|(_, payment)| payment.clone()).collect();
        let [mut payment] = <[Payment; 1]>::try_from(purchases).unwrap();
        payment.facts.set_aside.clear(); // positions of events
        payment.facts.linked.clear();
        payment.facts.evidence.retain(|piece| piece.kind != Kind::Link); // what it was taken for before
        payment.legs.retain(|_, leg| leg.expected > 0);
        let cases = engine.open_cases();
        let cases =
            cases.into_iter().map(|(_, case)| (case.reason, case.waits_for, case.detail.credits));
        Self {
            balances,
            facts: payment.facts,
            stands: (payment.status, payment.claimant, payment.legs),
            cases: cases.collect(),
        }
    }
}

fn end(base: &Engine, told: &[Value], batch: usize) -> End {
    let mut engine = base.clone();
    for batch in told.chunks(batch) {
        engine.tell_all(batch);
    }
    End::of(&engine)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn all_orders_of_a_few_events_end_alike(policy in policy(), told in purchase(1..=ALL_ORDERS_UP_TO)) {
        prop_assume!(told.len() <= ALL_ORDERS_UP_TO);
        let base = known(policy);
        let expected = end(&base, &told, 1);
        for order in orders(&told) {
            prop_assert_eq!(&end(&base, &order, 1), &expected, "{}", json!(order));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn any_order_with_repetitions_in_any_batches_ends_alike(
        policy in policy(),
        (told, order) in purchase(1..=6).prop_flat_map(|told| {
            let again = prop::sample::subsequence(told.clone(), 0..=told.len());
            let order = again.prop_flat_map({
                let told = told.clone();
                move |again| Just([told.clone(), again].concat()).prop_shuffle()
            });
            (Just(told), prop::collection::vec(order, 4))
        }),
        batch in 1..5_usize,
    ) {
        let base = known(policy);
        let expected = end(&base, &told, 1);
        for order in order {
            prop_assert_eq!(&end(&base, &order, batch), &expected, "{}", json!(order));
        }
    }

    /// [`Engine::check`] looks after every batch. In the end, no payment is held up that a fact should have released:
    /// being decided anew releases none of them.
    #[test]
    fn no_history_breaks_the_books_or_loses_a_wake_up(
        policy in policy(),
        create_users in any::<bool>(),
        steps in prop::collection::vec(step(), 1..25),
    ) {
        let mut engine = known(rules::policy::Policy { create_users, ..policy });
        for step in steps {
            take(&mut engine, step);
        }
        let mut open = engine.open_cases();
        open.retain(|(_, case)| case.root_key.is_some());
        for (id, case) in &open {
            engine.act_now(*id, "retried", json!({}));
            let held_up = case.root_key.as_ref().unwrap();
            let still = engine.world.open_cases_of(held_up).len();
            prop_assert_eq!(still, 1, "only a retry settled {:?}", case);
        }
    }
}

fn take(engine: &mut Engine, step: Step) {
    match step {
        Step::Tell(bodies) => drop(engine.tell_all(&bodies)),
        Step::Park(body) => _ = engine.park(&body),
        Step::Wait(seconds) => engine.wait(seconds),
        Step::Reassign(which, user) => {
            let all: Vec<_> = engine.world.payments.keys().cloned().collect();
            let root_key: &String = which.get(&all);
            reassign(engine, root_key, user);
        }
        Step::Act(which, what, fields) => {
            let open = engine.open_cases();
            if !open.is_empty() {
                engine.act_now(which.get(&open).0, what, fields);
            }
        }
    }
}
