//! What stands in the database in the end, compared with what was sent, acknowledged and expected.

use std::collections::{BTreeMap, BTreeSet};

use store::projection::slots;
use store::statement::{Connection, Statement, query};
use store::status;
use testkit::wait_for;

use crate::cluster::Cluster;
use crate::model::{self, Books};
use crate::sender::Acknowledged;
use crate::storm::Storm;

const DUE_CASES: Statement = count(
    "-- chaos.due_cases
SELECT (SELECT count(*) FROM review_case WHERE state = 1 AND due_pos IS NOT NULL) + (SELECT count(*) FROM woken)",
);

const STORED: Statement = count(
    "-- chaos.stored
SELECT source_id, pos, body, body_sha256 = sha256(body) FROM event WHERE origin = 1",
);

const BALANCES: Statement = count(
    "-- chaos.balances
SELECT o.kind, o.key, a.posted FROM account a JOIN owner o USING (tenant_id, account_id) WHERE a.posted <> 0",
);

const OPEN: Statement = count(
    "-- chaos.open
SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tally_projector' AND xact_start IS NOT NULL",
);

/// Sessions that sit in a transaction for longer than any batch takes.
const STUCK: Statement = count(
    "-- chaos.stuck
SELECT count(*) FROM pg_stat_activity
WHERE state LIKE 'idle in transaction%' AND state_change < clock_timestamp() - interval '1 s'",
);

/// What must not be there, as statements that count it.
const NEVER: [(&str, Statement); 5] = [
    (
        "positions that are missing",
        count(
            "-- chaos.holes
SELECT coalesce(max(pos), 0) - count(*) FROM event",
        ),
    ),
    (
        "ids that are stored twice, or whose key leads elsewhere",
        count(
            "-- chaos.keys
SELECT (SELECT count(*) FROM event) - count(*)
FROM event e JOIN event_key k USING (tenant_id, origin, account, source_id) WHERE k.pos = e.pos",
        ),
    ),
    (
        "positions that do not have one first decision",
        count(
            "-- chaos.first_decisions
SELECT count(*) FROM event e
WHERE 1 <> (SELECT count(*) FROM decision d WHERE d.tenant_id = e.tenant_id AND d.pos = e.pos AND d.rev = 0)",
        ),
    ),
    (
        "accounts that are not the sum of their postings",
        count(
            "-- chaos.sums
SELECT count(*) FROM account a CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.amount), 0) AS total, coalesce(max(p.seq), 0) AS last, count(*) AS postings
    FROM posting p WHERE p.tenant_id = a.tenant_id AND p.account_id = a.account_id AND p.unit = a.unit) p
WHERE a.posted <> p.total OR a.version <> p.last OR p.last <> p.postings",
        ),
    ),
    (
        "purchases that were granted twice",
        count(
            "-- chaos.double_grants
SELECT count(*) FROM (SELECT FROM credit_grant g JOIN owner o USING (tenant_id, account_id)
                      WHERE o.kind = 1 GROUP BY g.root_key, g.line HAVING count(*) > 1) d",
        ),
    ),
];

pub(crate) const fn count(sql: &'static str) -> Statement {
    Statement { sql, params: &[], columns: &[] }
}

/// Waits until everything is decided and no case waits to be looked at again.
pub(crate) async fn quiescence(cluster: &Cluster) {
    let mut last = i64::MAX;
    // Progress restarts the wait: a backlog may take longer than one fact.
    loop {
        let seen = wait_for("fewer events that are not decided", async || {
            let client = cluster.store.get().await.ok()?;
            let pending = slots::backlog(&client, cluster.tenant_id).await.ok()?.events;
            let due: i64 = query(&client, &DUE_CASES, &[]).await.ok()?[0].get(0);
            (pending + due < last).then_some(pending + due)
        });
        last = seen.await;
        if last == 0 {
            return;
        }
    }
}

/// Waits until no more than so many events are not decided.
pub(crate) async fn backlog(cluster: &Cluster, most: usize) {
    wait_for("fewer events that are not decided", async || {
        let client = cluster.store.get().await.ok()?;
        let pending = slots::backlog(&client, cluster.tenant_id).await.ok()?.events;
        usize::try_from(pending).is_ok_and(|pending| pending <= most).then_some(())
    })
    .await;
}

/// Waits until a projector is in the middle of a transaction. (The whole of an append is sent at once, so ingest never is:
/// the server finishes what it was sent.)
pub(crate) async fn open_transaction(cluster: &Cluster) {
    wait_for("a projector in a transaction", async || {
        let client = cluster.store.get().await.ok()?;
        let open = query(&client, &OPEN, &[]).await.ok()?;
        (open[0].get::<_, i64>(0) > 0).then_some(())
    })
    .await;
}

/// Compares everything.
pub(crate) async fn everything(cluster: &Cluster, storm: &Storm, acks: &[Acknowledged]) {
    let client = cluster.store.get().await.unwrap();
    stored_once(&client, storm, acks).await;
    for (what, statement) in &NEVER {
        assert_eq!(number(&client, statement).await, 0, "{what}");
    }
    let expected = model::books(&storm.purchases, &Storm::registered());
    assert_eq!(books(&client).await, expected);
    for unit in status::books(&client, cluster.tenant_id).await.unwrap() {
        assert!(unit.adds_up(), "bought is not granted and unclaimed: {unit:?}");
        assert_eq!(unit.unclaimed, expected.unclaimed);
    }
    no_session_sits_in_a_transaction(cluster).await;
    assert_eq!(cluster.tally(&["verify"]).await, Some(0), "verify: {}", cluster.words());
}

/// Waits until no session sits in a transaction.
pub(crate) async fn no_session_sits_in_a_transaction(cluster: &Cluster) {
    let client = cluster.store.get().await.unwrap();
    wait_for("no session that sits in a transaction", async || {
        (number(&client, &STUCK).await == 0).then_some(())
    })
    .await;
}

/// Everything that was acknowledged is there once, where it was said to be, with bytes that were sent.
async fn stored_once(client: &impl Connection, storm: &Storm, acks: &[Acknowledged]) {
    let mut stored: BTreeMap<String, i64> = BTreeMap::new();
    for row in query(client, &STORED, &[]).await.unwrap() {
        let (id, body): (String, Vec<u8>) = (row.get(0), row.get(2));
        assert!(storm.bodies[&id].contains(&body), "{id} is stored with other bytes");
        assert!(row.get::<_, bool>(3), "{id} is stored with another hash");
        assert_eq!(stored.insert(id, row.get(1)), None, "stored twice");
    }
    let mut first = BTreeSet::new();
    for ack in acks {
        assert_eq!(stored.get(&ack.id), Some(&ack.position), "{} was acknowledged", ack.id);
        if ack.is_first {
            assert!(first.insert(&ack.id), "{} was new twice", ack.id);
        }
    }
    assert_eq!(acks.len(), storm.handed_out, "every delivery is acknowledged in the end");
    assert_eq!(stored.len(), storm.bodies.len());
}

async fn books(client: &impl Connection) -> Books {
    let mut books = Books::default();
    for row in query(client, &BALANCES, &[]).await.unwrap() {
        let (kind, key, posted): (i16, String, i64) = (row.get(0), row.get(1), row.get(2));
        if kind == 1 {
            books.balances.insert(key, posted);
        } else {
            books.unclaimed += posted;
        }
    }
    books
}

async fn number(client: &impl Connection, statement: &Statement) -> i64 {
    query(client, statement, &[]).await.unwrap()[0].get(0)
}
