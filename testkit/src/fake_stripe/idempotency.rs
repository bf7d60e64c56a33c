//! Idempotency keys: the same call with the same key is answered as it was the first time.

use std::collections::HashMap;

use serde_json::Value;

use super::call::Call;
use super::refusal::Refusal;

/// What a call was answered.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
    /// Whether it is an answer from before.
    pub(super) replayed: bool,
}

/// Answers by their keys.
#[derive(Debug, Default)]
pub(super) struct Keys(HashMap<String, (String, Reply)>);

impl Keys {
    /// The answer that this key got, unless it is new.
    pub(super) fn answered(&self, key: &str, call: &Call) -> Result<Option<Reply>, Refusal> {
        let Some((before, reply)) = self.0.get(key) else { return Ok(None) };
        if *before == fingerprint(call) {
            Ok(Some(Reply { replayed: true, ..reply.clone() }))
        } else {
            Err(Refusal::key_reused())
        }
    }

    /// Remembers an answer.
    pub(super) fn save(&mut self, key: String, call: &Call, reply: Reply) {
        self.0.insert(key, (fingerprint(call), reply));
    }
}

fn fingerprint(call: &Call) -> String {
    format!("{} {}", call.path, call.params)
}
