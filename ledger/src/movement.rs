//! A movement of credits that was decided and is to be posted: the only thing that the books accept.

use jiff::Timestamp;

use crate::account::{
    Act, Cause, ClawbackPolicy, MoveKind, Operation, Source, SystemAccount, Terms,
};
use crate::ids::Owner;

/// What a movement does to the account's grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adds credits as a grant under the movement's terms.
    Grant,
    /// Takes credits out of the line's grants. What they lack follows the clawback policy.
    Take(MoveKind),
    /// The same of what stands in an opening balance: what the line's grants lack is owed, whatever the policy.
    Owe(MoveKind),
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
    /// Terms of what it grants; what it takes keeps its own.
    pub terms: Terms,
    /// What caused it.
    pub cause: Cause,
    /// When it takes effect in the world.
    pub effective_at: Timestamp,
}

impl Movement {
    /// The movement as one of the operations of an account: what is taken follows the clawback policy, so that credits
    /// that are gone are owed, or written off.
    pub fn operation(
        &self,
        tenant_id: i32,
        recorded_at: Timestamp,
        policy: ClawbackPolicy,
    ) -> (Act, Operation) {
        let (cause, effective_at) = (self.cause.clone(), self.effective_at);
        let act = Act { tenant_id, cause, effective_at, recorded_at };
        let (amount, contra, source) = (self.amount, self.contra, self.source.clone());
        let operation = match self.change {
            Change::Grant => {
                Operation::Grant { amount, terms: self.terms, contra, source: Some(source) }
            }
            Change::Take(kind) => Operation::Clawback { amount, source, kind, contra, policy },
            Change::Owe(kind) => {
                let policy = ClawbackPolicy::Debt;
                Operation::Clawback { amount, source, kind, contra, policy }
            }
        };
        (act, operation)
    }
}

/// Other terms for what is left of a payment line's credits on an account. Nothing moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTerms {
    /// Whose account.
    pub owner: Owner,
    /// Unit.
    pub unit: String,
    /// Line of the payment.
    pub source: Source,
    /// The terms from now on.
    pub terms: Terms,
}
