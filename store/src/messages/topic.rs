//! What can be told: the one list of topics, each with what its messages say.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

use super::Message;
use super::data::{BalanceChanged, CaseChanged, CreditsMoved, HoldChanged};

/// What a message is about (the type of the `CloudEvent`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Credits were bought, or given away.
    CreditsGranted,
    /// Credits were used.
    CreditsSpent,
    /// Credits were reserved.
    CreditsHeld,
    /// Credits that were reserved can be spent again.
    CreditsReleased,
    /// Credits ran out of time.
    CreditsExpired,
    /// Credits were taken back, because their money was.
    CreditsClawedBack,
    /// Credits moved otherwise.
    CreditsMoved,
    /// What a user has changed.
    BalanceChanged,
    /// A case was opened.
    CaseOpened,
    /// A case was closed.
    CaseClosed,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::CreditsGranted,
        Self::CreditsSpent,
        Self::CreditsHeld,
        Self::CreditsReleased,
        Self::CreditsExpired,
        Self::CreditsClawedBack,
        Self::CreditsMoved,
        Self::BalanceChanged,
        Self::CaseOpened,
        Self::CaseClosed,
    ];

    /// Its name, as subscribers know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreditsGranted => "tally.credits.granted",
            Self::CreditsSpent => "tally.credits.spent",
            Self::CreditsHeld => "tally.credits.held",
            Self::CreditsReleased => "tally.credits.released",
            Self::CreditsExpired => "tally.credits.expired",
            Self::CreditsClawedBack => "tally.credits.clawed_back",
            Self::CreditsMoved => "tally.credits.moved",
            Self::BalanceChanged => "tally.balance.changed",
            Self::CaseOpened => "tally.case.opened",
            Self::CaseClosed => "tally.case.closed",
        }
    }

    /// JSON Schema of its messages.
    pub fn schema(self) -> Schema {
        let mut schema = match self {
            Self::CreditsGranted
            | Self::CreditsSpent
            | Self::CreditsExpired
            | Self::CreditsClawedBack
            | Self::CreditsMoved => schema_of::<CreditsMoved<'static>>(),
            Self::CreditsHeld | Self::CreditsReleased => schema_of::<HoldChanged<'static>>(),
            Self::BalanceChanged => schema_of::<BalanceChanged<'static>>(),
            Self::CaseOpened | Self::CaseClosed => schema_of::<CaseChanged<'static>>(),
        };
        schema.insert("title".to_owned(), self.name().into());
        if let Some(kind) = schema.pointer_mut("/properties/type") {
            kind["const"] = self.name().into();
        }
        schema
    }
}

fn schema_of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let settings = settings.with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Message<'_, T>>()
}
