//! What 24 clients ask of 32 accounts at once, at random: some accounts often, some seldom, with what they know of holds and
//! spends. Everything is noted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rand::distr::Distribution as _;
use rand::distr::weighted::WeightedIndex;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use service::clock::Clock;
use tokio::task::JoinSet;

use super::app::App;
use super::operation::{Answer, Ask, Operation};
use crate::cluster::RETRY_PAUSE;

/// Clients that ask at the same time.
const CLIENTS: u64 = 24;

/// Accounts that they ask about.
pub(super) const ACCOUNTS: usize = 32;

/// Weight of the most popular account; the one in place n has an n-th of it.
const POPULARITY: u32 = 1_000;

/// Of this many operations whose outcome is not known, one is never asked for again.
const GIVES_UP: u32 = 4;

/// Of this many that were acknowledged, one is asked for again.
const ASKS_AGAIN: u32 = 16;

/// Of this many times that a hold or a spend is picked, it is forgotten all but one.
const KEEPS: u32 = 5;

/// What clients know of an account, to have something to end and to give back.
#[derive(Debug, Default)]
struct Known {
    /// Holds, with what they reserve.
    holds: Vec<(String, i64)>,
    spends: Vec<String>,
}

/// What all clients share.
pub(super) struct Traffic {
    app: App,
    users: Vec<String>,
    /// Operations that are still to come.
    to_come: AtomicU64,
    /// Moments that went by.
    moments: AtomicU64,
    known: Vec<Mutex<Known>>,
    clock: Clock,
}

impl Traffic {
    pub(super) fn new(app: App, users: Vec<String>, operations: u64) -> Self {
        let known = users.iter().map(|_| Mutex::default()).collect();
        let (to_come, moments) = (AtomicU64::new(operations), AtomicU64::new(0));
        Self { app, users, to_come, moments, known, clock: Clock::system() }
    }

    /// Has all clients ask until nothing is to come; everything that they asked.
    pub(super) async fn flow(self: Arc<Self>, seed: u64) -> Vec<Operation> {
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let traffic = Arc::clone(&self);
            clients.spawn(traffic.client(StdRng::seed_from_u64(seed.wrapping_add(number))));
        }
        clients.join_all().await.into_iter().flatten().collect()
    }

    async fn client(self: Arc<Self>, mut chance: StdRng) -> Vec<Operation> {
        let weights = (1..).take(self.users.len()).map(|place: u32| POPULARITY / place);
        let popular = WeightedIndex::new(weights).unwrap();
        let mut operations = Vec::new();
        while let Some(number) = self.next() {
            let account = popular.sample(&mut chance);
            let ask = self.choose(account, &mut chance);
            let operation = self.operate(account, ask, format!("op {number}"), &mut chance).await;
            self.learn(&operation);
            self.ask_again(&operation, &mut chance).await;
            operations.push(operation);
        }
        operations
    }

    fn next(&self) -> Option<u64> {
        let less = |left: u64| left.checked_sub(1);
        self.to_come.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok()
    }

    /// A moment of its own, after all before it.
    fn moment(&self) -> u64 {
        self.moments.fetch_add(1, Ordering::SeqCst)
    }

    fn choose(&self, account: usize, chance: &mut StdRng) -> Ask {
        let amount = chance.random_range(1..=20);
        let kind = chance.random_range(0..100_u32);
        if kind < 15 {
            let seconds = chance.random_range(1..=5);
            let expires_at = Timestamp::from_second(self.clock.now().as_second() + seconds);
            let expires_at = expires_at.ok().filter(|_| chance.random_bool(0.5));
            let (amount, priority) = (amount * 3, chance.random_range(-1..=1));
            return Ask::Grant { amount, priority, expires_at };
        }
        let known = &mut *self.known[account].lock().unwrap();
        let ask = match kind {
            15..30 => Some(Ask::Hold { amount, seconds: chance.random_range(1..=4) }),
            30..50 => pick(&mut known.holds, chance).map(|(hold, amount)| {
                match chance.random_range(0..3_u32) {
                    0 => Ask::Capture { hold, amount: None },
                    1 => Ask::Capture { hold, amount: Some(chance.random_range(1..=amount)) },
                    _ => Ask::Release { hold },
                }
            }),
            50..58 => pick(&mut known.spends, chance)
                .map(|spend| Ask::Reverse { spend, is_renewed: chance.random_bool(0.5) }),
            58..70 => Some(Ask::Read),
            _ => None,
        };
        ask.unwrap_or(Ask::Spend { amount })
    }

    /// Asks, again and again as long as it is not known what became of it, or gives up.
    async fn operate(
        &self,
        account: usize,
        ask: Ask,
        key: String,
        chance: &mut StdRng,
    ) -> Operation {
        let asked = (self.users[account].as_str(), &ask);
        let mut invoked = self.moment();
        let gives_up = chance.random_ratio(1, GIVES_UP);
        let mut process: usize = chance.random_range(0..2);
        let answer = loop {
            let answer = self.app.try_ask(process, asked, &key).await;
            let is_question = matches!(ask, Ask::Read);
            if answer.is_some() || (gives_up && !is_question) {
                break answer;
            }
            if is_question {
                // A question that is asked again is another one.
                invoked = self.moment();
            }
            process += 1;
            tokio::time::sleep(RETRY_PAUSE).await;
        };
        let completed = answer.is_some().then(|| self.moment());
        let until = self.clock.now();
        Operation { account, key, ask, invoked, completed, until, answer }
    }

    fn learn(&self, operation: &Operation) {
        let answer = operation.answer.as_ref().filter(|answer| answer.is_success());
        let Some(answer) = answer else { return };
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let id = || body["id"].as_str().unwrap().to_owned();
        let mut known = self.known[operation.account].lock().unwrap();
        match &operation.ask {
            Ask::Spend { .. } => known.spends.push(id()),
            Ask::Hold { amount, .. } => known.holds.push((id(), *amount)),
            Ask::Capture { .. } => known.spends.push(body["spend"].as_str().unwrap().to_owned()),
            Ask::Read | Ask::Release { .. } | Ask::Reverse { .. } | Ask::Grant { .. } => {}
        }
    }

    /// Now and then, asks for what was acknowledged again: it is the same answer. Another request under the key is refused.
    async fn ask_again(&self, operation: &Operation, chance: &mut StdRng) {
        let Some(answer) = operation.answer.as_ref().filter(|answer| answer.is_success()) else {
            return;
        };
        let Operation { ask, key, .. } = operation;
        let user = self.users[operation.account].as_str();
        if matches!(ask, Ask::Read) || !chance.random_ratio(1, ASKS_AGAIN) {
            return;
        }
        let again = self.app.ask(chance.random_range(0..2), (user, ask), key).await;
        let same = Answer { is_repeated: true, ..answer.clone() };
        assert_eq!(again, same, "{operation:?} was answered otherwise the second time");
        let other = Ask::Grant { amount: i64::MAX, priority: 0, expires_at: None };
        let other = self.app.ask(chance.random_range(0..2), (user, &other), key).await;
        assert_eq!(other.status, 422, "another request under the key of {operation:?}");
    }
}

/// One of these, which is forgotten unless by chance it is not: then somebody will try it a second time.
fn pick<T: Clone>(of: &mut Vec<T>, chance: &mut StdRng) -> Option<T> {
    if of.is_empty() {
        return None;
    }
    let place = chance.random_range(0..of.len());
    if chance.random_ratio(1, KEEPS) {
        Some(of[place].clone())
    } else {
        Some(of.swap_remove(place))
    }
}
