//! Stories, word for word: this text is what support staff read out to customers.

mod payments;
mod reasons;
mod reassigned;
mod reversals;
mod users;

use jiff::Timestamp;
use ledger::account::SystemAccount;
use ledger::decision::{Outcome, Reason};
use ledger::ids::{CaseId, Owner, PostingId};
use serde_json::{Value, json};
use store::log::{Origin, Source};
use store::read::cases::{Case, Resolution};
use store::read::decisions::{Decision, Verdict};
use store::read::events::Envelope;
use store::read::explain::Fact;
use store::read::payments::{Leg, Movement, Payment, Status};

use super::Tale;
use super::material::Material;

/// The hour in which all of this happens.
fn at(minute: i64) -> Timestamp {
    let hour: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
    hour.checked_add(jiff::SignedDuration::from_mins(minute)).unwrap()
}

/// A payment of 12.00 USD and 500 credits of which nothing is posted.
fn payment(owner: Option<Owner>, status: Status) -> Material {
    let posted = if owner.is_some() { 500 } else { 0 };
    Material {
        payment: Some(Payment {
            root_key: "pi_1".into(),
            status,
            paid: Some(1200),
            currency: Some("usd".into()),
            claimant: Some("u_1".into()),
            owner,
            first_pos: 1,
            version: 1,
            facts: json!({}),
        }),
        legs: vec![Leg {
            line: "price:price_1".into(),
            leg: "purchase",
            unit: "credits".into(),
            expected: 500,
            target: posted,
            posted,
            forgiven: 0,
        }],
        ..Material::default()
    }
}

impl Material {
    /// Stripe tells at this minute; the position is that of the minute as well.
    fn told(mut self, minute: i64, kind: &str) -> Self {
        let event = envelope(minute, Origin::Stripe, &format!("evt_{minute}"), kind);
        self.events.insert(minute, event);
        self
    }

    /// Stripe tells of this object at this minute.
    fn said(mut self, minute: i64, kind: &str, object: Value) -> Self {
        self.said.insert(minute, object);
        self.told(minute, kind)
    }

    /// So much is posted of the refund and the dispute leg.
    fn taken(mut self, refunded: i64, disputed: i64) -> Self {
        for (leg, posted) in [("refund", refunded), ("dispute", disputed)] {
            if posted != 0 {
                let line = self.legs[0].line.clone();
                let unit = self.legs[0].unit.clone();
                self.legs.push(Leg {
                    line,
                    leg,
                    unit,
                    expected: 0,
                    target: posted,
                    posted,
                    forgiven: 0,
                });
            }
        }
        self
    }

    /// What the payment's facts say of what went back.
    fn reversals(mut self, reversals: &Value) -> Self {
        self.payment.as_mut().unwrap().facts = json!({ "reversals": reversals });
        self
    }

    /// Somebody else tells at this minute.
    fn fact(mut self, minute: i64, origin: Origin, kind: &str, body: Value) -> Self {
        self.events.insert(minute, envelope(minute, origin, &format!("own_{minute}"), kind));
        let (event_type, received_at) = (kind.to_owned(), at(minute));
        self.facts.insert(minute, Fact { pos: minute, event_type, received_at, body });
        self.actors.insert("key_1".into(), "Maria".into());
        self
    }

    /// A decision at this minute, of the event at `pos`, released by the event at `cause`.
    fn decided(
        mut self,
        minute: i64,
        pos: i64,
        cause: Option<i64>,
        reason: Reason,
        evidence: Value,
    ) -> Self {
        let rev = self.decisions.iter().filter(|decision| decision.pos == pos).count();
        let rank = evidence.get(0).and_then(|piece| piece["rank"].as_i64());
        self.decisions.push(Decision {
            pos,
            rev: rev.try_into().unwrap(),
            verdict: Verdict { outcome: reason.outcome(), reason },
            root_key: self.payment.as_ref().map(|payment| payment.root_key.clone()),
            account_id: None,
            rank: rank.and_then(|rank| rank.try_into().ok()),
            rules_version: 2,
            catalogue_version: None,
            evidence: Some(evidence),
            cause_pos: cause,
            decided_at: at(minute),
        });
        self
    }

    /// A movement in the name of the newest decision.
    fn moved(
        mut self,
        owner: Owner,
        contra: SystemAccount,
        amount: i64,
        balance_after: i64,
    ) -> Self {
        let newest = self.decisions.last().unwrap();
        self.movements.push(Movement {
            id: PostingId { account: owner.account_id(), unit: "credits".into(), seq: 1 },
            owner,
            contra,
            line: Some("price:price_1".into()),
            amount,
            balance_after,
            decision: Some((newest.pos, newest.rev)),
            recorded_at: newest.decided_at,
        });
        self
    }

    /// A case, closed by the event at the position given.
    fn case(
        mut self,
        reason: Reason,
        closed: Option<(Resolution, i64)>,
        detail: Value,
        waits: &[&str],
    ) -> Self {
        let id = case_id();
        let root_key = self.payment.as_ref().map(|payment| payment.root_key.clone());
        self.cases.push(Case {
            id,
            pos: 1,
            root_key,
            reason,
            resolution: closed.map(|(resolution, _)| resolution),
            version: 1,
            opened_at: at(1),
            due: (reason == Reason::Waiting).then(|| at(16)),
            closed_at: closed.map(|(_, pos)| at(pos)),
            closed_pos: closed.map(|(_, pos)| pos),
            detail,
        });
        self.waits.extend(waits.iter().map(|key| (id, (*key).to_owned())));
        self
    }
}

fn case_id() -> CaseId {
    CaseId("00000000-0000-8000-8000-00000000000c".parse().unwrap())
}

fn envelope(pos: i64, origin: Origin, source_id: &str, kind: &str) -> Envelope {
    Envelope {
        pos,
        origin,
        source: if origin == Origin::Stripe { Source::Webhook } else { Source::Api },
        account: String::new(),
        source_id: source_id.to_owned(),
        event_type: kind.to_owned(),
        root_key: None,
        livemode: Some(false),
        api_version: None,
        endpoint: None,
        occurred_at: at(pos),
        received_at: at(pos),
        body_sha256: vec![0xab; 32],
        body_bytes: Some(2),
        is_signed: origin == Origin::Stripe,
        verdict: Some(Verdict { outcome: Outcome::Applied, reason: Reason::Operated }),
    }
}

fn user() -> Owner {
    Owner::User("u_1".into())
}

fn unclaimed() -> Owner {
    Owner::Unclaimed("pi_1".into())
}

fn metadata(user: &str) -> Value {
    json!([{"rank": 3, "kind": "metadata", "at": "checkout.session.metadata.user_id", "value": user}])
}

#[track_caller]
fn check(tale: &Tale, title: &str, beats: &[&str], now: &str) {
    let told: Vec<String> = tale
        .beats
        .iter()
        .map(|beat| format!("{} {}", &beat.at.to_string()[14..16], beat.text))
        .collect();
    assert_eq!(told, beats);
    assert_eq!((tale.title.as_str(), tale.now.as_str()), (title, now));
}

#[track_caller]
fn check_payment(material: &Material, title: &str, beats: &[&str], now: &str) {
    check(&super::story::tell(material), title, beats, now);
}

const CASE: &str = "case_0000000000008000800000000000000c";
