//! What must always hold of an account counted from its postings.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::account::MoveKind;
use ledger::chain;

use super::mirror::Whole;

/// Checks one account.
pub(super) fn account(whole: &Whole) {
    let account = &whole.account;
    let (mut sum, mut head, mut last_at) = (0, chain::GENESIS, Timestamp::MIN);
    let mut drawn: BTreeMap<i64, i64> = BTreeMap::new();
    for (seq, posting) in (1..).zip(&whole.postings) {
        sum += posting.amount;
        assert_eq!((posting.seq, posting.balance_after), (seq, sum));
        assert!(posting.recorded_at >= last_at);
        last_at = posting.recorded_at;
        for moved in &posting.moves {
            let back = moved.kind == MoveKind::GivenBack;
            *drawn.entry(moved.grant_id).or_default() +=
                if back { -moved.amount } else { moved.amount };
        }
        head = chain::hash(1, &head, posting);
    }
    assert_eq!((account.posted, account.last_hash), (sum, head));
    for grant in &account.grants {
        let drawn = drawn.get(&grant.grant_id).copied().unwrap_or_default();
        assert_eq!(grant.granted, grant.remaining + drawn, "{grant:?}");
        let open = account.holds.iter().filter_map(|hold| hold.reserved.get(&grant.grant_id));
        assert_eq!(grant.held, open.sum::<i64>());
        assert!(grant.held <= grant.remaining);
    }
    let open = account.holds.iter().filter(|hold| hold.is_open());
    assert_eq!(account.held, open.map(|hold| hold.amount).sum::<i64>());
    if whole.takes {
        let posted = account.posted_at(account.last_at.unwrap()).unwrap();
        assert!(posted - account.held >= -account.overdraft_limit, "the floor holds");
    }
}
