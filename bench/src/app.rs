//! The app: its server asks the API for what its users do.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use service::ids::RequestId;

use crate::load::{Pace, deliver};
use crate::purchases::user_id;
use crate::report::rate;
use crate::service::Service;
use crate::stand::Stand;

/// A process that serves the API, and a key of it.
pub(crate) struct App {
    service: Service,
    key: String,
}

impl App {
    /// Starts the process.
    pub(crate) async fn start(stand: &Stand) -> anyhow::Result<Self> {
        Ok(Self { key: stand.app_key().await?, service: stand.serve("api").await? })
    }

    /// Gives each of these users so many grants of so many credits.
    pub(crate) async fn grant(
        &self,
        users: &[usize],
        credits: u64,
        grants: usize,
    ) -> anyhow::Result<()> {
        let body = json!({"amount": credits, "reason": "benchmark"}).to_string();
        let of_user = |user: &usize| {
            let path = format!("/v1/users/{}/grants", user_id(*user));
            std::iter::repeat_with(move || path.clone()).take(grants)
        };
        let paths = users.iter().flat_map(of_user);
        let requests = paths.map(|path| self.post(&path, &body)).collect();
        deliver(self.service.address, requests, 201, Pace::Free).await?;
        Ok(())
    }

    /// So many spends of one credit, scattered over these users: how many per second, and the time of each answer.
    pub(crate) async fn spend(
        &self,
        users: &[usize],
        count: usize,
        at_rate: Option<f64>,
    ) -> anyhow::Result<(f64, Vec<Duration>)> {
        let requests = scattered(users, count);
        let requests = requests.map(|user| {
            self.post(&format!("/v1/users/{}/spends", user_id(user)), "{\"amount\":1}")
        });
        let pace = at_rate.map_or(Pace::Free, Pace::PerSecond);
        let delivered = deliver(self.service.address, requests.collect(), 201, pace).await?;
        Ok((rate(delivered.times.len(), delivered.elapsed), delivered.times))
    }

    /// So many reads of the balances of these users: how many per second, and the time of each answer.
    pub(crate) async fn read(
        &self,
        users: &[usize],
        count: usize,
    ) -> anyhow::Result<(f64, Vec<Duration>)> {
        let requests = scattered(users, count);
        let requests =
            requests.map(|user| self.get(&format!("/v1/users/{}/balance", user_id(user))));
        let requests = requests.collect();
        let delivered = deliver(self.service.address, requests, 200, Pace::Free).await?;
        Ok((rate(delivered.times.len(), delivered.elapsed), delivered.times))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.service.address
    }

    /// Most memory that the process had resident until now, in KiB, where the system tells.
    pub(crate) fn peak_kib(&self) -> Option<u32> {
        self.service.peak_kib()
    }

    /// Kills the process.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.service.kill().await
    }

    fn post(&self, path: &str, body: &str) -> Vec<u8> {
        // Random, as that of the opponent.
        let (key, idempotency_key) = (&self.key, RequestId::random());
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
             Idempotency-Key: {idempotency_key}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// A GET of this path.
    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        let key = &self.key;
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n")
            .into_bytes()
    }
}

/// So many of these, in an order that jumps about: each step is a prime beside their number.
fn scattered(users: &[usize], count: usize) -> impl Iterator<Item = usize> {
    const STEP: usize = 7_919;
    let places = (0..count).map(|number| number.wrapping_mul(STEP));
    places.filter_map(|place| users.get(place.checked_rem(users.len())?).copied())
}
