//! Every statement against the migrated schema, and the rules that keep the schema distributable.

use std::collections::HashSet;

use store::statement::Statement;

/// Statements that are not about one tenant, and why.
const WITHOUT_TENANT: [(&str, &str); 12] = [
    ("connect.check", "asks the server, not the data"),
    ("status.server", "asks the server, not the data"),
    ("notify.send", "touches no table"),
    ("keys.as_owner", "a setting"),
    ("tenant.ensure_as_owner", "a setting"),
    ("log.append", "calls the one function that appends, whose first argument is the tenant"),
    ("keys.find", "looks for a key, which tells its tenant"),
    ("tenant.list", "lists tenants"),
    ("verify.tenants", "lists tenants"),
    ("tenant.find", "looks for a tenant by its name"),
    ("tenant.ensure_lock", "locks the list of tenants"),
    ("tenant.ensure_insert", "gives a tenant its number"),
];

/// The text without its first line, in capitals and with single spaces.
fn body(statement: &Statement) -> String {
    let (_, body) = statement.sql.split_once('\n').unwrap();
    body.to_uppercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Does it write rows of the tenant `$1` and of no other?
fn inserts_for_tenant(statement: &Statement) -> bool {
    let body = body(statement);
    let columns = body.split_once('(').map(|(_, columns)| columns.split([',', ')']).next());
    body.starts_with("INSERT INTO ")
        && columns == Some(Some("TENANT_ID"))
        && ["VALUES ($1", "SELECT $1,"].iter().any(|first| body.contains(first))
}

/// Is there `tenant_id = $n` in it?
fn filters_by_tenant(statement: &Statement) -> bool {
    body(statement).contains("TENANT_ID = $")
}

#[tokio::test]
async fn all_have_the_types_that_they_say() {
    let database = testkit::database().await;
    let client = database.superuser().await;
    for statement in store::all_statements() {
        let name = statement.name();
        let prepared = match client.prepare_typed(statement.sql, statement.params).await {
            Ok(prepared) => prepared,
            Err(error) => panic!("{name}: {error}: {:?}", error.as_db_error()),
        };
        assert_eq!(prepared.params(), statement.params, "{name}");
        let columns: Vec<_> = prepared.columns().iter().map(|one| one.type_().clone()).collect();
        assert_eq!(columns, statement.columns, "{name}");
        // Where the server can tell the parameters' types by itself, it must come to the same.
        if let Ok(inferred) = client.prepare(statement.sql).await {
            assert_eq!(inferred.params(), statement.params, "{name}");
        }
    }
}

#[test]
fn all_are_named_and_no_two_alike() {
    let mut names = HashSet::new();
    for statement in store::all_statements() {
        let name = statement.name();
        assert!(statement.sql.starts_with(&format!("-- {name}\n")), "{}", statement.sql);
        let (module, function) = name.split_once('.').unwrap();
        let plain = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        };
        assert!(plain(module) && plain(function), "{name}");
        assert!(names.insert(name), "{name} is there twice");
    }
}

#[test]
fn no_cte_modifies_data() {
    for statement in store::all_statements() {
        let body = body(statement).replace("( ", "(");
        for verb in ["(INSERT ", "(UPDATE ", "(DELETE ", "(MERGE "] {
            assert!(!body.contains(verb), "{}", statement.name());
        }
    }
}

#[test]
fn an_insert_that_returns_rows_has_an_alias() {
    for statement in store::all_statements() {
        let body = body(statement);
        if body.starts_with("INSERT INTO ") && body.contains(" RETURNING ") {
            let alias = body.split(' ').nth(3);
            assert_eq!(alias, Some("AS"), "{}", statement.name());
        }
    }
}

#[test]
fn rows_are_locked_within_one_tenant() {
    for statement in store::all_statements() {
        let body = body(statement);
        if ["FOR UPDATE", "FOR NO KEY UPDATE", "FOR SHARE"].iter().any(|lock| body.contains(lock)) {
            assert!(filters_by_tenant(statement), "{}", statement.name());
        }
    }
}

#[test]
fn every_statement_is_about_one_tenant() {
    for statement in store::all_statements() {
        let excused = WITHOUT_TENANT.iter().any(|(excused, _)| *excused == statement.name());
        let one_tenant = filters_by_tenant(statement) || inserts_for_tenant(statement);
        assert_ne!(excused, one_tenant, "{}", statement.name());
    }
}

#[test]
fn what_is_written_holds_no_time_or_chance_of_the_server() {
    for statement in store::all_statements() {
        let body = body(statement);
        let writes = ["INSERT", "UPDATE", "DELETE"].iter().any(|verb| body.starts_with(verb));
        for volatile in ["NOW()", "CURRENT_TIMESTAMP", "CLOCK_TIMESTAMP", "RANDOM()", "GEN_RANDOM"]
        {
            assert!(!writes || !body.contains(volatile), "{}", statement.name());
        }
    }
}
