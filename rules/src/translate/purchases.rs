//! What was bought and paid: sessions, payment intents, charges, invoices and what ties them together.

use std::collections::{BTreeMap, BTreeSet};

use ledger::decision::Reason;
use serde_json::Value;
use stripe::event_type::{Class, SessionEvent};
use stripe::objects::{
    Charge, CreditNote, Found, Invoice, InvoicePayment, Order, PaymentIntent, Session,
    UnsupportedShape,
};

use super::lists::{names_of, of_items, of_lines};
use super::references::{claims_of, claims_of_client_reference};
use super::stripe_events::Reader;
use crate::bought::List;
use crate::customer;
use crate::evidence::Kind;
use crate::news::{News, PaymentNews};
use crate::payment::{Claims, Door, Facts, Progress, Told};
use crate::reference::Terms;
use crate::reversal::{self, Figure};

/// Metadata keys that say what was bought. Of two spellings, both are read.
const PRICE_KEYS: [&str; 2] = ["price", "price_id"];

/// What the views of a session, a payment intent, a charge and an invoice have in common.
struct Purchase<'a> {
    door: Door,
    /// Name of the object in evidence.
    name: &'static str,
    id: &'a str,
    /// Objects of the same payment that it names.
    names: Vec<Option<&'a str>>,
    /// Customer and subscription.
    payers: [Option<&'a str>; 2],
    metadata: &'a BTreeMap<String, String>,
    emails: &'a [Found],
    people: &'a [Found],
    progress: Progress,
    amount: Option<i64>,
    currency: Option<&'a str>,
}

