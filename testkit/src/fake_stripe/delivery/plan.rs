//! What happens to one letter by accident: when it is first tried, and whether it is told twice.

use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::fake_stripe::settings::Habits;

/// One letter's accidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    /// How long the first try waits.
    pub(super) first_after: Duration,
    /// How long after it was accepted it is delivered once more, if it is.
    pub(super) again_after: Option<Duration>,
}

impl Plan {
    /// Draws one. It always takes the same number of draws, so that habits do not change other letters' accidents.
    pub(super) fn draw(accidents: &mut StdRng, habits: &Habits) -> Self {
        let mut wait = || accidents.random_range(Duration::ZERO..=habits.disorder_max);
        let (first_after, again_after) = (wait(), wait());
        let is_told_twice = accidents.random_range(0..100) < habits.duplicates_percent;
        Self { first_after, again_after: is_told_twice.then_some(again_after) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::Plan;
    use crate::fake_stripe::settings::Habits;

    #[test]
    fn same_seed_draws_the_same_accidents() {
        let habits = Habits {
            duplicates_percent: 50,
            disorder_max: Duration::from_millis(20),
            ..Habits::default()
        };
        let draw = |seed| -> Vec<Plan> {
            let mut accidents = StdRng::seed_from_u64(seed);
            (0..50).map(|_nth| Plan::draw(&mut accidents, &habits)).collect()
        };
        let plans = draw(1);
        assert_eq!(plans, draw(1));
        assert_ne!(plans, draw(2));
        assert!(plans.iter().all(|plan| plan.first_after <= habits.disorder_max));
        let twice = plans.iter().filter(|plan| plan.again_after.is_some()).count();
        assert!((10..=40).contains(&twice), "{twice} of 50");
    }

    #[test]
    fn without_bad_habits_nothing_is_late_or_twice() {
        let plan = Plan::draw(&mut StdRng::seed_from_u64(1), &Habits::default());
        assert_eq!(plan, Plan { first_after: Duration::ZERO, again_after: None });
    }
}
