//! Users whom cases wait for, looked up in the app's own table. Whoever is found there is told of as registered, which
//! heals the cases: an app that keeps its users in Postgres need not register them here.

use serde_json::{Map, json};
use store::Error;
use store::directory::{Directory, DirectoryUser};
use store::log::{Origin, Source};
use store::projection::cases;
use store::read::users::registration_id;

use crate::Keeper;
use crate::facts::{FACTS_MAX, Fact};

/// Looks awaited users up, page after page.
pub struct Reader {
    directory: Directory,
    /// The last user that was looked up; empty before the first one.
    after: String,
}

impl Reader {
    /// A reader that begins with the first awaited user.
    pub const fn new(directory: Directory) -> Self {
        Self { directory, after: String::new() }
    }

    /// Looks the next page of awaited users up, at most `FACTS_MAX` of them, and begins again after the last one. How
    /// many of those who were found were not told of before.
    pub async fn look_up(&mut self, keeper: &Keeper, tenant_id: i32) -> Result<u64, Error> {
        let limit = i64::try_from(FACTS_MAX).unwrap_or(i64::MAX);
        let client = keeper.store.get().await?;
        let awaited = cases::awaited_users(&client, tenant_id, &self.after, limit).await?;
        drop(client);
        let last = if awaited.len() < FACTS_MAX { None } else { awaited.last() };
        self.after = last.cloned().unwrap_or_default();
        if awaited.is_empty() {
            return Ok(0);
        }
        let found = self.directory.find(&awaited).await?;
        keeper.tell(tenant_id, found.iter().map(registered).collect()).await
    }
}

/// The fact that a user is in the directory: the first that is told of him. Whoever stands in the log already, decided or not, is
/// not told of again: the app says more of its users than the table does.
fn registered(user: &DirectoryUser) -> Fact {
    let DirectoryUser { user_id, email, email_verified, name } = user;
    let mut members = Map::from_iter([
        ("user".to_owned(), json!(user_id)),
        ("email_verified".to_owned(), json!(*email_verified && email.is_some())),
    ]);
    let optional = [("email", email), ("name", name)];
    members.extend(
        optional
            .into_iter()
            .filter_map(|(member, value)| Some((member.to_owned(), json!(value.as_ref()?)))),
    );
    Fact {
        origin: Origin::Directory,
        source: Source::Import,
        event_type: "tally.user.registered",
        source_id: registration_id(user_id, 0),
        routing_key: format!("user:{user_id}"),
        members,
    }
}
