//! Evidence of whose a payment is: gathered whole, ranked, recorded with the decision (DESIGN, section 6).

use serde::{Deserialize, Serialize};

/// Where a piece of evidence comes from, in the order of its rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person decided it.
    Staff,
    /// A reference that our own server signed names the user.
    Signed,
    /// An earlier payment of the same Stripe customer was this user's.
    Link,
    /// Metadata that the server set names the user.
    Metadata,
    /// `client_reference_id`, unsigned.
    ClientReference,
    /// Keyed hash of an e-mail.
    Email,
    /// A UUID somewhere else in the object.
    IdShaped,
    /// Keyed hash of a name.
    Name,
    /// A signed reference that does not verify. Its value is the reason's name: whatever it says, nobody vouches for it.
    BadReference,
    /// No evidence, but what came of it: the user was added to the directory.
    Created,
}

/// Rank of what is on record and weighs nothing.
const WEIGHS_NOTHING: i16 = 7;

impl Kind {
    /// Its rank: 0 outranks all.
    pub const fn rank(self) -> i16 {
        match self {
            Self::Staff => 0,
            Self::Signed => 1,
            Self::Link => 2,
            Self::Metadata => 3,
            Self::ClientReference => 4,
            Self::Email => 5,
            Self::IdShaped | Self::Name => 6,
            Self::BadReference | Self::Created => WEIGHS_NOTHING,
        }
    }

    /// Whether its value is a user's id that was put there as one.
    pub const fn names_a_user(self) -> bool {
        self.rank() <= Self::ClientReference.rank()
    }

    /// Whether it was put there for this program to read: a user's id, or a signed reference, valid or not.
    pub const fn is_meant_for_us(self) -> bool {
        self.names_a_user() || matches!(self, Self::BadReference)
    }

    /// Whether it alone suffices to add a user to the directory, where the policy is to do so: it is the word of our own
    /// server, or of an earlier payment.
    pub const fn vouches_for_a_user(self) -> bool {
        matches!(self, Self::Signed | Self::Link | Self::Metadata)
    }
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Evidence {
    /// What kind, and so of which rank.
    pub kind: Kind,
    /// Where it stood, such as `checkout.session.metadata.user_id`.
    pub at: String,
    /// A user's id, the keyed hash of an e-mail or name, or why a reference does not verify.
    pub value: String,
}

/// Longest user id that is taken as one, in bytes.
pub const MAX_USER_ID_BYTES: usize = 255;

/// The user id in a text, if there is one. What programs write when they have none is absence, not evidence.
pub fn user_id(text: &str) -> Option<&str> {
    /// What a program writes when a variable is empty.
    const ABSENT: [&str; 6] = ["undefined", "null", "none", "unknown", "nil", "nan"];
    let text = text.trim();
    let absent = text.is_empty()
        || ABSENT.iter().any(|word| text.eq_ignore_ascii_case(word))
        || (text.contains('0') && text.chars().all(|c| matches!(c, '0' | '-')) && text.len() >= 32)
        || text.len() > MAX_USER_ID_BYTES
        || text.chars().any(char::is_control);
    (!absent).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_nothing_are_absence() {
        for text in [
            "",
            "  ",
            "undefined",
            "NULL",
            "None",
            "unknown",
            "00000000-0000-0000-0000-000000000000",
            "a\u{0}b",
        ] {
            assert_eq!(user_id(text), None, "{text:?}");
        }
        assert_eq!(user_id(&"x".repeat(256)), None);
        for text in ["u_1", "0", "42", "00000000-0000-0000-0000-000000000001", "nullius"] {
            assert_eq!(user_id(text), Some(text));
        }
        assert_eq!(user_id(" u_1 "), Some("u_1"));
    }
}
