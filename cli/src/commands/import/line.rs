//! What one line of the file says, and what is to be asked of the service because of it.

use jiff::Timestamp;
use rules::imported::is_object_of_payment;
use rules::worth::{is_credits, is_unit};
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Longest reference: an idempotency key has 255 characters, and begins with [`KEY_PREFIX`].
const REFERENCE_MAX_CHARS: usize = 248;

/// How the idempotency keys of opening balances begin.
const KEY_PREFIX: &str = "import:";

/// One line.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line {
    /// What a user has.
    Balance(Balance),
    /// A payment that was credited.
    Payment(Payment),
}

/// What a user has in the old system, or a part of it that ends at another time than the rest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Balance {
    #[serde(deserialize_with = "text_or_number")]
    user: String,
    unit: Option<String>,
    pub(super) amount: i64,
    expires_at: Option<Timestamp>,
    priority: Option<i16>,
    /// The old system's own id of it.
    #[serde(deserialize_with = "text_or_number")]
    reference: String,
}

/// A payment that the old system credited, and perhaps took back again.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Payment {
    /// Any of its objects; in the request it stands in the path.
    #[serde(rename = "payment", skip_serializing)]
    pub(super) id: String,
    #[serde(deserialize_with = "text_or_number")]
    user: String,
    credits: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(default)]
    reversed: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_at: Option<Timestamp>,
}

/// Why a line cannot be imported.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    #[error("it is neither a balance nor a payment: {0}")]
    Shape(serde_json::Error),
    #[error("amount: {0} credits cannot be brought over; it is a whole number from 1")]
    Amount(i64),
    #[error("reference: it is 1 to {REFERENCE_MAX_CHARS} printable ASCII characters")]
    Reference,
    #[error("payment: {0} is no id of a session, payment intent, charge or invoice")]
    Payment(String),
    #[error("credits: {0} cannot be the credits of a payment; they are a whole number from 1")]
    Credits(i64),
    #[error("reversed: {reversed} of {credits} credits cannot have been taken back")]
    Reversed { reversed: i64, credits: i64 },
    #[error("paid: nobody pays {0}")]
    Paid(i64),
    #[error("currency: {0} is no ISO 4217 code in lower case")]
    Currency(String),
    #[error("unit: {0} cannot be the name of a unit")]
    Unit(String),
    #[error("an earlier line is about {0} as well")]
    Repeated(String),
}

impl Line {
    /// Reads a line, as far as can be told without the service.
    pub(super) fn read(text: &str) -> Result<Self, Wrong> {
        let line: Self = serde_json::from_str(text).map_err(Wrong::Shape)?;
        match &line {
            Self::Balance(balance) => balance.check()?,
            Self::Payment(payment) => payment.check()?,
        }
        match line.unit().filter(|unit| !is_unit(unit)) {
            Some(unit) => Err(Wrong::Unit(unit.to_owned())),
            None => Ok(line),
        }
    }

    /// Whose it is.
    pub(super) fn user(&self) -> &str {
        match self {
            Self::Balance(balance) => &balance.user,
            Self::Payment(payment) => &payment.user,
        }
    }

    /// What it is about: no other line is about the same.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Balance(balance) => format!("reference {}", balance.reference),
            Self::Payment(payment) => format!("payment {}", payment.id),
        }
    }

    /// The unit, if one is named.
    pub(super) fn unit(&self) -> Option<&str> {
        match self {
            Self::Balance(balance) => balance.unit.as_deref(),
            Self::Payment(payment) => payment.unit.as_deref(),
        }
    }
}

impl Balance {
    fn check(&self) -> Result<(), Wrong> {
        if self.amount < 1 {
            return Err(Wrong::Amount(self.amount));
        }
        let is_trimmed = self.reference.trim() == self.reference;
        let fits = is_trimmed && (1..=REFERENCE_MAX_CHARS).contains(&self.reference.len());
        let is_printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        if fits && self.reference.bytes().all(is_printable) {
            Ok(())
        } else {
            Err(Wrong::Reference)
        }
    }

    /// Under this key it is brought over once, however often it is imported.
    pub(super) fn idempotency_key(&self) -> String {
        format!("{KEY_PREFIX}{}", self.reference)
    }

