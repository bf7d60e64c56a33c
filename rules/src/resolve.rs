//! Whose a payment is: the verdict over all evidence. Evidence is weighed, never guessed from: what names nobody for
//! sure, or several, is a case (DESIGN, section 6).

use std::collections::{BTreeMap, BTreeSet};

use ledger::decision::Reason;

use crate::evidence::{Evidence, Kind, user_id};
use crate::payment::{Facts, StaffVerdict};
use crate::world::{Candidate, World};

/// What was gathered, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// All evidence, in the order of its rank.
    pub evidence: Vec<Evidence>,
    /// The verdict.
    pub verdict: Verdict,
}

/// Whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This user's.
    User {
        /// User.
        user: String,
        /// Rank of the best evidence that names him.
        rank: i16,
    },
    /// That is open.
    Open {
        /// Why.
        reason: Reason,
        /// What would settle it.
        waits_for: BTreeSet<String>,
        /// Who it may be.
        candidates: Vec<Candidate>,
        /// The one user whom all evidence names, though it does not suffice.
        claimant: Option<String>,
    },
}

/// Weighs all evidence on a payment.
///
/// `applied_to` is the user to whom its credits were posted already: then only what its own objects say is weighed
/// against him, and what payments share (links, customers) is not, for it never moves an applied payment.
pub fn resolve(world: &World, facts: &Facts, applied_to: Option<&str>) -> Resolved {
    let evidence = gather(world, facts, applied_to);
    if let Some(staff) = evidence.first().filter(|piece| piece.kind == Kind::Staff) {
        let verdict = Verdict::User { user: staff.value.clone(), rank: Kind::Staff.rank() };
        return Resolved { evidence, verdict };
    }
    let named = named_users(&evidence);
    let verdict = match named.len() {
        0 => open(world, facts, &evidence, Reason::NoEvidence, None),
        1 => named.into_iter().next().map_or_else(
            || open(world, facts, &evidence, Reason::NoEvidence, None),
            |(user, rank)| judge_one(world, facts, &evidence, user, rank),
        ),
        _ => open(world, facts, &evidence, Reason::Conflict, None),
    };
    Resolved { evidence, verdict }
}

/// The one user that is named: known, not contradicted by a verified e-mail, and named well enough?
fn judge_one(
    world: &World,
    facts: &Facts,
    evidence: &[Evidence],
    user: String,
    rank: i16,
) -> Verdict {
    if owners_of_verified_emails(world, evidence).any(|owner| *owner != user) {
        open(world, facts, evidence, Reason::Conflict, None)
    } else if rank >= Kind::ClientReference.rank() && !world.policy.accept_unsigned_reference {
        open(world, facts, evidence, Reason::UnsignedOnly, Some(user))
    } else if world.users.contains_key(&user) {
        Verdict::User { user, rank }
    } else {
        open(world, facts, evidence, Reason::UnknownUser, Some(user))
    }
}

fn gather(world: &World, facts: &Facts, applied_to: Option<&str>) -> Vec<Evidence> {
    let mut evidence: BTreeSet<Evidence> = facts.evidence.clone();
    if let Some(StaffVerdict::Assign { user, .. }) =
        facts.staff.as_ref().map(|staff| &staff.verdict)
    {
        evidence.insert(Evidence { kind: Kind::Staff, at: "staff".into(), value: user.clone() });
    }
    if let Some(user) = applied_to {
        evidence.insert(Evidence {
            kind: Kind::Link,
            at: "this payment".into(),
            value: user.to_owned(),
        });
    } else {
        for customer in &facts.customers {
            if let Some(user) = world.links.get(customer) {
                evidence.insert(Evidence {
                    kind: Kind::Link,
                    at: customer.clone(),
                    value: user.clone(),
                });
            }
            if let Some(known) = world.customers.get(customer) {
                evidence.extend(known.evidence.iter().cloned());
            }
        }
    }
    evidence.into_iter().collect()
}

/// Users that evidence of the ranks 1 to 4 names, each with its best rank.
fn named_users(evidence: &[Evidence]) -> BTreeMap<String, i16> {
    let mut named = BTreeMap::new();
    for piece in evidence.iter().filter(|piece| piece.kind.names_a_user()) {
        if let Some(user) = user_id(&piece.value) {
            let best = named.entry(user.to_owned()).or_insert(i16::MAX);
            *best = piece.kind.rank().min(*best);
        }
    }
    named
}

fn owners_of_verified_emails<'a>(
    world: &'a World,
    evidence: &'a [Evidence],
) -> impl Iterator<Item = &'a String> {
    evidence.iter().filter(|piece| piece.kind == Kind::Email).flat_map(|piece| {
        let owns = |user: &crate::world::User| {
            user.email_verified && user.email.as_ref() == Some(&piece.value)
        };
        world.users.iter().filter(move |(_, user)| owns(user)).map(|(id, _)| id)
    })
}

fn open(
    world: &World,
    facts: &Facts,
    evidence: &[Evidence],
    reason: Reason,
    claimant: Option<String>,
) -> Verdict {
    let waits_for = match (reason, &claimant) {
        (Reason::UnknownUser, Some(user)) => BTreeSet::from([format!("user:{user}")]),
        (Reason::NoEvidence | Reason::UnsignedOnly, _) => {
            facts.customers.iter().map(|customer| format!("customer:{customer}")).collect()
        }
        _ => BTreeSet::new(),
    };
    Verdict::Open { reason, waits_for, candidates: candidates(world, evidence), claimant }
}

/// Everyone whom any evidence points to, with the reasons, in the order of the evidence's rank.
fn candidates(world: &World, evidence: &[Evidence]) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    let mut add = |user: &str, why: String| {
        if let Some(known) = found.iter_mut().find(|candidate| candidate.user == user) {
            known.why = format!("{}; {why}", known.why);
        } else {
            found.push(Candidate { user: user.to_owned(), why });
        }
    };
    for piece in evidence {
        let at = &piece.at;
        match piece.kind {
            Kind::Staff | Kind::Link | Kind::Metadata | Kind::ClientReference => {
                if let Some(user) = user_id(&piece.value) {
                    let stranger = if world.users.contains_key(user) {
                        ""
                    } else {
                        ", but is not in the directory"
                    };
                    add(user, format!("named by {at}{stranger}"));
                }
            }
            Kind::Email => {
                for (user, known) in world
                    .users
                    .iter()
                    .filter(|(_, known)| known.email.as_ref() == Some(&piece.value))
                {
                    let verified = if known.email_verified { "verified" } else { "unverified" };
                    add(user, format!("the e-mail in {at} is their {verified} e-mail"));
                }
            }
            Kind::IdShaped => {
                if world.users.contains_key(&piece.value) {
                    add(&piece.value, format!("their id stands in {at}"));
                }
            }
            Kind::Name => {
                for (user, _) in world
                    .users
                    .iter()
                    .filter(|(_, known)| known.name.as_ref() == Some(&piece.value))
                {
                    add(user, format!("the name in {at} is theirs"));
                }
            }
        }
    }
    found
}
