//! What a store would keep of an account: rows, and nothing else. Each operation loads an account from them, evaluates,
//! and writes back what its effects name; so effects that leave something out are found.

use std::collections::BTreeMap;

use ledger::account::{
    Account, Act, Effects, Extent, Grant, Hold, HoldState, MoveKind, Operation, Posting, Refusal,
    Row, Source, Spend, SystemAccount,
};
use ledger::ids::{HoldId, Owner, SpendId};
use uuid::Uuid;

use super::orders;

#[derive(Debug)]
pub(crate) struct Stored {
    /// The account's own row: its lists are empty.
    pub(crate) account: Account,
    pub(crate) grants: BTreeMap<i64, Grant>,
    pub(crate) holds: BTreeMap<HoldId, Hold>,
    pub(crate) postings: Vec<Posting>,
    /// Postings whose hash was checked before the newest step.
    pub(crate) checked: i64,
    /// Holds and spends, in the order in which they were made.
    pub(crate) hold_ids: Vec<HoldId>,
    pub(crate) spends: Vec<Spend>,
    /// What was written off and did not come back, as it was told.
    pub(crate) forgiven: i64,
    pub(crate) steps: u128,
    /// Whether the newest step spent or held, and so had to respect the floor.
    pub(crate) takes: bool,
}

impl Default for Stored {
    fn default() -> Self {
        let id = Owner::User("u_1".into()).account_id();
        Self {
            account: Account::new(id, "credits".into()),
            grants: BTreeMap::new(),
            holds: BTreeMap::new(),
            postings: Vec::new(),
            checked: 0,
            hold_ids: Vec::new(),
            spends: Vec::new(),
            forgiven: 0,
            steps: 0,
            takes: false,
        }
    }
}

impl Stored {
    /// The whole account: its open grants and holds, and what the operation names.
    fn load(&self, operation: &Operation) -> Account {
        let mut account = self.account.clone();
        let named = self.named(operation);
        let grants = self.grants.values();
        account.grants = grants
            .filter(|grant| grant.is_open() || named.contains(&grant.grant_id))
            .cloned()
            .collect();
        let open = self.holds.values().filter(|hold| hold.state == HoldState::Open);
        account.holds = open.cloned().collect();
        let named = hold_of(operation).and_then(|hold_id| self.holds.get(&hold_id));
        account.holds.extend(named.filter(|hold| hold.state != HoldState::Open).cloned());
        account.spends.clone_from(&self.spends);
        account.expired = self.expired();
        account.forgiven = self.forgiven();
        account
    }

    /// All that there ever was of it.
    fn load_all(&self) -> Account {
        let (grants, holds) =
            (self.grants.values().cloned().collect(), self.holds.values().cloned().collect());
        Account { grants, holds, ..self.loaded() }
    }

    /// As little of it as a store would load first: the first grants in the order of drawing, what has run out of time, and
    /// what the operation names.
    fn load_some(&self, act: &Act, operation: &Operation) -> Account {
        let mut account = self.load(operation);
        let mut places: Vec<_> =
            account.grants.iter().filter(|grant| grant.is_open()).map(Grant::place).collect();
        places.sort_unstable();
        let Some(last) = places.iter().take(2).max().copied() else { return account };
        account.extent = Extent::Until(last);
        let named = self.named(operation);
        let now = account.last_at.map_or(act.recorded_at, |at| at.max(act.recorded_at));
        account
            .holds
            .retain(|hold| Some(hold.hold_id) == hold_of(operation) || hold.expires_at <= now);
        let reserved =
            |grant_id| account.holds.iter().any(|hold| hold.reserved.contains_key(&grant_id));
        account.grants.retain(|grant| {
            let grant_id = grant.grant_id;
            grant.place() <= last
                || grant.has_expired(now)
                || named.contains(&grant_id)
                || reserved(grant_id)
        });
        account
    }

