//! What happened before what, in real time: if one operation was over before another began, the state that the other saw or
//! made is not the older one.

/// An operation on an account that saw a state of it, or made one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) invoked: u64,
    pub(super) completed: Option<u64>,
    /// The state: how many commands had been carried out.
    pub(super) seq: i64,
    pub(super) is_read: bool,
}

/// The states that an account can have been in, by moment.
pub(super) struct Order {
    /// Moments at which operations were over, with the newest state of all until then.
    newest: Vec<(u64, i64)>,
    /// Moments at which operations began, with the newest state that all from then on allow before them.
    bound: Vec<(u64, i64)>,
}

impl Order {
    pub(super) fn of(seen: &[Seen]) -> Self {
        let ended = seen.iter().filter_map(|one| Some((one.completed?, one.seq)));
        let mut newest: Vec<(u64, i64)> = ended.collect();
        newest.sort_unstable();
        let mut newest_yet = 0;
        for (_, seq) in &mut newest {
            newest_yet = newest_yet.max(*seq);
            *seq = newest_yet;
        }
        let begun = seen.iter().map(|one| (one.invoked, one.seq - i64::from(!one.is_read)));
        let mut bound: Vec<(u64, i64)> = begun.collect();
        bound.sort_unstable();
        let mut bound_yet = i64::MAX;
        for (_, seq) in bound.iter_mut().rev() {
            bound_yet = bound_yet.min(*seq);
            *seq = bound_yet;
        }
        Self { newest, bound }
    }

    /// The newest state that was surely over, or seen, at this moment.
    pub(super) fn floor(&self, moment: u64) -> i64 {
        let before = self.newest.partition_point(|(ended, _)| *ended < moment);
        before.checked_sub(1).map_or(0, |last| self.newest[last].1)
    }

    /// The newest state that there can have been at this moment.
    pub(super) fn ceiling(&self, moment: u64) -> i64 {
        let after = self.bound.partition_point(|(begun, _)| *begun <= moment);
        self.bound.get(after).map_or(i64::MAX, |(_, seq)| *seq)
    }

    /// Whether each of them follows what was over before it began.
    pub(super) fn check(&self, seen: &[Seen]) -> Result<(), String> {
        for one in seen {
            let floor = self.floor(one.invoked);
            if one.seq < floor + i64::from(!one.is_read) {
                let what = if one.is_read { "read" } else { "made" };
                return Err(format!("{} was {what} after {floor} was known: {one:?}", one.seq));
            }
        }
        Ok(())
    }
}
