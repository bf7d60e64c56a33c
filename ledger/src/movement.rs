//! A movement of credits that was decided and is to be posted: the only thing that the books accept.

use jiff::Timestamp;

use crate::account::{
    Account, Cause, Entry, LedgerError, MoveKind, Posting, Source, SystemAccount,
};
use crate::ids::Owner;

/// What a movement does to the account's grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adds credits as a grant.
    Grant,
    /// Takes credits out of the line's grants.
    Take(MoveKind),
}

/// One movement of credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Whose account.
    pub owner: Owner,
    /// Unit.
    pub unit: String,
    /// Line of the payment.
    pub source: Source,
    /// What it does.
    pub change: Change,
    /// The other side.
    pub contra: SystemAccount,
    /// Credits, positive.
    pub amount: i64,
    /// What caused it.
    pub cause: Cause,
    /// When it takes effect in the world.
    pub effective_at: Timestamp,
}

impl Movement {
    /// Posts it on its account, which must be that of its owner in its unit, with the line's grants loaded.
    pub fn post(
        &self,
        account: &mut Account,
        tenant_id: i32,
        recorded_at: Timestamp,
    ) -> Result<Posting, LedgerError> {
        let entry = Entry {
            tenant_id,
            contra: self.contra,
            cause: self.cause.clone(),
            source: self.source.clone(),
            effective_at: self.effective_at,
            recorded_at,
        };
        match self.change {
            Change::Grant => account.grant(&entry, self.amount),
            Change::Take(kind) => account.take(&entry, self.amount, kind),
        }
    }
}
