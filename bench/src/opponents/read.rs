//! A balance that is read: the very statement that the API runs, by a client that does nothing else.

use jiff::Timestamp;
use ledger::ids::Owner;
use store::read::balance::STATEMENT;

use crate::pgbench::{Pgbench, Scripts};
use crate::purchases::user_id;
use crate::stand::Stand;

/// Its parameters in their order: tenant, user, account, unit, now.
const PARAMETERS: usize = 5;

/// The sessions of the API that read.
const SETTINGS: &str = "-c search_path=tally -c plan_cache_mode=force_generic_plan -c enable_seqscan=off \
    -c enable_hashjoin=off -c enable_mergejoin=off -c enable_sort=off -c jit=off";

/// It for each of these users; pgbench takes at most 128 scripts.
pub(crate) async fn prepare(stand: &Stand, users: &[usize]) -> anyhow::Result<Pgbench> {
    anyhow::ensure!(STATEMENT.params.len() == PARAMETERS, "the statement takes other parameters");
    let now = stand.now();
    let defines = users.iter().flat_map(|user| values(stand.tenant_id(), *user, now)).collect();
    let texts = users.iter().map(|user| script(*user)).collect();
    Pgbench::prepare(stand, Scripts { texts, defines, settings: SETTINGS }).await
}

fn script(user: usize) -> String {
    let mut text = STATEMENT.sql.to_owned();
    for (place, kind) in (1..).zip(STATEMENT.params) {
        let typed = format!(":p{place}_{user}::{}", kind.name());
        text = text.replace(&format!("${place}"), &typed);
    }
    format!("{};\n", without_comments(&text))
}

/// pgbench reads a colon in a comment as a variable.
fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n")
}

fn values(tenant_id: i32, user: usize, now: Timestamp) -> Vec<(String, String)> {
    let id = user_id(user);
    let account = Owner::User(id.clone()).account_id().0;
    let values =
        [tenant_id.to_string(), id, account.to_string(), "credits".to_owned(), now.to_string()];
    let named = values.into_iter().zip(1..);
    named.map(|(value, place)| (format!("p{place}_{user}"), value)).collect()
}
