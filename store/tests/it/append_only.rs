//! What has happened cannot be changed: not by any process, not by the owner, not by a superuser in a hurry.

use tokio_postgres::Client;

use crate::support::World;

/// The tables, with a row for each so that a row trigger has something to refuse.
const TABLES: [(&str, &str); 6] = [
    (
        "event",
        "INSERT INTO event (tenant_id, pos, origin, source, source_id, type, slot, occurred_at, received_at, body_sha256, \
         body) VALUES (1, 1, 1, 1, 'evt_1', '', 0, now(), now(), sha256(''), 'body')",
    ),
    (
        "command",
        "INSERT INTO command (tenant_id, command_id, account_id, unit, kind, body, actor, recorded_at, step, version_before, \
         version_after) VALUES (1, gen_random_uuid(), gen_random_uuid(), 'credits', 1, '{}', 'key_1', now(), 1, 0, 1)",
    ),
    (
        "decision",
        "INSERT INTO decision (tenant_id, pos, slot, outcome, reason, rules_version, decided_at) \
         VALUES (1, 1, 0, 2, 20, 1, now())",
    ),
    (
        "posting",
        "INSERT INTO posting (tenant_id, account_id, unit, seq, contra, amount, balance_after, cause_kind, command_id, \
         effective_at, recorded_at, hash) VALUES (1, gen_random_uuid(), 'credits', 1, 1, 1, 1, 2, gen_random_uuid(), \
         now(), now(), sha256(''))",
    ),
    ("grant_move", "INSERT INTO grant_move VALUES (1, gen_random_uuid(), 'credits', 1, 1, 1, 1)"),
    (
        "reversal",
        "INSERT INTO reversal VALUES (1, gen_random_uuid(), gen_random_uuid(), 'credits', 1)",
    ),
];

/// Every role that a process takes on.
const PROCESSES: [&str; 7] = [
    "tally_ingest",
    "tally_projector",
    "tally_keeper",
    "tally_relay",
    "tally_api",
    "tally_eraser",
    "tally_reader",
];

const INSUFFICIENT_PRIVILEGE: &str = "42501";
const RESTRICT_VIOLATION: &str = "23001";

async fn filled() -> (World, Client) {
    let world = World::new().await;
    let client = world.database.superuser().await;
    for (table, insert) in TABLES {
        assert_eq!(client.execute(insert, &[]).await.unwrap(), 1, "{table}");
    }
    (world, client)
}

async fn check_refused(client: &Client, role: &str, code: &str) {
    client.batch_execute(&format!("SET ROLE {role}")).await.unwrap();
    for (table, _) in TABLES {
        for verb in [
            format!("UPDATE {table} SET tenant_id = 2"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
        ] {
            let error = client.batch_execute(&verb).await.expect_err(&verb);
            assert_eq!(error.code().unwrap().code(), code, "{role}: {verb}");
        }
    }
    client.batch_execute("RESET ROLE").await.unwrap();
}

#[tokio::test]
async fn no_process_may_change_history() {
    let (_world, client) = filled().await;
    for role in PROCESSES {
        check_refused(&client, role, INSUFFICIENT_PRIVILEGE).await;
    }
}

#[tokio::test]
async fn the_owner_is_refused_by_trigger() {
    let (_world, client) = filled().await;
    check_refused(&client, "tally_owner", RESTRICT_VIOLATION).await;
    check_refused(&client, "NONE", RESTRICT_VIOLATION).await; // the superuser itself
}

/// The setting under which the erasure function works lets nothing pass but a body that becomes null.
#[tokio::test]
async fn the_erasure_setting_opens_nothing_else() {
    let (_world, client) = filled().await;
    client.batch_execute("SET ROLE tally_owner; SET tally.erasing = 'on'").await.unwrap();
    for change in ["body = 'other'", "body = NULL, type = 'other'", "pos = 2", "tenant_id = 2"] {
        let error = client.batch_execute(&format!("UPDATE event SET {change}")).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), RESTRICT_VIOLATION, "{change}");
    }
    let error = client.batch_execute("DELETE FROM event").await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), RESTRICT_VIOLATION);
}
