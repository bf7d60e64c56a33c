//! What the outbox tells: `CloudEvents` 1.0 in JSON, with ids that are derived from their cause, so that who hears the same
//! twice can tell.

mod data;
mod topic;

use jiff::Timestamp;
use ledger::account::{Cause, Hold, HoldState, Posting, SystemAccount};
use ledger::ids::{PostingId, derive_uuid};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::projection::outbox::MessageRow;

pub(crate) use data::BalanceChanged;
pub use data::CaseChanged;
use data::{CreditsMoved, HoldChanged};
pub use topic::Topic;

/// Whose messages these are, and when they are written.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// Tenant.
    pub tenant_id: i32,
    /// Now.
    pub now: Timestamp,
}

/// A `CloudEvent`.
#[derive(Debug, JsonSchema, Serialize)]
struct Message<'a, T> {
    #[schemars(extend("const" = "1.0"))]
    specversion: &'static str,
    /// The same for the same cause, however often it is delivered.
    id: Uuid,
    r#type: &'static str,
    /// The tenant.
    source: String,
    /// What it is about: messages of one subject come in order.
    subject: &'a str,
    /// When it was written.
    time: Timestamp,
    #[schemars(extend("const" = "application/json"))]
    datacontenttype: &'static str,
    data: T,
}

impl Sender {
    /// A message about `key`; `cause` is what makes it this one and no other of its topic.
    fn message(self, topic: Topic, key: &str, cause: &str, data: impl Serialize) -> MessageRow {
        let (topic, tenant_id) = (topic.name(), self.tenant_id.to_string());
        let message = Message {
            specversion: "1.0",
            id: derive_uuid(&["tally.message.v1", &tenant_id, topic, cause]),
            r#type: topic,
            source: format!("/tenants/{tenant_id}"),
            subject: key,
            time: self.now,
            datacontenttype: "application/json",
            data,
        };
        // Texts, integers and members that are there or not: there is nothing here that could fail to be written.
        let payload = serde_json::to_vec(&message).unwrap_or_default();
        MessageRow { id: message.id, topic, key: key.to_owned(), payload }
    }

    /// Credits moved on a user's account.
    pub fn credits_moved(self, user: &str, posting: &Posting) -> MessageRow {
        let (position, command) = match posting.cause {
            Cause::Decision { pos, .. } => (Some(pos), None),
            Cause::Command(id) => (None, Some(id)),
        };
        let source = posting.source.as_ref();
        let data = CreditsMoved {
            user,
            unit: &posting.unit,
            amount: posting.amount,
            contra: posting.contra.name(),
            posting: posting_id(posting),
            payment: source.map(|source| source.root_key.as_str()),
            line: source.map(|source| source.line.as_str()),
            position,
            command,
            effective_at: posting.effective_at,
        };
        self.message(topic_of(posting), user, &posting_id(posting), data)
    }

    /// A posting of a decision's changed a user's balance.
    pub fn balance_changed(self, user: &str, posting: &Posting) -> MessageRow {
        let (unit, posted) = (&posting.unit, posting.balance_after);
        let data = BalanceChanged {
            user,
            unit,
            posted,
            version: posting.seq,
            ..BalanceChanged::default()
        };
        self.message(Topic::BalanceChanged, user, &posting_id(posting), data)
    }

    /// A command changed a user's balance.
    pub(crate) fn balance_told(self, command_id: Uuid, balance: &BalanceChanged<'_>) -> MessageRow {
        self.message(Topic::BalanceChanged, balance.user, &command_id.to_string(), balance)
    }

    /// A hold was made, or ended: what it reserves, or what it lets go. Captured whole, it lets nothing go.
    pub fn hold_changed(self, (user, unit): (&str, &str), hold: &Hold) -> Option<MessageRow> {
        let (topic, amount) = match hold.state {
            HoldState::Open => (Topic::CreditsHeld, hold.amount),
            HoldState::Captured | HoldState::Released | HoldState::Expired => {
                (Topic::CreditsReleased, hold.amount.saturating_sub(hold.captured))
            }
        };
        let id = hold.hold_id.to_string();
        let (status, expires_at) = (hold.state.name(), hold.expires_at);
        let data = HoldChanged { user, unit, amount, hold: id.clone(), status, expires_at };
        (amount > 0).then(|| self.message(topic, user, &id, data))
    }

    /// A case was opened, or closed: one of these two topics.
    pub fn case_changed(self, topic: Topic, case: &CaseChanged<'_>) -> MessageRow {
        self.message(topic, &case.case, &format!("{}:{}", case.case, case.version), case)
    }
}

/// What a movement is called outside.
fn topic_of(posting: &Posting) -> Topic {
    use SystemAccount::{
        Adjustment, Dispute, Expiry, Promo, Refund, Sale, Spend, Unclaimed, WriteOff,
    };
    let is_command = matches!(posting.cause, Cause::Command(_));
    match (posting.contra, posting.amount > 0) {
        (Sale | Unclaimed | Promo, true) => Topic::CreditsGranted,
        (Adjustment, true) if is_command => Topic::CreditsGranted,
        (Sale | Refund | Dispute, false) => Topic::CreditsClawedBack,
        (Spend, false) => Topic::CreditsSpent,
        (Expiry, false) => Topic::CreditsExpired,
        (Refund | Dispute | Spend | Expiry, true)
        | (Unclaimed | Promo, false)
        | (Adjustment | WriteOff, _) => Topic::CreditsMoved,
    }
}

fn posting_id(posting: &Posting) -> String {
    PostingId { account: posting.account, unit: posting.unit.clone(), seq: posting.seq }.to_string()
}
