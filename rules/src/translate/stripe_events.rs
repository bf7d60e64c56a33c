//! Stripe's events: which of them tell of a payment or a customer, and what. The objects are read in the modules beside.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ledger::decision::Reason;
use serde_json::Value;
use stripe::envelope;
use stripe::event_type::{Class, SessionEvent, classify, classify_object, object_at};
use stripe::objects::{Found, id_shaped_values};

use super::Logged;
use crate::customer;
use crate::evidence::{Evidence, Kind, user_id};
use crate::fetching::{account_of, thin_key};
use crate::hashing::EvidenceKey;
use crate::news::{News, PaymentNews};
use crate::payment::{Door, Facts, Progress, Told};
use crate::policy::Policy;
use crate::reference::{Terms, is_reference};

/// Translates an event of Stripe's, or an object that was fetched from it.
pub(super) fn translate(
    event: &Logged<'_>,
    body: &[u8],
    policy: &Policy,
    key: &EvidenceKey,
) -> News {
    let said = said(event, body, policy, key);
    match event.answers {
        Some(key) => News::Fetched { key: key.to_owned(), said: Box::new(said) },
        None => said,
    }
}

fn said(event: &Logged<'_>, body: &[u8], policy: &Policy, key: &EvidenceKey) -> News {
    let parsed = match stripe::json::parse(body) {
        Ok(parsed) => parsed,
        Err(problem) => return malformed(&problem),
    };
    let heard = match Heard::of(event, &parsed) {
        Ok(heard) => heard,
        Err(problem) => return malformed(&problem),
    };
    let reader = Reader { event, heard: &heard, policy, key };
    let read = match heard.class {
        Class::Unhandled => return News::Nothing(Reason::UnhandledType),
        Class::Deferred => return News::Nothing(Reason::NotUnderstoodYet),
        Class::Thin => return reader.thin(&parsed),
        Class::Session => reader.session(heard.object),
        Class::PaymentIntent => reader.payment_intent(heard.object),
        Class::Charge => reader.charge(heard.object),
        Class::Invoice => reader.invoice(heard.object),
        Class::InvoicePayment => reader.invoice_payment(heard.object),
        Class::CreditNote => reader.credit_note(heard.object),
        Class::Order => reader.order(heard.object),
        Class::Refund => reader.refund(heard.object),
        Class::Dispute => reader.dispute(heard.object),
        Class::EarlyFraudWarning => reader.early_fraud_warning(heard.object),
        Class::Customer => reader.customer(heard.object),
        Class::Subscription => reader.subscription(heard.object),
    };
    read.unwrap_or_else(|problem| News::Unreadable {
        reason: Reason::UnsupportedShape,
        error: problem.to_string(),
    })
}

fn malformed(problem: &impl ToString) -> News {
    News::Unreadable { reason: Reason::Malformed, error: problem.to_string() }
}

/// What was said, whichever way it came.
pub(super) struct Heard<'a> {
    pub(super) class: Class,
    /// The event's type; empty for an object that was fetched.
    pub(super) event_type: String,
    account: Option<String>,
    /// Best name for the payment.
    root: Option<String>,
    /// Stripe's `created`, in seconds since 1970.
    said_at: i64,
    object: &'a Value,
}

impl<'a> Heard<'a> {
    fn of(event: &Logged<'_>, parsed: &'a Value) -> Result<Self, String> {
        let occurred_at = event.occurred_at.as_second();
        if let Some(answers) = event.answers {
            let class = parsed.get("object").and_then(Value::as_str).and_then(classify_object);
            return Ok(Self {
                class: class.ok_or("what was fetched is no object that is known")?,
                event_type: String::new(),
                account: account_of(answers).map(str::to_owned),
                root: envelope::root_of(parsed),
                said_at: occurred_at,
                object: parsed,
            });
        }
        let envelope = envelope::read(parsed).map_err(|problem| problem.to_string())?;
        let root = envelope.root_key.clone();
        Ok(Self {
            class: classify(&envelope.event_type, envelope.thin),
            said_at: envelope.created.map_or(occurred_at, Timestamp::as_second),
            root: root.map(|root| root.rsplit('/').next().unwrap_or_default().to_owned()),
            account: envelope.account,
            event_type: envelope.event_type,
            object: envelope::data_object(parsed).unwrap_or(&Value::Null),
        })
    }
}

impl Heard<'_> {
    /// An id of Stripe's, made unique across accounts.
    fn id(&self, id: &str) -> String {
        self.account.as_ref().map_or_else(|| id.to_owned(), |account| format!("{account}/{id}"))
    }
}

/// One event, being read.
pub(super) struct Reader<'a> {
    pub(super) event: &'a Logged<'a>,
    pub(super) heard: &'a Heard<'a>,
    pub(super) policy: &'a Policy,
    key: &'a EvidenceKey,
}

