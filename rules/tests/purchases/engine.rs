//! A small engine around the rules: a log, a world that lasts from batch to batch, and books, all in memory.
//!
//! It does what the projector does, and after every batch checks what must always hold ([`Engine::check`]). What a batch
//! changed is kept only where the rules marked it as changed, and facts are kept as JSON, as the database does.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use ledger::account::{Account, Act, Cause, Grant, MoveKind, Operation, SystemAccount, Terms};
use ledger::decision::{Outcome, Reason};
use ledger::ids::{CaseId, Owner};
use ledger::movement::Change;
use rules::cases::Telling;
use rules::decide::{decide_case, decide_event, park_event};
use rules::effects::{Decision, Effects, Link};
use rules::hashing::EvidenceKey;
use rules::payment::Facts;
use rules::policy::Policy;
use rules::translate::{Logged, Speaker, translate};
use rules::world::{Case, LegKind, Payment, World};
use serde_json::{Value, json};
use uuid::Uuid;

/// Most rounds in which cases may release each other.
const MAX_ROUNDS: usize = 20;

/// Name of an account: whose, and of which unit.
type AccountKey = (Owner, String);

/// See the module.
#[derive(Clone)]
pub(crate) struct Engine {
    /// What is stored.
    pub(crate) world: World,
    /// Bodies by position, from 1.
    pub(crate) log: Vec<(Speaker, Vec<u8>)>,
    /// All decisions, by position and revision.
    pub(crate) decisions: BTreeMap<i64, Vec<Decision>>,
    /// What is posted.
    pub(crate) accounts: BTreeMap<AccountKey, Account>,
    /// Credits that users had before.
    opened: i64,
    /// Credits written off, by unit.
    pub(crate) written_off: BTreeMap<String, i64>,
    /// When each posting took effect, in seconds since 1970.
    pub(crate) effective: Vec<i64>,
    /// Links that were ever made.
    pub(crate) links: Vec<Link>,
    /// Keys that what was fetched from Stripe answers, by position.
    answers: BTreeMap<i64, String>,
    effect_keys: BTreeSet<(i64, i32, i32, Owner)>,
    acted_on: BTreeSet<(CaseId, i32)>,
}

impl Engine {
    /// Nothing is known, and the default policy holds.
    pub(crate) fn new() -> Self {
        Self::with_policy(Policy::default())
    }

    pub(crate) fn with_policy(policy: Policy) -> Self {
        Self {
            world: World::empty(1, Timestamp::from_second(1_700_000_100).unwrap(), policy),
            log: Vec::new(),
            decisions: BTreeMap::new(),
            accounts: BTreeMap::new(),
            opened: 0,
            written_off: BTreeMap::new(),
            effective: Vec::new(),
            links: Vec::new(),
            answers: BTreeMap::new(),
            effect_keys: BTreeSet::new(),
            acted_on: BTreeSet::new(),
        }
    }

    /// Two users, and a price of 100 credits.
    pub(crate) fn with_users() -> Self {
        let mut engine = Self::new();
        for body in [
            super::bodies::registered_as(super::bodies::ADA, "ada@example.com"),
            super::bodies::registered_as(super::bodies::BOB, "bob@example.com"),
            super::bodies::priced(super::bodies::PRICE, 100),
        ] {
            engine.tell(&body);
        }
        engine
    }

    /// A user comes with so many credits.
    pub(crate) fn open(&mut self, user: &str, credits: i64) {
        let key = (Owner::User(user.into()), "credits".to_owned());
        let account = Account::new(key.0.account_id(), key.1.clone());
        let account = self.accounts.entry(key).or_insert(account);
        let (now, cause) = (self.world.now, Cause::Command(Uuid::nil()));
        let act = Act { tenant_id: 1, cause, effective_at: now, recorded_at: now };
        let contra = SystemAccount::Adjustment;
        let given =
            Operation::Grant { amount: credits, terms: Terms::default(), contra, source: None };
        account.evaluate(&act, &given).unwrap();
        self.opened += credits;
    }

