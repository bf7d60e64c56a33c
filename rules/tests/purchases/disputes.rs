//! Disputes: only money that is withdrawn is gone, and what is reinstated is back, to the credit.

use rules::world::LegKind::{Dispute, Purchase};
use serde_json::json;

use super::bodies::{at, dispute, dispute_as, event, refund};
use super::reversals::{bought, check, legs};

#[test]
fn only_withdrawn_money_is_gone_and_what_is_reinstated_is_back() {
    // Won.
    check(&[
        (dispute("created", "dp_1", 1190, 10), 100),
        (dispute("funds_withdrawn", "dp_1", 1190, 11), 0),
        (dispute_as("updated", "dp_1", (1190, "under_review"), 20), 0),
        (dispute("funds_reinstated", "dp_1", 1190, 30), 100),
        (dispute_as("closed", "dp_1", (1190, "won"), 30), 100),
    ]);
    // Lost.
    check(&[
        (dispute("funds_withdrawn", "dp_1", 1190, 11), 0),
        (dispute_as("closed", "dp_1", (1190, "lost"), 30), 0),
    ]);
    // Reinstated before it is decided, and then lost after all.
    check(&[
        (dispute("funds_withdrawn", "dp_1", 1190, 10), 0),
        (dispute("funds_reinstated", "dp_1", 1190, 20), 100),
        (dispute("funds_withdrawn", "dp_1", 1190, 30), 0),
    ]);
    let mut engine = bought();
    engine.tell(&dispute("funds_withdrawn", "dp_1", 1190, 11));
    assert_eq!(legs(&engine), [(Purchase, 100), (Dispute, -100)]);
}

#[test]
fn inquiries_and_what_was_prevented_move_nothing() {
    for status in ["warning_needs_response", "warning_under_review", "warning_closed", "prevented"]
    {
        check(&[
            (dispute_as("created", "dp_1", (1190, status), 10), 100),
            (dispute_as("updated", "dp_1", (1190, status), 20), 100),
            (dispute_as("closed", "dp_1", (1190, status), 30), 100),
        ]);
    }
    // An inquiry that becomes a dispute.
    check(&[
        (dispute_as("created", "dp_1", (1190, "warning_needs_response"), 10), 100),
        (dispute("funds_withdrawn", "dp_1", 1190, 20), 0),
    ]);
    let warning = json!({"id": "issfr_1", "object": "radar.early_fraud_warning", "charge": "ch_1", "actionable": true});
    check(&[(event("radar.early_fraud_warning.created", &warning), 100)]);
}

#[test]
fn a_dispute_may_be_about_more_or_less_than_the_charge() {
    check(&[
        (dispute("funds_withdrawn", "dp_1", 5_000, 10), 0),
        (dispute("funds_reinstated", "dp_1", 5_000, 20), 100),
    ]);
    check(&[
        (dispute("funds_withdrawn", "dp_1", 357, 10), 70),
        (dispute("funds_reinstated", "dp_1", 357, 20), 100),
    ]);
    // What was withdrawn counts, not what was first asked for.
    check(&[
        (dispute("created", "dp_1", 1190, 10), 100),
        (dispute("funds_withdrawn", "dp_1", 595, 10), 50),
        (dispute_as("closed", "dp_1", (1190, "lost"), 20), 50),
    ]);
}

#[test]
fn two_disputes_of_one_charge_are_two() {
    check(&[
        (dispute("funds_withdrawn", "dp_1", 357, 10), 70),
        (dispute("funds_withdrawn", "dp_2", 238, 20), 50),
        (dispute("funds_reinstated", "dp_1", 357, 30), 80),
        (dispute_as("closed", "dp_2", (238, "lost"), 40), 80),
    ]);
    check(&[
        (dispute("funds_withdrawn", "dp_1", 1190, 10), 0),
        (dispute("funds_withdrawn", "dp_2", 1190, 20), 0),
        (dispute("funds_reinstated", "dp_2", 1190, 30), 0),
        (dispute("funds_reinstated", "dp_1", 1190, 40), 100),
    ]);
}

#[test]
fn refund_and_dispute_of_the_same_money_take_it_once() {
    check(&[
        (refund("re_1", 1190, 10, "succeeded"), 0),
        (dispute("funds_withdrawn", "dp_1", 1190, 20), 0),
        (dispute("funds_reinstated", "dp_1", 1190, 30), 0),
    ]);
    check(&[
        (refund("re_1", 357, 10, "succeeded"), 70),
        (dispute("funds_withdrawn", "dp_1", 1190, 20), 0),
        (dispute("funds_reinstated", "dp_1", 1190, 30), 70),
    ]);
    // The dispute is of the rest only.
    check(&[
        (refund("re_1", 357, 10, "succeeded"), 70),
        (dispute("funds_withdrawn", "dp_1", 833, 20), 0),
        (at(40, refund("re_1", 357, 10, "failed")), 30),
    ]);
}

#[test]
fn a_dispute_is_open_until_its_status_is_final() {
    for (status, is_open) in [
        ("needs_response", true),
        ("under_review", true),
        ("warning_needs_response", true),
        ("invented", true),
        ("won", false),
        ("lost", false),
        ("prevented", false),
        ("warning_closed", false),
    ] {
        let mut engine = bought();
        engine.tell(&dispute_as("updated", "dp_1", (1190, status), 20));
        if !is_open {
            // Of one second with it.
            engine.tell(&dispute_as("updated", "dp_1", (1190, "zzz_under_review"), 20));
        }
        engine.tell(&dispute_as("created", "dp_1", (1190, "needs_response"), 10));
        let disputes = &engine.payment().facts.reversals.disputes;
        assert_eq!(disputes["dp_1"].is_open(), is_open, "{status}");
    }
}
