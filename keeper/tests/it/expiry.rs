//! Credits and holds end by the clock: posted as of their instant, once, whoever looks.

use jiff::{SignedDuration, Timestamp};
use ledger::account::{SystemAccount, Terms};
use ledger::ids::HoldId;
use store::commands::{AccountKey, Command, Done, Note, Outcome, Request, execute};
use uuid::Uuid;

use crate::world::World;

const USER: &str = "u_ada";

/// A user who has credits that end after a minute, and others, and holds some for two minutes.
struct Account {
    world: World,
    sql: tokio_postgres::Client,
    begun: Timestamp,
}

impl Account {
    async fn new() -> Self {
        let world = World::new().await;
        let sql = world.database.superuser().await;
        let insert =
            "INSERT INTO app_user (tenant_id, user_id, first_pos, pos) VALUES ($1, $2, 1, 1)";
        sql.execute(insert, &[&world.tenant_id, &USER]).await.unwrap();
        let begun = world.keeper.clock.now();
        let account = Self { world, sql, begun };
        let expires_at = Some(account.after(60));
        account.run(1, gift(10, Terms { expires_at, priority: 0 })).await;
        account.run(2, gift(5, Terms::default())).await;
        let hold = Command::Hold {
            account: key(),
            amount: 4,
            expires_at: account.after(120),
            note: Note::default(),
        };
        let held = account.run(3, hold).await;
        assert_eq!(held.hold.unwrap().hold_id, HoldId(Uuid::from_u128(3)));
        account
    }

    fn after(&self, seconds: i64) -> Timestamp {
        self.begun.checked_add(SignedDuration::from_secs(seconds)).unwrap()
    }

    async fn run(&self, id: u128, command: Command) -> Done {
        let requests = [Request {
            command_id: Uuid::from_u128(id),
            idempotency: None,
            actor: "key_1".to_owned(),
            command,
        }];
        let keeper = &self.world.keeper;
        let (tenant_id, now) = (self.world.tenant_id, keeper.clock.now());
        let outcomes = execute(&keeper.store, tenant_id, now, &requests, &|_, _| Vec::new()).await;
        match &outcomes.unwrap()[..] {
            [Outcome::Done(done)] => done.as_ref().clone(),
            other => panic!("{other:?}"),
        }
    }

    /// What is posted against expiry: credits, and seconds after the beginning.
    async fn expired(&self) -> Vec<(i64, i64)> {
        let expiry = SystemAccount::Expiry.code();
        let select = "SELECT amount, effective_at FROM posting WHERE contra = $1 ORDER BY seq";
        let rows = self.sql.query(select, &[&expiry]).await.unwrap();
        let seconds = |at: Timestamp| at.duration_since(self.begun).as_secs();
        rows.iter().map(|row| (row.get(0), seconds(row.get(1)))).collect()
    }

    async fn expire(&self) -> u64 {
        self.world.keeper.expire_due(self.world.tenant_id).await.unwrap()
    }
}

fn key() -> AccountKey {
    AccountKey { user: USER.to_owned(), unit: "credits".to_owned() }
}

fn gift(amount: i64, terms: Terms) -> Command {
    let (reason, contra) = ("test".to_owned(), SystemAccount::Promo);
    Command::Grant { account: key(), amount, terms, reason, contra }
}

#[tokio::test]
async fn credits_end_at_their_instant_and_what_is_held_of_them_with_the_hold() {
    let account = Account::new().await;
    account.world.hands.advance(SignedDuration::from_secs(59));
    assert_eq!(account.expire().await, 0);
    // The keeper is late, and so is nobody else.
    account.world.hands.advance(SignedDuration::from_secs(20));
    assert_eq!(account.expire().await, 1);
    assert_eq!(account.expire().await, 0, "it has ended");
    assert_eq!(account.expired().await, [(-6, 60)]);

    account.world.hands.advance(SignedDuration::from_secs(60));
    assert_eq!(account.expire().await, 1);
    assert_eq!(account.expired().await, [(-6, 60), (-4, 120)]);
    assert_eq!(account.expire().await, 0);
}

#[tokio::test]
async fn two_keepers_end_it_once() {
    let account = Account::new().await;
    account.world.hands.advance(SignedDuration::from_secs(200));
    let (one, other) = tokio::join!(account.expire(), account.expire());
    assert_eq!(one.saturating_add(other), 2, "a grant and a hold");
    let ended: i64 = account.expired().await.iter().map(|(credits, _)| credits).sum();
    assert_eq!(ended, -10);
}

#[tokio::test]
async fn a_spend_that_comes_first_ends_them_as_well() {
    let account = Account::new().await;
    account.world.hands.advance(SignedDuration::from_secs(200));
    let spend = Command::Spend { account: key(), amount: 5, note: Note::default() };
    assert_eq!(account.run(4, spend).await.after.available, 0);
    assert_eq!(account.expire().await, 0);
    assert_eq!(account.expired().await.iter().map(|(credits, _)| credits).sum::<i64>(), -10);
}

/// What the database refuses of one stays alone: all others end in the same look.
#[tokio::test]
async fn one_that_cannot_end_keeps_nobody_else_from_it() {
    let account = Account::new().await;
    for number in 1..=9 {
        let insert =
            "INSERT INTO app_user (tenant_id, user_id, first_pos, pos) VALUES ($1, $2, 1, 1)";
        let user = format!("u_{number}");
        account.sql.execute(insert, &[&account.world.tenant_id, &user]).await.unwrap();
        let expires_at = Some(account.after(number));
        let gift = Command::Grant {
            account: AccountKey { user, unit: "credits".to_owned() },
            amount: number,
            terms: Terms { expires_at, priority: 0 },
            reason: "test".to_owned(),
            contra: SystemAccount::Promo,
        };
        account.run(u128::try_from(number + 10).unwrap(), gift).await;
    }
    let poison = "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
                  $body$ BEGIN RAISE EXCEPTION 'on purpose'; END $body$;
                  CREATE TRIGGER poison BEFORE INSERT ON posting FOR EACH ROW WHEN (NEW.amount IN (-1, -4))
                  EXECUTE FUNCTION poison()";
    account.sql.batch_execute(poison).await.unwrap();
    account.world.hands.advance(SignedDuration::from_secs(70));
    let error = account.world.keeper.expire_due(account.world.tenant_id).await.unwrap_err();
    assert!(error.to_string().contains("on purpose"), "{error}");
    let mut ended = account.expired().await;
    ended.sort_unstable_by_key(|(_, seconds)| *seconds);
    assert_eq!(
        ended,
        [(-2, 2), (-3, 3), (-5, 5), (-6, 6), (-7, 7), (-8, 8), (-9, 9), (-6, 60)],
        "all but two"
    );
    account.sql.batch_execute("DROP TRIGGER poison ON posting").await.unwrap();
    assert_eq!(account.expire().await, 2);
}
