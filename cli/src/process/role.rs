//! The roles that a process can have.

use std::fmt;
use std::str::FromStr;

/// What a process does. One process may do all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Takes deliveries.
    Ingest,
    /// Decides and posts.
    Projector,
    /// Keeps the clock, reads the directory.
    Keeper,
    /// Serves the app and staff.
    Api,
}

impl Role {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Ingest, Self::Projector, Self::Keeper, Self::Api];

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Projector => "projector",
            Self::Keeper => "keeper",
            Self::Api => "api",
        }
    }

    /// Whom its connections act as.
    pub(crate) const fn in_database(self) -> store::Role {
        match self {
            Self::Ingest => store::Role::Ingest,
            Self::Projector => store::Role::Projector,
            Self::Keeper => store::Role::Keeper,
            Self::Api => store::Role::Api,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "relay" {
            return Err("nothing relays the outbox yet; leave relay out".to_owned());
        }
        let named = Self::ALL.into_iter().find(|role| role.name() == text);
        named.ok_or_else(|| "a role is ingest, projector, keeper or api".to_owned())
    }
}
