//! What must hold after each step: DESIGN, section 9, numbers 4 to 6, and that the account is what the model counts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::account::{HoldState, MoveKind};
use ledger::chain;

use super::model::{Model, Place};
use super::stored::Stored;

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap()
}

/// The rows agree with each other.
pub(super) fn books(stored: &Stored) {
    let account = &stored.account;
    assert_eq!(account.version, count(stored.postings.len()));
    let (mut sum, mut head, mut last_at) = (0, chain::GENESIS, None);
    let mut drawn: BTreeMap<i64, i64> = BTreeMap::new();
    for (seq, posting) in (1..).zip(&stored.postings) {
        sum += posting.amount;
        assert_eq!((posting.seq, posting.balance_after), (seq, sum));
        assert!(Some(posting.recorded_at) >= last_at, "recorded_at never decreases");
        last_at = Some(posting.recorded_at);
        assert!(posting.moves.is_sorted_by(|one, next| one.grant_id < next.grant_id));
        for moved in &posting.moves {
            assert!(moved.amount > 0);
            let back = moved.kind == MoveKind::GivenBack;
            *drawn.entry(moved.grant_id).or_default() +=
                if back { -moved.amount } else { moved.amount };
        }
        // Hashing is what takes long; what was checked once cannot change.
        head = if seq <= stored.checked { posting.hash } else { chain::hash(1, &head, posting) };
        assert_eq!(posting.hash, head, "the chain leads from posting to posting");
    }
    assert_eq!((account.posted, account.last_hash), (sum, head));
    let open = || stored.holds.values().filter(|hold| hold.state == HoldState::Open);
    assert_eq!(account.held, open().map(|hold| hold.amount).sum::<i64>());
    for (grant_id, grant) in &stored.grants {
        let drawn = drawn.get(grant_id).copied().unwrap_or_default();
        assert_eq!(grant.granted, grant.remaining + drawn, "{grant:?}");
        assert!(0 <= grant.held && grant.held <= grant.remaining, "{grant:?}");
        let reserved = open().filter_map(|hold| hold.reserved.get(grant_id)).sum::<i64>();
        assert_eq!(grant.held, reserved, "{grant:?}");
    }
    for hold in stored.holds.values() {
        assert!(hold.state == HoldState::Open || hold.reserved.is_empty(), "{hold:?}");
        assert!(hold.reserved.values().sum::<i64>() <= hold.amount, "{hold:?}");
    }
}

/// The account is what the model counts, credit by credit.
pub(super) fn same(stored: &Stored, model: &Model) {
    for (grant, row) in stored.grants.values().enumerate() {
        let of_it = |place: fn(Place) -> bool| {
            count(model.count(|credit| credit.grant == grant && place(credit.place)))
        };
        assert_eq!(row.held, of_it(|place| matches!(place, Place::Held(_))), "{row:?}");
        let remains = |place| matches!(place, Place::Held(_) | Place::Free);
        assert_eq!(row.remaining, of_it(remains), "{row:?}");
    }
    assert_eq!(stored.grants.len(), model.blocks.len());
    for (hold_id, job) in stored.hold_ids.iter().zip(&model.jobs) {
        let hold = &stored.holds[hold_id];
        assert_eq!((hold.state.name(), hold.captured), (job.state, count(job.captured)));
    }
    assert_eq!(stored.account.frozen, model.frozen);
    assert_eq!(stored.forgiven, count(model.forgiven.values().sum()));
    for now in [model.newest, model.wall.max(model.newest), model.wall.max(model.newest) + 20] {
        balance(stored, model, now);
    }
    if stored.takes {
        let wanted = model.owed + model.unbacked();
        assert!(wanted <= model.usable(model.newest) + model.limit, "the floor holds");
    }
}

fn balance(stored: &Stored, model: &Model, now: i64) {
    let balance = stored.loaded().balance(super::second(now)).unwrap();
    let lives = |place, grant| match place {
        Place::Held(_) => true,
        Place::Free => !model.has_expired(grant, now),
        Place::Expired | Place::Gone => false,
    };
    let lives = count(model.count(|credit| lives(credit.place, credit.grant)));
    assert_eq!(balance.posted, lives - count(model.owed));
    assert!(model.owed == 0 || lives == 0, "who owes has nothing");
    assert_eq!(balance.debt, count(model.owed));
    let open = model.jobs.iter().filter(|job| job.state == "open");
    assert_eq!(balance.held, count(open.map(|job| job.amount).sum()));
    let available = model.usable(now).saturating_sub(model.owed + model.unbacked());
    assert_eq!(balance.available, count(available));
    let free = model.credits.iter().filter(|credit| credit.place == Place::Free);
    let ends = free.filter_map(|credit| model.blocks[credit.grant].terms.expires_at);
    let ends: Vec<i64> = ends.map(Timestamp::as_second).filter(|at| *at > now).collect();
    let next = ends.iter().min().map(|at| {
        let amount = count(ends.iter().filter(|end| *end == at).count());
        (amount.min(balance.available), *at)
    });
    let told = balance.expiring_next.map(|next| (next.amount, next.at.as_second()));
    assert_eq!(told, next.filter(|(amount, _)| *amount > 0));
}