    /// The grant that it becomes.
    pub(super) fn body(&self) -> Value {
        let mut body = Map::from_iter([
            ("amount".to_owned(), json!(self.amount)),
            ("contra".to_owned(), json!("adjustment")),
            ("reason".to_owned(), json!(format!("opening balance: {}", self.reference))),
        ]);
        body.extend(self.unit.as_ref().map(|unit| ("unit".to_owned(), json!(unit))));
        body.extend(self.expires_at.map(|at| ("expires_at".to_owned(), json!(at))));
        body.extend(self.priority.map(|priority| ("priority".to_owned(), json!(priority))));
        Value::Object(body)
    }
}

impl Payment {
    fn check(&self) -> Result<(), Wrong> {
        let Self { id, credits, reversed, paid, currency, .. } = self;
        if !is_object_of_payment(id) {
            return Err(Wrong::Payment(id.clone()));
        }
        if !is_credits(*credits) {
            return Err(Wrong::Credits(*credits));
        }
        if !(0..=*credits).contains(reversed) {
            return Err(Wrong::Reversed { reversed: *reversed, credits: *credits });
        }
        if let Some(paid) = paid.filter(|paid| *paid < 0) {
            return Err(Wrong::Paid(paid));
        }
        let is_code =
            |code: &&String| code.len() == 3 && code.bytes().all(|b| b.is_ascii_lowercase());
        match currency.as_ref().filter(|code| !is_code(code)) {
            Some(code) => Err(Wrong::Currency(code.clone())),
            None => Ok(()),
        }
    }
}

/// An id: some systems count their users.
fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) if !text.is_empty() => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Err(D::Error::custom("an id is a text or a number"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balance_is_a_grant_under_its_reference() {
        let text = r#"{"type": "balance", "user": 7, "amount": 130, "reference": "wallet 7"}"#;
        let Line::Balance(balance) = Line::read(text).unwrap() else { panic!("{text}") };
        assert_eq!(
            (balance.user.as_str(), balance.idempotency_key()),
            ("7", "import:wallet 7".into())
        );
        let said = r#"{"amount":130,"contra":"adjustment","reason":"opening balance: wallet 7"}"#;
        assert_eq!(balance.body().to_string(), said);
    }

    #[test]
    fn a_payment_is_what_the_old_system_did_with_it() {
        let text = r#"{"type": "payment", "payment": "pi_1", "user": "u_1", "credits": 100, "paid": 1190, "currency": "eur"}"#;
        let Line::Payment(payment) = Line::read(text).unwrap() else { panic!("{text}") };
        let said = r#"{"credits":100,"currency":"eur","paid":1190,"reversed":0,"user":"u_1"}"#;
        assert_eq!(serde_json::to_value(&payment).unwrap().to_string(), said);
    }

    #[test]
    fn what_cannot_be_says_which_member_is_wrong() {
        for (text, said) in [
            ("{}", "neither a balance nor a payment"),
            (r#"{"type": "balance", "user": "u", "amount": 0, "reference": "r"}"#, "amount"),
            (
                r#"{"type": "balance", "user": "u", "amount": 1, "reference": ""}"#,
                "a text or a number",
            ),
            (r#"{"type": "balance", "user": "u", "amount": 1, "reference": "ü"}"#, "reference"),
            (
                r#"{"type": "balance", "user": "u", "amount": 1, "reference": "r", "x": 1}"#,
                "unknown field",
            ),
            (
                r#"{"type": "balance", "user": "u", "amount": 1, "reference": "r", "unit": "a b"}"#,
                "unit",
            ),
            (
                r#"{"type": "balance", "user": "u", "amount": 1.5, "reference": "r"}"#,
                "floating point",
            ),
            (r#"{"type": "payment", "payment": "sub_1", "user": "u", "credits": 1}"#, "sub_1"),
            (r#"{"type": "payment", "payment": "pi_1", "user": "u", "credits": 0}"#, "credits"),
            (
                r#"{"type": "payment", "payment": "pi_1", "user": "u", "credits": 1, "reversed": 2}"#,
                "reversed",
            ),
            (
                r#"{"type": "payment", "payment": "pi_1", "user": "u", "credits": 1, "paid": -1}"#,
                "paid",
            ),
            (
                r#"{"type": "payment", "payment": "pi_1", "user": "u", "credits": 1, "currency": "EUR"}"#,
                "currency",
            ),
        ] {
            let wrong = Line::read(text).unwrap_err().to_string();
            assert!(wrong.contains(said), "{text}: {wrong}");
        }
    }
}