    pub(crate) fn key() -> EvidenceKey {
        EvidenceKey::new(&[7; 32])
    }

    /// One event in a batch of its own; its position. Who speaks shows in the body.
    pub(crate) fn tell(&mut self, body: &Value) -> i64 {
        self.tell_all(std::slice::from_ref(body))[0]
    }

    /// What Stripe answered when it was asked for this key (`pull:/v1/charges/ch_1`); its position.
    pub(crate) fn pulled(&mut self, key: &str, object: &Value) -> i64 {
        self.answers.insert(i64::try_from(self.log.len()).unwrap() + 1, key.to_owned());
        self.tell_raw(vec![(Speaker::Stripe, object.to_string().into())])[0]
    }

    /// Events in one batch; their positions.
    pub(crate) fn tell_all(&mut self, bodies: &[Value]) -> Vec<i64> {
        let raw = bodies.iter().map(|body| (speaker(body), body.to_string().into()));
        self.tell_raw(raw.collect())
    }

    /// Events in one batch, from their bytes; their positions.
    pub(crate) fn tell_raw(&mut self, bodies: Vec<(Speaker, Vec<u8>)>) -> Vec<i64> {
        let mut positions = Vec::new();
        let mut batch = self.world.clone();
        for (speaker, body) in bodies {
            self.log.push((speaker, body));
            let pos = i64::try_from(self.log.len()).unwrap();
            positions.push(pos);
            self.decide(&mut batch, pos, 0, None);
        }
        self.commit(batch);
        self.heal();
        positions
    }

    /// An event that could not be decided, parked; its position.
    pub(crate) fn park(&mut self, body: &Value) -> i64 {
        self.log.push((speaker(body), body.to_string().into()));
        let pos = i64::try_from(self.log.len()).unwrap();
        self.park_again(pos, None);
        pos
    }

    /// The next decision on an event is that it failed.
    pub(crate) fn park_again(&mut self, pos: i64, cause_pos: Option<i64>) {
        let mut batch = self.world.clone();
        let telling = Telling { pos, rev: self.next_rev(pos), slot: slot(pos), cause_pos };
        park_event(&mut batch, telling, "it failed".into());
        self.commit(batch);
    }

    /// An event is decided once more because of another.
    pub(crate) fn replay(&mut self, pos: i64, cause_pos: i64) {
        let mut batch = self.world.clone();
        self.decide(&mut batch, pos, self.next_rev(pos), Some(cause_pos));
        self.commit(batch);
        self.heal();
    }

    fn next_rev(&self, pos: i64) -> i32 {
        self.decisions.get(&pos).map_or(0, |known| i32::try_from(known.len()).unwrap())
    }

    fn decide(&self, batch: &mut World, pos: i64, rev: i32, cause_pos: Option<i64>) {
        let (speaker, body) = &self.log[usize::try_from(pos - 1).unwrap()];
        let (speaker, body) = (*speaker, Some(body.as_slice()));
        batch.fetched = self.answers.values().cloned().collect();
        let answers = self.answers.get(&pos).map(String::as_str);
        let logged = Logged { pos, speaker, occurred_at: batch.now, body, answers };
        let news = translate(&logged, &batch.policy, &Self::key());
        decide_event(batch, Telling { pos, rev, slot: slot(pos), cause_pos }, news);
    }

    /// Decides released cases anew until none is left, each in a batch of its own.
    fn heal(&mut self) {
        for _ in 0..MAX_ROUNDS {
            let due = self.world.cases.iter().filter(|(_, case)| case.due_pos.is_some());
            let Some((id, case)) = due.map(|(id, case)| (*id, case.clone())).next() else { return };
            let mut batch = self.world.clone();
            if case.root_key.is_some() {
                decide_case(&mut batch, id);
            } else {
                for (pos, attached) in &case.events {
                    self.decide(&mut batch, *pos, attached.rev + 1, case.due_pos);
                }
            }
            self.commit(batch);
            assert_ne!(self.world.cases.get(&id).map(|after| after.due_pos), Some(case.due_pos));
        }
        panic!("cases release each other for ever");
    }

