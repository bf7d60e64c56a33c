//! The story of a payment, or of an event that belongs to none: who told us what, what was decided and why, what moved.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use ledger::decision::{Outcome, Reason};
use store::read::decisions::Decision;
use store::read::events::Envelope;

use super::decided::{TOO_LATE, first, revised};
use super::material::Material;
use super::told::{proof, told};
use super::words::sentences;
use super::{Beat, Tale, standing};

/// A decision that came later than this after its event has a beat of its own.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(60);

/// A beat with what it is sorted by: time, the position that set it off, and its number within that.
type Sorted = (Timestamp, i64, i32, Beat);

/// Tells the story.
pub(super) fn tell(material: &Material) -> Tale {
    let mut beats: Vec<Sorted> = Vec::new();
    let mut said: BTreeSet<Reason> = BTreeSet::new();
    let firsts = material.decisions.iter().filter(|decision| decision.rev == 0);
    for event in material.events.values() {
        let decision = firsts.clone().find(|decision| decision.pos == event.pos);
        begin(material, event, decision, &mut said, &mut beats);
    }
    let mut released: BTreeSet<(Option<i64>, Reason)> = BTreeSet::new();
    for decision in material.decisions.iter().filter(|decision| decision.rev > 0) {
        if released.insert((decision.cause_pos, decision.verdict.reason))
            && let Some(text) = revised(material, decision)
        {
            let set_off = decision.cause_pos.unwrap_or(decision.pos);
            let position = Some(decision.pos);
            let beat = Beat { at: decision.decided_at, position, text, proof: None };
            beats.push((beat.at, set_off, decision.rev, beat));
        }
    }
    beats.sort();
    let beats = beats.into_iter().map(|(_, _, _, beat)| beat).collect();
    Tale { title: standing::title(material), beats, now: standing::now(material) }
}

/// What was told, and what was first decided of it: in one beat if that came at once.
fn begin(
    material: &Material,
    event: &Envelope,
    decision: Option<&Decision>,
    said: &mut BTreeSet<Reason>,
    beats: &mut Vec<Sorted>,
) {
    let told = told(material, event, decision.is_some());
    let heard = |text| {
        let (at, proof) = (event.received_at, Some(proof(event)));
        (at, event.pos, 0, Beat { at, position: Some(event.pos), text, proof })
    };
    let Some(decision) = decision else {
        let text = sentences([Some(told), outcome_elsewhere(event)]);
        beats.push(heard(text));
        return;
    };
    let is_news =
        decision.verdict.outcome != Outcome::InReview || said.insert(decision.verdict.reason);
    let decided = first(material, decision, is_news);
    if decision.decided_at.duration_since(event.received_at) <= AT_ONCE {
        let text = sentences([Some(told), Some(decided)]);
        beats.push(heard(text));
    } else {
        beats.push(heard(told));
        if !decided.is_empty() {
            let text = format!("The event at position {} was decided. {decided}", event.pos);
            let (at, position) = (decision.decided_at, Some(event.pos));
            beats.push((at, event.pos, 0, Beat { at, position, text, proof: None }));
        }
    }
}

/// What to say of an event that has no decision in this story: an act that came to nothing, or one that waits.
fn outcome_elsewhere(event: &Envelope) -> Option<String> {
    match event.verdict {
        None => Some("It is not decided yet.".to_owned()),
        Some(verdict) if verdict.reason == Reason::Stale => Some(TOO_LATE.to_owned()),
        Some(_) => None,
    }
}
