//! A history of `simulation/model`, with names of its own: the generator's users are the same in all of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use store::log::Origin;

/// What happened, and how the model says that it ends.
#[derive(Debug, Deserialize)]
pub(crate) struct History {
    pub(crate) name: String,
    pub(crate) setup: Setup,
    pub(crate) events: Vec<Value>,
    pub(crate) expected: Expected,
}

/// What is known before.
#[derive(Debug, Deserialize)]
pub(crate) struct Setup {
    users: Vec<Value>,
    catalogue: Vec<Value>,
}

/// How it ends: credits by user and unit, unclaimed ones by unit, the payments, the reasons of open cases.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Expected {
    pub(crate) balances: BTreeMap<String, BTreeMap<String, i64>>,
    pub(crate) unclaimed: BTreeMap<String, i64>,
    pub(crate) payments: Vec<Expectation>,
    pub(crate) open_cases: Vec<String>,
}

/// How one payment ends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Expectation {
    pub(crate) ids: Vec<String>,
    pub(crate) status: String,
    pub(crate) owner: Option<String>,
    pub(crate) bought: BTreeMap<String, i64>,
    pub(crate) case: Option<String>,
}

impl History {
    /// The history of this line. Ids of Stripe's objects are random and differ anyway; users get names of their own.
    pub(crate) fn read(number: usize, line: &str) -> Self {
        let mut history: Value = serde_json::from_str(line).unwrap();
        let mut names = BTreeMap::new();
        for user in history["setup"]["users"].as_array().unwrap() {
            let (id, email) = (user["user"].as_str().unwrap(), user["email"].as_str().unwrap());
            names.insert(id.to_owned(), own_name(number, id));
            names.insert(email.to_owned(), format!("h{number}.{email}"));
        }
        rename(&mut history, &names);
        serde_json::from_value(history).unwrap()
    }
}

/// The name of a user of this history: a number stays a number, and what looks like a UUID goes on to do so.
fn own_name(number: usize, id: &str) -> String {
    match id.split_once('-') {
        Some((first, rest)) if first.len() == 8 => format!("{number:08x}-{rest}"),
        _ if id.parse::<u64>().is_ok() => format!("{number}0{id}"),
        _ => format!("h{number}_{id}"),
    }
}

/// Puts the new names wherever the old ones stand, alone or as the name of a field.
fn rename(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(name) = names.get(text.as_str()) {
                text.clone_from(name);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, names)),
        Value::Object(fields) => {
            for (mut field, mut value) in std::mem::take(fields) {
                rename(&mut value, names);
                if let Some(name) = names.get(&field) {
                    field.clone_from(name);
                }
                fields.insert(field, value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Setup {
    /// Everybody who is known.
    pub(crate) fn user_ids(&self) -> impl Iterator<Item = &str> {
        self.users.iter().map(|user| user["user"].as_str().unwrap())
    }

    /// The facts that tell of it.
    pub(crate) fn facts(&self) -> impl Iterator<Item = (Origin, Value)> {
        let users = self
            .users
            .iter()
            .map(|user| (Origin::Directory, fact("tally.user.registered", "user", user)));
        let prices = self
            .catalogue
            .iter()
            .map(|entry| (Origin::Catalogue, fact("tally.catalogue.set", "price", entry)));
        users.chain(prices)
    }
}

/// A fact of our own with these fields, its id made of one of them.
fn fact(event_type: &str, named_by: &str, fields: &Value) -> Value {
    let id = format!("{named_by}:{}", fields[named_by].as_str().unwrap());
    let mut fact = json!({"object": "tally.event", "type": event_type, "source_id": id});
    fact.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    fact
}
