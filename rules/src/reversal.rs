//! Money that went back: refunds and disputes of one payment, as facts that join in any order, and what they come to.
//!
//! Refunds join by their id, and a failure beats an earlier success. The charge's own figure is cumulative: the newest one
//! counts, less what is known to have failed since. Both tell of the same money, so the larger one counts, never their sum:
//! charge by charge, for an invoice may be paid by several.
//! Of a dispute only `funds_withdrawn` and `funds_reinstated` move money (DESIGN, section 5).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// How a refund stands. The order is that of the join: what says more, or worse, wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// The money is back, or on its way: the charge's own figure counts it as well.
    Given,
    /// It failed or was canceled: the money stayed.
    Failed,
}

/// One refund. Amounts are in the currency's minor unit, times in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The charge that it gives back; none if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<String>,
    /// How it stands.
    pub state: RefundState,
    /// What is given back.
    pub amount: i64,
    /// When Stripe made it; where that is not said, when it was first heard of.
    pub given_at: i64,
    /// When it was first heard that it failed.
    pub failed_at: Option<i64>,
}

/// What a charge said was refunded of it so far, all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Figure {
    /// `created` of the event that said so.
    pub said_at: i64,
    /// The sum, without what is `released`. Of two figures of one second the larger is the newer: it only grows, but for
    /// failures.
    pub amount: i64,
    /// What was authorised and never taken. Stripe counts it as refunded once it is released, and may list it among the
    /// refunds; nobody had paid it.
    #[serde(default)]
    pub released: i64,
}

/// A movement of a dispute's money. The newest counts; of two in one second the reinstatement is the newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DisputeMovement {
    /// `created` of the event that told of it.
    pub said_at: i64,
    /// Whether the money came back.
    pub reinstated: bool,
    /// What was disputed then, in the currency's minor unit.
    pub amount: i64,
}

/// One dispute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Its newest movement, if money moved at all.
    pub movement: Option<DisputeMovement>,
    /// The newest status, with the `created` of the event that told it. Of two in one second the final one is the newer.
    pub status: Option<(i64, String)>,
}

/// All that went back of one payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversals {
    /// Refunds by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refunds: BTreeMap<String, Refund>,
    /// Newest figure of each charge.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, Figure>,
    /// Disputes by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disputes: BTreeMap<String, Dispute>,
}

/// How much of a payment's money went back, in the currency's minor unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// By refunds.
    pub refunded: i64,
    /// By disputes, beyond what was refunded anyway.
    pub withdrawn: i64,
    /// What was paid.
    pub paid: i64,
}

impl Reversals {
    /// Joins what was said elsewhere.
    pub fn join(&mut self, other: Self) {
        for (id, refund) in other.refunds {
            match self.refunds.get_mut(&id) {
                None => drop(self.refunds.insert(id, refund)),
                Some(known) => known.join(&refund),
            }
        }
        for (charge, figure) in other.figures {
            let known = self.figures.entry(charge).or_insert(figure);
            *known = figure.max(*known);
        }
        for (id, dispute) in other.disputes {
            self.disputes.entry(id).or_default().join(dispute);
        }
    }

    /// What of `paid` went back. Refund and dispute of the same money are taken once.
    pub fn taken(&self, paid: i64) -> Taken {
        let refunded = self.refunded().clamp(0, paid.max(0));
        let disputed = self.disputes.values();
        let disputed = disputed.fold(0_i64, |sum, dispute| sum.saturating_add(dispute.withdrawn()));
        let withdrawn = disputed.clamp(0, paid.saturating_sub(refunded).max(0));
        Taken { refunded, withdrawn, paid }
    }

    /// When money last went back by refunds, or stayed because one failed, in seconds since 1970.
    pub fn refunded_at(&self) -> Option<i64> {
        let refunds =
            self.refunds.values().map(|refund| refund.failed_at.unwrap_or(refund.given_at));
        let figures = self.figures.values().filter(|figure| figure.amount > 0);
        refunds.chain(figures.map(|figure| figure.said_at)).max()
    }

    /// When money last moved by disputes, in seconds since 1970.
    pub fn disputed_at(&self) -> Option<i64> {
        let moved = self.disputes.values().filter_map(|dispute| dispute.movement);
        moved.map(|movement| movement.said_at).max()
    }

