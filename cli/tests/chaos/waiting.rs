//! Many paid purchases whose users nobody knows, until one import of the directory tells of them: all cases heal, and
//! whoever buys meanwhile waits no longer than ever.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Client;
use service::clock::Clock;
use store::log::{MAX_BATCH_EVENTS, NewEvent, Origin};
use store::read::decisions::decision_first;
use store::statement::{Statement, query};
use store::status;
use testkit::events::Purchase;
use testkit::wait_for;
use tokio::sync::oneshot;

use crate::cluster::Cluster;
use crate::sender::attempt;
use crate::storm::{new_event, registrations};
use crate::{ONE_AT_A_TIME, checks, number};

/// Cases that wait, unless the environment says otherwise.
const WAITING: u64 = 2_000;

/// In this time they are healed, from the start of the import on.
const HEALED_MAX: Duration = Duration::from_mins(1);

/// In this time whoever buys meanwhile has his credits.
const CREDITED_MAX: Duration = Duration::from_secs(1);

/// Pause between the purchases of the others.
const PURCHASE_EVERY: Duration = Duration::from_millis(100);

/// Credits of each purchase.
const CREDITS: u64 = 2;

const OPEN_CASES: Statement = checks::count(
    "-- chaos.open_cases
SELECT count(*) FROM review_case WHERE state = 1",
);

/// Cheaper while there are many: it is asked all the time.
const IS_ANY_OPEN: Statement = checks::count(
    "-- chaos.is_any_open
SELECT count(*) FROM (SELECT FROM review_case WHERE state = 1 LIMIT 1) c",
);

#[tokio::test(flavor = "multi_thread")]
async fn an_import_heals_a_case_of_each_of_its_users() {
    let waiting = number("TALLY_WAITING_CASES", WAITING);
    heal(waiting, waiting).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_heals_all_cases_of_one_user() {
    heal(number("TALLY_WAITING_CASES", WAITING), 1).await;
}

/// Has so many purchases wait for so many users, and imports these.
async fn heal(waiting: u64, users: u64) {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut cluster = Cluster::start(1, 2).await;
    let api = cluster.start_api().await;
    cluster.tell(&registrations(0..1)).await;
    let purchases: Vec<NewEvent> = (0..waiting).map(|n| purchase(n, n % users)).collect();
    for some in purchases.chunks(MAX_BATCH_EVENTS) {
        cluster.tell(some).await;
    }
    checks::quiescence(&cluster).await;
    assert_eq!(count(&cluster, &OPEN_CASES).await, waiting);
    cluster.analyze().await;

    let mut directory = tempfile::NamedTempFile::new().unwrap();
    for user in 0..users {
        writeln!(directory, "{{\"id\": \"{}\"}}", late(user)).unwrap();
    }
    let path = directory.path().to_str().unwrap().to_owned();
    let key = cluster.key().await;
    let clock = Clock::system();
    let begun = clock.mark();
    let (imported, is_imported) = oneshot::channel();
    let importing = async {
        let url = format!("http://{api}");
        let variables = [("TALLY_URL", url.as_str()), ("TALLY_KEY_APP", key.as_str())];
        let code = cluster.tally_in(&["users", "import", &path], &variables).await;
        assert_eq!(code, Some(0), "import: {}", cluster.words());
        imported.send(()).unwrap();
    };
    let ((), mut delays) = tokio::join!(importing, go_on_buying(&cluster, is_imported));
    let elapsed = begun.elapsed();
    delays.sort();
    let (median, longest) = (delays[delays.len() / 2], delays[delays.len() - 1]);
    let late = delays[delays.len() * 99 / 100];
    eprintln!(
        "{waiting} cases of {users} users healed in {elapsed:?}; meanwhile {} purchases were credited after \
         {median:?} (median), {late:?} (99 of 100), {longest:?} (longest)",
        delays.len()
    );
    assert!(elapsed < HEALED_MAX && late < CREDITED_MAX, "too slow");
    check(&cluster, waiting + u64::try_from(delays.len()).unwrap()).await;
}

/// What must be true in the end.
async fn check(cluster: &Cluster, bought: u64) {
    assert_eq!(count(cluster, &OPEN_CASES).await, 0);
    let client = cluster.store.get().await.unwrap();
    let units = status::books(&client, cluster.tenant_id).await.unwrap();
    let [unit] = units.as_slice() else { panic!("one unit: {units:?}") };
    assert!(unit.adds_up() && unit.unclaimed == 0, "{unit:?}");
    assert_eq!(u64::try_from(unit.granted), Ok(bought * CREDITS));
    drop(client);
    assert_eq!(cluster.tally(&["verify"]).await, Some(0), "verify: {}", cluster.words());
}

/// A user of the directory buys again and again until the import is done and all cases are healed; how long each purchase
/// took from its delivery to its credits.
async fn go_on_buying(cluster: &Cluster, mut is_imported: oneshot::Receiver<()>) -> Vec<Duration> {
    let mut are_told = false;
    let (http, clock) = (Client::new(), Clock::system());
    let address = cluster.addresses()[0];
    let mut delays = Vec::new();
    let mut beat = tokio::time::interval(PURCHASE_EVERY);
    while !are_told || count(cluster, &IS_ANY_OPEN).await > 0 {
        are_told |= is_imported.try_recv().is_ok();
        beat.tick().await;
        let begun = clock.mark();
        let pos = deliver(&http, address, delays.len()).await;
        wait_for("the credits", async || {
            let client = cluster.store.get().await.unwrap();
            decision_first(&client, cluster.tenant_id, pos).await.unwrap()
        })
        .await;
        delays.push(begun.elapsed());
    }
    delays
}

/// Delivers a purchase of the known user as Stripe does; where it stands.
async fn deliver(http: &Client, address: SocketAddr, number: usize) -> i64 {
    let mut purchase = Purchase::new(&format!("known{number}"));
    purchase.metadata = metadata("user0");
    let event = purchase.checkout_session_completed();
    wait_for("an acknowledgement", async || Some(attempt(http, address, &event).await?.position))
        .await
}

/// A purchase of a user who is not in the directory yet.
fn purchase(number: u64, user: u64) -> NewEvent {
    let mut purchase = Purchase::new(&format!("late{number}"));
    purchase.metadata = metadata(&late(user));
    let event = purchase.checkout_session_completed();
    new_event(Origin::Stripe, "checkout.session.completed", event.id, event.body)
}

fn metadata(user: &str) -> testkit::events::Metadata {
    testkit::events::metadata(&[("user_id", user), ("credits", &CREDITS.to_string())])
}

fn late(user: u64) -> String {
    format!("late{user}")
}

async fn count(cluster: &Cluster, statement: &Statement) -> u64 {
    let client = cluster.store.get().await.unwrap();
    let rows = query(&client, statement, &[]).await.unwrap();
    u64::try_from(rows[0].get::<_, i64>(0)).unwrap()
}
