//! How accounts and commands are looked up in tables of which the planner knows nothing yet: each key by itself, by all of
//! its columns. A plan that is made then is kept, and would read all that a tenant has once there is much of it.

use ledger::account::Terms;
use store::statement::Statement;
use tokio_postgres::types::{Kind, Type};

use super::kit::{Shop, gift, plain, spend};

/// The settings of a process and of the transaction of a batch.
const SETTINGS: &str =
    "SET search_path = tally; SET enable_seqscan = off; SET enable_hashjoin = off;
    SET enable_mergejoin = off; SET jit = off; SET plan_cache_mode = force_generic_plan";

/// The statements whose plans are kept: modules, and one by its name.
const KEPT: &[&str] = &[
    "attempts.",
    "books.",
    "cases.",
    "catalogue.",
    "commands.",
    "decisions.",
    "evidence.",
    "fetched.",
    "outbox.",
    "payments.",
    "read.checkout_list",
    "slots.",
    "subjects.",
];

/// Tables that a tenant has few rows in: they may be read whole.
const SMALL: &[&str] = &["attempt", "log_head", "projection_slot"];

/// Of these modules, what is seldom and planned anew each time.
const PLANNED_ANEW: &[&str] = &[
    "cases.events_clear",
    "cases.lock",
    "cases.waits_clear",
    "payments.legs_clear",
    "slots.backlog",
];

/// The type as `PREPARE` wants it.
fn name_of(of: &Type) -> String {
    if let Kind::Array(inner) = of.kind() {
        return format!("{}[]", inner.name());
    }
    of.name().to_owned()
}

async fn plan(sql: &tokio_postgres::Client, statement: &Statement) -> String {
    let name = statement.name().replace('.', "_");
    let (_, body) = statement.sql.split_once('\n').unwrap();
    let types: Vec<String> = statement.params.iter().map(name_of).collect();
    sql.batch_execute(&format!("PREPARE {name} ({}) AS {body}", types.join(", "))).await.unwrap();
    let nulls = vec!["NULL"; types.len()].join(", ");
    let rows = sql.query(&format!("EXPLAIN EXECUTE {name} ({nulls})"), &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect::<Vec<&str>>().join("\n")
}

#[tokio::test]
async fn each_key_is_looked_up_by_itself_where_nothing_is_known_of_the_tables() {
    check(false).await;
}

#[tokio::test]
async fn each_key_is_looked_up_by_itself_where_the_tables_were_known_to_be_empty() {
    check(true).await;
}

async fn check(was_analyzed: bool) {
    let users: Vec<String> = (0..100).map(|nr| format!("u_{nr}")).collect();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let shop = Shop::new(&names).await;
    if was_analyzed {
        shop.sql.batch_execute("ANALYZE").await.unwrap();
    }
    let gifts: Vec<_> = names.iter().map(|user| plain(gift(user, 9, Terms::default()))).collect();
    let spends: Vec<_> = names.iter().map(|user| plain(spend(user, 3))).collect();
    shop.run(1, &gifts).await;
    shop.run(2, &spends).await;
    shop.sql.batch_execute(SETTINGS).await.unwrap();
    let ours = |statement: &&Statement| {
        KEPT.iter().any(|name| statement.name().starts_with(name))
            && !PLANNED_ANEW.contains(&statement.name())
    };
    let mut wide = Vec::new();
    for statement in store::all_statements().into_iter().filter(ours) {
        let plan = plan(&shop.sql, statement).await;
        let lines: Vec<&str> = plan.lines().collect();
        let is_wide = lines.windows(2).any(|pair| {
            pair[1].trim() == "Index Cond: (tenant_id = $1)"
                && !SMALL.iter().any(|table| pair[0].contains(table))
        });
        if is_wide || plan.contains("Seq Scan") {
            wide.push(format!("{}\n{plan}", statement.name()));
        }
    }
    assert!(wide.is_empty(), "{}", wide.join("\n\n"));
}
