//! The numbers that the database keeps: written down once more, because rows of years ago are read by them.

use ledger::account::SystemAccount;
use rules::world::{LegKind, Resolution, Status};

#[test]
fn where_a_payment_stands() {
    for (code, status) in [
        (0, Status::Unknown),
        (1, Status::Pending),
        (2, Status::Paid),
        (3, Status::Failed),
        (4, Status::NotOurs),
    ] {
        assert_eq!((status.code(), Status::from_code(code)), (code, Some(status)));
    }
    assert_eq!((Status::from_code(-1), Status::from_code(5)), (None, None));
}

#[test]
fn legs_and_the_other_side_of_each() {
    let known = [
        (1, LegKind::Purchase, SystemAccount::Sale),
        (2, LegKind::Refund, SystemAccount::Refund),
        (3, LegKind::Dispute, SystemAccount::Dispute),
        (4, LegKind::Carried, SystemAccount::Adjustment),
    ];
    assert_eq!(LegKind::ALL, known.map(|(_, kind, _)| kind));
    for (code, kind, contra) in known {
        assert_eq!((kind.code(), kind.contra()), (code, contra));
        assert_eq!(LegKind::from_code(code), Some(kind));
    }
    assert_eq!((LegKind::from_code(0), LegKind::from_code(5)), (None, None));
}

#[test]
fn how_a_case_was_closed() {
    for (code, resolution) in [
        (1, Resolution::Healed),
        (2, Resolution::Assigned),
        (3, Resolution::Dismissed),
        (4, Resolution::Superseded),
        (5, Resolution::Expired),
    ] {
        assert_eq!((resolution.code(), Resolution::from_code(code)), (code, Some(resolution)));
    }
    assert_eq!((Resolution::from_code(0), Resolution::from_code(6)), (None, None));
}
