//! Versions of entries as the service shows them, and as they are said.

use jiff::Timestamp;
use keeper::catalogue::PriceEntry;
use serde::{Deserialize, Serialize};
use store::read::catalogue::{Version, Worth};

use crate::commands::text::when;
use crate::config::catalogue::described;

/// A version, as the service shows it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Shown {
    credits: Option<i64>,
    unit: Option<String>,
    expires: Option<String>,
    priority: Option<i16>,
    pub(super) valid_from: Option<Timestamp>,
    pub(super) reason: Option<String>,
    pub(super) actor: Option<String>,
    pub(super) created: Timestamp,
    position: i64,
}

/// A version, as it is said.
#[derive(Debug, Serialize)]
pub(super) struct Said {
    #[serde(skip_serializing_if = "Option::is_none")]
    credits: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i16>,
    not_ours: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<Timestamp>,
}

impl Shown {
    /// What one is worth, in words.
    pub(super) fn worth(&self) -> String {
        described(self.version().worth.as_ref())
    }

    /// The same as the store has it.
    pub(super) fn version(&self) -> Version {
        let worth = self.credits.zip(self.unit.clone()).map(|(credits, unit)| Worth {
            credits,
            unit,
            expires: self.expires.clone(),
            priority: self.priority.unwrap_or_default(),
        });
        Version {
            from_pos: self.position,
            valid_from: self.valid_from,
            worth,
            created_at: self.created,
            actor: self.actor.clone(),
            reason: self.reason.clone(),
        }
    }
}

impl Said {
    /// What is said of an entry.
    pub(super) fn of(entry: &PriceEntry) -> Self {
        Self::new(entry.worth.as_ref(), entry.valid_from)
    }

    pub(super) fn new(worth: Option<&Worth>, valid_from: Option<Timestamp>) -> Self {
        Self {
            credits: worth.map(|worth| worth.credits),
            unit: worth.map(|worth| worth.unit.clone()),
            expires: worth.and_then(|worth| worth.expires.clone()),
            priority: worth.map(|worth| worth.priority),
            not_ours: worth.is_none(),
            valid_from,
        }
    }
}

/// From when a version counts, behind what it says.
pub(super) fn from(valid_from: Option<Timestamp>) -> String {
    valid_from.map(|moment| format!(", from {} UTC on", when(moment))).unwrap_or_default()
}
