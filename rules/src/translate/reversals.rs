//! What went back: refunds, disputes, and warnings that it may.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stripe::event_type::DisputeEvent;
use stripe::objects::{Dispute, EarlyFraudWarning, Refund, UnsupportedShape};

use super::stripe_events::Reader;
use crate::news::News;
use crate::payment::Facts;
use crate::reversal::{self, DisputeMovement, RefundState, Reversals};

impl Reader<'_> {
    pub(super) fn refund(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let refund = Refund::read(object)?;
        let read = self.refund_fact(&refund);
        let amount = || UnsupportedShape { path: "amount".into(), expected: "there" };
        let refunds = BTreeMap::from([(self.id(&refund.id), read.ok_or_else(amount)?)]);
        let names = [refund.payment_intent.as_deref(), refund.charge.as_deref()];
        let reversals = Reversals { refunds, ..Reversals::default() };
        Ok(News::Payment(Box::new(self.payment(&names, Facts { reversals, ..Facts::default() }))))
    }

    /// One refund, wherever it stands; none if it does not say how much.
    pub(super) fn refund_fact(&self, refund: &Refund) -> Option<reversal::Refund> {
        // Before 2019 a refund had no status: it was made, or it was not there.
        let failed = matches!(refund.status.as_deref(), Some("failed" | "canceled"));
        Some(reversal::Refund {
            charge: refund.charge.as_deref().map(|charge| self.id(charge)),
            state: if failed { RefundState::Failed } else { RefundState::Given },
            amount: refund.amount?,
            given_at: refund.created.unwrap_or_else(|| self.said_at()),
            failed_at: failed.then(|| self.said_at()),
        })
    }

    pub(super) fn dispute(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let dispute = Dispute::read(object)?;
        let said_at = self.said_at();
        let moved = match DisputeEvent::of(&self.heard.event_type) {
            DisputeEvent::FundsWithdrawn => Some((said_at, false)),
            DisputeEvent::FundsReinstated => Some((said_at, true)),
            // What was fetched has no type. Its movements stand in it, with their times, which are Stripe's and not ours.
            DisputeEvent::Other => dispute
                .moved()
                .filter(|_| self.event.answers.is_some())
                .map(|moved| (moved.at.unwrap_or(said_at), moved.is_reinstated)),
        };
        let Some(amount) = dispute.amount else {
            return Err(UnsupportedShape { path: "amount".into(), expected: "there" });
        };
        let fact = reversal::Dispute {
            movement: moved.map(|(said_at, reinstated)| DisputeMovement {
                said_at,
                reinstated,
                amount,
            }),
            status: dispute.status.map(|status| (said_at, status)),
        };
        let disputes = BTreeMap::from([(self.id(&dispute.id), fact)]);
        let names = [dispute.payment_intent.as_deref(), dispute.charge.as_deref()];
        let reversals = Reversals { disputes, ..Reversals::default() };
        Ok(News::Payment(Box::new(self.payment(&names, Facts { reversals, ..Facts::default() }))))
    }

    /// Noted with its payment. It moves nothing.
    pub(super) fn early_fraud_warning(&self, object: &Value) -> Result<News, UnsupportedShape> {
        let warning = EarlyFraudWarning::read(object)?;
        let names = [warning.payment_intent.as_deref(), warning.charge.as_deref()];
        let warnings = BTreeSet::from([self.id(&warning.id)]);
        Ok(News::Payment(Box::new(self.payment(&names, Facts { warnings, ..Facts::default() }))))
    }
}