impl Reader<'_> {
    /// An id of Stripe's, made unique across accounts.
    pub(super) fn id(&self, id: &str) -> String {
        self.heard.id(id)
    }

    /// Stripe's `created`, in seconds since 1970; when it was received, if the event does not say.
    pub(super) const fn said_at(&self) -> i64 {
        self.heard.said_at
    }

    /// Whether the business's own server set the metadata: whoever has a connected account of his own can set them, too.
    pub(super) fn has_own_metadata(&self) -> bool {
        let trusted = self.policy.trusted_accounts.as_ref();
        let account = self.heard.account.as_ref();
        account.zip(trusted).is_none_or(|(account, trusted)| trusted.contains(account))
    }

    /// News of a payment to which all of these objects belong. The first that is there names it, if the event has no
    /// better name.
    pub(super) fn payment(&self, objects: &[Option<&str>], facts: Facts) -> PaymentNews {
        let objects: Vec<String> = objects.iter().flatten().map(|id| self.id(id)).collect();
        let root = self.heard.root.as_deref().map(|root| self.id(root));
        let root_key = root.or_else(|| objects.first().cloned()).unwrap_or_default();
        let objects = objects.into_iter().chain([root_key.clone()]).collect();
        PaymentNews { root_key, objects, facts, customers: BTreeMap::new() }
    }

    /// A thin event only names its object. That has to be fetched, unless the event's type says what the object never will.
    fn thin(&self, event: &Value) -> News {
        let Some(path) = envelope::thin_paths(event).object else {
            return News::Unreadable {
                reason: Reason::UnsupportedShape,
                error: "a thin event whose object has no path in Stripe's API".into(),
            };
        };
        let failed = SessionEvent::of(&self.heard.event_type) == Some(SessionEvent::PaymentFailed);
        match object_at(&path) {
            Some(("checkout.session", id)) if failed => self.failed_session(id),
            _ => {
                let account = self.heard.account.as_deref();
                News::ToFetch(thin_key(account, &path, self.event.pos))
            }
        }
    }

    /// A session whose payment failed stays as it was while the payment was under way.
    fn failed_session(&self, id: &str) -> News {
        let (door, progress) = (Door::Session, Progress::Failed);
        let told = Told { door, progress, amount: None, currency: None };
        let objects = BTreeMap::from([(self.id(id), told)]);
        News::Payment(Box::new(self.payment(&[Some(id)], Facts { objects, ..Facts::default() })))
    }

    /// What a customer or subscription says of itself, as evidence for its payments.
    pub(super) fn shared(&self, evidence: BTreeSet<Evidence>) -> customer::Facts {
        customer::Facts::of_object(self.event.pos, self.said_at(), evidence)
    }

    /// Records whom metadata names. What its signed references say that were in force when its object was created.
    pub(super) fn add_metadata(
        &self,
        evidence: &mut BTreeSet<Evidence>,
        name: &str,
        metadata: &BTreeMap<String, String>,
        created: i64,
    ) -> Vec<Terms> {
        for field in &self.policy.user_id_keys {
            let text = metadata.get(field).filter(|text| !is_reference(text));
            if let Some(user) = text.and_then(|text| user_id(text)) {
                let at = format!("{name}.metadata.{field}");
                let kind =
                    if self.has_own_metadata() { Kind::Metadata } else { Kind::ClientReference };
                evidence.insert(Evidence { kind, at, value: user.to_owned() });
            }
        }
        for field in &self.policy.email_keys {
            if let Some(value) = metadata.get(field).and_then(|email| self.key.hash_text(email)) {
                evidence.insert(Evidence {
                    kind: Kind::Email,
                    at: format!("{name}.metadata.{field}"),
                    value,
                });
            }
        }
        self.add_references(evidence, name, metadata, created)
    }

    pub(super) fn add_hashed(
        &self,
        evidence: &mut BTreeSet<Evidence>,
        name: &str,
        kind: Kind,
        found: &[Found],
    ) {
        for Found { path, value } in found {
            if let Some(value) = self.key.hash_text(value) {
                evidence.insert(Evidence { kind, at: format!("{name}.{path}"), value });
            }
        }
    }

    /// UUIDs that stand anywhere but where a user is named on purpose.
    pub(super) fn add_id_shaped(
        &self,
        evidence: &mut BTreeSet<Evidence>,
        name: &str,
        object: &Value,
    ) {
        for Found { path, value } in id_shaped_values(object) {
            let named = path
                .strip_prefix("metadata.")
                .is_some_and(|field| self.policy.user_id_keys.iter().any(|k| k == field));
            if !named && path != "client_reference_id" {
                evidence.insert(Evidence {
                    kind: Kind::IdShaped,
                    at: format!("{name}.{path}"),
                    value,
                });
            }
        }
    }
}