    /// What refunds gave back of all charges together.
    fn refunded(&self) -> i64 {
        let named = self.refunds.values().filter_map(|refund| refund.charge.as_ref());
        let charges: BTreeSet<&String> = self.figures.keys().chain(named).collect();
        // A refund that does not say its charge is the only one's: then there is but one, or none that is known.
        let unnamed = charges.first().copied();
        let charges = charges.iter().map(|charge| Some(*charge));
        let charges = charges.chain(unnamed.is_none().then_some(None));
        charges.fold(0_i64, |sum, charge| {
            let of = |refund: &&Refund| refund.charge.as_ref().or(unnamed) == charge;
            let refunds: Vec<&Refund> = self.refunds.values().filter(of).collect();
            let figure = charge.and_then(|charge| self.figures.get(charge));
            sum.saturating_add(refunded_of_charge(&refunds, figure))
        })
    }
}

/// The larger of what a charge's refunds by id and its figure say. What was released may be a refund like any other in
/// their list, where nothing tells it from them: so much is taken off their sum, and the figure makes up for it where it
/// is not among them.
fn refunded_of_charge(refunds: &[&Refund], figure: Option<&Figure>) -> i64 {
    let given = refunds.iter().filter(|refund| refund.state == RefundState::Given);
    let by_id = given.fold(0_i64, |sum, refund| sum.saturating_add(refund.amount.max(0)));
    let Some(figure) = figure else { return by_id };
    let told = figure.amount.max(0);
    let by_figure = refunds.iter().fold(told, |sum, refund| refund.correct(sum, figure.said_at));
    by_id.saturating_sub(figure.released).max(by_figure)
}

impl Refund {
    /// The newest telling of one refund wins where it says worse.
    fn join(&mut self, other: &Self) {
        self.charge = self.charge.take().max(other.charge.clone());
        self.state = self.state.max(other.state);
        self.amount = self.amount.max(other.amount);
        self.given_at = self.given_at.min(other.given_at);
        self.failed_at = match (self.failed_at, other.failed_at) {
            (Some(one), Some(another)) => Some(one.min(another)),
            (one, another) => one.or(another),
        };
    }

    /// Brings the figure of its charge up to date: a younger refund is not in it, and one that failed since still is.
    fn correct(&self, figure: i64, said_at: i64) -> i64 {
        let is_younger = self.given_at > said_at;
        match self.state {
            RefundState::Given if is_younger => figure.saturating_add(self.amount.max(0)),
            RefundState::Failed if !is_younger && self.failed_at.is_some_and(|at| at > said_at) => {
                figure.saturating_sub(self.amount.max(0)).max(0)
            }
            RefundState::Given | RefundState::Failed => figure,
        }
    }
}

impl Dispute {
    /// What of its money is gone now, in the currency's minor unit.
    pub fn withdrawn(&self) -> i64 {
        let gone = self.movement.filter(|movement| !movement.reinstated);
        gone.map_or(0, |movement| movement.amount.max(0))
    }

    /// Whether it is still to be decided.
    pub fn is_open(&self) -> bool {
        self.status.as_ref().is_none_or(|(_, status)| !is_final(status))
    }

    fn join(&mut self, other: Self) {
        self.movement = self.movement.max(other.movement);
        // Of two in one second the final one is the newer.
        let tellings = self.status.take().into_iter().chain(other.status);
        self.status =
            tellings.max_by_key(|(said_at, status)| (*said_at, is_final(status), status.clone()));
    }
}

/// Whether a dispute of this status is decided.
fn is_final(status: &str) -> bool {
    ["won", "lost", "prevented", "warning_closed"].contains(&status)
}

impl Taken {
    /// Credits of a line that go back by refunds, and by disputes. Together they are one division, rounded down; when all
    /// the money is gone, so are all the credits.
    pub fn of(&self, credits: i64) -> (i64, i64) {
        let gone = self.refunded.saturating_add(self.withdrawn);
        let refund = share(credits, self.refunded, self.paid);
        let all = share(credits, gone, self.paid);
        (refund, all.saturating_sub(refund))
    }
}

