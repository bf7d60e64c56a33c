//! What was decided, and why, in sentences: the rest of a beat.

use ledger::decision::{Outcome, Reason};
use rules::world::Detail;
use store::read::cases::{Case, Resolution};
use store::read::decisions::Decision;

use super::material::Material;
use super::movements::moved;
use super::reversals::{concerns, only_tells};
use super::words::{and, candidates, evidence_of, is_contested, named, sentences};

/// What to say of an act that came to nothing.
pub(super) const TOO_LATE: &str = "By then it had changed, so this had no effect.";

/// What became of an event when it was decided first. `is_news` is false if the same was said of the payment before.
pub(super) fn first(material: &Material, decision: &Decision, is_news: bool) -> String {
    let moved = moved(material, decision);
    match decision.verdict.outcome {
        Outcome::InReview => in_review(material, decision, is_news, moved),
        Outcome::Applied | Outcome::Ignored | Outcome::Deferred => {
            sentences([settled(material, decision), moved])
        }
    }
}

/// What a later decision changed; `None` if it changed nothing that is worth a word.
pub(super) fn revised(material: &Material, decision: &Decision) -> Option<String> {
    let moved = moved(material, decision);
    if decision.verdict.reason == Reason::Joined && moved.is_none() {
        return None;
    }
    let closed = decision.cause_pos.and_then(|cause| {
        let closed_by = |case: &&Case| case.closed_pos == Some(cause);
        material.cases.iter().find(closed_by)
    });
    let begin = match (closed, decision.cause_pos) {
        (Some(case), _) => close(case),
        (None, Some(_)) => "So the payment was decided anew.".to_owned(),
        (None, None) => {
            format!("It was decided anew by newer rules (version {}).", decision.rules_version)
        }
    };
    let rest = match decision.verdict.outcome {
        Outcome::InReview => in_review(material, decision, true, moved),
        Outcome::Applied | Outcome::Ignored | Outcome::Deferred => {
            sentences([moved, settled(material, decision)])
        }
    };
    Some(sentences([Some(begin), Some(rest)]))
}

/// How a case ended.
fn close(case: &Case) -> String {
    let id = case.id;
    match case.resolution {
        Some(Resolution::Healed) => format!("So case {id} healed by itself and is closed."),
        Some(Resolution::Assigned) => format!("So case {id} is closed as assigned."),
        Some(Resolution::Dismissed) => format!("So case {id} is closed as dismissed."),
        Some(Resolution::Superseded) => format!("Another case took the place of case {id}."),
        Some(Resolution::Expired) => format!("So case {id} is closed: nothing had come."),
        None => format!("So case {id} was decided anew."),
    }
}

/// What a decision that needs nobody says beyond what moved.
fn settled(material: &Material, decision: &Decision) -> Option<String> {
    let kind = material.events.get(&decision.pos).map(|event| event.event_type.as_str());
    let kind = kind.unwrap_or_default();
    let text = match decision.verdict.reason {
        Reason::Joined if only_tells(kind) => "That alone moves no money, so nothing moved.",
        Reason::Joined if concerns(kind) => {
            "That changes nothing of what we knew, so nothing moved."
        }
        Reason::Pending if concerns(kind) => {
            "What was bought with that money we do not know yet. Once we do, this counts."
        }
        Reason::Joined => "It tells of a purchase that we knew already, so nothing moved.",
        Reason::Pending => "The money is not in yet, so nothing was credited.",
        Reason::Evidence => "We keep it as evidence of whose this customer's payments are.",
        Reason::UnhandledType => {
            "Events of this type move no credits: it was kept, and nothing else."
        }
        Reason::SetupMode => "The checkout only stored a way to pay; nothing was bought.",
        Reason::NotOurs => "It does not concern credits that we keep, so nothing was credited.",
        Reason::Dismissed => "A person decided that no credits are due.",
        Reason::Stale => TOO_LATE,
        Reason::NotUnderstoodYet => {
            "It may move credits, but this version does not understand it yet: it is kept, and will be decided by one that \
             does."
        }
        Reason::Credited
        | Reason::Registered
        | Reason::Catalogued
        | Reason::Operated
        | Reason::Erased
        | Reason::UnknownUser
        | Reason::NoEvidence
        | Reason::Conflict
        | Reason::UnsignedOnly
        | Reason::UnknownPrice
        | Reason::CreditsMismatch
        | Reason::Malformed
        | Reason::UnsupportedShape
        | Reason::Error
        | Reason::Waiting => return None,
    };
    Some(text.to_owned())
}

