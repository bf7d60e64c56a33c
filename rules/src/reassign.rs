//! Reassigning: a person moves a payment that is credited to the wrong user, or was written off, to the right user.
//!
//! It is a decision of rank 0 on the payment, so whatever is settled later follows it: refunds, disputes, reinstatements,
//! and what the payment is merged with. Of two reassignments the later position counts. Evidence that names yet another
//! user opens a conflict case, which moves nothing until a person decides again.

use ledger::decision::Reason;
use ledger::ids::Owner;

use crate::cases::{self, Telling};
use crate::movement::{lines_of, post, reinstate};
use crate::news::Reassignment;
use crate::payment::{Facts, StaffDecision, StaffVerdict};
use crate::settle::{Before, Cause, Settled, settle};
use crate::world::World;

/// Decides a reassignment. It takes effect if the payment is credited to another user or was written off, and is as it was
/// seen.
pub(crate) fn reassign(world: &mut World, telling: Telling, said: &Reassignment) {
    let root_key = world.aliases.get(&said.payment).cloned();
    let settled =
        root_key.as_deref().and_then(|root_key| carry_out(world, root_key, telling, said));
    let reason = if settled.is_some() { Reason::Operated } else { Reason::Stale };
    let settled = settled.unwrap_or_else(|| Settled::plain(reason));
    cases::record(world, root_key.as_deref(), &settled, reason, telling);
}

/// Moves the payment, and with it the links that it made; none if that cannot be, or is not to be any more.
fn carry_out(
    world: &mut World,
    root_key: &str,
    telling: Telling,
    said: &Reassignment,
) -> Option<Settled> {
    let payment = world.payments.get(root_key)?;
    let newest = payment.facts.staff.as_ref().map(|staff| staff.pos);
    if newest == Some(telling.pos) {
        return Some(Settled::plain(Reason::Operated)); // It did already.
    }
    let user = Before::of(payment).user;
    let is_written_off =
        user.is_none() && payment.facts.is_dismissed() && world.is_posted(root_key);
    let is_anothers = is_written_off || user.is_some_and(|user| user != said.user);
    let is_as_seen = payment.version == said.version && newest < Some(telling.pos);
    let is_open = !world.open_cases_of(root_key).is_empty();
    if !is_as_seen || is_open || !is_anothers || !world.users.contains_key(&said.user) {
        return None;
    }
    let mut cause = Cause::new(telling.pos, telling.rev);
    if is_written_off {
        reinstate(world, root_key, &mut cause);
        let owner = Owner::User(said.user.clone());
        let taken = world.payments.get(root_key)?.facts.taken();
        let lines = lines_of(world, root_key);
        post(world, root_key, owner, (&lines, taken), &mut cause);
    }
    let payment = world.payments.get_mut(root_key)?;
    let worth = payment.facts.staff_worth().cloned();
    let verdict = StaffVerdict::Assign { user: said.user.clone(), worth };
    let overruled = Some(payment.facts.named_users());
    let staff = Some(StaffDecision { pos: telling.pos, verdict, overruled });
    let before = Before::of(payment);
    payment.facts.join(Facts { staff, ..Facts::default() });
    Some(settle(world, root_key, &mut cause, &before))
}

impl Facts {
    /// Whether evidence that came after a reassignment names a user whom nothing had named before.
    pub(crate) fn is_contested(&self) -> bool {
        let staff = self.staff.as_ref().map(|staff| (&staff.verdict, &staff.overruled));
        let Some((StaffVerdict::Assign { user, .. }, Some(overruled))) = staff else {
            return false;
        };
        self.named_users().iter().any(|named| named != user && !overruled.contains(named))
    }

    /// What a person decides who settles its case so, by the event at this position. Who says no worth leaves the one that
    /// a person said before. Dismissing the case of a contested payment means that it stays where it is.
    pub(crate) fn settled_by(&self, verdict: StaffVerdict, pos: i64) -> StaffDecision {
        match (verdict, &self.staff) {
            (StaffVerdict::Dismiss, Some(StaffDecision { verdict, .. })) if self.is_contested() => {
                let overruled = Some(self.named_users());
                StaffDecision { pos, verdict: verdict.clone(), overruled }
            }
            (StaffVerdict::Assign { user, worth }, _) => {
                let worth = worth.or_else(|| self.staff_worth().cloned());
                StaffDecision {
                    pos,
                    verdict: StaffVerdict::Assign { user, worth },
                    overruled: None,
                }
            }
            (verdict, _) => StaffDecision { pos, verdict, overruled: None },
        }
    }
}
