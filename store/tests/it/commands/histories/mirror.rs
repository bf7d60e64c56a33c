//! The same accounts, kept whole in memory: every operation is evaluated on all that there ever was of an account.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use ledger::account::{
    Account, Act, Cause, ClawbackPolicy, Effects, MoveKind, Operation, Posting, Refusal, Row,
    Source, Spend, SystemAccount, Terms,
};
use ledger::ids::{HoldId, Owner, SpendId};
use ledger::movement::{Change, Movement};
use store::books::Posted;
use store::commands::{AccountKey, After, Command, Done, Note, Outcome, Request};
use uuid::Uuid;

use super::deeds::{Deed, Turn, operation_of};
use crate::commands::kit::{plain, second, spend};

/// One account, and what was done on it.
#[derive(Clone)]
pub(super) struct Whole {
    pub(super) user: String,
    pub(super) account: Account,
    pub(super) steps: i64,
    pub(super) postings: Vec<Posting>,
    /// Holds in the order in which they were made.
    holds: Vec<HoldId>,
    /// Whether the newest command spent or held, and so had to respect the floor.
    pub(super) takes: bool,
}

/// Policies of decisions, by position.
pub(super) type Policies = BTreeMap<i64, ClawbackPolicy>;

pub(super) struct Mirror {
    tenant_id: i32,
    number: u32,
    accounts: Vec<Whole>,
    policies: Policies,
}

impl Mirror {
    pub(super) fn new(tenant_id: i32, number: u32) -> Self {
        let accounts = ["ada", "bob"].map(|name| Whole::new(format!("{name}_{number}")));
        Self { tenant_id, number, accounts: accounts.into(), policies: Policies::new() }
    }

    pub(super) fn users(&self) -> Vec<String> {
        self.accounts.iter().map(|account| account.user.clone()).collect()
    }

    pub(super) fn accounts(&self) -> &[Whole] {
        &self.accounts
    }

    pub(super) const fn policies(&self) -> &Policies {
        &self.policies
    }

    /// What the deeds are as requests.
    pub(super) fn requests(&self, deeds: &[(usize, Deed)], now: i64) -> Vec<Request> {
        let request = |(whose, deed): &(usize, Deed)| {
            let whole = &self.accounts[*whose];
            let at = whole.instant(second(now)).as_second();
            plain(whole.command(deed, at))
        };
        deeds.iter().map(request).collect()
    }

    /// Evaluates a batch of commands, and compares what became of each with what was told. `recorded` are the commands that
    /// stand on each account since.
    pub(super) fn commanded(
        &mut self,
        now: i64,
        told: &[(Request, Outcome)],
        recorded: Vec<VecDeque<Uuid>>,
    ) {
        let mut told: Vec<Option<&(Request, Outcome)>> = told.iter().map(Some).collect();
        for (whole, mut recorded) in self.accounts.iter_mut().zip(recorded) {
            let mut of_it: Vec<_> = Vec::new();
            for told in &mut told {
                of_it.extend(told.take_if(|(request, _)| whole.knows(&request.command)));
            }
            if !of_it.is_empty() {
                whole.commanded(self.tenant_id, second(now), of_it, &mut recorded);
            }
            assert_eq!(
                recorded,
                VecDeque::<Uuid>::new(),
                "nothing else was carried out on {}",
                whole.user
            );
        }
        for (request, outcome) in told.into_iter().flatten() {
            let unknown = matches!(outcome, Outcome::HoldUnknown | Outcome::SpendUnknown);
            assert!(unknown, "{request:?}: {outcome:?}");
        }
    }

    /// Movements of the next decision.
    pub(super) fn movements(&self, turns: &[(usize, u8, Turn)], now: i64) -> Vec<Movement> {
        let pos = i64::from(self.number) * 1_000 + i64::try_from(self.policies.len()).unwrap();
        let mut movements = Vec::new();
        for (whose, line, turn) in turns {
            let source =
                Source { root_key: format!("pi_{}_{line}", self.number), line: "1".into() };
            let mut movement = |whose: usize, change, contra, amount, expires_at| {
                let effect_no = i32::try_from(movements.len()).unwrap();
                movements.push(Movement {
                    owner: Owner::User(self.accounts[whose].user.clone()),
                    unit: "credits".into(),
                    source: source.clone(),
                    change,
                    contra,
                    amount,
                    terms: Terms { expires_at, priority: 0 },
                    cause: Cause::Decision { pos, rev: 0, effect_no },
                    effective_at: second(now),
                });
            };
            match *turn {
                Turn::Give { amount, lasts } => {
                    let expires_at = lasts.map(|lasts| second(now + lasts));
                    movement(*whose, Change::Grant, SystemAccount::Sale, amount, expires_at);
                }
                Turn::Take(amount) => {
                    let take = Change::Take(MoveKind::ClawedBack);
                    movement(*whose, take, SystemAccount::Refund, amount, None);
                }
                Turn::Move(amount) => {
                    let take = Change::Take(MoveKind::Moved);
                    movement(*whose, take, SystemAccount::Adjustment, amount, None);
                    movement(1 - whose, Change::Grant, SystemAccount::Adjustment, amount, None);
                }
            }
        }
        movements
    }

