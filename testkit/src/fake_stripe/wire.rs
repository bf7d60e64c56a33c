//! JSON as Stripe writes it: pretty-printed, `id` and `object` first, the rest by the alphabet.

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;

/// What comes before the alphabet.
const FIRST: [&str; 2] = ["id", "object"];

/// The bytes of this value on the wire.
pub(super) fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec_pretty(&InOrder(value)).expect("a value is JSON")
}

struct InOrder<'a>(&'a Value);

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(map) => {
                let first = FIRST.iter().filter_map(|name| map.get_key_value(*name));
                let rest = map.iter().filter(|(name, _)| !FIRST.contains(&name.as_str()));
                let mut written = serializer.serialize_map(Some(map.len()))?;
                for (name, value) in first.chain(rest) {
                    written.serialize_entry(name, &InOrder(value))?;
                }
                written.end()
            }
            Value::Array(list) => serializer.collect_seq(list.iter().map(InOrder)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.0.serialize(serializer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn ids_come_first() {
        let value = json!({ "amount": 1, "object": "charge", "id": "ch_1", "list": [{}] });
        let text = String::from_utf8(super::bytes(&value)).unwrap();
        assert!(text.starts_with("{\n  \"id\": \"ch_1\",\n  \"object\": \"charge\",\n"), "{text}");
    }
}
