//! Amounts, as requests state them.

use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

/// Credits, in the unit's smallest part: a whole number from 1 to 2^63 − 1. What JSON writes with a fraction, an exponent
/// or quotation marks is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(extend("minimum" = 1, "maximum" = i64::MAX))]
pub(super) struct Amount(i64);

impl Amount {
    /// The number.
    pub(super) const fn get(self) -> i64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        if number < 1 {
            return Err(D::Error::custom(format_args!(
                "an amount is a whole number from 1 to {}",
                i64::MAX
            )));
        }
        Ok(Self(number))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_positive_numbers_are_amounts() {
        for text in ["1", "9007199254740993", "9223372036854775807"] {
            let amount: Amount = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&amount).unwrap(), text);
        }
        for text in [
            "0",
            "-1",
            "1.5",
            "1.0",
            "1e2",
            "\"1\"",
            "9223372036854775808",
            "1e400",
            "null",
            "true",
            "[1]",
            "{}",
            "",
        ] {
            assert!(serde_json::from_str::<Amount>(text).is_err(), "{text}");
        }
    }
}
