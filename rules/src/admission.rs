//! Users whom the directory does not know, added to it because of a payment, where the policy is to do so.
//!
//! Off by default. Only the word of our own server, or of an earlier payment, may add somebody: what a buyer can edit, and
//! candidates, never. The decision's evidence says that it happened, and whoever is registered later changes that user.

use crate::evidence::{Evidence, Kind, user_id};
use crate::resolve::{Resolved, Verdict};
use crate::world::{User, World};

/// Whether this evidence may add this user to the directory.
pub(crate) fn may_add(world: &World, evidence: &[Evidence], user: &str) -> bool {
    let vouches =
        |piece: &Evidence| piece.kind.vouches_for_a_user() && user_id(&piece.value) == Some(user);
    world.policy.create_users && evidence.iter().any(vouches)
}

/// Adds the user whom a paid payment is credited to, if he is not there, because of the event at this position.
pub(crate) fn admit(world: &mut World, resolved: &mut Resolved, pos: i64) {
    let Verdict::User { user, .. } = &resolved.verdict else { return };
    if world.users.contains_key(user) || !may_add(world, &resolved.evidence, user) {
        return;
    }
    world.users.insert(user.clone(), User::default());
    world.effects.admitted.push((pos, user.clone()));
    world.effects.woken.insert(format!("user:{user}"), pos);
    let (at, value) = ("policy.create_users".to_owned(), user.clone());
    resolved.evidence.push(Evidence { kind: Kind::Created, at, value });
}
