//! Accounts of one tenant, short words for what is done to them, and what stands there after it.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use ledger::account::{ExpiredPolicy, SystemAccount, Terms};
use ledger::ids::{HoldId, SpendId};
use store::commands::{AccountKey, Command, Done, IdempotencyKey, Note, Outcome, Request, execute};
use store::{Role, Store};
use uuid::Uuid;

use crate::support::World;

/// A database with users, and who commands.
pub(crate) struct Shop {
    pub(crate) world: World,
    pub(crate) api: Store,
    pub(crate) sql: tokio_postgres::Client,
}

pub(crate) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(crate) fn account(user: &str) -> AccountKey {
    AccountKey { user: user.to_owned(), unit: "credits".to_owned() }
}

pub(crate) fn until(expires_at: i64) -> Terms {
    Terms { expires_at: Some(second(expires_at)), priority: 0 }
}

pub(crate) fn spend(user: &str, amount: i64) -> Command {
    Command::Spend { account: account(user), amount, note: Note::default() }
}

pub(crate) fn hold(user: &str, amount: i64, expires_at: i64) -> Command {
    let (account, expires_at) = (account(user), second(expires_at));
    Command::Hold { account, amount, expires_at, note: Note::default() }
}

pub(crate) fn gift(user: &str, amount: i64, terms: Terms) -> Command {
    let (account, contra) = (account(user), SystemAccount::Promo);
    Command::Grant { account, amount, terms, reason: "test".to_owned(), contra }
}

pub(crate) fn capture(hold_id: HoldId, amount: Option<i64>) -> Command {
    Command::Capture { hold_id, amount }
}

pub(crate) fn reverse(spend_id: SpendId) -> Command {
    Command::Reverse { spend_id, expired: ExpiredPolicy::Lapse, terms: Terms::default() }
}

/// An id that no other has.
pub(crate) fn new_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into())
}

/// A request without a key.
pub(crate) fn plain(command: Command) -> Request {
    let command_id = new_id();
    Request { command_id, idempotency: None, actor: "key_1".to_owned(), command }
}

/// A request with a key; its hash is that of what it asks for.
pub(crate) fn keyed(key: &str, command: Command) -> Request {
    let request_hash = {
        use sha2::Digest as _;
        sha2::Sha256::digest(format!("{command:?}")).into()
    };
    let idempotency = Some(IdempotencyKey { key: key.to_owned(), request_hash });
    Request { idempotency, ..plain(command) }
}

pub(crate) fn render(request: &Request, done: &Done) -> Vec<u8> {
    format!("{} {} {}", request.actor, done.step, done.after.available).into_bytes()
}

impl Shop {
    /// With these users.
    pub(crate) async fn new(users: &[&str]) -> Self {
        let world = World::new().await;
        let sql = world.database.superuser().await;
        let api = world.store(Role::Api);
        let shop = Self { world, api, sql };
        for user in users {
            shop.register(user).await;
        }
        shop
    }

    pub(crate) async fn register(&self, user: &str) {
        let insert =
            "INSERT INTO app_user (tenant_id, user_id, first_pos, pos) VALUES ($1, $2, 1, 1)";
        self.sql.execute(insert, &[&self.world.tenant.tenant_id, &user]).await.unwrap();
    }

    pub(crate) async fn run(&self, now: i64, requests: &[Request]) -> Vec<Outcome> {
        let tenant_id = self.world.tenant.tenant_id;
        execute(&self.api, tenant_id, second(now), requests, &render).await.unwrap()
    }

    pub(crate) async fn one(&self, now: i64, command: Command) -> Outcome {
        let mut outcomes = self.run(now, &[plain(command)]).await;
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }

    pub(crate) async fn does(&self, now: i64, command: Command) -> Done {
        done(self.one(now, command).await)
    }

    /// The one number of a query about the tenant (`$1`).
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.sql.query_one(sql, &[&self.world.tenant.tenant_id]).await.unwrap().get(0)
    }
}

#[track_caller]
pub(crate) fn done(outcome: Outcome) -> Done {
    let Outcome::Done(done) = outcome else { panic!("{outcome:?}") };
    *done
}
