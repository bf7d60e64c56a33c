//! Long histories of one account, against the naive model, with what must always hold checked after each step.
//!
//! `PROPTEST_CASES` says how many histories; the long run is
//! `PROPTEST_CASES=50000 cargo test --release -p ledger --test account machine`.

mod check;
mod deed;
mod model;
mod orders;
mod stored;
mod taking;

use deed::{Deed, Denied, Step};
use jiff::Timestamp;
use ledger::account::{
    Act, Cause, ClawbackPolicy, ExpiredPolicy, LedgerError, MoveKind, Operation, Refusal, Source,
    Spend, SystemAccount, Terms,
};
use ledger::ids::{HoldId, SpendId};
use model::Model;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use stored::Stored;
use uuid::Uuid;

/// Steps of the longest history.
const STEPS_MAX: usize = 60;

/// Histories of a normal run, in a debug build.
const CASES: u32 = 300;

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn every_history_is_that_of_the_model(sequential 1..STEPS_MAX => History);
}

/// What `PROPTEST_CASES` says, which proptest reads itself, else what suits a debug build.
fn cases() -> u32 {
    let told = std::env::var_os("PROPTEST_CASES").is_some();
    if told { ProptestConfig::default().cases } else { CASES }
}

struct History;

impl ReferenceStateMachine for History {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model { wall: 1_000, ..Model::default() }).boxed()
    }

    fn transitions(model: &Model) -> BoxedStrategy<Step> {
        let behind = prop_oneof![6 => Just(0), 1 => 1..30_i64];
        (deeds(model), behind).prop_map(|(deed, behind)| Step { deed, behind }).boxed()
    }

    fn apply(model: Model, step: &Step) -> Model {
        model.after(step)
    }

    fn preconditions(model: &Model, step: &Step) -> bool {
        !matches!(step.deed, Deed::ExpireGrant(grant) if grant >= model.blocks.len())
    }
}

fn deeds(model: &Model) -> BoxedStrategy<Deed> {
    let amount = || prop_oneof![1 => -1..=0_i64, 20 => 1..=12_i64];
    let lasts = || prop_oneof![1 => Just(0), 12 => 1..40_i64];
    let maybe_lasts = prop_oneof![2 => Just(None), 3 => lasts().prop_map(Some)];
    // One beyond the last is one that is not there.
    let hold = || 0..=model.jobs.len();
    let policy = prop_oneof![
        3 => Just(ClawbackPolicy::Debt),
        1 => Just(ClawbackPolicy::WriteOff),
        1 => Just(ClawbackPolicy::Freeze),
    ];
    let expired = prop_oneof![Just(ExpiredPolicy::Lapse), Just(ExpiredPolicy::Renew)];
    let line = 0..3_u8;
    prop_oneof![
        5 => amount().prop_map(Deed::Spend),
        4 => (amount(), lasts()).prop_map(|(amount, lasts)| Deed::Hold { amount, lasts }),
        3 => (hold(), prop::option::of(amount()))
            .prop_map(|(hold, amount)| Deed::Capture { hold, amount }),
        2 => hold().prop_map(Deed::Release),
        2 => hold().prop_map(Deed::ExpireHold),
        2 => (0..=model.used.len(), expired)
            .prop_map(|(spend, expired)| Deed::Reverse { spend, expired }),
        6 => (amount(), maybe_lasts, -1..2_i16, prop::option::of(line.clone())).prop_map(
            |(amount, lasts, priority, line)| Deed::Grant { amount, lasts, priority, line }
        ),
        3 => (0..model.blocks.len().max(1)).prop_map(Deed::ExpireGrant),
        3 => (amount(), line, policy)
            .prop_map(|(amount, line, policy)| Deed::Clawback { amount, line, policy }),
        1 => (-1..20_i64).prop_map(Deed::Limit),
        1 => any::<bool>().prop_map(Deed::Freeze),
        4 => (1..25_i64).prop_map(Deed::Wait),
    ]
    .boxed()
}

impl StateMachineTest for History {
    type SystemUnderTest = Stored;
    type Reference = Self;

    fn init_test(_: &Model) -> Stored {
        Stored::default()
    }

