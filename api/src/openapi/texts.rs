//! Texts and numbers that requests may hold, with the limits that the handlers check.
//!
//! A member of a request says which one it is by `#[schemars(with = "…")]`. Lengths are in characters; where a handler counts
//! bytes, a text of other letters than ASCII may be refused though it fits.

use std::borrow::Cow;

use rules::catalogue::MAX_KEY_BYTES;
use rules::evidence::MAX_USER_ID_BYTES;
use rules::worth::{MAX_CREDITS, MAX_QUANTITY, MAX_UNIT_BYTES};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::acts::REASON_MAX_CHARS;
use crate::checkout::get::WAIT_MAX_SECONDS;
use crate::commands::hold::EXPIRES_IN_MAX_SECONDS;
use crate::commands::key;
use crate::commands::said::DESCRIPTION_MAX_CHARS;
use crate::metadata;
use crate::params::{LIMIT_DEFAULT, LIMIT_MAX};
use crate::users::put::{EMAIL_MAX_BYTES, NAME_MAX_CHARS};

/// No control characters.
const PRINTABLE: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";

/// No control characters but line feeds.
const PRINTABLE_LINES: &str = r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$";

/// The same, and something that is not blank.
const SAYING: &str =
    r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x09\x0b-\x1f\x7f-\x9f]*$";

/// No control characters, and no blanks at the ends.
const TRIMMED: &str = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$";

/// A word: neither control characters nor blanks.
const WORD: &str = r"^[^\s\x00-\x1f\x7f-\x9f]+$";

/// Two words with an @ between them, none in the second.
const EMAIL: &str = r"^[^\s\x00-\x1f\x7f-\x9f]+@[^\s\x00-\x1f\x7f-\x9f@]+$";

/// A lookup key behind its prefix, or a word that is an id.
const CATALOGUE_KEY: &str = r"^(lookup_key:[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?|(?!lookup_key:)[^\s\x00-\x1f\x7f-\x9f]+)$";

/// Printable ASCII with something that is not a blank.
const IDEMPOTENCY_KEY: &str = r"^[\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*$";

/// Declares texts and numbers: a name, what it is, and its schema.
macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident = $schema:tt;)+) => {$(
        $(#[doc = $doc])+
        pub(crate) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let mut schema = json_schema!($schema);
                schema.insert("description".to_owned(), concat!($($doc),+).trim().into());
                schema
            }
        }
    )+};
}

texts! {
    /// A user's id as the app calls him: without blanks at its ends, and no word for nothing such as undefined or null.
    UserId = {"type": "string", "minLength": 1, "maxLength": MAX_USER_ID_BYTES, "pattern": TRIMMED};
    /// The id of something, as an answer or a message gave it.
    AnyId = {"type": "string", "minLength": 1};
    /// What stands in a header; what is no such thing is taken for none.
    HeaderText = {"type": "string"};
    /// The kind of credits; where it is left out, the default one.
    Unit = {"type": "string", "minLength": 1, "maxLength": MAX_UNIT_BYTES, "pattern": WORD};
    /// Why, in words. It stays on record.
    ReasonText = {"type": "string", "minLength": 1, "maxLength": REASON_MAX_CHARS, "pattern": SAYING};
    /// What it is for, in the app's words.
    DescriptionText = {"type": "string", "maxLength": DESCRIPTION_MAX_CHARS, "pattern": PRINTABLE_LINES};
    /// An e-mail address, in at most 254 bytes.
    Email = {"type": "string", "maxLength": EMAIL_MAX_BYTES, "pattern": EMAIL};
    /// A person's name.
    PersonName = {"type": "string", "minLength": 1, "maxLength": NAME_MAX_CHARS, "pattern": PRINTABLE};
    /// The id of a Stripe price or product, or `lookup_key:` and a lookup key.
    CatalogueKey = {"type": "string", "minLength": 1, "maxLength": MAX_KEY_BYTES, "pattern": CATALOGUE_KEY};
    /// A key of the client's making, such as a new UUID. The same request under the same key has one effect, and one answer.
    IdempotencyKey = {"type": "string", "minLength": 1, "maxLength": key::MAX_CHARS, "pattern": IDEMPOTENCY_KEY};
    /// The app's own pairs.
    Metadata = {
        "type": "object",
        "maxProperties": metadata::MAX_PAIRS,
        "propertyNames": {"minLength": 1, "maxLength": metadata::KEY_MAX_CHARS, "pattern": PRINTABLE},
        "additionalProperties": {"type": "string", "maxLength": metadata::VALUE_MAX_CHARS, "pattern": r"^[^\x00]*$"},
    };
    /// Credits of one purchase, in the unit's smallest part.
    Worth = {"type": "integer", "minimum": 1, "maximum": MAX_CREDITS};
    /// How many of a price.
    Quantity = {"type": "integer", "minimum": 1, "maximum": MAX_QUANTITY};
    /// Seconds until a hold ends by itself.
    ExpiresIn = {"type": "integer", "minimum": 1, "maximum": EXPIRES_IN_MAX_SECONDS};
    /// Seconds that an answer may wait for.
    WaitSeconds = {"type": "integer", "minimum": 0, "maximum": WAIT_MAX_SECONDS};
    /// Rows of a page.
    Limit = {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT};
    /// A moment, with its offset from UTC.
    Moment = {"type": "string", "format": "date-time"};
    /// How long credits last: an ISO 8601 duration such as P1Y, or `period_end`.
    Expires = {"type": "string", "examples": ["P1Y", "P30D", "period_end"]};
}
