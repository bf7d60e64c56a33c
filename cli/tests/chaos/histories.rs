//! The generated histories of `simulation/model` on Postgres: all of them at once, their events mixed up and partly told
//! again, through three projectors of which one is killed now and then. Each history ends as the model says.
//!
//! What the rules alone make of them in every order is tested in `rules`; here it is the locks, the batches, the merges
//! and the healing that must not make a difference.

use std::fmt::Write as _;
use std::process::Command;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use store::log::{NewEvent, Origin, slot_of};
use stripe::envelope::peek;

use crate::cluster::Cluster;
use crate::history::{Expected, History};
use crate::outcome::Outcome;
use crate::storm::new_event;
use crate::{ONE_AT_A_TIME, checks, seed};

/// Where the model and its stored histories are.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../simulation/model");

/// Events that are appended together.
const APPENDED_TOGETHER: usize = 64;

/// No more events wait than this while more is appended: so there is always something to decide, and something to come.
const WAITING: usize = 256;

/// After so many of these a projector is killed.
const KILL_EVERY: usize = 4;

/// Events in a hundred that are told again: half under the same id, half under another, as Stripe does now and then.
const AGAIN_IN_100: u32 = 30;

/// Histories that differ and are shown; one mistake mostly shows in many.
const SHOWN: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn every_history_ends_as_the_model_says() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let seed = seed();
    let histories = histories(seed);
    let mut chance = StdRng::seed_from_u64(seed);
    let mut cluster = Cluster::start(0, 3).await;
    // What payments share is judged where it stands in the log, so it is told before them.
    for some in setups(&histories).chunks(APPENDED_TOGETHER) {
        cluster.tell(some).await;
    }
    checks::quiescence(&cluster).await;

    let events = events(&histories, &mut chance);
    for (number, batch) in events.chunks(APPENDED_TOGETHER).enumerate() {
        checks::backlog(&cluster, WAITING).await;
        cluster.tell(batch).await;
        if number % KILL_EVERY == KILL_EVERY - 1 {
            checks::open_transaction(&cluster).await;
            let victim = chance.random_range(0..cluster.processes.len());
            cluster.kill_processes(1 << victim).await;
        }
    }
    checks::quiescence(&cluster).await;
    cluster.assert_all_running();

    let differences = differences(&cluster, &histories).await;
    assert!(differences.is_empty(), "{}", differences);
    let log = cluster.server_log();
    assert!(!log.contains("deadlock detected"), "a deadlock:\n{log}");
    let (told, undone) = (events.len(), cluster.rolled_back_by_kills());
    eprintln!(
        "{} histories, {told} events, {undone} transactions undone by kills",
        histories.len()
    );
    assert_eq!(cluster.tally(&["verify"]).await, Some(0), "verify: {}", cluster.words());
}

/// The stored histories, or as many new ones as `TALLY_HISTORIES` says (`full` is meant for the rules' own test).
fn histories(seed: u64) -> Vec<History> {
    let count: Option<u64> = std::env::var("TALLY_HISTORIES").ok().and_then(|n| n.parse().ok());
    let lines = match count {
        None => std::fs::read_to_string(format!("{MODEL}/histories.jsonl")).unwrap(),
        Some(count) => {
            let (seed, count) = (seed.to_string(), count.to_string());
            let mut generate = Command::new("python3");
            generate.args([MODEL, "generate", "--seed", &seed, "--count", &count]);
            let generated = generate.output().unwrap();
            assert!(generated.status.success(), "the model cannot generate histories");
            String::from_utf8(generated.stdout).unwrap()
        }
    };
    lines.lines().enumerate().map(|(number, line)| History::read(number, line)).collect()
}

/// Users and prices of all histories.
fn setups(histories: &[History]) -> Vec<NewEvent> {
    let told = histories.iter().flat_map(|history| history.setup.facts());
    told.map(|(origin, fact)| {
        let id = fact["source_id"].as_str().unwrap();
        event(origin, id, &fact, id)
    })
    .collect()
}

/// The events of all histories in random order, some of them more than once.
fn events(histories: &[History], chance: &mut StdRng) -> Vec<NewEvent> {
    let mut events = Vec::new();
    for told in histories.iter().flat_map(|history| &history.events) {
        let id = told["id"].as_str().unwrap();
        let routed_by = peek(told.to_string().as_bytes()).ok().and_then(|told| told.routing_key);
        // By lanes of their own, events of one payment are decided side by side; by the usual one, after each other.
        let routed_by = routed_by.filter(|_| chance.random()).unwrap_or_else(|| id.to_owned());
        events.push(event(Origin::Stripe, id, told, &routed_by));
        if chance.random_ratio(AGAIN_IN_100, 100) {
            let id = if chance.random() { id.to_owned() } else { format!("{id}_again") };
            events.push(event(Origin::Stripe, &id, told, &routed_by));
        }
    }
    events.shuffle(chance);
    events
}

fn event(origin: Origin, source_id: &str, body: &Value, routed_by: &str) -> NewEvent {
    let event_type = body["type"].as_str().unwrap();
    let event = new_event(origin, event_type, source_id.to_owned(), body.to_string().into());
    NewEvent { slot: slot_of(routed_by), ..event }
}

/// What stands there otherwise than the model says, in words.
async fn differences(cluster: &Cluster, histories: &[History]) -> String {
    let client = cluster.store.get().await.unwrap();
    let outcome = Outcome::read(&client).await;
    let found = histories.iter().map(|history| (history, outcome.of(history)));
    let wrong: Vec<(&History, Expected)> =
        found.filter(|(history, found)| history.expected != *found).collect();
    let mut words = String::new();
    for (history, found) in wrong.iter().take(SHOWN) {
        let (name, expected) = (&history.name, &history.expected);
        writeln!(words, "{name}\n found    {found:?}\n expected {expected:?}").unwrap();
    }
    if !wrong.is_empty() {
        writeln!(words, "{} of {} histories", wrong.len(), histories.len()).unwrap();
    }
    words
}