    /// Stores what a batch decided, and wakes what waits for its facts.
    fn commit(&mut self, mut batch: World) {
        let effects = std::mem::replace(&mut batch.effects, Effects::EMPTY);
        self.post(&effects);
        self.link(&effects);
        for decision in effects.decisions {
            let revisions = self.decisions.entry(decision.pos).or_default();
            assert_eq!(i32::try_from(revisions.len()).unwrap(), decision.rev, "{decision:?}");
            assert_eq!(decision.slot, slot(decision.pos));
            assert_eq!(decision.rev > 0, decision.cause_pos.is_some(), "{decision:?}");
            revisions.push(decision);
        }
        for (root_key, payment) in &mut batch.payments {
            let stored = self.world.payments.get(root_key);
            assert!(payment.dirty || stored == Some(&*payment), "{root_key} changed unmarked");
            payment.dirty = false;
            let json = serde_json::to_string(&payment.facts).unwrap();
            let read: Facts = serde_json::from_str(&json).unwrap();
            assert_eq!(read, payment.facts, "facts of {root_key}, stored and read");
        }
        for (id, case) in &mut batch.cases {
            let stored = self.world.cases.get(id);
            assert!(case.dirty || stored == Some(&*case), "{case:?} changed unmarked");
            case.dirty = false;
            for (key, pos) in &effects.woken {
                if case.is_open() && case.waits_for.contains(key) {
                    (case.due, case.due_pos) = (Some(batch.now), Some(*pos));
                }
            }
        }
        self.world = batch;
        self.check();
    }

    /// Posts the movements: each leads to a decision, none is doubled, and every take finds what it takes.
    fn post(&mut self, effects: &Effects) {
        for movement in &effects.movements {
            let Cause::Decision { pos, rev, effect_no } = movement.cause else {
                panic!("{movement:?} has no decision")
            };
            let decided = |decision: &&Decision| decision.pos == pos && decision.rev == rev;
            let decision = effects.decisions.iter().find(decided);
            assert!(decision.is_some(), "{movement:?} leads to no decision of its batch");
            let effect_key = (pos, rev, effect_no, movement.owner.clone());
            assert!(self.effect_keys.insert(effect_key), "{movement:?} is doubled");
            let unit = movement.unit.clone();
            let account = Account::new(movement.owner.account_id(), unit.clone());
            let key = (movement.owner.clone(), unit.clone());
            let account = self.accounts.entry(key).or_insert(account);
            let clawback = self.world.policy.clawback;
            let (act, operation) = movement.operation(1, self.world.now, clawback);
            // Nobody spends here: what is taken is there, and one movement is one posting.
            let [posting] = &account.evaluate(&act, &operation).unwrap().postings[..] else {
                panic!("{movement:?} made more than one posting")
            };
            match movement.change {
                Change::Grant => {
                    assert!(posting.moves.iter().all(|one| one.kind == MoveKind::PaidDebt));
                }
                Change::Take(_) => assert!(!posting.moves.is_empty(), "{movement:?}"),
                Change::Owe(_) => {}
            }
            self.effective.push(posting.effective_at.as_second());
            if movement.contra == SystemAccount::WriteOff {
                *self.written_off.entry(unit).or_default() -= posting.amount;
            }
        }
        for new in &effects.new_terms {
            let account = self.accounts.get_mut(&(new.owner.clone(), new.unit.clone())).unwrap();
            account.set_terms(&new.source, new.terms);
        }
    }

    /// Keeps the history of links, of which one per customer is in force.
    fn link(&mut self, effects: &Effects) {
        for (customer, pos) in &effects.unlinked {
            let mut of_customer = self.links.iter_mut().filter(|link| link.customer == *customer);
            let open = of_customer.find(|link| link.until.is_none());
            open.unwrap_or_else(|| panic!("no link of {customer} can end")).until = Some(*pos);
        }
        self.links.extend(effects.links.iter().cloned());
    }

