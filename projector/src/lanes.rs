//! Which slots have news: hints say so at once, polling says so in the end. A hint may be lost, come twice or be wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::batch::MAX_SLOTS;

/// Slots of each tenant that may have events beyond their cursors, as bits, shared by the workers of a process.
#[derive(Debug, Default)]
pub struct Lanes {
    masks: Mutex<BTreeMap<i32, u64>>,
    changed: watch::Sender<()>,
}

impl Lanes {
    /// Marks slots of a tenant.
    pub fn mark(&self, tenant_id: i32, mask: u64) {
        if mask != 0 {
            *self.lock().entry(tenant_id).or_default() |= mask;
            self.changed.send_replace(());
        }
    }

    /// Marks slots by their numbers.
    pub fn mark_slots(&self, tenant_id: i32, slots: &[i16]) {
        self.mark(tenant_id, slots.iter().fold(0, |mask, slot| mask | bit(*slot)));
    }

    /// Takes up to [`MAX_SLOTS`] marked slots of a tenant, from `start` on and around, and unmarks them.
    pub fn take(&self, tenant_id: i32, start: u32) -> Vec<i16> {
        let mut masks = self.lock();
        let Some(mask) = masks.get_mut(&tenant_id) else { return Vec::new() };
        let turned = mask.rotate_right(start % u64::BITS);
        let marked = (0..u64::BITS).filter(|bit| turned >> bit & 1 == 1).take(MAX_SLOTS);
        let slots: Vec<i16> = marked
            .filter_map(|bit| i16::try_from(bit.wrapping_add(start) % u64::BITS).ok())
            .collect();
        *mask &= !slots.iter().fold(0, |taken, slot| taken | bit(*slot));
        slots
    }

    /// Changes whenever something is marked. Mark what was seen as seen before taking, so that nothing is slept through.
    pub fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<i32, u64>> {
        // The map is whole even if a holder panicked: each change is one operation.
        self.masks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bit that stands for a slot.
pub(crate) fn bit(slot: i16) -> u64 {
    u32::try_from(slot).ok().and_then(|slot| 1_u64.checked_shl(slot)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_slots_are_taken_once_and_in_turn() {
        let lanes = Lanes::default();
        lanes.mark_slots(1, &[0, 5, 63]);
        assert!(lanes.take(2, 0).is_empty());
        assert_eq!(lanes.take(1, 60), [63, 0, 5]);
        assert!(lanes.take(1, 0).is_empty());
    }

    #[test]
    fn no_more_than_a_quarter_is_taken_at_once() {
        let lanes = Lanes::default();
        lanes.mark(1, u64::MAX);
        let mut all: Vec<i16> = (0..4).flat_map(|turn| lanes.take(1, turn * 7)).collect();
        all.sort_unstable();
        assert_eq!(all, (0..64).collect::<Vec<i16>>());
    }
}
