//! The app's own table of users: whatever its columns are called, and whatever type its ids have.

use keeper::directory::Reader;
use ledger::decision::Reason;
use serde_json::json;
use store::directory::{Directory, DirectoryUser};
use store::read::users::user_get;
use store::status::{UnitBooks, books};
use testkit::events::{Purchase, metadata};

use crate::world::World;

/// A purchase of 50 credits by this user.
fn purchase(name: &str, user: &str) -> Purchase {
    Purchase { metadata: metadata(&[("user_id", user), ("credits", "50")]), ..Purchase::new(name) }
}

#[tokio::test]
async fn users_that_cases_await_are_found_whatever_type_their_ids_have() {
    for (column, id) in [
        ("uuid", "0b9b1ef4-6a66-4a3b-8ea5-0b1d7a3d3c11"),
        ("bigint", "4711"),
        ("text", "ada"),
        ("text", "user:tobie"),
    ] {
        let world = World::new().await;
        let app = world.database.superuser().await;
        let table = format!(
            "CREATE TABLE public.account_holder (no {column} PRIMARY KEY, mail text, called varchar(80), ok boolean);
             INSERT INTO public.account_holder VALUES ('{id}', 'ada@example.com', 'Ada', true)"
        );
        app.batch_execute(&table).await.unwrap();
        let query =
            "SELECT no::text, mail, called, ok FROM account_holder WHERE no::text = ANY($1)";
        let directory = Directory::new(&world.url(), query).unwrap();
        let mut reader = Reader::new(directory);
        assert_eq!(reader.look_up(&world.keeper, world.tenant_id).await.unwrap(), 0);

        let known = world.deliver(purchase("1", id).checkout_session_completed()).await;
        let unknown = world.deliver(purchase("2", "99").checkout_session_completed()).await;
        world.drain().await;
        assert_eq!(reader.look_up(&world.keeper, world.tenant_id).await.unwrap(), 1, "{column}");
        assert_eq!(reader.look_up(&world.keeper, world.tenant_id).await.unwrap(), 0, "told before");

        world.drain().await;
        assert_eq!(world.reasons(known).await, [Reason::UnknownUser, Reason::Credited]);
        assert_eq!(world.reasons(unknown).await, [Reason::UnknownUser]);
        let client = world.keeper.store.get().await.unwrap();
        let unit = "credits".to_owned();
        let expected = UnitBooks { unit, bought: 100, granted: 50, unclaimed: 50, written_off: 0 };
        assert!(expected.adds_up());
        assert_eq!(books(&client, world.tenant_id).await.unwrap(), [expected]);
        drop(client);
        let chains = store::proof::chains(&world.keeper.store, world.tenant_id).await.unwrap();
        assert_eq!((chains.accounts, chains.faults), (3, Vec::new()));
    }
}

/// The app registers a user, with more than its table says, while he is being looked up.
#[tokio::test]
async fn whoever_the_app_told_of_is_not_told_of_again() {
    let world = World::new().await;
    let app = world.database.superuser().await;
    let table = "CREATE TABLE public.users (id text, email text);
                 INSERT INTO public.users VALUES ('ada', 'old@example.com'), ('bob', 'bob@example.com')";
    app.batch_execute(table).await.unwrap();
    let query = "SELECT id, email, NULL::text FROM users WHERE id = ANY($1)";
    let mut reader = Reader::new(Directory::new(&world.url(), query).unwrap());
    let of_ada = world.deliver(purchase("1", "ada").checkout_session_completed()).await;
    let of_bob = world.deliver(purchase("2", "bob").checkout_session_completed()).await;
    world.drain().await;
    let told = json!({"email": "new@example.com", "metadata": {"plan": "pro"}});
    world.register("ada", told).await;
    assert_eq!(reader.look_up(&world.keeper, world.tenant_id).await.unwrap(), 1, "bob");

    world.drain().await;
    for purchase in [of_ada, of_bob] {
        assert_eq!(world.reasons(purchase).await, [Reason::UnknownUser, Reason::Credited]);
    }
    let client = world.keeper.store.get().await.unwrap();
    let ada = user_get(&client, world.tenant_id, "ada").await.unwrap().unwrap();
    assert_eq!(ada.email.as_deref(), Some("new@example.com"));
    assert_eq!(ada.metadata.get("plan").map(String::as_str), Some("pro"));
    // He is known from then on: nothing waits for him, whatever the table says.
    let again = world.deliver(purchase("3", "ada").checkout_session_completed()).await;
    world.drain().await;
    assert_eq!(world.reasons(again).await, [Reason::Credited]);
}

/// What a query finds of two users, in a database with one.
async fn find(query: &str) -> Result<Vec<DirectoryUser>, String> {
    let world = World::new().await;
    let app = world.database.superuser().await;
    let table = "CREATE TABLE public.users (id int, email text);
                 INSERT INTO public.users VALUES (1, 'ada@example.com'), (2, 'bob@example.com'), (3, NULL)";
    app.batch_execute(table).await.unwrap();
    let directory = Directory::new(&world.url(), query).unwrap();
    let found = directory.find(&["1".to_owned(), "9".to_owned()]).await;
    found.map_err(|error| error.to_string())
}

#[tokio::test]
async fn only_who_was_asked_for_is_found() {
    let found = find(
        "SELECT id::text, email, NULL::text FROM users WHERE id < 3 AND $1::text[] IS NOT NULL",
    );
    let ada = DirectoryUser {
        user_id: "1".to_owned(),
        email: Some("ada@example.com".to_owned()),
        email_verified: false,
        name: None,
    };
    assert_eq!(found.await, Ok(vec![ada]));
}

#[tokio::test]
async fn query_that_asks_for_more_than_it_may_is_refused() {
    for (query, told) in [
        ("SELECT id::text, email, email FROM users WHERE $1::text[] IS NOT NULL", "= ANY($1)"),
        ("DELETE FROM users WHERE id::text = ANY($1)", "read-only transaction"),
        ("SELECT id, email, email FROM users WHERE id::text = ANY($1)", "id::text"),
        ("SELECT id::text, email FROM users WHERE id::text = ANY($1)", "name::text"),
    ] {
        let refused = find(query).await.unwrap_err();
        assert!(refused.contains(told), "{refused}");
        assert!(!refused.contains("ada@example.com"), "{refused}");
    }
}