    /// Evaluates a decision's movements, and compares what each came to.
    pub(super) fn decided(
        &mut self,
        now: i64,
        movements: &[Movement],
        policy: ClawbackPolicy,
        posted: &[Posted],
    ) {
        assert_eq!(movements.len(), posted.len());
        for (movement, posted) in movements.iter().zip(posted) {
            let Cause::Decision { pos, .. } = movement.cause else { panic!("{movement:?}") };
            self.policies.insert(pos, policy);
            let whole =
                self.accounts.iter_mut().find(|it| it.user == movement.owner.key()).unwrap();
            let (act, operation) = movement.operation(self.tenant_id, second(now), policy);
            let mine = whole.post(&act, &operation);
            assert_eq!(&mine, posted, "{movement:?}");
        }
    }
}

impl Whole {
    pub(super) fn new(user: String) -> Self {
        let id = Owner::User(user.clone()).account_id();
        Self {
            user,
            account: Account::new(id, "credits".into()),
            steps: 0,
            postings: Vec::new(),
            holds: Vec::new(),
            takes: false,
        }
    }

    /// What is due comes first, then what was asked, in its order.
    fn commanded(
        &mut self,
        tenant_id: i32,
        now: Timestamp,
        mut told: Vec<&(Request, Outcome)>,
        recorded: &mut VecDeque<Uuid>,
    ) {
        for operation in self.due(self.instant(now)) {
            let command_id = recorded.pop_front().unwrap();
            let done = self.carry_out((tenant_id, now), command_id, &operation).unwrap();
            let asked = told.iter().position(|(request, _)| request.command_id == command_id);
            if let Some(asked) = asked {
                let (request, outcome) = told.remove(asked);
                assert_eq!(operation_of(request), operation);
                assert_eq!(*outcome, Outcome::Done(Box::new(done)));
            }
        }
        for (request, outcome) in told {
            let operation = operation_of(request);
            match self.carry_out((tenant_id, now), request.command_id, &operation) {
                Ok(done) => {
                    assert_eq!(recorded.pop_front(), Some(request.command_id));
                    assert_eq!(*outcome, Outcome::Done(Box::new(done)), "{request:?}");
                }
                Err(refusal) => assert_eq!(*outcome, Outcome::Refused(refusal), "{request:?}"),
            }
        }
    }

    /// What has run out of time: what did so first comes first, grants before holds.
    fn due(&self, now: Timestamp) -> Vec<Operation> {
        let mut due = BTreeMap::new();
        for grant in self.account.grants.iter().filter(|it| it.has_expired(now) && it.unheld() > 0)
        {
            let grant_id = grant.grant_id;
            let place = (grant.terms.expires_at.unwrap(), 1, u128::from(grant_id.unsigned_abs()));
            due.insert(place, Operation::ExpireGrant { grant_id });
        }
        for hold in self.account.holds.iter().filter(|it| it.is_open() && it.expires_at <= now) {
            let place = (hold.expires_at, 2, hold.hold_id.0.as_u128());
            due.insert(place, Operation::ExpireHold { hold_id: hold.hold_id });
        }
        due.into_values().collect()
    }

    /// Carries out one command.
    pub(super) fn carry_out(
        &mut self,
        (tenant_id, now): (i32, Timestamp),
        command_id: Uuid,
        operation: &Operation,
    ) -> Result<Done, Refusal> {
        let grant = |grant_id| self.account.grant_of(grant_id);
        if let Operation::ExpireGrant { grant_id } = operation
            && grant(*grant_id).is_some_and(|grant| grant.unheld() == 0)
        {
            return Err(Refusal::NotDue);
        }
        self.takes = false;
        let cause = Cause::Command(command_id);
        let now = self.instant(now);
        let act = Act { tenant_id, cause, effective_at: now, recorded_at: now };
        let effects = self.account.evaluate(&act, operation)?;
        self.steps += 1;
        self.takes = matches!(operation, Operation::Spend { .. } | Operation::Hold { .. });
        self.postings.extend(effects.postings.iter().cloned());
        Ok(self.done(command_id, operation, effects))
    }

