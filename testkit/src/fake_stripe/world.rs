//! Everything that the fake Stripe knows, and what happened to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use super::objects::Behaviour;
use super::refusal::Refusal;
use super::settings::Settings;
use super::told::{Rendition, Told};
use super::versions::Version;

/// Letters of ids.
const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How many random letters an id has.
const ID_LETTERS: usize = 24;

/// Who calls, and when. Objects belong to the account that they were made for.
#[derive(Debug, Clone, Default)]
pub(super) struct Caller {
    /// Connect account of `Stripe-Account`.
    pub(super) account: Option<String>,
    /// Seconds since 1970.
    pub(super) now: i64,
    /// Of this call; events name it.
    pub(super) request: String,
    /// What the call came with.
    pub(super) idempotency_key: Option<String>,
}

/// An object and the Connect account that it belongs to.
#[derive(Debug)]
struct Stored {
    account: Option<String>,
    object: Value,
}

/// The state behind the API.
#[derive(Debug)]
pub(super) struct World {
    /// Live or test mode.
    pub(super) livemode: bool,
    /// How payments by this payment method end.
    pub(super) behaviours: BTreeMap<String, Behaviour>,
    /// Metadata that a session hands on to the payment intent or the subscription that it makes.
    handed_down: BTreeMap<String, Value>,
    /// Whoever calls now.
    pub(super) caller: Caller,
    /// Events are told in each of them; the first is the account's.
    versions: Vec<Version>,
    /// Whose events wait to be accepted, for each event.
    endpoints: usize,
    /// In the order in which they were made.
    objects: Vec<Stored>,
    /// Where an id stands in `objects`.
    places: BTreeMap<String, usize>,
    told: Vec<Arc<Told>>,
    /// How many of `told` were handed on to be delivered.
    handed_on: usize,
    rng: StdRng,
}

impl World {
    pub(super) fn new(settings: &Settings) -> Self {
        let mut versions = vec![Version::new(&settings.api_version)];
        for endpoint in &settings.endpoints {
            let version = endpoint.api_version.as_deref().map(Version::new);
            versions.extend(version.filter(|version| !versions.contains(version)));
        }
        Self {
            livemode: settings.livemode,
            behaviours: BTreeMap::new(),
            handed_down: BTreeMap::new(),
            caller: Caller::default(),
            versions,
            endpoints: settings.endpoints.len(),
            objects: Vec::new(),
            places: BTreeMap::new(),
            told: Vec::new(),
            handed_on: 0,
            rng: StdRng::seed_from_u64(settings.seed),
        }
    }

    /// The time of the call.
    pub(super) fn now(&self) -> i64 {
        self.caller.now
    }

    /// A new id, such as `pi_…`.
    pub(super) fn new_id(&mut self, prefix: &str) -> String {
        let letter = |_nth| char::from(LETTERS[self.rng.random_range(0..LETTERS.len())]);
        let letters: String = (0..ID_LETTERS).map(letter).collect();
        format!("{prefix}_{letters}")
    }

    /// Keeps a new object, whose `id` is new.
    pub(super) fn insert(&mut self, object: Value) {
        let id = object["id"].as_str().expect("an object has an id").to_owned();
        self.places.insert(id, self.objects.len());
        self.objects.push(Stored { account: self.caller.account.clone(), object });
    }

    /// An object of the caller's account; null if there is none of this id.
    pub(super) fn get(&self, id: &str) -> &Value {
        let stored = self.places.get(id).and_then(|place| self.objects.get(*place));
        let own = stored.filter(|stored| stored.account == self.caller.account);
        own.map_or(&Value::Null, |stored| &stored.object)
    }

    /// An object that must be there, and be of this kind.
    pub(super) fn find(&self, kind: &str, id: &str) -> Result<&Value, Refusal> {
        let object = self.get(id);
        if object["object"] == kind { Ok(object) } else { Err(Refusal::no_such(kind, id)) }
    }

    /// The caller's objects of this kind, the newest first.
    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        let own = self.objects.iter().rev().filter(|stored| stored.account == self.caller.account);
        own.map(|stored| &stored.object).filter(move |object| object["object"] == kind)
    }

    /// Sets fields of an object, and gives it as it was before.
    pub(super) fn change(&mut self, id: &str, fields: Value) -> Value {
        let place = self.places.get(id).and_then(|place| self.objects.get_mut(*place));
        let object = &mut place.expect("what is changed is there").object;
        let before = object.clone();
        if let (Value::Object(object), Value::Object(fields)) = (object, fields) {
            object.extend(fields);
        }
        before
    }

    /// Keeps the metadata that this session hands on to what it makes.
    pub(super) fn hand_down(&mut self, session: &str, metadata: Value) {
        self.handed_down.insert(session.to_owned(), metadata);
    }

    /// The metadata that this session hands on.
    pub(super) fn handed_down(&self, session: &str) -> Value {
        self.handed_down.get(session).cloned().unwrap_or_else(|| json!({}))
    }

    /// The object as it is told in this version.
    pub(super) fn rendered(&self, object: &Value, version: &Version) -> Value {
        version.rendered(self, object)
    }

    /// The version that the account is pinned to.
    pub(super) fn account_version(&self) -> &Version {
        &self.versions[0]
    }

    /// An event: this happened to the object.
    pub(super) fn tell(&mut self, kind: &str, id: &str) {
        self.tell_as(kind, id, None);
    }

    /// An event: the object was changed, and this is what it was before.
    pub(super) fn tell_change(&mut self, kind: &str, id: &str, before: &Value) {
        self.tell_as(kind, id, Some(before));
    }

    fn tell_as(&mut self, kind: &str, id: &str, before: Option<&Value>) {
        let event_id = self.new_id("evt");
        let rendition = |version: &Version| {
            let object = version.rendered(self, self.get(id));
            let before = before.map(|before| version.rendered(self, before));
            let previous_attributes = before.map(|before| differing(&before, &object));
            Rendition { version: version.clone(), object, previous_attributes }
        };
        let knowing = self.versions.iter().filter(|version| version.knows_event(kind));
        let renditions: Vec<Rendition> = knowing.map(rendition).collect();
        if renditions.is_empty() {
            return; // nobody who listens knows of such a thing
        }
        let told = Told::new(event_id, kind, &self.caller, renditions, self.endpoints);
        self.told.push(Arc::new(told));
    }

    /// The caller's events, the newest first.
    pub(super) fn told(&self) -> impl Iterator<Item = &Arc<Told>> {
        self.told.iter().rev().filter(|told| told.account == self.caller.account)
    }

    /// Events that were not handed on yet, in the order in which they happened.
    pub(super) fn take_news(&mut self) -> Vec<Arc<Told>> {
        let news = self.told.get(self.handed_on..).unwrap_or_default().to_vec();
        self.handed_on = self.told.len();
        news
    }
}

/// Fields of `before` that differ from those of `after`.
fn differing(before: &Value, after: &Value) -> Value {
    let fields = before.as_object().into_iter().flatten();
    let differing = fields.filter(|(name, value)| after[name.as_str()] != **value);
    let differing = differing.map(|(name, value)| (name.clone(), value.clone()));
    Value::Object(differing.collect())
}

/// A list as Stripe embeds it in an object.
pub(super) fn list(url: &str, data: &[Value]) -> Value {
    let total_count = data.len();
    json!({ "object": "list", "data": data, "has_more": false, "total_count": total_count, "url": url })
}
