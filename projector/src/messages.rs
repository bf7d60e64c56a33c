//! What the outbox tells of a batch: `CloudEvents` 1.0 in JSON, with ids that are derived from their cause, so that who
//! hears the same twice can tell.

use ledger::account::{Cause, Posting};
use ledger::ids::{CaseId, Owner, PostingId, derive_uuid};
use rules::world::World;
use serde_json::{Value, json};
use store::projection::outbox::MessageRow;

/// The messages of a batch: what moved on users' accounts, and cases that opened or closed.
pub fn of(world: &World, postings: &[Posting]) -> Vec<MessageRow> {
    let moved = world.effects.movements.iter().zip(postings);
    let moved = moved.filter_map(|(movement, posting)| match &movement.owner {
        Owner::User(user) => Some((user.as_str(), posting)),
        Owner::Unclaimed(_) => None,
    });
    let mut messages: Vec<MessageRow> = Vec::new();
    for (user, posting) in moved {
        messages.push(credits_moved(world, user, posting));
        messages.push(balance_changed(world, user, posting));
    }
    messages.extend(
        world.effects.opened.iter().filter_map(|id| case_message(world, *id, "tally.case.opened")),
    );
    messages.extend(
        world.effects.closed.iter().filter_map(|id| case_message(world, *id, "tally.case.closed")),
    );
    messages
}

fn credits_moved(world: &World, user: &str, posting: &Posting) -> MessageRow {
    use ledger::account::SystemAccount::{Dispute, Refund, Sale, Unclaimed};
    let topic = match (posting.contra, posting.amount > 0) {
        (Sale | Unclaimed, true) => "tally.credits.granted",
        (Sale | Refund | Dispute, false) => "tally.credits.clawed_back",
        _ => "tally.credits.moved",
    };
    let cause_pos = match posting.cause {
        Cause::Decision { pos, .. } => Some(pos),
        Cause::Command(_) => None,
    };
    let data = json!({
        "user": user,
        "unit": posting.unit,
        "amount": posting.amount,
        "posting": posting_id(posting),
        "payment": posting.source.as_ref().map(|source| &source.root_key),
        "line": posting.source.as_ref().map(|source| &source.line),
        "position": cause_pos,
        "effective_at": posting.effective_at,
    });
    message(world, topic, user, &posting_id(posting), &data)
}

fn balance_changed(world: &World, user: &str, posting: &Posting) -> MessageRow {
    let data = json!({ "user": user, "unit": posting.unit, "posted": posting.balance_after, "version": posting.seq });
    message(world, "tally.balance.changed", user, &posting_id(posting), &data)
}

fn case_message(world: &World, id: CaseId, topic: &'static str) -> Option<MessageRow> {
    let case = world.cases.get(&id)?;
    let data = json!({
        "case": id.to_string(),
        "reason": case.reason.name(),
        "payment": case.root_key,
        "version": case.version,
        "position": case.pos,
    });
    Some(message(world, topic, &id.to_string(), &format!("{id}:{}", case.version), &data))
}

fn posting_id(posting: &Posting) -> String {
    PostingId { account: posting.account, unit: posting.unit.clone(), seq: posting.seq }.to_string()
}

/// A message about `key`; `cause` is what makes it this one and no other of its topic.
fn message(world: &World, topic: &'static str, key: &str, cause: &str, data: &Value) -> MessageRow {
    let id = derive_uuid(&["tally.message.v1", &world.tenant_id.to_string(), topic, cause]);
    let event = json!({
        "specversion": "1.0",
        "id": id,
        "type": topic,
        "source": format!("/tenants/{}", world.tenant_id),
        "subject": key,
        "time": world.now,
        "datacontenttype": "application/json",
        "data": data,
    });
    MessageRow { id, topic, key: key.to_owned(), payload: event.to_string().into_bytes() }
}
