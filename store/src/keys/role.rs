//! What the holders of keys may do.

/// What the holder of a key may do; each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyRole {
    /// Looks at users and balances.
    Read,
    /// The app's server.
    App,
    /// Support staff.
    Support,
    /// Support staff who may write credits off.
    Approver,
    /// Keeps the catalogue.
    Admin,
}

impl KeyRole {
    /// All of them, from the least to the most.
    pub const ALL: [Self; 5] = [Self::Read, Self::App, Self::Support, Self::Approver, Self::Admin];

    /// The number that is stored.
    pub const fn code(self) -> i16 {
        match self {
            Self::Read => 1,
            Self::App => 2,
            Self::Support => 3,
            Self::Approver => 4,
            Self::Admin => 5,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::App => "app",
            Self::Support => "support",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_lead_back_and_grow() {
        for role in KeyRole::ALL {
            assert_eq!(KeyRole::from_name(role.name()), Some(role));
        }
        assert!(KeyRole::ALL.is_sorted());
    }
}
