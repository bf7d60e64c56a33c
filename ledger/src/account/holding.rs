//! Holding credits, and the three ways in which a hold ends.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::draw::Draw;
use super::hold::{Hold, HoldState};
use super::operation::require_positive;
use super::posting::MoveKind;
use super::refusal::{LedgerError, Refusal};
use super::turn::Turn;
use crate::ids::HoldId;

impl Turn<'_> {
    /// Reserves credits: of grants in the order of drawing, and what they do not cover of the overdraft.
    pub(super) fn hold(
        &mut self,
        hold_id: HoldId,
        amount: i64,
        expires_at: Timestamp,
    ) -> Result<(), Refusal> {
        self.require_spendable(amount)?;
        self.require_future(Some(expires_at))?;
        if self.account.hold_of(hold_id).is_some() {
            return Err(Refusal::HoldExists { hold_id });
        }
        let mut draw = Draw::new(amount);
        self.draw_free(&mut draw, MoveKind::Spent)?;
        let mut reserved = BTreeMap::new();
        for drawn in draw.into_moves() {
            let grant = self.grant_mut(drawn.grant_id)?;
            grant.held = grant.held.saturating_add(drawn.amount);
            reserved.insert(drawn.grant_id, drawn.amount);
        }
        let posted = self.account.posted;
        let held = self.account.held.checked_add(amount);
        self.account.held = held.ok_or(LedgerError::OutOfRange { amount, posted })?;
        let state = HoldState::Open;
        self.add_hold(Hold { hold_id, amount, captured: 0, state, expires_at, reserved });
        Ok(())
    }

    /// Spends what a hold reserves, in the order of drawing. Refused from the instant of its deadline on.
    pub(super) fn capture(&mut self, hold_id: HoldId, amount: Option<i64>) -> Result<(), Refusal> {
        let hold = self.open_hold(hold_id)?;
        if hold.expires_at <= self.now {
            return Err(Refusal::HoldExpired { hold_id });
        }
        let amount = amount.unwrap_or(hold.amount);
        require_positive(amount)?;
        if amount > hold.amount {
            return Err(Refusal::AboveHeld { wanted: amount, held: hold.amount });
        }
        self.close(&hold, HoldState::Captured, amount)?;
        let mut draw = Draw::new(amount);
        let mut left = Vec::new();
        for (grant_id, reserved) in self.in_draw_order(&hold)? {
            let taken = draw.take(grant_id, MoveKind::Spent, reserved);
            left.push((grant_id, reserved.saturating_sub(taken)));
        }
        self.post_spend(amount, draw)?;
        self.let_go(&left, self.now)
    }

    pub(super) fn release(&mut self, hold_id: HoldId) -> Result<(), Refusal> {
        let hold = self.open_hold(hold_id)?;
        self.close(&hold, HoldState::Released, 0)?;
        let left: Vec<(i64, i64)> = hold.reserved.into_iter().collect();
        self.let_go(&left, self.now)
    }

    /// Closes a hold whose deadline has passed. What it reserved is free since the deadline, however late this is.
    pub(super) fn expire_hold(&mut self, hold_id: HoldId) -> Result<(), Refusal> {
        let hold = self.open_hold(hold_id)?;
        if hold.expires_at > self.now {
            return Err(Refusal::NotDue);
        }
        self.close(&hold, HoldState::Expired, 0)?;
        let left: Vec<(i64, i64)> = hold.reserved.into_iter().collect();
        self.let_go(&left, hold.expires_at)
    }

    fn open_hold(&self, hold_id: HoldId) -> Result<Hold, Refusal> {
        let hold = self.account.hold_of(hold_id).ok_or(Refusal::NoHold { hold_id })?;
        match hold.state {
            HoldState::Open => Ok(hold.clone()),
            state @ (HoldState::Captured | HoldState::Released | HoldState::Expired) => {
                Err(Refusal::HoldClosed { hold_id, state })
            }
        }
    }

    /// Ends a hold: nothing is reserved by it any more.
    fn close(&mut self, open: &Hold, state: HoldState, captured: i64) -> Result<(), Refusal> {
        for (grant_id, reserved) in &open.reserved {
            self.unreserve(open.hold_id, *grant_id, *reserved)?;
        }
        let hold = self.hold_mut(open.hold_id)?;
        hold.state = state;
        hold.captured = captured;
        self.account.held = self.account.held.saturating_sub(open.amount);
        Ok(())
    }

    /// What a hold let go of grants that expired meanwhile expires now: it stayed with the hold until `since`. What of it had
    /// been written off is not the account's.
    fn let_go(&mut self, left: &[(i64, i64)], since: Timestamp) -> Result<(), Refusal> {
        for &(grant_id, amount) in left {
            let grant = self.account.grant_of(grant_id).ok_or(LedgerError::NoGrant { grant_id })?;
            if amount > 0 && grant.has_expired(self.now) {
                self.lapse(grant_id, amount, since)?;
            }
        }
        self.take_forgiven_of(left)
    }

    fn in_draw_order(&self, hold: &Hold) -> Result<Vec<(i64, i64)>, LedgerError> {
        let mut reserved = Vec::with_capacity(hold.reserved.len());
        for (grant_id, amount) in &hold.reserved {
            let grant = self.account.grant_of(*grant_id);
            let grant = grant.ok_or(LedgerError::NoGrant { grant_id: *grant_id })?;
            reserved.push((grant.place(), *amount));
        }
        reserved.sort_unstable();
        Ok(reserved.into_iter().map(|(place, amount)| (place.grant_id, amount)).collect())
    }
}