    /// What must hold after every batch.
    pub(crate) fn check(&self) {
        self.check_books();
        let open = self.links.iter().filter(|link| link.until.is_none());
        let open: Vec<_> = open.map(|link| (&link.customer, &link.user)).collect();
        let in_force: BTreeMap<_, _> = open.iter().copied().collect();
        assert_eq!(
            (open.len(), in_force),
            (self.world.links.len(), self.world.links.iter().collect())
        );
        let mut in_review = BTreeMap::new();
        for (id, case) in self.world.cases.iter().filter(|(_, case)| case.is_open()) {
            assert!(!case.events.is_empty(), "{case:?} has no event that it could be healed by");
            for (pos, attached) in &case.events {
                let latest = self.latest(*pos);
                assert_eq!((latest.rev, latest.reason), (attached.rev, case.reason), "of {pos}");
                assert_eq!(in_review.insert(*pos, *id), None, "{pos} hangs on two cases");
            }
            if let Some(root_key) = &case.root_key {
                assert_eq!(self.world.open_cases_of(root_key).len(), 1, "cases of {root_key}");
                assert!(self.world.payments.contains_key(root_key), "{case:?} has no payment");
            }
        }
        assert_eq!(self.decisions.len(), self.log.len(), "each event is decided");
        for (pos, revisions) in &self.decisions {
            let is_in_review = revisions.last().unwrap().reason.outcome() == Outcome::InReview;
            assert_eq!(is_in_review, in_review.contains_key(pos), "{pos}: {revisions:?}");
        }
    }

    /// `bought = granted + unclaimed + written off`, in total and for each payment.
    fn check_books(&self) {
        let mut bought: BTreeMap<&str, i64> = BTreeMap::new();
        for (root_key, payment) in &self.world.payments {
            for ((line, kind), leg) in &payment.legs {
                *bought.entry(&leg.unit).or_default() += leg.target;
                assert_eq!(leg.target, leg.posted, "{line} of {root_key}");
                let is_due = (0..=leg.expected).contains(&leg.target);
                assert!(is_due || *kind != LegKind::Purchase, "{leg:?} of {root_key}");
                let may_owe = payment.facts.imported().is_some();
                assert!(may_owe || net(payment, line) >= 0, "{line} of {root_key}");
            }
            let stands = payment.legs.values().any(|leg| leg.posted > 0);
            assert!(payment.owner.is_none() || stands, "{root_key} is owned, and worth nothing");
            assert!(payment.owner.is_some() || !stands || payment.facts.is_dismissed());
        }
        let mut stands: BTreeMap<&str, i64> = BTreeMap::new();
        for ((owner, unit), account) in &self.accounts {
            *stands.entry(unit).or_default() += account.posted;
            let of_grants: i64 = account.grants.iter().map(|grant| grant.remaining).sum();
            assert_eq!(account.posted.max(0), of_grants, "grants of {owner:?}");
            for grant in account.grants.iter().filter(|grant| grant.is_open()) {
                // An opening balance has no source, and stands for what is imported.
                let Some(source) = grant.source.as_ref() else { continue };
                let payment = &self.world.payments[&source.root_key];
                if payment.facts.imported().is_some() {
                    continue;
                }
                assert_eq!(payment.owner.as_ref(), Some(owner), "owner of {source:?}");
                let own = account.grants.iter().filter(|own| own.source.as_ref() == Some(source));
                let free: i64 = own.map(Grant::unheld).sum();
                assert_eq!(free, net(payment, &source.line));
                let leg = &payment.legs[&(source.line.clone(), LegKind::Purchase)];
                assert_eq!(grant.terms, leg.terms, "terms of {source:?}");
            }
        }
        *stands.entry("credits").or_default() -= self.opened;
        for (unit, amount) in &self.written_off {
            *stands.entry(unit).or_default() += amount;
        }
        bought.retain(|_, amount| *amount != 0);
        stands.retain(|_, amount| *amount != 0);
        assert_eq!(bought, stands, "bought, and where it stands");
    }

