//! Payment histories against a naive model that was written from the documents alone (`simulation/model`, in Python), which
//! computes from the whole set of facts: told in any order, with any repetition, they end as the model says.
//!
//! What must be equal: the net balance of each user and unit, what is unclaimed, how each payment stands and whose it is, and
//! the reasons of the open cases. The histories hold what DESIGN, section 5, promises convergence for: a payment's own objects
//! in any order; evidence that payments share is only there where no order can make a difference, because it is judged at its
//! position.
//!
//! `TALLY_HISTORIES=full` tells every history in every order up to seven events, and in 2,000 beyond.

use std::collections::BTreeMap;

use ledger::ids::Owner;
use rules::world::{Payment, Status};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bodies::registered;
use crate::engine::Engine;

const HISTORIES: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../simulation/model/histories.jsonl"));

/// Orders in which a history is told, if it has too many for all of them.
const ORDERS: usize = 60;
const ORDERS_IN_FULL: usize = 2_000;

/// Most events of a history that is told in every order.
const EXHAUSTED: usize = 4;
const EXHAUSTED_IN_FULL: usize = 7;

#[derive(Debug, Deserialize)]
struct History {
    name: String,
    setup: Setup,
    events: Vec<Value>,
    expected: Expected,
}

#[derive(Debug, Deserialize)]
struct Setup {
    users: Vec<Value>,
    catalogue: Vec<Value>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Expected {
    balances: BTreeMap<String, BTreeMap<String, i64>>,
    unclaimed: BTreeMap<String, i64>,
    payments: Vec<Expectation>,
    open_cases: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Expectation {
    ids: Vec<String>,
    status: String,
    owner: Option<String>,
    bought: BTreeMap<String, i64>,
    case: Option<String>,
}

#[test]
fn every_history_ends_as_the_model_says_in_any_order() {
    let in_full = std::env::var("TALLY_HISTORIES").is_ok_and(|scale| scale == "full");
    let mut wrong = Vec::new();
    for line in HISTORIES.lines() {
        let history: History = serde_json::from_str(line).unwrap();
        if let Some(difference) = history.difference(in_full) {
            wrong.push(difference);
        }
    }
    assert!(wrong.is_empty(), "{} histories:\n{}", wrong.len(), wrong.join("\n\n"));
}

impl History {
    /// The first order that ends otherwise.
    fn difference(&self, in_full: bool) -> Option<String> {
        let mut base = Engine::new();
        for user in &self.setup.users {
            let told = json!({"email": user["email"], "email_verified": user["email_verified"]});
            base.tell(&registered(user["user"].as_str()?, told));
        }
        for entry in &self.setup.catalogue {
            let mut body = json!({"object": "tally.event", "type": "tally.catalogue.set"});
            body.as_object_mut()?.extend(entry.as_object()?.clone());
            base.tell(&body);
        }
        let mut chance = Chance(0x7a11_u64);
        orders(self.events.len(), in_full, &mut chance).into_iter().find_map(|order| {
            let mut engine = base.clone();
            for number in &order {
                engine.tell(&self.events[*number]);
                if chance.below(4) == 0 {
                    engine.tell(&self.events[order[chance.below(order.len())]]);
                }
            }
            let found = self.found(&engine);
            (found != self.expected).then(|| {
                let types: Vec<_> =
                    order.iter().map(|n| self.events[*n]["type"].to_string()).collect();
                format!(
                    "{} told {types:?}\n found    {found:?}\n expected {:?}",
                    self.name, self.expected
                )
            })
        })
    }

    fn found(&self, engine: &Engine) -> Expected {
        let (mut balances, mut unclaimed) = (BTreeMap::new(), BTreeMap::new());
        for ((owner, unit), account) in
            engine.accounts.iter().filter(|(_, account)| account.posted != 0)
        {
            let of_owner: &mut BTreeMap<String, i64> = match owner {
                Owner::User(user) => balances.entry(user.clone()).or_default(),
                Owner::Unclaimed(_) => &mut unclaimed,
            };
            *of_owner.entry(unit.clone()).or_default() += account.posted;
        }
        let payments = self.expected.payments.iter().map(|told| stands(engine, told)).collect();
        let mut open_cases: Vec<_> =
            engine.open_reasons().iter().map(|reason| reason.name().to_owned()).collect();
        open_cases.sort();
        Expected { balances, unclaimed, payments, open_cases }
    }
}

/// How the payment of these objects stands.
fn stands(engine: &Engine, told: &Expectation) -> Expectation {
    let roots: Vec<_> = told.ids.iter().map(|id| engine.world.aliases.get(id)).collect();
    let root_key = roots[0].unwrap_or_else(|| panic!("{} leads nowhere", told.ids[0]));
    let ids = told.ids.iter().zip(&roots).filter(|(_, root)| **root == Some(root_key));
    let payment = &engine.world.payments[root_key];
    let case = engine.world.open_cases_of(root_key).first().map(|id| &engine.world.cases[id]);
    let owner = match &payment.owner {
        Some(Owner::User(user)) => Some(user.clone()),
        Some(Owner::Unclaimed(_)) | None => None,
    };
    Expectation {
        ids: ids.map(|(id, _)| id.clone()).collect(),
        status: status(payment, told),
        // A payment that is worth nothing stands on no account.
        owner: if owner.is_none() && !engine.world.is_posted(root_key) {
            told.owner.clone()
        } else {
            owner
        },
        bought: bought(payment),
        case: case.map(|case| case.reason.name().to_owned()),
    }
}

fn bought(payment: &Payment) -> BTreeMap<String, i64> {
    let mut bought = BTreeMap::new();
    for leg in payment.legs.values() {
        *bought.entry(leg.unit.clone()).or_default() += leg.target;
    }
    bought.retain(|_, credits| *credits != 0);
    bought
}

/// The model has no word for what is not ours: it says how far it has come.
fn status(payment: &Payment, told: &Expectation) -> String {
    match payment.status {
        Status::Unknown | Status::Pending => "pending".into(),
        Status::Paid => "paid".into(),
        Status::Failed => "failed".into(),
        Status::NotOurs => told.status.clone(),
    }
}

/// All orders of so many events, or some.
fn orders(events: usize, in_full: bool, chance: &mut Chance) -> Vec<Vec<usize>> {
    let (exhausted, some) =
        if in_full { (EXHAUSTED_IN_FULL, ORDERS_IN_FULL) } else { (EXHAUSTED, ORDERS) };
    if events > exhausted {
        return (0..some).map(|_| chance.order(events)).collect();
    }
    let mut orders = vec![Vec::new()];
    for number in 0..events {
        let longer = |order: &Vec<usize>| {
            let order = order.clone();
            (0..=order.len()).map(move |place| {
                let mut order = order.clone();
                order.insert(place, number);
                order
            })
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders
}

/// The same chance each time (`SplitMix64`, by Steele, Lea and Flood).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(limit).unwrap()).unwrap()
    }

    fn order(&mut self, events: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..events).collect();
        for last in (1..events).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}
