//! Ids: derived ones, which a rebuild finds again, and the outward form of all.
//!
//! Account and case ids are version 8 UUIDs made of a SHA-256 over what they stand for (RFC 9562, section 5.8). So they
//! need no sequence, no look-up before the first write, and two processes that meet the same user agree on his account.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Whom an account belongs to (`owner`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A user of the app, by the app's own id.
    User(String),
    /// A payment that nobody could be found for yet, by its root key.
    Unclaimed(String),
}

impl Owner {
    /// The number that the database keeps (`owner.kind`).
    pub const fn kind(&self) -> i16 {
        match self {
            Self::User(_) => 1,
            Self::Unclaimed(_) => 2,
        }
    }

    /// User id, or root key (`owner.key`).
    pub fn key(&self) -> &str {
        match self {
            Self::User(key) | Self::Unclaimed(key) => key,
        }
    }

    /// The id of this owner's account.
    pub fn account_id(&self) -> AccountId {
        let kind = match self {
            Self::User(_) => "user",
            Self::Unclaimed(_) => "unclaimed",
        };
        AccountId(derive_uuid(&["tally.account.v1", kind, self.key()]))
    }
}

/// Id of an account; one account in each unit shares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub Uuid);

/// Id of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId(pub Uuid);

impl CaseId {
    /// The case that holds up `about` (a root key, or `pos:` and a position) for the reason named.
    pub fn derive(tenant_id: i32, about: &str, reason: &str) -> Self {
        Self(derive_uuid(&["tally.case.v1", &tenant_id.to_string(), about, reason]))
    }
}

/// Id of a hold: that of the command that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldId(pub Uuid);

/// Id of a spend: that of the command that made it, which is a spend or the capture of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpendId(pub Uuid);

/// Id of a posting: its place in the chain of its account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PostingId {
    /// Account.
    pub account: AccountId,
    /// Unit.
    pub unit: String,
    /// Sequence number in the account.
    pub seq: i64,
}

/// Id of a grant: that of the posting that granted it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GrantId(pub PostingId);

/// A text that is no id of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("reading an id: it does not begin with {prefix} or what follows is not an id of that kind")]
pub struct NotAnId {
    /// What ids of that kind begin with.
    pub prefix: &'static str,
}

/// A version 8 UUID over the parts, each with its length, so that no two lists of parts are one text.
pub fn derive_uuid(parts: &[&str]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::new_v8(bytes)
}

/// The outward form of an id that is a UUID: a prefix, then 32 hexadecimal digits.
macro_rules! outward_uuid {
    ($id:ident, $prefix:literal) => {
        impl fmt::Display for $id {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!($prefix, "{}"), self.0.simple())
            }
        }

        impl FromStr for $id {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let rest = text.strip_prefix($prefix).and_then(|rest| Uuid::try_parse(rest).ok());
                rest.map(Self).ok_or(NotAnId { prefix: $prefix })
            }
        }
    };
}

outward_uuid!(CaseId, "case_");
outward_uuid!(HoldId, "hld_");
outward_uuid!(SpendId, "spd_");

impl PostingId {
    fn parse(text: &str, prefix: &'static str) -> Result<Self, NotAnId> {
        let parsed = text.strip_prefix(prefix).and_then(|rest| {
            let mut parts = rest.splitn(3, '_');
            let account = AccountId(Uuid::try_parse(parts.next()?).ok()?);
            let seq = parts.next()?.parse().ok().filter(|seq| *seq > 0)?;
            Some(Self { account, seq, unit: parts.next()?.to_owned() })
        });
        parsed.ok_or(NotAnId { prefix })
    }

    fn write(&self, formatter: &mut fmt::Formatter<'_>, prefix: &str) -> fmt::Result {
        write!(formatter, "{prefix}{}_{}_{}", self.account.0.simple(), self.seq, self.unit)
    }
}

impl fmt::Display for PostingId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(formatter, "pst_")
    }
}

impl FromStr for PostingId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        Self::parse(text, "pst_")
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(formatter, "grt_")
    }
}

impl FromStr for GrantId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        PostingId::parse(text, "grt_").map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_is_that_of_its_owner_alone() {
        let user = Owner::User("u_1".into()).account_id();
        assert_eq!(user, Owner::User("u_1".into()).account_id());
        assert_ne!(user, Owner::User("u_2".into()).account_id());
        assert_ne!(user, Owner::Unclaimed("u_1".into()).account_id());
        assert_eq!(user.0.get_version_num(), 8);
    }

    #[test]
    fn derivation_keeps_parts_apart() {
        assert_ne!(derive_uuid(&["ab", "c"]), derive_uuid(&["a", "bc"]));
        assert_ne!(CaseId::derive(1, "pi_1", "conflict"), CaseId::derive(2, "pi_1", "conflict"));
    }

    #[test]
    fn outward_ids_lead_back() {
        let case = CaseId::derive(1, "pi_1", "conflict");
        assert_eq!(case.to_string().parse(), Ok(case));
        let (hold, spend) = (HoldId(case.0), SpendId(case.0));
        assert_eq!(hold.to_string().parse(), Ok(hold));
        assert_eq!(spend.to_string().parse(), Ok(spend));
        assert!(hold.to_string().parse::<SpendId>().is_err());
        let account = Owner::User("u_1".into()).account_id();
        let posting = PostingId { account, unit: "gpu_seconds".into(), seq: 7 };
        assert_eq!(posting.to_string().parse(), Ok(posting.clone()));
        let grant = GrantId(posting);
        assert_eq!(grant.to_string().parse(), Ok(grant));
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in [
            "",
            "case_",
            "case_x",
            "pst_1",
            "grt_0_0_credits",
            "pst_00000000000000000000000000000000_0_c",
        ] {
            assert!(text.parse::<CaseId>().is_err(), "{text}");
            assert!(text.parse::<PostingId>().is_err(), "{text}");
            assert!(text.parse::<GrantId>().is_err(), "{text}");
        }
    }
}
