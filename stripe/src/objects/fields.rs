//! Reading the fields of one object: the strict readers for what decides, the lenient one for what only hints.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Found, UnsupportedShape};
use crate::json;
use crate::reference;

/// An object under inspection.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    /// Where it stands: empty, or a path that ends in a dot.
    place: String,
}

impl<'a> Fields<'a> {
    /// The object itself, which must be of this kind.
    pub(super) fn of(object: &'a Value, kind: &str) -> Result<Self, UnsupportedShape> {
        let fields = Self::nested(object, String::new())?;
        fields.must_be(kind)?;
        Ok(fields)
    }

    /// The `object` field, where there is one, must name the kind that is expected: a refund that came under the name
    /// of a charge must not be read as one.
    pub(super) fn must_be(&self, kind: &str) -> Result<(), UnsupportedShape> {
        match self.map.get("object") {
            None => Ok(()),
            Some(Value::String(label)) if label == kind => Ok(()),
            Some(_) => Err(self.unsupported("object", "the kind of object that is expected here")),
        }
    }

    /// An object inside, at a `place` that ends in a dot.
    fn nested(value: &'a Value, place: String) -> Result<Self, UnsupportedShape> {
        let Some(map) = value.as_object() else {
            let path = place.trim_end_matches('.').to_owned();
            return Err(UnsupportedShape { path, expected: "an object" });
        };
        Ok(Self { map, place })
    }

    /// Its own id, without which nothing can be tied to it.
    pub(super) fn id(&self) -> Result<String, UnsupportedShape> {
        reference::id(self.map.get("id"))
            .ok_or_else(|| self.unsupported("id", "an id of 1 to 255 characters"))
    }

    /// Whether there is such a field, of whatever type but null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(|value| !value.is_null())
    }

    /// An id, an expanded object, or null.
    pub(super) fn reference(&self, name: &str) -> Result<Option<String>, UnsupportedShape> {
        reference::reference(self.map.get(name))
            .map_err(|_| self.unsupported(name, "an id, an object with an id, or null"))
    }

    /// Who pays: `customer`, or `customer_account` where that is null (Clover and later).
    pub(super) fn customer(&self) -> Result<Option<String>, UnsupportedShape> {
        let customer_account = self.reference("customer_account")?;
        Ok(self.reference("customer")?.or(customer_account))
    }

    /// A whole number, written as one: `1.0` and `1E2` are not.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, UnsupportedShape> {
        self.read(name, "a whole number of 64 bits", Value::as_i64)
    }

    /// Text.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, UnsupportedShape> {
        self.read(name, "text", |value| value.as_str().map(json::text))
    }

    /// True or false.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, UnsupportedShape> {
        self.read(name, "true or false", Value::as_bool)
    }

    /// An object inside; none if it is null or absent.
    pub(super) fn object(&self, name: &str) -> Result<Option<Self>, UnsupportedShape> {
        let value = self.map.get(name).filter(|value| !value.is_null());
        value.map(|value| Self::nested(value, format!("{}{name}.", self.place))).transpose()
    }

    /// An object that stands where a reference does, because it was expanded.
    pub(super) fn expanded(&self, name: &str) -> Option<Self> {
        let value = self.map.get(name).filter(|value| value.is_object())?;
        Self::nested(value, format!("{}{name}.", self.place)).ok()
    }

    /// A list that was expanded, each of its elements read by `read`. None if it was not, or if Stripe cut it off: half
    /// a list must not pass for the whole. Some lists are bare arrays, and those are whole.
    pub(super) fn list<T>(
        &self,
        name: &str,
        read: impl Fn(&Self) -> Result<T, UnsupportedShape>,
    ) -> Result<Option<Vec<T>>, UnsupportedShape> {
        let place = format!("{}{name}.", self.place);
        let (items, place) = match self.map.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(items)) => (items, place),
            Some(list) => {
                let list = Self::nested(list, place)?;
                let items = list.read("data", "a list", Value::as_array)?;
                let Some(items) = items else { return Ok(None) };
                if list.is_cut_off(items.len())? {
                    return Ok(None);
                }
                (items, format!("{}data.", list.place))
            }
        };
        let elements = items.iter().enumerate();
        elements
            .map(|(index, item)| read(&Self::nested(item, format!("{place}{index}."))?))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Whether a list says that it has more elements than the `present` ones: by `has_more`, or before that came (2014)
    /// by its `count`.
    fn is_cut_off(&self, present: usize) -> Result<bool, UnsupportedShape> {
        let count = self.integer("count")?.and_then(|count| usize::try_from(count).ok());
        Ok(self.flag("has_more")? == Some(true) || count.is_some_and(|count| count > present))
    }

    /// Metadata. Stripe keeps text only; what is no text is taken as it is written, and null is absence.
    pub(super) fn metadata(&self) -> Result<BTreeMap<String, String>, UnsupportedShape> {
        let metadata = self.read("metadata", "an object of texts", Value::as_object)?;
        let present = metadata.into_iter().flatten().filter(|(_, value)| !value.is_null());
        let pairs = present.map(|(key, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), json::text);
            (json::text(key), value)
        });
        Ok(pairs.collect())
    }

    /// The texts that stand at these paths, in this order; blank ones and what is no text are passed over. For hints
    /// such as e-mails and names, which settle nothing alone.
    pub(super) fn found(&self, paths: &[&str]) -> Vec<Found> {
        let find = |path: &&str| {
            let mut steps = path.split('.');
            let start = self.map.get(steps.next()?)?;
            let text = steps.try_fold(start, |value, step| value.get(step))?.as_str()?;
            let is_blank = text.trim().is_empty();
            (!is_blank).then(|| Found { path: (*path).to_owned(), value: json::text(text) })
        };
        paths.iter().filter_map(find).collect()
    }

    fn read<T>(
        &self,
        name: &str,
        expected: &'static str,
        convert: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, UnsupportedShape> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => convert(value).map(Some).ok_or_else(|| self.unsupported(name, expected)),
        }
    }

    fn unsupported(&self, name: &str, expected: &'static str) -> UnsupportedShape {
        UnsupportedShape { path: format!("{}{name}", self.place), expected }
    }
}
