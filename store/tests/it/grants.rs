//! Each role's verbs, written down a second time: whoever changes the one must change the other.

use std::collections::BTreeMap;

use testkit::TestDatabase;

/// The roles that hold grants; the owner holds everything and no process acts as it.
const ROLES: [&str; 7] = ["ingest", "projector", "keeper", "relay", "api", "eraser", "reader"];

/// r SELECT · a INSERT · w UPDATE · d DELETE · - nothing; in brackets the columns, where it is not all of them.
const EXPECTED: &str = "
                  ingest    projector   keeper    relay api              eraser reader
account           -         raw         raw       -     raw              -      r
api_key           -         -           -         -     rw(last_used_at) -      -
app_user          -         raw         r         -     r                -      r
attempt           -         rawd        r         -     r                -      r
case_event        -         rad         r         -     r                -      r
case_wait         r         rad         r         -     r                -      r
catalogue_entry   -         ra          r         -     r                -      r
command           -         r           ra        -     ra               -      r
credit_grant      -         raw         raw       -     raw              -      r
customer          -         raw         r         -     r                -      r
customer_link     -         raw(to_pos) r         -     r                -      r
decision          -         ra          r         -     r                -      r
event             ra        r           ra        -     ra               -      r
event_key         ra        r           ra        -     ra               -      r
grant_move        -         ra          ra        -     ra               -      r
hold              -         raw         raw       -     raw              -      r
idempotency       -         -           -         -     ra               -      r
log_head          rw(epoch) r           rw(epoch) r     rw(epoch)        -      r
outbox            -         ra          ra        rd    ra               -      r
owner             -         ra          ra        -     ra               -      r
payment           -         raw         r         -     r                -      r
payment_alias     -         raw         r         -     r                -      r
payment_leg       -         rawd        r         -     r                -      r
posting           -         ra          ra        -     ra               -      r
projection_slot   -         rw(slot)    r         -     r                -      r
rejected_delivery rad       -           -         -     r                -      r
reversal          -         r           ra        -     ra               -      r
review_case       -         raw         r         -     r                -      r
seal              -         -           -         -     r                -      r
subject           -         raw(key)    r         -     r                -      r
tenant            r         r           r         r     r                -      r(tenant_id,name,livemode,created_at)
unit              -         r           rawd      -     r                -      r
woken             -         rawd        r         -     r                -      r
";

/// Functions that not everybody may call, and who may.
const EXPECTED_FUNCTIONS: &str = "\
append_events api
append_events ingest
append_events keeper
erase_event_body eraser";

const TABLE_GRANTS: &str = "
WITH granted AS (
    SELECT c.relname, p.grantee, p.privilege_type, '' AS columns
    FROM pg_class c, aclexplode(c.relacl) p
    WHERE c.relnamespace = 'tally'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT c.relname, p.grantee, p.privilege_type, '(' || string_agg(a.attname, ',' ORDER BY a.attnum) || ')'
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) p
    WHERE c.relnamespace = 'tally'::regnamespace
    GROUP BY c.relname, p.grantee, p.privilege_type)
SELECT relname::text, coalesce(rolname, 'everybody')::text, privilege_type, columns
FROM granted LEFT JOIN pg_roles r ON r.oid = grantee
WHERE relname <> '_sqlx_migrations' AND rolname IS DISTINCT FROM 'tally_owner'";

const FUNCTION_GRANTS: &str = "
SELECT f.proname::text, r.rolname::text
FROM pg_proc f, aclexplode(f.proacl) p JOIN pg_roles r ON r.oid = p.grantee
WHERE f.pronamespace = 'tally'::regnamespace AND rolname <> 'tally_owner' ORDER BY 1, 2";

#[tokio::test]
async fn each_role_has_its_verbs_and_no_others() {
    let database = testkit::database().await;
    let actual = table_grants(&database).await;
    assert!(actual.trim() == EXPECTED.trim(), "as it is:\n{actual}");
}

#[tokio::test]
async fn only_some_may_append_and_only_one_may_erase() {
    let database = testkit::database().await;
    let rows = database.superuser().await.query(FUNCTION_GRANTS, &[]).await.unwrap();
    let lines = rows.iter().map(|row| {
        let (function, role): (&str, &str) = (row.get(0), row.get(1));
        format!("{function} {}", role.trim_start_matches("tally_"))
    });
    assert_eq!(lines.collect::<Vec<_>>().join("\n"), EXPECTED_FUNCTIONS);
}

/// What the roles may do, in the form of [`EXPECTED`].
async fn table_grants(database: &TestDatabase) -> String {
    let mut verbs: BTreeMap<(String, String), BTreeMap<usize, String>> = BTreeMap::new();
    for row in database.superuser().await.query(TABLE_GRANTS, &[]).await.unwrap() {
        let (table, role): (String, &str) = (row.get(0), row.get(1));
        let (privilege, columns): (&str, &str) = (row.get(2), row.get(3));
        let known = ["SELECT", "INSERT", "UPDATE", "DELETE"];
        let order = known.iter().position(|one| *one == privilege);
        let order = order.unwrap_or_else(|| panic!("{role} has {privilege} on {table}"));
        let role = role.trim_start_matches("tally_");
        assert!(ROLES.contains(&role), "{role} has {privilege} on {table}");
        let verb = format!("{}{columns}", ["r", "a", "w", "d"][order]);
        verbs.entry((table, role.to_owned())).or_default().insert(order, verb);
    }
    let line = |first: &str, cells: [String; 7]| {
        let [ingest, projector, keeper, relay, api, eraser, reader] = cells;
        let line = format!(
            "{first:<18}{ingest:<10}{projector:<12}{keeper:<10}{relay:<6}{api:<17}{eraser:<7}{reader}"
        );
        line.trim_end().to_owned()
    };
    let mut lines = vec![line("", ROLES.map(str::to_owned))];
    let mut tables: Vec<_> = verbs.keys().map(|(table, _)| table.clone()).collect();
    tables.dedup();
    for table in tables {
        let cells = ROLES.map(|role| match verbs.get(&(table.clone(), role.to_owned())) {
            Some(verbs) => verbs.values().map(String::as_str).collect(),
            None => "-".to_owned(),
        });
        lines.push(line(&table, cells));
    }
    lines.join("\n")
}
