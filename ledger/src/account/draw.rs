//! Drawing: which grants credits come from, in the order of priority, expiry and age.
//!
//! What is held comes last: an account in debt owns nothing, so a debt takes what holds reserve as well. The holds stay
//! valid, with less or nothing behind them.

use std::collections::BTreeMap;

use super::grant::Grant;
use super::hold::HoldState;
use super::posting::{GrantMove, MoveKind};
use super::refusal::{LedgerError, Refusal};
use super::turn::Turn;
use super::{Account, Extent};
use crate::ids::HoldId;

/// What is drawn for one posting.
pub(super) struct Draw {
    /// What no grant has given yet.
    pub(super) missing: i64,
    moves: BTreeMap<i64, GrantMove>,
}

impl Draw {
    pub(super) const fn new(amount: i64) -> Self {
        Self { missing: amount, moves: BTreeMap::new() }
    }

    /// What can still be drawn of a grant, beyond what holds reserve.
    fn free_of(&self, grant: &Grant) -> i64 {
        let drawn = self.moves.get(&grant.grant_id).map_or(0, |drawn| drawn.amount);
        grant.unheld().saturating_sub(drawn)
    }

    /// Draws from a grant what is missing, up to `most`; what was drawn. One posting moves a grant in one way only.
    pub(super) fn take(&mut self, grant_id: i64, kind: MoveKind, most: i64) -> i64 {
        let amount = most.min(self.missing).max(0);
        if amount > 0 {
            let drawn = GrantMove { grant_id, kind, amount: 0 };
            let drawn = self.moves.entry(grant_id).or_insert(drawn);
            drawn.amount = drawn.amount.saturating_add(amount);
            self.missing = self.missing.saturating_sub(amount);
        }
        amount
    }

    /// The moves, sorted by grant.
    pub(super) fn into_moves(self) -> Vec<GrantMove> {
        self.moves.into_values().collect()
    }
}

impl Turn<'_> {
    /// Draws what is missing from what is free and has not expired, as far as it goes.
    pub(super) fn draw_free(&self, draw: &mut Draw, kind: MoveKind) -> Result<(), Refusal> {
        let account = &*self.account;
        while draw.missing > 0 {
            let free = account.grants.iter().filter(|grant| {
                !grant.has_expired(self.now) && account.reaches(grant) && draw.free_of(grant) > 0
            });
            let Some(grant) = free.min_by_key(|grant| grant.place()) else { break };
            draw.take(grant.grant_id, kind, draw.free_of(grant));
        }
        if draw.missing > 0 { account.require_whole() } else { Ok(()) }
    }

    /// Draws what is missing from what holds reserve, as far as it goes: of each grant, the hold that has longest to go
    /// loses first. `kind` says of a grant how it moves.
    pub(super) fn draw_held(
        &mut self,
        draw: &mut Draw,
        kind: impl Fn(&Grant) -> MoveKind,
    ) -> Result<(), Refusal> {
        if draw.missing == 0 {
            return Ok(());
        }
        self.account.require_whole()?;
        let mut held: Vec<_> = self.account.grants.iter().filter(|grant| grant.held > 0).collect();
        held.sort_by_key(|grant| grant.place());
        let held: Vec<_> = held.into_iter().map(|grant| (grant.grant_id, kind(grant))).collect();
        for (grant_id, kind) in held {
            for (hold_id, reserved) in self.account.reserved_of(grant_id) {
                let taken = draw.take(grant_id, kind, reserved);
                if taken > 0 {
                    self.unreserve(hold_id, grant_id, taken)?;
                }
            }
        }
        Ok(())
    }

    /// Takes credits of a grant out of a hold's reservation: they are free then.
    pub(super) fn unreserve(
        &mut self,
        hold_id: HoldId,
        grant_id: i64,
        amount: i64,
    ) -> Result<(), Refusal> {
        let hold = self.hold_mut(hold_id)?;
        let reserved = hold.reserved.remove(&grant_id).unwrap_or_default();
        let left = reserved.checked_sub(amount).filter(|left| *left >= 0);
        let left = left.ok_or(LedgerError::Inconsistent { grant_id })?;
        if left > 0 {
            hold.reserved.insert(grant_id, left);
        }
        let grant = self.grant_mut(grant_id)?;
        let held = grant.held.checked_sub(amount).filter(|held| *held >= 0);
        grant.held = held.ok_or(LedgerError::Inconsistent { grant_id })?;
        Ok(())
    }
}

impl Account {
    /// Whether all open grants that come before this one in the order of drawing are in memory.
    fn reaches(&self, grant: &Grant) -> bool {
        match &self.extent {
            Extent::Whole => true,
            Extent::Until(place) => grant.place() <= *place,
        }
    }

    pub(super) fn require_whole(&self) -> Result<(), Refusal> {
        match self.extent {
            Extent::Whole => Ok(()),
            Extent::Until(_) => Err(Refusal::NotLoaded),
        }
    }

    /// Open holds that reserve credits of a grant, and how many: the one with the latest deadline first.
    fn reserved_of(&self, grant_id: i64) -> Vec<(HoldId, i64)> {
        let open = self.holds.iter().filter(|hold| hold.state == HoldState::Open);
        let mut reserved: Vec<_> = open
            .filter_map(|hold| {
                Some((hold.expires_at, hold.hold_id, *hold.reserved.get(&grant_id)?))
            })
            .collect();
        reserved.sort_unstable();
        reserved.into_iter().rev().map(|(_, hold_id, amount)| (hold_id, amount)).collect()
    }
}
