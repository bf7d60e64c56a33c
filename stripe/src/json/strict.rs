//! Visits every byte of a document with the same checks, whether a part of it is kept or passed over.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How the error of a duplicate key begins.
pub(super) const DUPLICATE_KEY: &str = "duplicate key";

/// Which part of a document is built.
#[derive(Debug)]
pub(crate) enum Keep {
    /// All of it.
    All,
    /// A scalar as it is; of an object these fields; of an array only that it is one.
    Only(&'static [(&'static str, Keep)]),
    /// Nothing: it is checked, and null stands for it.
    Nothing,
}

static ALL: Keep = Keep::All;
static NOTHING: Keep = Keep::Nothing;

impl Keep {
    fn field(&'static self, name: &str) -> &'static Self {
        match self {
            Self::All => &ALL,
            Self::Only(fields) => {
                fields.iter().find(|(field, _)| *field == name).map_or(&NOTHING, |(_, keep)| keep)
            }
            Self::Nothing => &NOTHING,
        }
    }

    fn element(&self) -> &'static Self {
        match self {
            Self::All => &ALL,
            Self::Only(_) | Self::Nothing => &NOTHING,
        }
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

/// Reads a value strictly and builds what it is told to keep.
pub(super) struct Strict<'a, 'de> {
    pub(super) keep: &'static Keep,
    /// The keys read so far of the objects that this value stands in, outermost first. One list for all objects of a
    /// document: a list for each would have to be made anew each time.
    pub(super) keys: &'a mut Vec<Cow<'de, str>>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_, 'de> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_, 'de> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        // Most of a document is text that nobody keeps: it is not copied.
        Ok(if self.keep.is_nothing() { Value::Null } else { Value::from(value) })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let keep = self.keep.element();
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(Strict { keep, keys: self.keys })? {
            if !keep.is_nothing() {
                items.push(item);
            }
        }
        Ok(if self.keep.is_nothing() { Value::Null } else { Value::from(items) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        let outer = self.keys.len();
        while let Some(key) = object.next_key_seed(Key)? {
            let keep = self.keep.field(&key);
            // The value's own keys come and go before this one is added.
            let value = object.next_value_seed(Strict { keep, keys: self.keys })?;
            if !keep.is_nothing() {
                fields.insert(key.clone().into_owned(), value);
            }
            self.keys.push(key);
        }
        let twice = has_duplicates(self.keys.get_mut(outer..).unwrap_or_default());
        self.keys.truncate(outer);
        if twice {
            return Err(A::Error::custom(DUPLICATE_KEY));
        }
        Ok(if self.keep.is_nothing() { Value::Null } else { Value::from(fields) })
    }
}

/// Whether one of these stands there twice. Sorting finds it in n log n also among 100,000 keys, without a set per object;
/// most keys differ in length already, which is cheaper to compare than text.
fn has_duplicates(keys: &mut [Cow<'_, str>]) -> bool {
    keys.sort_unstable_by(|left, right| left.len().cmp(&right.len()).then_with(|| left.cmp(right)));
    keys.windows(2).any(|pair| matches!(pair, [left, right] if left == right))
}

/// Reads a key, borrowed from the document unless an escape stands in it.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
