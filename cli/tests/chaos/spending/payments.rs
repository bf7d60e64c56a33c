//! Purchases that arrive meanwhile, and disputes that take some of them back.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::Client;
use testkit::events::{Event, Purchase, metadata};
use testkit::wait_for;

use crate::sender::attempt;

/// Time between two of them.
const EVERY: Duration = Duration::from_millis(30);

/// Of this many purchases, one is taken back later.
const TAKEN_BACK: u32 = 3;

/// Purchases that may be taken back, kept until there are so many.
const OPEN_MAX: usize = 8;

/// Delivers them to this address, for these users, until the rest is done; how many.
pub(super) async fn arrive(
    address: SocketAddr,
    users: &[String],
    seed: u64,
    is_done: &AtomicBool,
) -> usize {
    let mut chance = StdRng::seed_from_u64(seed);
    let (client, mut count, mut open) = (Client::new(), 0, Vec::new());
    let deliver = async |event: Event| {
        wait_for("an acknowledgement", async || attempt(&client, address, &event).await).await;
    };
    while !is_done.load(Ordering::Relaxed) {
        tokio::time::sleep(EVERY).await;
        count += 1;
        let mut purchase = Purchase::new(&format!("meanwhile{count}"));
        let user = &users[chance.random_range(0..users.len())];
        let credits = chance.random_range(1..=40_i64).to_string();
        purchase.metadata = metadata(&[("user_id", user), ("credits", &credits)]);
        deliver(purchase.checkout_session_completed()).await;
        if chance.random_ratio(1, TAKEN_BACK) {
            open.push(purchase);
        }
        if open.len() == OPEN_MAX {
            let taken = open.swap_remove(chance.random_range(0..OPEN_MAX));
            deliver(taken.charge_dispute("funds_withdrawn", "needs_response")).await;
        }
    }
    count
}
