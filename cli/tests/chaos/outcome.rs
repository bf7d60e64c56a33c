//! What stands in the database in the end, arranged as the model tells it.

use std::collections::BTreeMap;

use ledger::decision::Reason;
use rules::world::Status;
use store::statement::{Connection, Statement, query};

use crate::checks::count as statement;
use crate::history::{Expectation, Expected, History};

const ALIASES: Statement =
    statement("-- histories.aliases\nSELECT alias, root_key FROM payment_alias");

const PAYMENTS: Statement = statement(
    "-- histories.payments
SELECT p.root_key, p.merged_into, p.status, o.key, l.is_posted
FROM payment p LEFT JOIN owner o ON o.account_id = p.owner_account AND o.kind = 1
CROSS JOIN LATERAL (SELECT coalesce(bool_or(l.posted > 0), false) AS is_posted FROM payment_leg l
                    WHERE l.tenant_id = p.tenant_id AND l.root_key = p.root_key) l",
);

const BOUGHT: Statement = statement(
    "-- histories.bought
SELECT root_key, unit, sum(target)::bigint FROM payment_leg GROUP BY root_key, unit HAVING sum(target) <> 0",
);

const ACCOUNTS: Statement = statement(
    "-- histories.accounts
SELECT o.kind, o.key, a.unit, a.posted FROM account a JOIN owner o USING (tenant_id, account_id) WHERE a.posted <> 0",
);

const CASES: Statement = statement(
    "-- histories.cases
SELECT root_key, reason FROM review_case WHERE state = 1 ORDER BY reason",
);

/// Credits by unit.
type Credits = BTreeMap<String, i64>;

/// Everything that matters of all histories.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Payment that each object leads to.
    aliases: BTreeMap<String, String>,
    payments: BTreeMap<String, Payment>,
    /// Of users.
    balances: BTreeMap<String, Credits>,
    /// Of payments.
    unclaimed: BTreeMap<String, Credits>,
    /// Reasons of open cases by payment.
    cases: BTreeMap<String, Vec<String>>,
}

struct Payment {
    merged_into: Option<String>,
    status: Status,
    owner: Option<String>,
    is_posted: bool,
    bought: Credits,
}

impl Outcome {
    /// Reads it.
    pub(crate) async fn read(client: &impl Connection) -> Self {
        let rows = query(client, &ALIASES, &[]).await.unwrap();
        let aliases = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let mut payments: BTreeMap<String, Payment> = BTreeMap::new();
        for row in query(client, &PAYMENTS, &[]).await.unwrap() {
            let status = Status::from_code(row.get(2)).unwrap();
            let (merged_into, owner, is_posted) = (row.get(1), row.get(3), row.get(4));
            let bought = Credits::new();
            let payment = Payment { merged_into, status, owner, is_posted, bought };
            payments.insert(row.get(0), payment);
        }
        for row in query(client, &BOUGHT, &[]).await.unwrap() {
            let root_key: String = row.get(0);
            payments.get_mut(&root_key).unwrap().bought.insert(row.get(1), row.get(2));
        }
        let mut outcome = Self { aliases, payments, ..Self::default() };
        for row in query(client, &ACCOUNTS, &[]).await.unwrap() {
            let (key, unit, posted): (String, String, i64) = (row.get(1), row.get(2), row.get(3));
            let credits = if row.get::<_, i16>(0) == 1 {
                outcome.balances.entry(key).or_default()
            } else {
                let root_key = outcome.root_key(&key).to_owned();
                outcome.unclaimed.entry(root_key).or_default()
            };
            *credits.entry(unit).or_default() += posted;
        }
        for row in query(client, &CASES, &[]).await.unwrap() {
            let root_key = outcome.root_key(row.get(0)).to_owned();
            let reason = Reason::from_code(row.get(1)).unwrap().name().to_owned();
            outcome.cases.entry(root_key).or_default().push(reason);
        }
        outcome
    }

    /// How a history ended.
    pub(crate) fn of(&self, history: &History) -> Expected {
        let mut found = Expected::default();
        for user in history.setup.user_ids() {
            if let Some(credits) = self.balances.get(user) {
                found.balances.insert(user.to_owned(), credits.clone());
            }
        }
        for told in &history.expected.payments {
            let root_key = self.root_key(&told.ids[0]);
            found.payments.push(self.stands(root_key, told));
            found.open_cases.extend(self.cases.get(root_key).cloned().unwrap_or_default());
            for (unit, credits) in self.unclaimed.get(root_key).into_iter().flatten() {
                *found.unclaimed.entry(unit.clone()).or_default() += credits;
            }
        }
        found.open_cases.sort();
        found
    }

    /// The payment that an object leads to now, whatever it was merged into.
    fn root_key<'a>(&'a self, object: &'a str) -> &'a str {
        let mut root_key = self.aliases.get(object).map_or(object, String::as_str);
        while let Some(next) = self.payments.get(root_key).and_then(|p| p.merged_into.as_deref()) {
            root_key = next;
        }
        root_key
    }

    /// How the payment stands that these objects are of.
    fn stands(&self, root_key: &str, told: &Expectation) -> Expectation {
        let payment = &self.payments[root_key];
        let ids = told.ids.iter().filter(|id| self.root_key(id) == root_key);
        // A payment that is worth nothing stands on no account.
        let is_nobodys = payment.owner.is_none() && !payment.is_posted;
        Expectation {
            ids: ids.cloned().collect(),
            // The model has no word for what is not ours: it says how far it has come.
            status: match payment.status {
                Status::Unknown | Status::Pending => "pending".to_owned(),
                Status::Paid => "paid".to_owned(),
                Status::Failed => "failed".to_owned(),
                Status::NotOurs => told.status.clone(),
            },
            owner: if is_nobodys { told.owner.clone() } else { payment.owner.clone() },
            bought: payment.bought.clone(),
            case: self.cases.get(root_key).and_then(|reasons| reasons.first()).cloned(),
        }
    }
}
