//! What a call asks for, by name. All leaves are text, as forms are.

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// Parameters, or a part of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Params<'a>(&'a Value);

impl<'a> Params<'a> {
    pub(super) fn of(tree: &'a Value) -> Self {
        Self(tree)
    }

    /// The part of this name; an empty one if it is missing.
    pub(super) fn at(self, name: &str) -> Self {
        Self(&self.0[name])
    }

    /// Elements of the list of this name.
    pub(super) fn list(self, name: &str) -> impl Iterator<Item = Self> {
        self.0[name].as_array().into_iter().flatten().map(Self)
    }

    /// The leaf itself.
    pub(super) fn leaf(self) -> Option<&'a str> {
        self.0.as_str()
    }

    /// Text, unless it is missing or empty.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.at(name).leaf().filter(|text| !text.is_empty())
    }

    /// Text that must be there.
    pub(super) fn required(self, name: &str) -> Result<&'a str, Refusal> {
        self.text(name).ok_or_else(|| Refusal::missing(name))
    }

    /// An integer, if there is one.
    pub(super) fn integer(self, name: &str) -> Result<Option<i64>, Refusal> {
        let parse = |text: &str| text.parse().map_err(|_not| Refusal::not_an_integer(name, text));
        self.text(name).map(parse).transpose()
    }

    /// Whether it is `true`.
    pub(super) fn is_set(self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// What is under this name as JSON, with texts for leaves; null if it is missing.
    pub(super) fn json(self, name: &str) -> Value {
        self.0[name].clone()
    }

    /// Metadata joined into what there is: an empty value takes a name away.
    pub(super) fn metadata(self, before: &Value) -> Value {
        let mut metadata = before.as_object().cloned().unwrap_or_default();
        let given = self.0["metadata"].as_object().into_iter().flatten();
        for (name, value) in given {
            if value == "" {
                metadata.remove(name);
            } else {
                metadata.insert(name.clone(), value.clone());
            }
        }
        Value::Object(metadata)
    }

    /// Those of the parameters with these names that are given, ready to be joined into an object.
    pub(super) fn only(self, names: &[&str]) -> Value {
        let given = names.iter().filter_map(|name| Some((*name, self.text(name)?)));
        Value::Object(
            given.map(|(name, text)| (name.to_owned(), text.into())).collect::<Map<_, _>>(),
        )
    }
}
