//! A small world of one account: a clock that is set by hand, and short words for what is done.

use jiff::Timestamp;
use ledger::account::{
    Account, Act, Cause, ClawbackPolicy, Effects, ExpiredPolicy, GrantMove, MoveKind, Operation,
    Posting, Refusal, Source, Spend, SystemAccount, Terms,
};
use ledger::ids::{HoldId, Owner, SpendId};
use uuid::Uuid;

/// An account and everything that was posted on it.
pub(crate) struct World {
    pub(crate) account: Account,
    pub(crate) postings: Vec<Posting>,
    now: Timestamp,
    commands: u128,
}

pub(crate) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// The one line of a payment.
pub(crate) fn line_of(payment: &str) -> Source {
    Source { root_key: payment.to_owned(), line: "1".to_owned() }
}

pub(crate) fn until(expires_at: i64) -> Terms {
    Terms { expires_at: Some(second(expires_at)), priority: 0 }
}

/// Moves of one kind: grants and amounts.
pub(crate) fn moves(kind: MoveKind, of: &[(i64, i64)]) -> Vec<GrantMove> {
    of.iter().map(|&(grant_id, amount)| GrantMove { grant_id, kind, amount }).collect()
}

impl World {
    pub(crate) fn new() -> Self {
        let id = Owner::User("u_1".into()).account_id();
        let account = Account::new(id, "credits".into());
        Self { account, postings: Vec::new(), now: second(0), commands: 0 }
    }

    /// It is so late now.
    pub(crate) fn at(&mut self, now: i64) -> &mut Self {
        self.now = second(now);
        self
    }

    /// Does something, and remembers what it posted, and what it spent for later reversals.
    pub(crate) fn does(&mut self, operation: &Operation) -> Result<Effects, Refusal> {
        self.commands += 1;
        let command = Uuid::from_u128(self.commands);
        let act = Act {
            tenant_id: 1,
            cause: Cause::Command(command),
            effective_at: self.now,
            recorded_at: self.now,
        };
        let before = self.account.clone();
        let effects = self.account.evaluate(&act, operation).inspect_err(|_| {
            assert_eq!(self.account, before, "a refusal changes nothing");
        })?;
        let spent =
            |posting: &&Posting| posting.contra == SystemAccount::Spend && posting.amount < 0;
        if let Some(posting) = effects.postings.iter().find(spent) {
            self.account.spends.push(Spend {
                spend_id: SpendId(command),
                amount: -posting.amount,
                moves: posting.moves.clone(),
                is_reversed: false,
            });
        }
        self.postings.extend(effects.postings.iter().cloned());
        Ok(effects)
    }

    /// Gives credits away; the id of the grant.
    pub(crate) fn gift(&mut self, amount: i64, terms: Terms) -> i64 {
        let (contra, source) = (SystemAccount::Promo, None);
        let effects = self.does(&Operation::Grant { amount, terms, contra, source });
        *effects.unwrap().grants.keys().next().unwrap()
    }

    /// Sells credits that never expire; the id of the grant.
    pub(crate) fn bought(&mut self, payment: &str, amount: i64) -> i64 {
        self.bought_until(payment, amount, Terms::default())
    }

    pub(crate) fn bought_until(&mut self, payment: &str, amount: i64, terms: Terms) -> i64 {
        let (contra, source) = (SystemAccount::Sale, Some(line_of(payment)));
        let effects = self.does(&Operation::Grant { amount, terms, contra, source });
        *effects.unwrap().grants.keys().next().unwrap()
    }

    pub(crate) fn spend(&mut self, amount: i64) -> Result<SpendId, Refusal> {
        self.does(&Operation::Spend { amount })?;
        Ok(SpendId(Uuid::from_u128(self.commands)))
    }

    pub(crate) fn hold(&mut self, amount: i64, expires_at: i64) -> Result<HoldId, Refusal> {
        let hold_id = HoldId(Uuid::from_u128(self.commands));
        let expires_at = second(expires_at);
        self.does(&Operation::Hold { hold_id, amount, expires_at })?;
        Ok(hold_id)
    }

    pub(crate) fn capture(&mut self, hold_id: HoldId, amount: i64) -> Result<Effects, Refusal> {
        self.does(&Operation::Capture { hold_id, amount: Some(amount) })
    }

    pub(crate) fn release(&mut self, hold_id: HoldId) -> Result<Effects, Refusal> {
        self.does(&Operation::Release { hold_id })
    }

    pub(crate) fn reverse(
        &mut self,
        spend_id: SpendId,
        expired: ExpiredPolicy,
    ) -> Result<Effects, Refusal> {
        self.does(&Operation::Reverse { spend_id, expired, terms: Terms::default() })
    }

    pub(crate) fn expire(&mut self, grant_id: i64) -> Result<Effects, Refusal> {
        self.does(&Operation::ExpireGrant { grant_id })
    }

    pub(crate) fn refund(
        &mut self,
        payment: &str,
        amount: i64,
        policy: ClawbackPolicy,
    ) -> Result<Effects, Refusal> {
        let (kind, contra) = (MoveKind::ClawedBack, SystemAccount::Refund);
        let source = line_of(payment);
        self.does(&Operation::Clawback { amount, source, kind, contra, policy })
    }

    /// Available, held, debt, posted: now.
    #[track_caller]
    pub(crate) fn has(&self, available: i64, held: i64, debt: i64, posted: i64) {
        let is = self.account.balance(self.now).unwrap();
        let is = (is.available, is.held, is.debt, is.posted);
        assert_eq!(is, (available, held, debt, posted), "(available, held, debt, posted)");
    }

    /// What remains of a grant.
    pub(crate) fn remains(&self, grant_id: i64) -> i64 {
        self.account.grant_of(grant_id).unwrap().remaining
    }

    /// The newest posting's moves.
    pub(crate) fn last_moves(&self) -> &[GrantMove] {
        &self.postings.last().unwrap().moves
    }
}