    fn apply(mut stored: Stored, model: &Model, step: Step) -> Stored {
        if matches!(step.deed, Deed::Wait(_)) {
            return stored;
        }
        stored.steps += 1;
        // The model has taken the step: where it succeeded, its newest instant is that of the step.
        let at = second(model.wall - step.behind);
        let act = Act {
            tenant_id: 1,
            cause: Cause::Command(Uuid::from_u128(stored.steps)),
            effective_at: at.max(second(model.newest)),
            recorded_at: at,
        };
        let operation = operation(&step, &stored, model);
        let answer = stored.evaluate(&act, &operation);
        assert_eq!(answer.map_err(|refusal| denied(&refusal)), model.answer.unwrap(), "{step:?}");
        stored
    }

    fn check_invariants(stored: &Stored, model: &Model) {
        check::books(stored);
        check::same(stored, model);
    }
}

pub(crate) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn source(line: u8) -> Source {
    Source { root_key: format!("pi_{line}"), line: "1".into() }
}

/// The ledger's words for what the model calls by number.
fn operation(step: &Step, stored: &Stored, model: &Model) -> Operation {
    let hold_id = |hold: usize| {
        stored.hold_ids.get(hold).copied().unwrap_or(HoldId(Uuid::from_u128(u128::MAX)))
    };
    let now = model.instant(step.behind);
    match step.deed {
        Deed::Spend(amount) => Operation::Spend { amount },
        Deed::Hold { amount, lasts } => Operation::Hold {
            hold_id: HoldId(Uuid::from_u128(stored.steps)),
            amount,
            expires_at: second(now + lasts),
        },
        Deed::Capture { hold, amount } => Operation::Capture { hold_id: hold_id(hold), amount },
        Deed::Release(hold) => Operation::Release { hold_id: hold_id(hold) },
        Deed::ExpireHold(hold) => Operation::ExpireHold { hold_id: hold_id(hold) },
        Deed::Reverse { spend, expired } => {
            let spend = stored.spends.get(spend).map(|spend: &Spend| spend.spend_id);
            let spend_id = spend.unwrap_or(SpendId(Uuid::from_u128(u128::MAX)));
            Operation::Reverse { spend_id, expired, terms: Terms::default() }
        }
        Deed::Grant { amount, lasts, priority, line } => Operation::Grant {
            amount,
            terms: Terms { expires_at: lasts.map(|lasts| second(now + lasts)), priority },
            contra: if line.is_some() { SystemAccount::Sale } else { SystemAccount::Promo },
            source: line.map(source),
        },
        Deed::ExpireGrant(grant) => {
            let grant_id = stored.grants.keys().nth(grant).copied().unwrap();
            Operation::ExpireGrant { grant_id }
        }
        Deed::Clawback { amount, line, policy } => Operation::Clawback {
            amount,
            source: source(line),
            kind: MoveKind::ClawedBack,
            contra: SystemAccount::Refund,
            policy,
        },
        Deed::Limit(overdraft_limit) => Operation::SetLimit { overdraft_limit },
        Deed::Freeze(frozen) => Operation::SetFrozen { frozen },
        Deed::Wait(_) => unreachable!("waiting is no operation"),
    }
}

fn denied(refusal: &Refusal) -> Denied {
    match refusal {
        Refusal::Insufficient { available, .. } => {
            Denied::Insufficient { available: usize::try_from(*available).unwrap() }
        }
        Refusal::Frozen => Denied::Frozen,
        Refusal::Past { .. } => Denied::Past,
        Refusal::NotDue => Denied::NotDue,
        Refusal::NoHold { .. } => Denied::NoHold,
        Refusal::HoldExpired { .. } => Denied::HoldExpired,
        Refusal::HoldClosed { .. } => Denied::HoldClosed,
        Refusal::AboveHeld { .. } => Denied::AboveHeld,
        Refusal::NoSpend { .. } => Denied::NoSpend,
        Refusal::AlreadyReversed { .. } => Denied::AlreadyReversed,
        Refusal::Ledger(LedgerError::NotPositive { .. }) => Denied::NotPositive,
        other @ (Refusal::HoldExists { .. } | Refusal::NotLoaded | Refusal::Ledger(_)) => {
            panic!("{other}")
        }
    }
}
