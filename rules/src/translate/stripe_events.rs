//! Stripe's events: which of them tell of a payment or a customer, and what.

use std::collections::{BTreeMap, BTreeSet};

use ledger::decision::Reason;
use serde_json::Value;
use stripe::envelope::{self, Envelope};
use stripe::event_type::{Class, classify};
use stripe::objects::{
    Charge, Customer, Found, PaymentIntent, Session, UnsupportedShape, id_shaped_values,
};

use super::Logged;
use crate::customer;
use crate::evidence::{Evidence, Kind, user_id};
use crate::hashing::EvidenceKey;
use crate::news::{News, PaymentNews};
use crate::payment::{Claims, Door, Facts, Progress, Told};
use crate::policy::Policy;

/// Metadata keys that say what was bought. Of two spellings, both are read.
const PRICE_KEYS: [&str; 2] = ["price", "price_id"];

/// Translates an event of Stripe's.
pub(super) fn translate(
    event: &Logged<'_>,
    body: &[u8],
    policy: &Policy,
    key: &EvidenceKey,
) -> News {
    let parsed = match stripe::json::parse(body) {
        Ok(parsed) => parsed,
        Err(problem) => return malformed(&problem),
    };
    let envelope = match envelope::read(&parsed) {
        Ok(envelope) => envelope,
        Err(problem) => return malformed(&problem),
    };
    let class = classify(&envelope.event_type, envelope.thin);
    let reader = Reader { event, envelope: &envelope, policy, key };
    let object = envelope::data_object(&parsed).unwrap_or(&Value::Null);
    let read = match class {
        Class::Unhandled => return News::Nothing(Reason::UnhandledType),
        Class::Deferred => return News::Nothing(Reason::NotUnderstoodYet),
        Class::Session => reader.session(object),
        Class::PaymentIntent => reader.payment_intent(object),
        Class::Charge => reader.charge(object),
        Class::Customer => reader.customer(object),
    };
    read.unwrap_or_else(|problem| News::Unreadable {
        reason: Reason::UnsupportedShape,
        error: problem.to_string(),
    })
}

fn malformed(problem: &impl ToString) -> News {
    News::Unreadable { reason: Reason::Malformed, error: problem.to_string() }
}

/// One event, being read.
struct Reader<'a> {
    event: &'a Logged<'a>,
    envelope: &'a Envelope,
    policy: &'a Policy,
    key: &'a EvidenceKey,
}

/// What the views of a session, a payment intent and a charge have in common.
struct Purchase<'a> {
    door: Door,
    /// Name of the object in evidence.
    name: &'static str,
    id: &'a str,
    /// Objects of the same payment that it names.
    names: [Option<&'a str>; 2],
    customer: Option<&'a str>,
    metadata: &'a BTreeMap<String, String>,
    emails: &'a [Found],
    payers: &'a [Found],
    paid: bool,
    amount: Option<i64>,
    currency: Option<&'a str>,
}

