//! What histories are made of, and how decisions are posted.

use std::collections::BTreeSet;

use ledger::account::{ClawbackPolicy, ExpiredPolicy, Operation};
use ledger::ids::HoldId;
use ledger::movement::Movement;
use proptest::prelude::*;
use store::Store;
use store::books::{Decided, Posted, evaluate_in_tx};
use store::commands::{Command, Request};

use crate::commands::kit::second;

/// Batches of the longest history.
const BATCHES_MAX: usize = 25;

/// What is commanded. Holds, spends and grants are named by their number.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Spend(i64),
    Hold { amount: i64, lasts: i64 },
    Capture { hold: usize, amount: Option<i64> },
    Release(usize),
    ExpireHold(usize),
    Reverse { spend: usize, expired: ExpiredPolicy },
    Grant { amount: i64, lasts: Option<i64>, priority: i16 },
    ExpireGrant(usize),
    Limit(i64),
    Freeze(bool),
}

/// What is decided of a line of a payment.
#[derive(Clone, Debug)]
pub(super) enum Turn {
    Give {
        amount: i64,
        lasts: Option<i64>,
    },
    Take(i64),
    /// To the other user: what stands there moves over.
    Move(i64),
}

/// What happens at once.
#[derive(Clone, Debug)]
pub(super) enum Batch {
    /// Commands on both accounts, by a process whose clock is so many seconds behind.
    Commands { deeds: Vec<(usize, Deed)>, behind: i64 },
    /// Movements of one decision: whose, of which line, which.
    Decision { turns: Vec<(usize, u8, Turn)>, policy: ClawbackPolicy },
    /// The clock goes on.
    Wait(i64),
}

#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) batches: Vec<Batch>,
}

pub(super) fn histories() -> impl Strategy<Value = History> {
    let batches = prop::collection::vec(batch(), 1..BATCHES_MAX);
    // Some accounts have more grants than are loaded at first.
    let rich = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec((0..2_usize, gift()), 60..90)];
    (rich, batches).prop_map(|(deeds, batches)| {
        let first = Batch::Commands { deeds, behind: 0 };
        History { batches: std::iter::once(first).chain(batches).collect() }
    })
}

fn gift() -> impl Strategy<Value = Deed> {
    let lasts = prop_oneof![2 => Just(None), 1 => (1..90_i64).prop_map(Some)];
    (1..3_i64, lasts, 0..3_i16).prop_map(|(amount, lasts, priority)| Deed::Grant {
        amount,
        lasts,
        priority,
    })
}

fn batch() -> impl Strategy<Value = Batch> {
    let behind = prop_oneof![6 => Just(0), 1 => 1..30_i64];
    let policy = prop_oneof![
        3 => Just(ClawbackPolicy::Debt),
        2 => Just(ClawbackPolicy::WriteOff),
        1 => Just(ClawbackPolicy::Freeze),
    ];
    prop_oneof![
        6 => (prop::collection::vec((0..2_usize, deed()), 1..9), behind)
            .prop_map(|(deeds, behind)| Batch::Commands { deeds, behind }),
        3 => (prop::collection::vec((0..2_usize, 0..3_u8, turn()), 1..4), policy)
            .prop_map(|(turns, policy)| Batch::Decision { turns, policy }),
        2 => (1..25_i64).prop_map(Batch::Wait),
    ]
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![1 => -1..=0_i64, 20 => 1..=12_i64]
}

fn deed() -> impl Strategy<Value = Deed> {
    let lasts = || prop_oneof![1 => Just(0), 12 => 1..40_i64];
    let maybe_lasts = prop_oneof![2 => Just(None), 3 => lasts().prop_map(Some)];
    let expired = prop_oneof![Just(ExpiredPolicy::Lapse), Just(ExpiredPolicy::Renew)];
    let any = || 0..12_usize;
    prop_oneof![
        6 => amount().prop_map(Deed::Spend),
        4 => (amount(), lasts()).prop_map(|(amount, lasts)| Deed::Hold { amount, lasts }),
        3 => (any(), prop::option::of(amount()))
            .prop_map(|(hold, amount)| Deed::Capture { hold, amount }),
        2 => any().prop_map(Deed::Release),
        1 => any().prop_map(Deed::ExpireHold),
        3 => (any(), expired).prop_map(|(spend, expired)| Deed::Reverse { spend, expired }),
        6 => (amount(), maybe_lasts, -1..2_i16).prop_map(
            |(amount, lasts, priority)| Deed::Grant { amount, lasts, priority }
        ),
        1 => any().prop_map(Deed::ExpireGrant),
        1 => (-1..20_i64).prop_map(Deed::Limit),
        1 => prop::bool::weighted(0.3).prop_map(Deed::Freeze),
    ]
}

fn turn() -> impl Strategy<Value = Turn> {
    let lasts = prop_oneof![2 => Just(None), 3 => (-5..40_i64).prop_map(Some)];
    prop_oneof![
        3 => (1..20_i64, lasts).prop_map(|(amount, lasts)| Turn::Give { amount, lasts }),
        3 => (1..20_i64).prop_map(Turn::Take),
        1 => (1..20_i64).prop_map(Turn::Move),
    ]
}

/// Posts the movements of one decision, as the projector does.
pub(super) async fn decide(
    store: &Store,
    tenant_id: i32,
    now: i64,
    movements: &[Movement],
    clawback: ClawbackPolicy,
) -> Vec<Posted> {
    let tx = store.begin().await.unwrap();
    let owners = BTreeSet::new();
    let decided = Decided { movements, new_terms: &[], owners: &owners, clawback };
    let moved = evaluate_in_tx(&tx, tenant_id, second(now), decided).await.unwrap();
    tx.write(&moved.writes()).await.unwrap();
    let posted = moved.posted;
    tx.commit().await.unwrap();
    posted
}

/// What the ledger is to evaluate for a request.
pub(super) fn operation_of(request: &Request) -> Operation {
    match request.command.clone() {
        Command::Spend { amount, .. } => Operation::Spend { amount },
        Command::Hold { amount, expires_at, .. } => {
            Operation::Hold { hold_id: HoldId(request.command_id), amount, expires_at }
        }
        Command::Capture { hold_id, amount } => Operation::Capture { hold_id, amount },
        Command::Release { hold_id } => Operation::Release { hold_id },
        Command::ExpireHold { hold_id } => Operation::ExpireHold { hold_id },
        Command::Grant { amount, terms, contra, .. } => {
            Operation::Grant { amount, terms, contra, source: None }
        }
        Command::ExpireGrant { grant_id, .. } => Operation::ExpireGrant { grant_id },
        Command::Reverse { spend_id, expired, terms } => {
            Operation::Reverse { spend_id, expired, terms }
        }
        Command::SetLimit { overdraft_limit, .. } => Operation::SetLimit { overdraft_limit },
        Command::SetFrozen { frozen, .. } => Operation::SetFrozen { frozen },
    }
}
