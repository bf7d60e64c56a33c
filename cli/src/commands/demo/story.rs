//! What happens: purchases as they go right and wrong, told by Stripe, and what the app and staff do about them.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use ledger::decision::Reason;
use serde_json::json;
use service::clock::Clock;
use store::read::cases::{self, Filter, case_list};
use store::read::decisions::{Verdict, decision_first};
use store::read::page::{From, Page};
use store::status::counts;

use super::stage::Stage;
use crate::deliver::Answer;
use crate::events::{Event, Purchase, customer_updated, product_updated};

/// Users whose balances are shown at the end.
pub(super) const USERS: [&str; 3] = ["ada", "bob", "carol"];

/// A delivery, and what was first decided of it.
#[derive(Debug)]
pub(super) struct Delivery {
    /// What happened, in words.
    pub(super) what: &'static str,
    /// Type of the event.
    pub(super) kind: &'static str,
    /// Whether it was there already.
    pub(super) is_duplicate: bool,
    /// Where it stands.
    pub(super) pos: i64,
    /// What was decided at first.
    pub(super) first: Verdict,
}

/// Tells all of it; what was delivered.
pub(super) async fn tell(stage: &Stage) -> anyhow::Result<Vec<Delivery>> {
    open_shop(stage).await?;
    let mut delivered = Vec::new();
    for (what, event) in deliveries(Clock::system().now().as_second()) {
        let kind = event.kind;
        let (is_duplicate, pos) = match stage.stripe.deliver(event.body).await? {
            Answer::Stored(pos) => (false, pos),
            Answer::Duplicate(pos) => (true, pos),
            Answer::Other(status) => bail!("a delivery was answered {status}, not 200"),
        };
        let first = stage.wait_for("a decision", async |stage| {
            let client = stage.store.get().await?;
            Ok(decision_first(&client, stage.tenant.tenant_id, pos).await?)
        });
        delivered.push(Delivery { what, kind, is_duplicate, pos, first: first.await? });
    }
    settle(stage).await?;
    stage
        .wait_for("all cases to close", async |stage| {
            let client = stage.store.get().await?;
            let counts = counts(&client, stage.tenant.tenant_id).await?;
            let done = counts.pending == 0 && counts.cases_opened == counts.cases_closed;
            Ok(done.then_some(()))
        })
        .await?;
    Ok(delivered)
}

/// Two users with verified e-mails, and a price.
async fn open_shop(stage: &Stage) -> anyhow::Result<()> {
    for user in ["ada", "bob"] {
        let body = json!({"email": format!("{user}@example.com"), "email_verified": true});
        stage.app.put(&format!("/v1/users/{user}"), &body).await?;
    }
    stage.admin.put("/v1/catalogue/price_starter", &json!({"credits": 100})).await?;
    Ok(())
}

/// What Stripe tells, in this order, one second of Stripe's clock.
fn deliveries(now: i64) -> Vec<(&'static str, Event)> {
    let purchase = |name: &str, user: &str, price: &str, email: &str| Purchase {
        name: name.to_owned(),
        created: now,
        amount: 990,
        metadata: BTreeMap::from([("user_id", user.to_owned()), ("price", price.to_owned())]),
        email: Some(format!("{email}@example.com")),
        ..Purchase::default()
    };
    let usual = purchase("usual", "ada", "price_starter", "ada");
    let early = purchase("early", "carol", "price_starter", "carol");
    let mixed_up = purchase("mixed_up", "ada", "price_starter", "bob");
    let unpriced = purchase("unpriced", "bob", "price_pro", "bob");
    vec![
        ("ada buys price_starter", usual.session_completed()),
        ("the same delivery again", usual.session_completed()),
        ("the same purchase, by its payment intent", usual.payment_intent_succeeded()),
        ("the same purchase, by its charge", usual.charge_succeeded()),
        ("carol buys, whom nobody knows yet", early.session_completed()),
        ("ada by metadata, bob by verified e-mail", mixed_up.session_completed()),
        ("bob buys price_pro, which has no credits yet", unpriced.session_completed()),
        ("a customer changes", customer_updated("ada", "ada@example.com", now)),
        ("a product changes", product_updated("starter", now)),
    ]
}

/// The app registers carol, somebody prices what bob bought, staff look into the mix-up: it was bob who paid.
async fn settle(stage: &Stage) -> anyhow::Result<()> {
    let carol = json!({"email": "carol@example.com", "email_verified": true});
    stage.app.put("/v1/users/carol", &carol).await?;
    stage.admin.put("/v1/catalogue/price_pro", &json!({"credits": 500})).await?;
    let filter =
        Filter { is_open: Some(true), reason: Some(Reason::Conflict), ..Filter::default() };
    let open = list_cases(stage, &filter).await?;
    let case = open.first().context("the mix-up has opened no case")?;
    let verdict =
        json!({"user": "bob", "reason": "bob paid while ada was still signed in on his machine"});
    stage.support.post(&format!("/v1/cases/{}/assign", case.id), &verdict).await?;
    Ok(())
}

/// The cases of the demonstration, newest first.
pub(super) async fn list_cases(stage: &Stage, filter: &Filter) -> anyhow::Result<Vec<cases::Case>> {
    let client = stage.store.get().await?;
    let page = Page { from: From::Newest, limit: 100 };
    Ok(case_list(&client, stage.tenant.tenant_id, filter, &page).await?.rows)
}
