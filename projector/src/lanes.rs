//! Which slots have news: hints say so at once, polling says so in the end. A hint may be lost, come twice or be wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// Slots of each tenant that may have events beyond their cursors, shared by the workers of a process.
#[derive(Debug, Default)]
pub struct Lanes {
    slots: Mutex<BTreeMap<i32, Slots>>,
    changed: watch::Sender<()>,
}

/// Slots of a tenant, as bits.
#[derive(Debug, Default)]
struct Slots {
    marked: u64,
    /// Those that a worker is at: what is marked of them waits until he is done, so that no two get in each other's way.
    taken: u64,
}

impl Lanes {
    /// Marks slots of a tenant.
    pub fn mark(&self, tenant_id: i32, mask: u64) {
        if mask != 0 {
            self.lock().entry(tenant_id).or_default().marked |= mask;
            self.changed.send_replace(());
        }
    }

    /// Takes at most so many marked slots of a tenant that nobody has taken, from `start` on and around, and unmarks them.
    /// Give them back in any case. While others have some, nothing is taken unless there are at least as many as `beside`
    /// says.
    pub fn take(&self, tenant_id: i32, start: u32, most: usize, beside: u32) -> Vec<i16> {
        let mut all = self.lock();
        let Some(slots) = all.get_mut(&tenant_id) else { return Vec::new() };
        let free = slots.marked & !slots.taken;
        if slots.taken != 0 && free.count_ones() < beside {
            return Vec::new();
        }
        let turned = free.rotate_right(start % u64::BITS);
        let free = (0..u64::BITS).filter(|bit| turned >> bit & 1 == 1).take(most);
        let free: Vec<i16> = free
            .filter_map(|bit| i16::try_from(bit.wrapping_add(start) % u64::BITS).ok())
            .collect();
        slots.marked &= !mask_of(&free);
        slots.taken |= mask_of(&free);
        free
    }

    /// Gives slots back that were taken.
    pub fn give_back(&self, tenant_id: i32, mask: u64) {
        let mut all = self.lock();
        let Some(slots) = all.get_mut(&tenant_id) else { return };
        slots.taken &= !mask;
        if slots.marked & !slots.taken != 0 {
            self.changed.send_replace(());
        }
    }

    /// Changes whenever something is marked. Mark what was seen as seen before taking, so that nothing is slept through.
    pub fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<i32, Slots>> {
        // The map is whole even if a holder panicked: each change is one operation.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bits that stand for slots.
pub(crate) fn mask_of(slots: &[i16]) -> u64 {
    let bit = |slot: &i16| u32::try_from(*slot).ok().and_then(|slot| 1_u64.checked_shl(slot));
    slots.iter().filter_map(bit).fold(0, |mask, bit| mask | bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_slots_are_taken_once_and_in_turn() {
        let lanes = Lanes::default();
        lanes.mark(1, mask_of(&[0, 5, 63]));
        assert!(lanes.take(2, 0, 64, 1).is_empty());
        assert_eq!(lanes.take(1, 60, 64, 1), [63, 0, 5]);
        assert!(lanes.take(1, 0, 64, 1).is_empty());
    }

    #[test]
    fn no_more_are_taken_than_are_wanted() {
        let lanes = Lanes::default();
        lanes.mark(1, u64::MAX);
        let mut all: Vec<i16> = (0..4).flat_map(|turn| lanes.take(1, turn * 7, 16, 1)).collect();
        all.sort_unstable();
        assert_eq!(all, (0..64).collect::<Vec<i16>>());
    }

    #[test]
    fn few_wait_for_those_that_are_taken() {
        let lanes = Lanes::default();
        lanes.mark(1, mask_of(&[1]));
        assert_eq!(lanes.take(1, 0, 64, 3), [1], "nobody else has any");
        lanes.mark(1, mask_of(&[2, 3]));
        assert!(lanes.take(1, 0, 64, 3).is_empty());
        lanes.mark(1, mask_of(&[4]));
        assert_eq!(lanes.take(1, 0, 64, 3), [2, 3, 4], "enough for a batch of their own");
        lanes.mark(1, mask_of(&[5]));
        let mut changes = lanes.watch();
        changes.mark_unchanged();
        lanes.give_back(1, mask_of(&[1]));
        lanes.give_back(1, mask_of(&[2, 3, 4]));
        assert!(changes.has_changed().unwrap(), "who waits is told");
        assert_eq!(lanes.take(1, 0, 64, 3), [5]);
    }

    #[test]
    fn what_is_marked_while_a_worker_is_at_it_waits_for_him_and_is_not_lost() {
        let lanes = Lanes::default();
        lanes.mark(1, mask_of(&[7]));
        assert_eq!(lanes.take(1, 0, 64, 1), [7]);
        lanes.mark(1, mask_of(&[7, 8]));
        assert_eq!(lanes.take(1, 0, 64, 1), [8]);
        let mut changes = lanes.watch();
        changes.mark_unchanged();
        lanes.give_back(1, mask_of(&[8]));
        assert!(!changes.has_changed().unwrap(), "nothing is marked there");
        lanes.give_back(1, mask_of(&[7]));
        assert!(changes.has_changed().unwrap());
        assert_eq!(lanes.take(1, 0, 64, 1), [7]);
    }
}
