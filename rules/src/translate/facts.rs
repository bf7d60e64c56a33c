//! Our own facts: what operators, the directory, the catalogue and the clock put into the log.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::chain::to_microseconds;
use ledger::decision::Reason;
use ledger::ids::CaseId;
use serde::Deserialize;
use uuid::Uuid;

use crate::catalogue::{Said, is_moment};
use crate::hashing::EvidenceKey;
use crate::imported::is_object_of_payment;
use crate::news::{Act, ActKind, CatalogueNews, Importing, News, Reassignment, Registration};
use crate::payment::StaffVerdict;
use crate::worth::{is_credits, is_unit};

/// A fact, by its type.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum Fact {
    #[serde(rename = "tally.user.registered")]
    Registered {
        user: String,
        email: Option<String>,
        #[serde(default)]
        email_verified: bool,
        name: Option<String>,
        #[serde(default)]
        metadata: BTreeMap<String, String>,
    },
    #[serde(rename = "tally.catalogue.set")]
    CatalogueSet {
        price: String,
        valid_from: Option<Timestamp>,
        #[serde(flatten)]
        said: Said,
    },
    #[serde(rename = "tally.case.assigned")]
    Assigned { case: Uuid, version: i32, user: String, credits: Option<i64>, unit: Option<String> },
    #[serde(rename = "tally.case.dismissed")]
    Dismissed {
        case: Uuid,
        version: i32,
        #[serde(default)]
        write_off: bool,
    },
    #[serde(rename = "tally.case.retried")]
    Retried { case: Uuid, version: i32 },
    #[serde(rename = "tally.case.due")]
    Due { case: Uuid, version: i32 },
    #[serde(rename = "tally.payment.reassigned")]
    Reassigned { payment: String, version: i64, user: String },
    #[serde(rename = "tally.payment.imported")]
    Imported {
        payment: String,
        user: String,
        credits: i64,
        unit: Option<String>,
        #[serde(default)]
        reversed: i64,
        paid: Option<i64>,
        currency: Option<String>,
        paid_at: Option<Timestamp>,
    },
    #[serde(rename = "tally.event.erased")]
    Erased {},
}

/// Translates a fact.
pub(super) fn translate(body: &[u8], told_at: Timestamp, key: &EvidenceKey) -> News {
    match serde_json::from_slice(body) {
        Ok(fact) => news(fact, told_at, key),
        Err(error) => malformed(&error),
    }
}

fn malformed(problem: &impl ToString) -> News {
    let error = format!("a fact of our own: {}", problem.to_string());
    News::Unreadable { reason: Reason::Malformed, error }
}

fn news(fact: Fact, told_at: Timestamp, key: &EvidenceKey) -> News {
    match fact {
        Fact::Registered { user, email, email_verified, name, metadata } => {
            News::User(Registration {
                email_hash: email.as_deref().and_then(|email| key.hash_text(email)),
                name_hash: name.as_deref().and_then(|name| key.hash_text(name)),
                user,
                email,
                email_verified,
                name,
                metadata: serde_json::json!(metadata).to_string(),
            })
        }
        Fact::CatalogueSet { price: key, valid_from, said } => match said.judge() {
            _ if valid_from.is_some_and(|moment| !is_moment(moment)) => {
                malformed(&"a catalogue entry that counts from before 1970")
            }
            Ok(entry) => {
                let valid_from = valid_from.map(to_microseconds);
                News::Price(CatalogueNews { key, entry, valid_from, told_at })
            }
            Err(refusal) => malformed(&refusal),
        },
        Fact::Assigned { case, version, user, credits: None, .. } => {
            let verdict = StaffVerdict::Assign { user, worth: None };
            act(case, version, ActKind::Settle { verdict, write_off: false })
        }
        Fact::Assigned { case, version, user, credits: Some(credits), unit } => {
            let Some(worth) = worth(credits, unit) else { return no_worth() };
            let verdict = StaffVerdict::Assign { user, worth: Some(worth) };
            act(case, version, ActKind::Settle { verdict, write_off: false })
        }
        Fact::Dismissed { case, version, write_off } => {
            act(case, version, ActKind::Settle { verdict: StaffVerdict::Dismiss, write_off })
        }
        Fact::Retried { case, version } => act(case, version, ActKind::Retry),
        Fact::Due { case, version } => act(case, version, ActKind::Due),
        Fact::Reassigned { payment, version, user } => {
            News::Reassigned(Reassignment { payment, version, user })
        }
        Fact::Imported { payment, user, credits, unit, reversed, paid, currency, paid_at } => {
            let Some(worth) = worth(credits, unit) else { return no_worth() };
            let is_money = paid.is_none_or(|paid| paid >= 0);
            if !is_object_of_payment(&payment) || !(0..=credits).contains(&reversed) || !is_money {
                return malformed(&"no payment that another system can have credited");
            }
            let paid_at = paid_at.map(Timestamp::as_second);
            let said = Importing { payment, user, worth, reversed, paid, currency, paid_at };
            News::Imported(Box::new(said))
        }
        Fact::Erased {} => News::Erased,
    }
}

/// So many credits of a unit, if they can be.
fn worth(credits: i64, unit: Option<String>) -> Option<(i64, String)> {
    let unit = unit.unwrap_or_else(|| ledger::DEFAULT_UNIT.into());
    (is_credits(credits) && is_unit(&unit)).then_some((credits, unit))
}

fn no_worth() -> News {
    malformed(&"no number of credits and name of a unit that can be")
}

fn act(case: Uuid, version: i32, kind: ActKind) -> News {
    News::Act(Act { case: CaseId(case), version, kind })
}