impl Reader<'_> {
    fn session(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let session = Session::read(object)?;
        let is_setup = || object.get("setup_intent").is_some_and(|intent| !intent.is_null());
        match session.mode.as_deref() {
            Some("payment") => {}
            Some("setup") => return Ok(News::Nothing(Reason::SetupMode)),
            Some(_) => return Ok(News::Nothing(Reason::NotUnderstoodYet)),
            // Sessions of 2019 do not say their mode: what they refer to does.
            None if session.subscription.is_some() => {
                return Ok(News::Nothing(Reason::NotUnderstoodYet));
            }
            None if session.payment_intent.is_none() && is_setup() => {
                return Ok(News::Nothing(Reason::SetupMode));
            }
            None => {}
        }
        let Some(payment_status) = session.payment_status.as_deref() else {
            return Err(UnsupportedShape { path: "payment_status".into(), expected: "there" });
        };
        let mut news = self.purchase(
            object,
            &Purchase {
                door: Door::Session,
                name: "checkout.session",
                id: &session.id,
                names: [session.payment_intent.as_deref(), session.invoice.as_deref()],
                customer: session.customer.as_deref(),
                metadata: &session.metadata,
                emails: &session.emails,
                payers: &session.names,
                paid: matches!(payment_status, "paid" | "no_payment_required"),
                amount: session.amount_total,
                currency: session.currency.as_deref(),
            },
        );
        if let Some(user) = session.client_reference_id.as_deref().and_then(user_id) {
            let at = "checkout.session.client_reference_id".to_owned();
            news.facts.evidence.insert(Evidence {
                kind: Kind::ClientReference,
                at,
                value: user.to_owned(),
            });
        }
        Ok(News::Payment(news))
    }

    fn payment_intent(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let intent = PaymentIntent::read(object)?;
        Ok(News::Payment(self.purchase(
            object,
            &Purchase {
                door: Door::PaymentIntent,
                name: "payment_intent",
                id: &intent.id,
                names: [intent.latest_charge.as_deref(), intent.invoice.as_deref()],
                customer: intent.customer.as_deref(),
                metadata: &intent.metadata,
                emails: &intent.emails,
                payers: &intent.names,
                paid: intent.status.as_deref() == Some("succeeded"),
                amount: intent.amount_received.or(intent.amount),
                currency: intent.currency.as_deref(),
            },
        )))
    }

    fn charge(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let charge = Charge::read(object)?;
        // Charges of before 2015 have no status but say that they are paid; those of before 2014 say no more than that.
        let succeeded = charge
            .status
            .as_deref()
            .map_or_else(|| charge.paid == Some(true), |status| status == "succeeded");
        Ok(News::Payment(self.purchase(
            object,
            &Purchase {
                door: Door::Charge,
                name: "charge",
                id: &charge.id,
                names: [charge.payment_intent.as_deref(), charge.invoice.as_deref()],
                customer: charge.customer.as_deref(),
                metadata: &charge.metadata,
                emails: &charge.emails,
                payers: &charge.names,
                paid: succeeded && charge.paid != Some(false) && charge.captured != Some(false),
                amount: charge.amount,
                currency: charge.currency.as_deref(),
            },
        )))
    }

    fn customer(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let customer = Customer::read(object)?;
        let mut evidence = BTreeSet::new();
        self.add_metadata(&mut evidence, "customer", &customer.metadata);
        self.add_hashed(&mut evidence, "customer", Kind::Email, &customer.emails);
        self.add_hashed(&mut evidence, "customer", Kind::Name, &customer.names);
        let facts = customer::Facts { said_at: self.said_at(), pos: self.event.pos, evidence };
        Ok(News::Customer { key: self.envelope.key(&customer.id), facts })
    }

    fn purchase(&self, object: &Value, purchase: &Purchase<'_>) -> PaymentNews {
        let id = self.envelope.key(purchase.id);
        let mut evidence = BTreeSet::new();
        self.add_metadata(&mut evidence, purchase.name, purchase.metadata);
        self.add_hashed(&mut evidence, purchase.name, Kind::Email, purchase.emails);
        self.add_hashed(&mut evidence, purchase.name, Kind::Name, purchase.payers);
        self.add_id_shaped(&mut evidence, purchase.name, object);
        let told = Told {
            door: purchase.door,
            progress: if purchase.paid { Progress::Paid } else { Progress::Pending },
            amount: purchase.amount,
            currency: purchase.currency.map(str::to_lowercase),
        };
        let named = purchase.names.iter().flatten().map(|other| self.envelope.key(other));
        let facts = Facts {
            objects: BTreeMap::from([(id.clone(), told)]),
            customers: purchase
                .customer
                .map(|customer| self.envelope.key(customer))
                .into_iter()
                .collect(),
            evidence,
            claims: claims(purchase.metadata),
            paid_at: purchase.paid.then(|| self.said_at()),
            ..Facts::default()
        };
        let root_key = self.envelope.root_key.clone().unwrap_or_else(|| id.clone());
        PaymentNews { objects: named.chain([id, root_key.clone()]).collect(), root_key, facts }
    }

    /// Stripe's `created`, in seconds since 1970; when it was received, if the event does not say.
    fn said_at(&self) -> i64 {
        self.envelope.created.unwrap_or(self.event.occurred_at).as_second()
    }

    fn add_metadata(
        &self,
        evidence: &mut BTreeSet<Evidence>,
        name: &str,
        metadata: &BTreeMap<String, String>,
    ) {
        for field in &self.policy.user_id_keys {
            if let Some(user) = metadata.get(field).and_then(|text| user_id(text)) {
                let at = format!("{name}.metadata.{field}");
                evidence.insert(Evidence { kind: Kind::Metadata, at, value: user.to_owned() });
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
    }

    fn add_hashed(
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
    fn add_id_shaped(&self, evidence: &mut BTreeSet<Evidence>, name: &str, object: &Value) {
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

fn claims(metadata: &BTreeMap<String, String>) -> Claims {
    let all = |fields: &[&str]| {
        let texts = fields.iter().filter_map(|field| metadata.get(*field)).map(|text| text.trim());
        texts.filter(|text| !text.is_empty()).map(str::to_owned).collect()
    };
    Claims {
        prices: all(&PRICE_KEYS),
        quantities: all(&["quantity"]),
        credits: all(&["credits"]),
        units: all(&["unit"]),
    }
}