/// `credits × part ÷ whole`, rounded down, between 0 and `credits`.
pub fn share(credits: i64, part: i64, whole: i64) -> i64 {
    if part <= 0 || whole <= 0 {
        return 0;
    }
    if part >= whole {
        return credits;
    }
    let product = i128::from(credits).saturating_mul(i128::from(part));
    product
        .checked_div(i128::from(whole))
        .and_then(|share| i64::try_from(share).ok())
        .unwrap_or(credits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refund(amount: i64, given_at: i64) -> Refund {
        Refund { charge: None, state: RefundState::Given, amount, given_at, failed_at: None }
    }

    fn failed(amount: i64, given_at: i64, failed_at: i64) -> Refund {
        Refund {
            state: RefundState::Failed,
            failed_at: Some(failed_at),
            ..refund(amount, given_at)
        }
    }

    fn dispute(amount: i64, movement: Option<(i64, bool)>) -> Dispute {
        let movement =
            movement.map(|(said_at, reinstated)| DisputeMovement { said_at, reinstated, amount });
        Dispute { movement, status: None }
    }

    fn reversals(
        refunds: &[Refund],
        figure: Option<(i64, i64)>,
        disputes: &[Dispute],
    ) -> Reversals {
        let mut reversals = Reversals::default();
        for (number, refund) in refunds.iter().enumerate() {
            reversals.refunds.insert(format!("re_{number}"), refund.clone());
        }
        for (number, dispute) in disputes.iter().enumerate() {
            reversals.disputes.insert(format!("dp_{number}"), dispute.clone());
        }
        if let Some((said_at, amount)) = figure {
            let figure = Figure { said_at, amount, released: 0 };
            reversals.figures.insert("ch_1".into(), figure);
        }
        reversals
    }

    #[track_caller]
    fn check(reversals: &Reversals, expected: (i64, i64)) {
        let taken = reversals.taken(1000);
        assert_eq!((taken.refunded, taken.withdrawn), expected, "{reversals:?}");
    }

    #[test]
    fn refunds_by_id_and_figures_are_the_same_money() {
        check(&reversals(&[], None, &[]), (0, 0));
        check(&reversals(&[refund(300, 10)], None, &[]), (300, 0));
        check(&reversals(&[refund(300, 10)], Some((10, 300)), &[]), (300, 0));
        check(&reversals(&[refund(300, 10), refund(200, 20)], Some((10, 300)), &[]), (500, 0));
        check(&reversals(&[], Some((10, 300)), &[]), (300, 0));
        check(&reversals(&[refund(800, 10), refund(800, 20)], None, &[]), (1000, 0));
    }

    #[test]
    fn a_failed_refund_gives_back() {
        check(&reversals(&[failed(300, 10, 20)], None, &[]), (0, 0));
        // The figure was said before it failed, or after.
        check(&reversals(&[failed(300, 10, 20)], Some((10, 300)), &[]), (0, 0));
        check(&reversals(&[failed(300, 10, 20)], Some((30, 0)), &[]), (0, 0));
        // Refunded again.
        check(&reversals(&[failed(300, 10, 20), refund(300, 30)], Some((10, 300)), &[]), (300, 0));
        check(&reversals(&[failed(300, 10, 20), refund(300, 30)], Some((30, 300)), &[]), (300, 0));
    }

    #[test]
    fn only_withdrawn_money_is_gone() {
        check(&reversals(&[], None, &[dispute(1000, None)]), (0, 0));
        check(&reversals(&[], None, &[dispute(1000, Some((10, false)))]), (0, 1000));
        check(&reversals(&[], None, &[dispute(1000, Some((10, true)))]), (0, 0));
        check(&reversals(&[refund(300, 5)], None, &[dispute(1000, Some((10, false)))]), (300, 700));
        check(
            &reversals(
                &[],
                None,
                &[dispute(400, Some((1, false))), dispute(900, Some((2, false)))],
            ),
            (0, 1000),
        );
    }

    #[test]
    fn the_newest_movement_counts_in_any_order() {
        let tellings = [
            dispute(1000, Some((10, false))),
            dispute(1000, Some((20, true))),
            dispute(1200, Some((30, false))),
        ];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut joined = Dispute::default();
            for which in order {
                joined.join(tellings[which].clone());
            }
            assert_eq!(joined, tellings[2]);
        }
    }

    #[test]
    fn a_full_reversal_takes_every_credit_and_parts_round_down_once() {
        let taken = Taken { refunded: 333, withdrawn: 333, paid: 1000 };
        assert_eq!(taken.of(10), (3, 3));
        assert_eq!(Taken { refunded: 999, withdrawn: 1, paid: 1000 }.of(7), (6, 1));
        assert_eq!(Taken { refunded: 1000, withdrawn: 0, paid: 1000 }.of(7), (7, 0));
        assert_eq!(Taken { refunded: 0, withdrawn: 0, paid: 0 }.of(7), (0, 0));
        assert_eq!(share(i64::MAX, i64::MAX - 1, i64::MAX), i64::MAX - 1);
        assert_eq!((share(7, 0, 10), share(7, -1, 10), share(7, 5, 0)), (0, 0, 0));
    }
}