impl Reader<'_> {
    pub(super) fn session(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let session = Session::read(object)?;
        let is_setup = || object.get("setup_intent").is_some_and(|intent| !intent.is_null());
        // Sessions of 2019 do not say their mode: what they refer to does.
        let is_subscription = match session.mode.as_deref() {
            Some("payment") => false,
            Some("subscription") => true,
            Some("setup") => return Ok(News::Nothing(Reason::SetupMode)),
            Some(_) => return Ok(News::Nothing(Reason::NotUnderstoodYet)),
            None if session.subscription.is_some() => true,
            None if session.payment_intent.is_none() && is_setup() => {
                return Ok(News::Nothing(Reason::SetupMode));
            }
            None => false,
        };
        if is_subscription {
            return Ok(self.subscription_session(object, &session));
        }
        let news =
            self.purchase(object, &Self::session_purchase(&session, self.progress(&session)?));
        Ok(told(self.with_reference(news, object, &session)))
    }

    /// How far a session of payment mode has come: what the event says, else the object.
    fn progress(&self, session: &Session) -> Result<Progress, UnsupportedShape> {
        match SessionEvent::of(&self.heard.event_type) {
            Some(SessionEvent::PaymentSucceeded) => return Ok(Progress::Paid),
            Some(SessionEvent::PaymentFailed | SessionEvent::Expired) => {
                return Ok(Progress::Failed);
            }
            Some(SessionEvent::Completed) | None => {}
        }
        match session.payment_status.as_deref() {
            Some("unpaid") if session.status.as_deref() == Some("expired") => Ok(Progress::Failed),
            None => Err(UnsupportedShape { path: "payment_status".into(), expected: "there" }),
            Some("paid" | "no_payment_required") => Ok(Progress::Paid),
            Some(_) => Ok(Progress::Pending),
        }
    }

    /// In subscription mode the invoice is paid for, and the session only says whose customer and subscription they are.
    fn subscription_session(&self, object: &Value, session: &Session) -> News {
        let mut shared = BTreeSet::new();
        let created = self.created(object);
        self.add_metadata(&mut shared, "checkout.session", &session.metadata, created);
        // Its invoice has no such field. What is not signed stays with the session: anybody could have put it there.
        self.add_client_reference(&mut shared, session, created);
        shared.retain(|piece| piece.kind != Kind::ClientReference);
        let payers = [&session.customer, &session.subscription];
        let payers = payers.into_iter().flatten().filter(|_| self.came_to_something(session));
        let facts = || customer::Facts::of_session(self.event.pos, shared.clone());
        let customers: BTreeMap<_, _> = payers.map(|id| (self.id(id), facts())).collect();
        if session.invoice.is_none() {
            return News::Customers(customers);
        }
        let purchase = Self::session_purchase(session, Progress::Pending);
        let mut news = self.with_reference(self.purchase(object, &purchase), object, session);
        // What was bought, the invoice's lines say.
        news.facts.claims = Claims { credits: news.facts.claims.credits, ..Claims::default() };
        told(PaymentNews { customers, ..news })
    }

    /// Whether a session was completed and paid, so far as it says: who left it, or whose payment failed, need not be whose
    /// customer it names.
    fn came_to_something(&self, session: &Session) -> bool {
        let is_complete = session.status.as_deref().is_none_or(|status| status == "complete");
        is_complete && !matches!(self.progress(session), Ok(Progress::Pending | Progress::Failed))
    }

    fn session_purchase(session: &Session, progress: Progress) -> Purchase<'_> {
        Purchase {
            door: Door::Session,
            name: "checkout.session",
            id: &session.id,
            names: vec![session.payment_intent.as_deref(), session.invoice.as_deref()],
            payers: [session.customer.as_deref(), session.subscription.as_deref()],
            metadata: &session.metadata,
            emails: &session.emails,
            people: &session.names,
            progress,
            amount: session.amount_total,
            currency: session.currency.as_deref(),
        }
    }

    fn with_reference(
        &self,
        mut news: PaymentNews,
        object: &Value,
        session: &Session,
    ) -> PaymentNews {
        let created = self.created(object);
        let terms = self.add_client_reference(&mut news.facts.evidence, session, created);
        news.facts.claims.join(claims_of_client_reference(session, terms.as_ref()));
        if let Some(items) = &session.line_items {
            let list = List { complete: true, said_at: self.said_at(), lines: of_items(items) };
            news.facts.lists.insert(self.id(&session.id), list);
            news.facts.names = names_of(items.iter().filter_map(|item| item.price.as_ref()));
        }
        news
    }

    pub(super) fn payment_intent(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let intent = PaymentIntent::read(object)?;
        let charges = intent.charges.iter().map(|charge| Some(charge.id.as_str()));
        let names = [intent.latest_charge.as_deref(), intent.invoice.as_deref()];
        let progress = match intent.status.as_deref() {
            Some("succeeded") => Progress::Paid,
            Some("canceled") => Progress::Failed,
            _ if self.heard.event_type == "payment_intent.canceled" => Progress::Failed,
            _ => Progress::Pending,
        };
        let mut news = self.purchase(
            object,
            &Purchase {
                door: Door::PaymentIntent,
                name: "payment_intent",
                id: &intent.id,
                names: names.into_iter().chain(charges).collect(),
                payers: [intent.customer.as_deref(), None],
                metadata: &intent.metadata,
                emails: &intent.emails,
                people: &intent.names,
                progress,
                amount: intent.amount_received.or(intent.amount),
                currency: intent.currency.as_deref(),
            },
        );
        for charge in &intent.charges {
            self.add_refunds(&mut news.facts, charge);
        }
        Ok(told(news))
    }

    pub(super) fn charge(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let charge = Charge::read(object)?;
        // Charges of before 2015 have no status but say that they are paid; those of before 2014 say no more than that.
        let succeeded = charge
            .status
            .as_deref()
            .map_or_else(|| charge.paid == Some(true), |status| status == "succeeded");
        let paid = succeeded && charge.paid != Some(false) && charge.captured != Some(false);
        let progress = match self.heard.event_type.as_str() {
            _ if paid => Progress::Paid,
            // What was authorised was never taken. A failed charge is no end: another may pay the same payment intent.
            "charge.expired" => Progress::Failed,
            _ => Progress::Pending,
        };
        let mut news = self.purchase(
            object,
            &Purchase {
                door: Door::Charge,
                name: "charge",
                id: &charge.id,
                names: vec![charge.payment_intent.as_deref(), charge.invoice.as_deref()],
                payers: [charge.customer.as_deref(), None],
                metadata: &charge.metadata,
                emails: &charge.emails,
                people: &charge.names,
                progress,
                amount: taken_by(&charge),
                currency: charge.currency.as_deref(),
            },
        );
        self.add_refunds(&mut news.facts, &charge);
        Ok(told(news))
    }

    /// An order that was paid, by the charge that it names.
    pub(super) fn order(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let order = Order::read(object)?;
        let purchase = Purchase {
            door: Door::Charge,
            name: "order",
            id: &order.id,
            names: vec![order.charge.as_deref()],
            payers: [order.customer.as_deref(), None],
            metadata: &order.metadata,
            emails: &order.emails,
            people: &order.names,
            progress: Progress::Paid,
            // What was paid its charge says: told of both, the same money would count twice.
            amount: order.amount.filter(|_| order.charge.is_none()),
            currency: order.currency.as_deref(),
        };
        Ok(told(self.purchase(object, &purchase)))
    }

    /// What a charge says was given back of it.
    fn add_refunds(&self, facts: &mut Facts, charge: &Charge) {
        if let Some(amount) =
            charge.amount_refunded.filter(|amount| *amount > 0 || self.is_charge())
        {
            let released = released(charge, amount);
            let figure = Figure {
                said_at: self.said_at(),
                amount: amount.saturating_sub(released),
                released,
            };
            facts.reversals.figures.insert(self.id(&charge.id), figure);
        }
        for refund in charge.refunds.iter().flatten() {
            if let Some(read) = self.refund_fact(refund) {
                let charge = Some(self.id(&charge.id));
                let read = reversal::Refund { charge, ..read };
                facts.reversals.refunds.insert(self.id(&refund.id), read);
            }
        }
    }

    /// Whether the charge itself is told, and not only the payment intent in which it stands.
    fn is_charge(&self) -> bool {
        self.heard.class == Class::Charge
    }

    pub(super) fn invoice(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let invoice = Invoice::read(object)?;
        let payments = invoice.payments.iter().flatten();
        let paid_by =
            payments.flat_map(|paid| [paid.payment_intent.as_deref(), paid.charge.as_deref()]);
        let names = [invoice.payment_intent.as_deref(), invoice.charge.as_deref()];
        // Before 2018-11-08 invoices have no status but say whether they are paid.
        let progress = match (invoice.status.as_deref(), invoice.paid) {
            (Some("paid"), _) | (None, Some(true)) => Progress::Paid,
            (Some("void" | "uncollectible"), _) => Progress::Failed,
            _ => Progress::Pending,
        };
        let mut news = self.purchase(
            object,
            &Purchase {
                door: Door::Invoice,
                name: "invoice",
                id: &invoice.id,
                names: names.into_iter().chain(paid_by).collect(),
                payers: [invoice.customer.as_deref(), invoice.subscription.as_deref()],
                metadata: &invoice.metadata,
                emails: &invoice.emails,
                people: &invoice.names,
                progress,
                amount: invoice.amount_paid.or(invoice.total),
                currency: invoice.currency.as_deref(),
            },
        );
        let (at, metadata) = ("invoice.subscription_details", &invoice.subscription_metadata);
        let created = self.created(object);
        let signed = self.add_metadata(&mut news.facts.evidence, at, metadata, created);
        news.facts.claims.credits.extend(self.claims(metadata, &signed).credits);
        let lines = invoice.lines.iter().flatten();
        news.facts.names = names_of(lines.filter_map(|line| line.price.as_ref()));
        let (complete, lines) = (invoice.lines.is_some(), of_lines(invoice.lines.iter().flatten()));
        let list = List { complete, said_at: self.said_at(), lines };
        news.facts.lists.insert(self.id(&invoice.id), list);
        Ok(told(news))
    }

    /// Ties an invoice to what paid it (since Basil).
    pub(super) fn invoice_payment(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let paid = InvoicePayment::read(object)?;
        let names =
            [paid.payment_intent.as_deref(), paid.charge.as_deref(), paid.invoice.as_deref()];
        Ok(told(self.payment(&names, Facts::default())))
    }

    /// A correction of an invoice. The money that it gives back, its refunds tell.
    pub(super) fn credit_note(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let note = CreditNote::read(object)?;
        Ok(match note.invoice.as_deref() {
            Some(invoice) => told(self.payment(&[Some(invoice)], Facts::default())),
            None => News::Nothing(Reason::UnhandledType),
        })
    }

    fn purchase(&self, object: &Value, purchase: &Purchase<'_>) -> PaymentNews {
        let mut evidence = BTreeSet::new();
        let (metadata, created) = (purchase.metadata, self.created(object));
        let signed = self.add_metadata(&mut evidence, purchase.name, metadata, created);
        self.add_hashed(&mut evidence, purchase.name, Kind::Email, purchase.emails);
        self.add_hashed(&mut evidence, purchase.name, Kind::Name, purchase.people);
        self.add_id_shaped(&mut evidence, purchase.name, object);
        let told = Told {
            door: purchase.door,
            progress: purchase.progress,
            amount: purchase.amount,
            currency: purchase.currency.map(str::to_lowercase),
        };
        let is_paid = purchase.progress == Progress::Paid;
        let facts = Facts {
            objects: BTreeMap::from([(self.id(purchase.id), told)]),
            customers: purchase.payers.iter().flatten().map(|id| self.id(id)).collect(),
            evidence,
            claims: self.claims(metadata, &signed),
            paid_at: is_paid.then(|| self.said_at()),
            ..Facts::default()
        };
        let mut objects = vec![Some(purchase.id)];
        objects.extend(&purchase.names);
        self.payment(&objects, facts)
    }

    /// What metadata say was bought, if they are one's own, and the references that stand in them.
    fn claims(&self, metadata: &BTreeMap<String, String>, signed: &[Terms]) -> Claims {
        let own = Some(metadata).filter(|_| self.has_own_metadata());
        let all = |fields: &[&str]| {
            let texts = fields.iter().filter_map(|field| own?.get(*field)).map(|text| text.trim());
            texts.filter(|text| !text.is_empty()).map(str::to_owned).collect()
        };
        let mut claims = Claims {
            prices: all(&PRICE_KEYS),
            quantities: all(&["quantity"]),
            credits: all(&["credits"]),
            units: all(&["unit"]),
        };
        for terms in signed {
            claims.join(claims_of(terms));
        }
        claims
    }
}

/// What a charge took: none while it is only authorised. Old charges do not say how much of it was captured: all.
fn taken_by(charge: &Charge) -> Option<i64> {
    if charge.captured == Some(false) {
        return None;
    }
    charge.amount_captured.filter(|captured| *captured > 0).or(charge.amount)
}

/// What of a charge's cumulative figure was never taken. The rest of an authorisation is released as a whole: while the
/// figure is smaller than it, it does not hold it, and what it says was refunded of an earlier capture.
fn released(charge: &Charge, amount_refunded: i64) -> i64 {
    let rest = charge.amount.zip(charge.amount_captured);
    let rest = rest.map_or(0, |(amount, captured)| amount.saturating_sub(captured));
    if (0..=amount_refunded).contains(&rest) { rest } else { 0 }
}

fn told(news: PaymentNews) -> News {
    News::Payment(Box::new(news))
}
