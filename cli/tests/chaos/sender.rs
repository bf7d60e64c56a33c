//! Delivering as Stripe does: signed, over several connections, again until it is acknowledged.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use testkit::delivery::{SECRET, headers, now};
use testkit::events::Event;
use tokio::task::JoinSet;

use crate::cluster::RETRY_PAUSE;
use crate::storm::Storm;

/// Connections that deliver at the same time.
const SENDERS: usize = 16;

/// Longest wait for an answer; a process that is killed gives none.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// An acknowledgement.
#[derive(Debug)]
pub(crate) struct Acknowledged {
    /// Id of the event.
    pub(crate) id: String,
    /// Where it is stored.
    pub(crate) position: i64,
    /// Whether it was said to be stored by this very delivery.
    pub(crate) is_first: bool,
}

/// What a delivery is answered with.
#[derive(Deserialize)]
pub(crate) struct Answer {
    received: bool,
    status: String,
    /// Where it is stored.
    pub(crate) position: i64,
}

/// Delivers the whole storm; every acknowledgement.
pub(crate) async fn deliver(
    storm: &Arc<Mutex<Storm>>,
    addresses: &[SocketAddr],
) -> Vec<Acknowledged> {
    let mut senders = JoinSet::new();
    for number in 0..SENDERS {
        let (storm, addresses) = (Arc::clone(storm), addresses.to_owned());
        senders.spawn(send(storm, addresses, number));
    }
    senders.join_all().await.into_iter().flatten().collect()
}

async fn send(
    storm: Arc<Mutex<Storm>>,
    addresses: Vec<SocketAddr>,
    number: usize,
) -> Vec<Acknowledged> {
    let client = Client::builder().timeout(ANSWER_MAX).build().unwrap();
    let mut acknowledged = Vec::new();
    let mut attempts = number;
    loop {
        let next = storm.lock().unwrap().next();
        let Some(event) = next else { return acknowledged };
        loop {
            let address = addresses[attempts % addresses.len()];
            attempts += 1;
            if let Some(answer) = attempt(&client, address, &event).await {
                assert!(answer.received, "a 200 that received nothing");
                let (id, position) = (event.id, answer.position);
                let is_first = answer.status == "stored";
                acknowledged.push(Acknowledged { id, position, is_first });
                break;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
}

/// One delivery; none if it was not acknowledged.
pub(crate) async fn attempt(client: &Client, address: SocketAddr, event: &Event) -> Option<Answer> {
    let url = format!("http://{address}/v1/webhooks/stripe");
    let mut request = client.post(url).body(event.body.clone());
    for (name, value) in headers(SECRET, now(), &event.body) {
        request = request.header(name, value);
    }
    let response = request.send().await.ok()?;
    match response.status().as_u16() {
        // It may be cut off, which is no acknowledgement either.
        200 => response.json().await.ok(),
        503 => None,
        other => panic!("a delivery was answered {other}"),
    }
}