    /// Grants that the operation names, or that what it names does.
    fn named(&self, operation: &Operation) -> Vec<i64> {
        let hold = hold_of(operation).and_then(|hold_id| self.holds.get(&hold_id));
        let mut named: Vec<i64> =
            hold.iter().flat_map(|hold| hold.reserved.keys()).copied().collect();
        if let Operation::ExpireGrant { grant_id } = operation {
            named.push(*grant_id);
        } else if let Operation::Reverse { spend_id, .. } = operation {
            let spend = self.spends.iter().find(|spend| spend.spend_id == *spend_id);
            named.extend(spend.iter().flat_map(|spend| &spend.moves).map(|m| m.grant_id));
        } else if let Operation::Clawback { source, .. } = operation {
            let own = self.grants.values().filter(|grant| grant.source.as_ref() == Some(source));
            named.extend(own.map(|grant| grant.grant_id));
        }
        named
    }

    /// What expired of each grant, as a store would count it.
    fn expired(&self) -> BTreeMap<i64, i64> {
        let mut expired = BTreeMap::new();
        for posting in self.postings.iter().filter(|p| p.contra == SystemAccount::Expiry) {
            for moved in &posting.moves {
                let back = moved.kind == MoveKind::GivenBack;
                *expired.entry(moved.grant_id).or_default() +=
                    if back { -moved.amount } else { moved.amount };
            }
        }
        expired
    }

    /// What was written off of each line, and did not come back since.
    fn forgiven(&self) -> BTreeMap<Source, i64> {
        let mut forgiven = BTreeMap::new();
        for posting in self.postings.iter().filter(|p| p.contra == SystemAccount::WriteOff) {
            *forgiven.entry(posting.source.clone().unwrap()).or_default() += posting.amount;
        }
        forgiven
    }

    pub(crate) fn evaluate(&mut self, act: &Act, operation: &Operation) -> Result<(), Refusal> {
        let mut account = self.load(operation);
        let before = account.clone();
        let answer = account.evaluate(act, operation);
        let mut some = self.load_some(act, operation);
        let of_some = some.evaluate(act, operation);
        if of_some != Err(Refusal::NotLoaded) {
            assert_eq!(of_some, answer, "what is loaded decides nothing");
        }
        self.takes =
            answer.is_ok() && matches!(operation, Operation::Spend { .. } | Operation::Hold { .. });
        match answer {
            Ok(effects) => {
                orders::show_nothing(&self.load_all(), act, operation);
                self.save(account, effects);
                Ok(())
            }
            Err(refusal) => {
                assert_eq!(account, before, "a refusal changes nothing");
                Err(refusal)
            }
        }
    }

    fn save(&mut self, account: Account, effects: Effects) {
        self.account = Account {
            grants: Vec::new(),
            holds: Vec::new(),
            spends: Vec::new(),
            expired: BTreeMap::new(),
            forgiven: BTreeMap::new(),
            extent: Extent::Whole,
            ..account
        };
        for (grant_id, row) in effects.grants {
            let stored = self.grants.insert(grant_id, row.get().clone());
            assert_eq!(stored.is_none(), matches!(row, Row::New(_)));
        }
        for (hold_id, row) in effects.holds {
            let stored = self.holds.insert(hold_id, row.get().clone());
            assert_eq!(stored.is_none(), matches!(row, Row::New(_)));
            if stored.is_none() {
                self.hold_ids.push(hold_id);
            }
        }
        for (spend_id, seq) in effects.reversed {
            let spend = self.spends.iter_mut().find(|spend| spend.spend_id == spend_id).unwrap();
            spend.is_reversed = true;
            assert!(effects.postings.iter().any(|posting| posting.seq == seq));
        }
        let spent = effects.postings.iter();
        for posting in spent.filter(|p| p.contra == SystemAccount::Spend && p.amount < 0) {
            self.spends.push(Spend {
                spend_id: SpendId(Uuid::from_u128(self.steps)),
                amount: -posting.amount,
                moves: posting.moves.clone(),
                is_reversed: false,
            });
        }
        self.forgiven += effects.forgiven;
        self.checked = i64::try_from(self.postings.len()).unwrap();
        self.postings.extend(effects.postings);
    }

    /// The account as it would be loaded to be read.
    pub(crate) fn loaded(&self) -> Account {
        self.load(&Operation::SetFrozen { frozen: false })
    }
}

fn hold_of(operation: &Operation) -> Option<HoldId> {
    if let Operation::Hold { hold_id, .. }
    | Operation::Capture { hold_id, .. }
    | Operation::Release { hold_id }
    | Operation::ExpireHold { hold_id } = operation
    {
        return Some(*hold_id);
    }
    None
}
