//! What the outbox tells of a batch: what moved on users' accounts, and cases that opened or closed.

use ledger::ids::{CaseId, Owner};
use rules::world::World;
use store::books::Posted;
use store::messages::{CaseChanged, Sender, Topic};
use store::projection::outbox::MessageRow;

/// The messages of a batch.
pub fn of(world: &World, posted: &[Posted]) -> Vec<MessageRow> {
    let sender = Sender { tenant_id: world.tenant_id, now: world.now };
    let mut messages: Vec<MessageRow> = Vec::new();
    for (movement, posted) in world.effects.movements.iter().zip(posted) {
        let Owner::User(user) = &movement.owner else { continue };
        for posting in &posted.postings {
            messages.push(sender.credits_moved(user, posting));
            messages.push(sender.balance_changed(user, posting));
        }
    }
    let opened = world.effects.opened.iter().map(|id| (id, Topic::CaseOpened));
    let closed = world.effects.closed.iter().map(|id| (id, Topic::CaseClosed));
    let told = opened.chain(closed).filter_map(|(id, topic)| case_message(world, *id, topic));
    messages.extend(told);
    messages
}

fn case_message(world: &World, id: CaseId, topic: Topic) -> Option<MessageRow> {
    let case = world.cases.get(&id)?;
    let changed = CaseChanged {
        case: id.to_string(),
        reason: case.reason.name(),
        payment: case.root_key.as_deref(),
        version: case.version,
        position: case.pos,
    };
    let sender = Sender { tenant_id: world.tenant_id, now: world.now };
    Some(sender.case_changed(topic, &changed))
}
