//! What the rules decided is posted by the same functions as what the app commands, to the same bytes as ever.

use ledger::account::{Account, Cause, ClawbackPolicy, MoveKind, SystemAccount, Terms};
use ledger::ids::Owner;
use ledger::movement::{Change, Movement};

use crate::kit::{line_of, second};

fn movement(pos: i64, change: Change, contra: SystemAccount, amount: i64) -> Movement {
    Movement {
        owner: Owner::User("u_1".into()),
        unit: "credits".into(),
        source: line_of("pi_1"),
        change,
        contra,
        amount,
        terms: Terms::default(),
        cause: Cause::Decision { pos, rev: 0, effect_no: 0 },
        effective_at: second(pos),
    }
}

fn purchase_and_refund() -> [Movement; 2] {
    let take = Change::Take(MoveKind::ClawedBack);
    [
        movement(1, Change::Grant, SystemAccount::Sale, 50),
        movement(2, take, SystemAccount::Refund, 20),
    ]
}

fn account() -> Account {
    Account::new(Owner::User("u_1".into()).account_id(), "credits".into())
}

/// Computed from the description of the encoding, in Python. Chains that are stored are for ever.
#[test]
fn the_chain_is_what_it_always_was() {
    let mut account = account();
    let halves = purchase_and_refund().map(|movement| {
        let (act, operation) = movement.operation(1, second(9), ClawbackPolicy::Debt);
        let effects = account.evaluate(&act, &operation).unwrap();
        let (high, low) = effects.postings[0].hash.split_at(16);
        [high, low].map(|half| u128::from_be_bytes(half.try_into().unwrap()))
    });
    let expected = [
        [0xee9e_bff1_c195_235e_d511_30af_33c0_40e5, 0xab6f_9145_77be_1515_2bcf_929b_4851_79ca],
        [0xc371_626b_8059_76b8_d76e_d92f_3068_bff4, 0x64fb_2cce_59a6_625d_6c06_47f9_7656_546b],
    ];
    assert_eq!(halves, expected);
}
