//! Words that answers are made of, each list taken from the code that says them.
//!
//! Objects hold them as `&'static str`; a field says which list is meant by `#[schemars(with = "…")]`.

use std::borrow::Cow;

use ledger::account::{HoldState, SystemAccount};
use ledger::decision::{Outcome, Reason};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use service::problem::Code;
use store::read::cases::Resolution;
use store::read::payments::Status;

/// Declares lists of words: a name in the document, what it is, and the words.
macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident = $words:expr;)+) => {$(
        $(#[doc = $doc])+
        pub(crate) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let words: Vec<&'static str> = $words.into_iter().collect();
                json_schema!({
                    "description": concat!($($doc),+).trim(),
                    "type": "string",
                    "enum": words,
                })
            }
        }
    )+};
}

words! {
    /// Why a request was refused. The text never changes once it is given.
    ProblemCode = Code::ALL.iter().map(|code| code.as_str());
    /// What became of an event; pending while nothing is decided of it.
    EventOutcome = ["pending"].into_iter().chain(Outcome::ALL.map(Outcome::name));
    /// What a decision says of an event.
    DecisionOutcome = Outcome::ALL.map(Outcome::name);
    /// Why a decision is as it is.
    DecisionReason = Reason::ALL.map(Reason::name);
    /// Why a case is open, or was.
    CaseReason = Reason::ALL
        .into_iter()
        .filter(|reason| reason.outcome() == Outcome::InReview)
        .map(Reason::name);
    /// Whether a case still waits.
    CaseStatus = ["open", "closed"];
    /// How a case ended.
    CaseResolution = Resolution::ALL.map(Resolution::name);
    /// How far the money of a payment is.
    PaymentStatus =
        [Status::Unknown, Status::Pending, Status::Paid, Status::Failed, Status::NotOurs].map(Status::name);
    /// Which part of a line: what was bought, what was taken back of it, or what another system had given of it before.
    LegKind = ["purchase", "refund", "dispute", "carried"];
    /// The system account on the other side of a movement.
    Contra = SystemAccount::ALL.map(SystemAccount::name);
    /// How far a hold is.
    HoldStatus = HoldState::ALL.map(HoldState::name);
    /// Whether a grant can be spent.
    GrantStatus = ["open", "expired", "used"];
    /// Which grants are listed.
    GrantFilter = ["open"];
    /// By which of a movement's instants it counts.
    Basis = ["record", "effect"];
    /// What kind a piece of evidence is, from the one that outranks all.
    EvidenceKind = [
        "staff", "signed", "link", "metadata", "client_reference", "email", "id_shaped", "name", "bad_reference", "created",
    ];
    /// Who speaks.
    EventOrigin = ["stripe", "operator", "directory", "catalogue", "clock"];
    /// By which way an event came in.
    EventSource = ["webhook", "backfill", "import", "api", "cli"];
    /// How bytes are written as text.
    Encoding = ["utf-8", "base64"];
    /// What an explained id is an id of.
    Subject = ["payment", "event", "user"];
    /// Whether the money of a refund went.
    RefundStatus = ["given", "failed"];
    /// What became of disputed money: none moved, it is gone, or it came back.
    DisputeStatus = ["inquiry", "withdrawn", "reinstated"];
}