    /// Credits that a user has.
    pub(crate) fn balance(&self, user: &str) -> i64 {
        self.account(Owner::User(user.into()))
    }

    /// Credits that stand on all unclaimed accounts.
    pub(crate) fn unclaimed(&self) -> i64 {
        let unclaimed = |owner: &Owner| matches!(owner, Owner::Unclaimed(_));
        let accounts = self.accounts.iter().filter(|((owner, _), _)| unclaimed(owner));
        accounts.map(|(_, account)| account.posted).sum()
    }

    fn account(&self, owner: Owner) -> i64 {
        self.accounts.get(&(owner, "credits".into())).map_or(0, |account| account.posted)
    }

    /// The latest decision on an event.
    #[track_caller]
    pub(crate) fn latest(&self, pos: i64) -> &Decision {
        self.decisions[&pos].last().unwrap()
    }

    /// Reasons of the latest decisions on these events.
    pub(crate) fn reasons(&self, positions: &[i64]) -> Vec<Reason> {
        positions.iter().map(|pos| self.latest(*pos).reason).collect()
    }

    /// The one payment that there is.
    #[track_caller]
    pub(crate) fn payment(&self) -> &Payment {
        assert_eq!(self.world.payments.len(), 1, "payments");
        self.world.payments.values().next().unwrap()
    }

    /// Open cases, in the order of their positions.
    pub(crate) fn open_cases(&self) -> Vec<(CaseId, Case)> {
        let open = self.world.cases.iter().filter(|(_, case)| case.is_open());
        let mut open: Vec<_> = open.map(|(id, case)| (*id, case.clone())).collect();
        open.sort_by_key(|(_, case)| case.pos);
        open
    }

    /// Reasons of open cases.
    pub(crate) fn open_reasons(&self) -> Vec<Reason> {
        self.open_cases().iter().map(|(_, case)| case.reason).collect()
    }

    /// The one open case.
    #[track_caller]
    pub(crate) fn open_case(&self) -> (CaseId, Case) {
        let mut open = self.open_cases();
        assert_eq!(open.len(), 1, "open cases: {open:?}");
        open.remove(0)
    }

    /// A person, or the clock, acts on the one open case as it is now; the position of the act.
    #[track_caller]
    pub(crate) fn act(&mut self, what: &str, fields: Value) -> i64 {
        let (id, _) = self.open_case();
        self.act_now(id, what, fields)
    }

    /// The same on this case as it is now. The log takes one act for each version of a case.
    #[track_caller]
    pub(crate) fn act_now(&mut self, id: CaseId, what: &str, fields: Value) -> i64 {
        let version = self.world.cases[&id].version;
        assert!(self.acted_on.insert((id, version)), "version {version} was acted on before");
        self.act_on(id, version, what, fields)
    }

    /// The same on this case as it was at this version.
    pub(crate) fn act_on(&mut self, id: CaseId, version: i32, what: &str, fields: Value) -> i64 {
        let mut body = json!({
            "object": "tally.event", "type": format!("tally.case.{what}"), "case": id.0, "version": version,
            "actor": "key_1", "reason": "a test",
        });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.tell(&body)
    }

    /// Time passes, and the clock acts on whatever is due then.
    pub(crate) fn wait(&mut self, seconds: i64) {
        self.world.now = self.world.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        for (id, case) in self.open_cases() {
            if case.due.is_some_and(|due| due <= self.world.now) {
                self.act_now(id, "due", json!({}));
            }
        }
    }
}

fn speaker(body: &Value) -> Speaker {
    if body["object"] == "tally.event" { Speaker::Ourselves } else { Speaker::Stripe }
}

/// Lane of an event: one that tells events apart.
fn slot(pos: i64) -> i16 {
    i16::try_from(pos % 64).unwrap()
}

/// What is posted of a line, its legs together.
fn net(payment: &Payment, line: &str) -> i64 {
    let legs = payment.legs.iter().filter(|((of, _), _)| of == line);
    legs.map(|(_, leg)| leg.posted).sum()
}
