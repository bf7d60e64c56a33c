//! What an id is of.

use ledger::ids::{CaseId, GrantId, PostingId};
use store::Client;
use store::log::event_get;
use store::read::cases::case_get;
use store::read::decisions::decision_list_of_event;
use store::read::events::event_pos;
use store::read::explain::explain_posting_payment;
use store::read::payments::{Payment, payment_get};
use store::read::users::{User, user_get};

use crate::error::RouteError;

/// What a story is told of.
pub(super) enum Subject {
    /// A payment, whichever of its objects, events, cases or postings was named.
    Payment(Box<Payment>),
    /// An event that belongs to no payment, by its position.
    Event(i64),
    /// A user.
    User(Box<User>),
}

/// What `id` is of. A number is a user's id if there is such a user, else a position.
pub(super) async fn find(
    client: &Client,
    tenant_id: i32,
    id: &str,
) -> Result<Option<Subject>, RouteError> {
    if let Ok(case) = id.parse::<CaseId>() {
        let Some(case) = case_get(client, tenant_id, case).await? else { return Ok(None) };
        return match &case.root_key {
            Some(root_key) => payment(client, tenant_id, root_key).await,
            None => Ok(Some(Subject::Event(case.pos))),
        };
    }
    let posting = id.parse::<PostingId>().or_else(|_| id.parse().map(|GrantId(posting)| posting));
    if let Ok(posting) = posting {
        return match explain_posting_payment(client, tenant_id, &posting).await? {
            Some(root_key) => payment(client, tenant_id, &root_key).await,
            None => Ok(None),
        };
    }
    if let Some(found) = payment(client, tenant_id, id).await? {
        return Ok(Some(found));
    }
    if let Some(pos) = event_pos(client, tenant_id, id).await? {
        return event(client, tenant_id, pos).await.map(Some);
    }
    if let Some(user) = user_get(client, tenant_id, id).await? {
        return Ok(Some(Subject::User(Box::new(user))));
    }
    match id.parse() {
        Ok(pos) if event_get(client, tenant_id, pos).await?.is_some() => {
            event(client, tenant_id, pos).await.map(Some)
        }
        Ok(_) | Err(_) => Ok(None),
    }
}

async fn payment(
    client: &Client,
    tenant_id: i32,
    object: &str,
) -> Result<Option<Subject>, RouteError> {
    let payment = payment_get(client, tenant_id, object).await?;
    Ok(payment.map(|payment| Subject::Payment(Box::new(payment))))
}

/// An event of a payment is told with its payment.
async fn event(client: &Client, tenant_id: i32, pos: i64) -> Result<Subject, RouteError> {
    let decisions = decision_list_of_event(client, tenant_id, pos).await?;
    if let Some(root_key) = decisions.last().and_then(|last| last.root_key.as_deref())
        && let Some(payment) = payment(client, tenant_id, root_key).await?
    {
        return Ok(payment);
    }
    Ok(Subject::Event(pos))
}
