//! Webhooks with Stripe's habits: signed anew for each try, tried again after anything that is not 2xx, now and then
//! told twice, and out of order.

mod plan;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use stripe::signature::{Secret, sign};
use tokio::sync::watch;

use super::settings::{Habits, Settings};
use super::told::Told;
use super::versions::Version;
use super::wire;
use crate::delivery::{USER_AGENT, now};
use plan::Plan;

/// How long an endpoint may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A client that follows no redirect, because Stripe takes one for a failure, and knows no proxy.
pub(super) fn client() -> reqwest::Client {
    let none = reqwest::redirect::Policy::none();
    let builder = reqwest::Client::builder().redirect(none).no_proxy().timeout(ANSWER_TIMEOUT);
    builder.build().expect("a client needs nothing")
}

/// One try to deliver an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Id of the event.
    pub event: String,
    /// Its type.
    pub kind: String,
    /// Where it was posted.
    pub url: String,
    /// What the endpoint answered; none if it did not answer.
    pub status: Option<u16>,
}

/// To whom is delivered.
#[derive(Debug)]
struct Addressee {
    url: String,
    secrets: Vec<Secret>,
    version: Version,
    is_thin: bool,
}

impl Addressee {
    /// Whether it hears of this event at all.
    fn hears_of(&self, told: &Told) -> bool {
        self.is_thin || told.is_told_in(&self.version)
    }

    fn body(&self, told: &Told) -> Vec<u8> {
        wire::bytes(&if self.is_thin { told.thin() } else { told.json(&self.version) })
    }
}

/// An event on its way.
#[derive(Debug)]
struct Letter {
    told: Arc<Told>,
    plan: Plan,
}

/// Delivers every event to everybody who listens.
#[derive(Debug)]
pub(super) struct Postman {
    client: reqwest::Client,
    addressees: Vec<Addressee>,
    habits: Habits,
    accidents: Mutex<StdRng>,
    /// How many letters are under way.
    under_way: watch::Sender<usize>,
    attempts: Mutex<Vec<Attempt>>,
}

impl Postman {
    pub(super) fn new(settings: &Settings, client: reqwest::Client) -> Self {
        let addressees = settings.endpoints.iter().map(|endpoint| Addressee {
            url: endpoint.url.clone(),
            secrets: endpoint.secrets.clone(),
            version: Version::new(endpoint.api_version.as_ref().unwrap_or(&settings.api_version)),
            is_thin: endpoint.is_thin,
        });
        Self {
            client,
            addressees: addressees.collect(),
            habits: settings.habits.clone(),
            accidents: Mutex::new(StdRng::seed_from_u64(settings.seed)),
            under_way: watch::Sender::new(0),
            attempts: Mutex::default(),
        }
    }

    /// Sends these events off, to each endpoint on a way of its own.
    pub(super) fn post(self: &Arc<Self>, news: &[Arc<Told>]) {
        for place in 0..self.addressees.len() {
            let mut letters = self.letters(place, news);
            letters.sort_by_key(|letter| letter.plan.first_after);
            let count = letters.len();
            self.under_way.send_modify(|under_way| *under_way = under_way.saturating_add(count));
            tokio::spawn(Arc::clone(self).carry(place, letters));
        }
    }

    /// What this addressee is to get. An event that its version does not know counts as accepted.
    fn letters(&self, place: usize, news: &[Arc<Told>]) -> Vec<Letter> {
        let mut accidents = self.accidents.lock().unwrap_or_else(PoisonError::into_inner);
        let mut letters = Vec::new();
        for told in news {
            if self.addressees[place].hears_of(told) {
                let plan = Plan::draw(&mut accidents, &self.habits);
                letters.push(Letter { told: Arc::clone(told), plan });
            } else {
                told.accepted();
            }
        }
        letters
    }

    /// The first tries, one after the other; whatever follows is each letter's own affair.
    async fn carry(self: Arc<Self>, place: usize, letters: Vec<Letter>) {
        let mut waited = Duration::ZERO;
        for letter in letters {
            tokio::time::sleep(letter.plan.first_after.saturating_sub(waited)).await;
            waited = letter.plan.first_after;
            let accepted = self.attempt(place, &letter.told).await;
            tokio::spawn(Arc::clone(&self).follow_up(place, letter, accepted));
        }
    }

    /// Tries until it is accepted or given up, and tells it once more if that is the plan.
    async fn follow_up(self: Arc<Self>, place: usize, letter: Letter, mut accepted: bool) {
        for pause in &self.habits.pauses {
            if accepted {
                break;
            }
            tokio::time::sleep(*pause).await;
            accepted = self.attempt(place, &letter.told).await;
        }
        if accepted {
            letter.told.accepted();
        }
        if let (true, Some(pause)) = (accepted, letter.plan.again_after) {
            tokio::time::sleep(pause).await;
            self.attempt(place, &letter.told).await;
        }
        self.under_way.send_modify(|under_way| *under_way = under_way.saturating_sub(1));
    }

    /// One try: whether it was answered with 2xx.
    async fn attempt(&self, place: usize, told: &Told) -> bool {
        let addressee = &self.addressees[place];
        let body = addressee.body(told);
        let request = self
            .client
            .post(&addressee.url)
            .header("user-agent", USER_AGENT)
            .header("accept", "*/*; q=0.5, application/xml")
            .header("content-type", "application/json; charset=utf-8")
            .header("stripe-signature", signature(&addressee.secrets, now(), &body))
            .body(body);
        let status = request.send().await.ok().map(|answer| answer.status());
        let attempt = Attempt {
            event: told.id.clone(),
            kind: told.kind.clone(),
            url: addressee.url.clone(),
            status: status.map(|status| status.as_u16()),
        };
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).push(attempt);
        status.is_some_and(|status| status.is_success())
    }

    /// Waits until nothing is under way.
    pub(super) async fn settled(&self) {
        let mut under_way = self.under_way.subscribe();
        let _never_closed = under_way.wait_for(|under_way| *under_way == 0).await;
    }

    pub(super) fn attempts(&self) -> Vec<Attempt> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One `v1` for each secret, all of the same time.
fn signature(secrets: &[Secret], unix_seconds: i64, body: &[u8]) -> String {
    let signed = secrets.iter().map(|secret| sign(secret, unix_seconds, body));
    let macs = signed.filter_map(|header| header.split_once(',').map(|(_, mac)| mac.to_owned()));
    macs.fold(format!("t={unix_seconds}"), |header, mac| format!("{header},{mac}"))
}

#[cfg(test)]
mod tests {
    use stripe::signature::{Secret, Tolerance, verify};

    use super::signature;

    #[test]
    fn while_a_secret_is_rolled_both_vouch() {
        let secrets = ["whsec_old_4fQ8tXz2LmN6vB1c", "whsec_new_9kR3yWd7PsH5jT0g"]
            .map(|text| Secret::parse(text).unwrap());
        let header = signature(&secrets, 1_767_225_600, b"{}");
        for (place, secret) in secrets.into_iter().enumerate() {
            let verified =
                verify(header.as_bytes(), b"{}", &[secret], 1_767_225_600, Tolerance::STANDARD);
            assert_eq!(verified, Ok(0), "secret {place} of {header}");
        }
    }
}
