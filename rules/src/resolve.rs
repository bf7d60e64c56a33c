//! Whose a payment is: the verdict over all evidence. Evidence is weighed, never guessed from: what names nobody for
//! sure, or several, is a case (DESIGN, section 6).

use std::collections::{BTreeMap, BTreeSet};

use ledger::decision::Reason;

use crate::admission::may_add;
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
    /// A person decided that it is this user's, and evidence that came since names others: it stays where it is until a
    /// person looks at it again.
    Contested {
        /// User.
        user: String,
        /// Who it may be.
        candidates: Vec<Candidate>,
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

/// Where a payment's credits stand already, and what was weighed when they were posted: against that user only what was
/// told since is weighed. What payments share (links, customers, the directory) never moves an applied payment.
#[derive(Clone, Copy, Debug)]
pub struct Applied<'a> {
    /// Whose it is by what was weighed.
    pub user: &'a str,
    /// The payment's facts by which it was decided.
    pub weighed: &'a Facts,
}

/// Weighs all evidence on a payment; on an applied one, what is new.
pub fn resolve(world: &World, facts: &Facts, applied: Option<Applied<'_>>) -> Resolved {
    let evidence = gather(world, facts, applied);
    // What was credited of a payment that a person dismissed stays where that person saw it.
    if let Some(Applied { user, .. }) = applied.filter(|_| facts.is_dismissed()) {
        let verdict = Verdict::User { user: user.to_owned(), rank: Kind::Staff.rank() };
        return Resolved { evidence, verdict };
    }
    if let Some(staff) = evidence.first().filter(|piece| piece.kind == Kind::Staff) {
        let user = staff.value.clone();
        let verdict = if facts.is_contested() {
            Verdict::Contested { user, candidates: candidates(world, &evidence) }
        } else {
            Verdict::User { user, rank: Kind::Staff.rank() }
        };
        return Resolved { evidence, verdict };
    }
    let mut named = named_users(&evidence);
    let verdict = match (named.pop_first(), named.is_empty()) {
        (None, _) => open(world, facts, &evidence, Reason::NoEvidence, None),
        (Some(_), false) => open(world, facts, &evidence, Reason::Conflict, None),
        (Some((user, rank)), true) => {
            let is_known = applied.is_some()
                || world.users.contains_key(&user)
                || may_add(world, &evidence, &user);
            match doubt(world, &evidence, &user, rank, is_known) {
                None => Verdict::User { user, rank },
                Some(Reason::Conflict) => open(world, facts, &evidence, Reason::Conflict, None),
                Some(reason) => open(world, facts, &evidence, reason, Some(user)),
            }
        }
    };
    Resolved { evidence, verdict }
}

/// What speaks against the one user that is named: a verified e-mail of another's, that nobody knows him, or that only
/// an unsigned reference names him.
fn doubt(
    world: &World,
    evidence: &[Evidence],
    user: &str,
    rank: i16,
    is_known: bool,
) -> Option<Reason> {
    if owners_of_verified_emails(world, evidence).any(|owner| owner != user) {
        Some(Reason::Conflict)
    } else if !is_known {
        Some(Reason::UnknownUser)
    } else if rank >= Kind::ClientReference.rank() && !world.policy.accept_unsigned_reference {
        Some(Reason::UnsignedOnly)
    } else {
        None
    }
}

fn gather(world: &World, facts: &Facts, applied: Option<Applied<'_>>) -> Vec<Evidence> {
    let mut evidence = facts.evidence.clone();
    let mut customers = facts.customers.clone();
    if let Some(StaffVerdict::Assign { user, .. }) =
        facts.staff.as_ref().map(|staff| &staff.verdict)
    {
        evidence.insert(Evidence { kind: Kind::Staff, at: "staff".into(), value: user.clone() });
    }
    if let Some(Applied { user, weighed }) = applied {
        evidence.retain(|piece| piece.kind != Kind::Email || !knows_email(weighed, &piece.value));
        customers.retain(|customer| !weighed.customers.contains(customer));
        evidence.insert(taken_for(user));
    }
    for customer in customers {
        if let Some(known) = world.customers.get(&customer) {
            evidence.extend(known.evidence().cloned());
        }
        if let Some(user) = world.links.get(&customer) {
            let by = world.linked_by.get(&customer).map(|payment| format!(" (payment {payment})"));
            let (at, value) = (format!("{customer}{}", by.unwrap_or_default()), user.clone());
            evidence.insert(Evidence { kind: Kind::Link, at, value });
        }
    }
    evidence.into_iter().collect()
}

/// That a payment was taken for a user's.
pub(crate) fn taken_for(user: &str) -> Evidence {
    Evidence { kind: Kind::Link, at: "this payment".into(), value: user.to_owned() }
}

fn knows_email(facts: &Facts, hash: &str) -> bool {
    facts.evidence.iter().any(|piece| piece.kind == Kind::Email && piece.value == hash)
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
    // A link, or what Stripe says of the customer anew, can settle each of these.
    let mut waits_for: BTreeSet<String> =
        facts.customers.iter().map(|customer| format!("customer:{customer}")).collect();
    if let (Reason::UnknownUser, Some(user)) = (reason, &claimant) {
        waits_for.insert(format!("user:{user}"));
    }
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
            Kind::Staff | Kind::Signed | Kind::Link | Kind::Metadata | Kind::ClientReference => {
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
            Kind::BadReference | Kind::Created => {}
        }
    }
    found
}
