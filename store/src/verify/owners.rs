//! Whom accounts belong to: an account's id is made of its owner's name, so a name that was changed shows.

use ledger::ids::Owner;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::Check;
use crate::error::Error;
use crate::statement::{Connection, Statement, query};

/// Every statement of this module.
pub(super) const STATEMENTS: &[&Statement] = &[&PAGE];

/// Accounts that are read at a time.
const PAGE_ROWS: i64 = 5_000;

// Each half stops at a page's length, so that a page costs no more than its rows, however many accounts there are.
const PAGE: Statement = Statement {
    sql: "-- verify.owners
SELECT k.account_id, o.kind, o.key
FROM ((SELECT account_id FROM owner WHERE tenant_id = $1 AND account_id > $2 ORDER BY account_id LIMIT $3)
      UNION
      (SELECT DISTINCT account_id FROM account WHERE tenant_id = $1 AND account_id > $2 ORDER BY account_id LIMIT $3)) k
LEFT JOIN owner o ON o.tenant_id = $1 AND o.account_id = k.account_id
ORDER BY k.account_id LIMIT $3",
    params: &[Type::INT4, Type::UUID, Type::INT8],
    columns: &[Type::UUID, Type::INT2, Type::TEXT],
};

/// Derives the id of every account from its owner again.
pub(super) async fn check(connection: &impl Connection, tenant_id: i32) -> Result<Check, Error> {
    let mut check = Check { name: "owners", ..Check::default() };
    let mut after = Uuid::nil();
    loop {
        let rows = query(connection, &PAGE, &[&tenant_id, &after, &PAGE_ROWS]).await?;
        let Some(last) = rows.last() else { return Ok(check) };
        after = last.get(0);
        for row in &rows {
            check.saw(1);
            let account: Uuid = row.get(0);
            let owner = owner(row.get(1), row.get(2));
            if owner.as_ref().is_none_or(|owner| owner.account_id().0 != account) {
                check.differs(match owner {
                    Some(owner) => {
                        format!("account {account} is not that of {}, whom it names", owner.key())
                    }
                    None => format!("account {account} belongs to nobody"),
                });
            }
        }
    }
}

/// The owner of this kind (`owner.kind`) and name.
fn owner(kind: Option<i16>, key: Option<String>) -> Option<Owner> {
    match (kind?, key?) {
        (1, user) => Some(Owner::User(user)),
        (2, root_key) => Some(Owner::Unclaimed(root_key)),
        _ => None,
    }
}