    fn done(&mut self, command_id: Uuid, operation: &Operation, effects: Effects) -> Done {
        let mut hold_id = None;
        if let Operation::Hold { hold_id: of_it, .. }
        | Operation::Capture { hold_id: of_it, .. }
        | Operation::Release { hold_id: of_it }
        | Operation::ExpireHold { hold_id: of_it } = operation
        {
            hold_id = Some(*of_it);
        }
        if let Operation::Hold { hold_id, .. } = operation {
            self.holds.push(*hold_id);
        }
        let mut reversed = None;
        if let Operation::Reverse { spend_id, .. } = operation {
            let all = &self.account.spends;
            reversed = all.iter().find(|spend| spend.spend_id == *spend_id).cloned();
        }
        let spent =
            |posting: &&Posting| posting.contra == SystemAccount::Spend && posting.amount < 0;
        self.account.spends.extend(effects.postings.iter().find(spent).map(|posting| Spend {
            spend_id: SpendId(command_id),
            amount: -posting.amount,
            moves: posting.moves.clone(),
            is_reversed: false,
        }));
        let recorded_at = self.account.last_at.unwrap();
        let balance = self.account.balance(recorded_at).unwrap();
        let mut made = effects.grants.values().filter(|row| matches!(row, Row::New(_)));
        Done {
            command_id,
            user: self.user.clone(),
            unit: "credits".into(),
            step: self.steps,
            recorded_at,
            hold: hold_id.and_then(|hold_id| self.account.hold_of(hold_id)).cloned(),
            grant: made.next().map(|row| row.get().clone()),
            postings: effects.postings,
            reversed,
            note: Note::default(),
            after: After {
                available: balance.available,
                held: balance.held,
                debt: balance.debt,
                posted: balance.posted,
            },
        }
    }

    /// Posts one movement of a decision.
    pub(super) fn post(&mut self, act: &Act, operation: &Operation) -> Posted {
        self.takes = false;
        let effects = self.account.evaluate(act, operation).unwrap();
        self.postings.extend(effects.postings.iter().cloned());
        Posted { postings: effects.postings, forgiven: effects.forgiven }
    }

    fn instant(&self, now: Timestamp) -> Timestamp {
        self.account.last_at.map_or(now, |last_at| last_at.max(now))
    }

    /// The command for a deed. What it names may be one that is not there.
    fn command(&self, deed: &Deed, now: i64) -> Command {
        let account = AccountKey { user: self.user.clone(), unit: "credits".into() };
        let nobody = Uuid::from_u128(7);
        let hold_id = |nr: usize| {
            let newest_first = self.holds.iter().rev();
            newest_first.copied().nth(nr).unwrap_or(HoldId(nobody))
        };
        match *deed {
            Deed::Spend(amount) => spend(&self.user, amount),
            Deed::Hold { amount, lasts } => {
                let expires_at = second(now + lasts);
                Command::Hold { account, amount, expires_at, note: Note::default() }
            }
            Deed::Capture { hold, amount } => Command::Capture { hold_id: hold_id(hold), amount },
            Deed::Release(hold) => Command::Release { hold_id: hold_id(hold) },
            Deed::ExpireHold(hold) => Command::ExpireHold { hold_id: hold_id(hold) },
            Deed::Reverse { spend, expired } => {
                let spend = self.account.spends.iter().rev().nth(spend);
                let spend_id = spend.map_or(SpendId(nobody), |spend| spend.spend_id);
                Command::Reverse { spend_id, expired, terms: Terms::default() }
            }
            Deed::Grant { amount, lasts, priority } => {
                let terms = Terms { expires_at: lasts.map(|lasts| second(now + lasts)), priority };
                let contra = SystemAccount::Promo;
                Command::Grant { account, amount, terms, reason: "test".into(), contra }
            }
            Deed::ExpireGrant(grant) => {
                let grant = self.account.grants.iter().rev().nth(grant);
                let grant_id = grant.map_or(99_999, |grant| grant.grant_id);
                Command::ExpireGrant { account, grant_id }
            }
            Deed::Limit(overdraft_limit) => Command::SetLimit { account, overdraft_limit },
            Deed::Freeze(frozen) => Command::SetFrozen { account, frozen, reason: "test".into() },
        }
    }

    fn knows(&self, command: &Command) -> bool {
        match command {
            Command::Spend { account, .. }
            | Command::Hold { account, .. }
            | Command::Grant { account, .. }
            | Command::ExpireGrant { account, .. }
            | Command::SetLimit { account, .. }
            | Command::SetFrozen { account, .. } => account.user == self.user,
            Command::Capture { hold_id, .. }
            | Command::Release { hold_id }
            | Command::ExpireHold { hold_id } => self.holds.contains(hold_id),
            Command::Reverse { spend_id, .. } => {
                self.account.spends.iter().any(|spend| spend.spend_id == *spend_id)
            }
        }
    }
}
