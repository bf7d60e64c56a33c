//! The numbers that the database keeps: written down once more, because rows of years ago are read by them.

use ledger::account::{HoldState, MoveKind, SystemAccount};

#[test]
fn system_accounts() {
    let known = [
        (1, "sale", SystemAccount::Sale),
        (2, "refund", SystemAccount::Refund),
        (3, "dispute", SystemAccount::Dispute),
        (4, "spend", SystemAccount::Spend),
        (5, "expiry", SystemAccount::Expiry),
        (6, "promo", SystemAccount::Promo),
        (7, "adjustment", SystemAccount::Adjustment),
        (8, "unclaimed", SystemAccount::Unclaimed),
        (9, "write_off", SystemAccount::WriteOff),
    ];
    assert_eq!(SystemAccount::ALL, known.map(|(_, _, account)| account));
    for (code, name, account) in known {
        assert_eq!((account.code(), account.name()), (code, name));
        assert_eq!(SystemAccount::from_code(code), Some(account));
    }
    assert_eq!((SystemAccount::from_code(0), SystemAccount::from_code(10)), (None, None));
}

#[test]
fn moves_of_grants() {
    let known = [
        (1, MoveKind::Spent),
        (2, MoveKind::Expired),
        (3, MoveKind::ClawedBack),
        (4, MoveKind::Moved),
        (5, MoveKind::GivenBack),
        (6, MoveKind::WrittenOff),
        (7, MoveKind::PaidDebt),
    ];
    assert_eq!(MoveKind::ALL, known.map(|(_, kind)| kind));
    for (code, kind) in known {
        assert_eq!((kind.code(), MoveKind::from_code(code)), (code, Some(kind)));
    }
    assert_eq!((MoveKind::from_code(0), MoveKind::from_code(8)), (None, None));
}

#[test]
fn states_of_holds() {
    let known = [
        (1, "open", HoldState::Open),
        (2, "captured", HoldState::Captured),
        (3, "released", HoldState::Released),
        (4, "expired", HoldState::Expired),
    ];
    assert_eq!(HoldState::ALL, known.map(|(_, _, state)| state));
    for (code, name, state) in known {
        assert_eq!((state.code(), state.name()), (code, name));
        assert_eq!(HoldState::from_code(code), Some(state));
    }
    assert_eq!((HoldState::from_code(0), HoldState::from_code(5)), (None, None));
}