/// Why it waits, what was set aside meanwhile, and in which case.
fn in_review(
    material: &Material,
    decision: &Decision,
    is_news: bool,
    moved: Option<String>,
) -> String {
    let reason = decision.verdict.reason;
    let case = material.cases.iter().find(|case| case.reason == reason);
    if !is_news {
        let wait = case.map(|case| {
            format!(
                "It tells of the purchase that waits in case {}, so nothing else happened.",
                case.id
            )
        });
        return sentences([wait, moved]);
    }
    let detail = case.map(|case| serde_json::from_value(case.detail.clone()).unwrap_or_default());
    let why = why(decision, &detail.unwrap_or_default());
    let opened = case.map(|case| format!("Case {} was opened for it.", case.id));
    sentences([Some(why), moved, opened])
}

/// Why a person, or a further fact, is needed.
#[expect(clippy::wildcard_enum_match_arm, reason = "only reasons of cases come here")]
fn why(decision: &Decision, detail: &Detail) -> String {
    let evidence = evidence_of(decision.evidence.as_ref());
    let users = and(&named(&evidence));
    let places = |ranks: std::ops::RangeInclusive<i16>| {
        let naming = evidence.iter().filter(|piece| ranks.contains(&piece.rank));
        and(&naming.map(|piece| piece.evidence.at.clone()).collect::<Vec<_>>())
    };
    let may_be = candidates(&detail.candidates);
    let error = detail.error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
    match decision.verdict.reason {
        Reason::UnknownUser => format!(
            "It could not be credited: it names user {users} (in {}), and the directory knows no such user.",
            places(0..=4)
        ),
        Reason::NoEvidence => match may_be {
            Some(who) => format!(
                "It could not be credited: nothing in it says for certain whose it is. It may belong to {who}, but that \
                 alone proves nothing."
            ),
            None => "It could not be credited: nothing in it says whose it is.".to_owned(),
        },
        Reason::Conflict if is_contested(&evidence) => format!(
            "It contradicts what a person decided, so nothing moved. The payment may belong to {}.",
            may_be.unwrap_or_default()
        ),
        Reason::Conflict => match may_be {
            Some(who) => format!("It could not be credited, because the evidence contradicts itself. It may belong to {who}."),
            None => "It could not be credited, because the evidence contradicts itself.".to_owned(),
        },
        Reason::UnsignedOnly => format!(
            "It could not be credited: only {} names a user ({users}), and that is unsigned, so a buyer could have typed \
             it in.",
            places(4..=4)
        ),
        Reason::UnknownPrice => {
            "It could not be credited: nothing says how many credits it is worth.".to_owned()
        }
        Reason::CreditsMismatch => {
            format!("It could not be credited: what is said about its worth does not fit together{error}.")
        }
        Reason::Malformed => format!("The bytes cannot be read as an event{error}."),
        Reason::UnsupportedShape => format!("A part of it has a shape that we cannot read{error}."),
        Reason::Error => format!("Deciding it failed again and again{error}."),
        Reason::Waiting => {
            "By itself it names no user, price or credits, so it waits a while for the checkout or the invoice that it may \
             belong to."
                .to_owned()
        }
        other => format!("It is in review: {}.", other.name()),
    }
}
