//! The story of a user: every movement of his credits, and what is still on its way to him.

use std::collections::BTreeMap;

use ledger::account::SystemAccount;
use ledger::ids::Owner;
use store::read::balance::{Parts, balance_get};
use store::read::page::{From, Page};
use store::read::payments::{Payment, payment_get};
use store::read::postings::{Between, Posting, posting_list};
use store::read::users::User;
use store::units::Unit;

use super::words::{and, credits, money};
use super::{Beat, Tale};
use crate::error::RouteError;
use crate::state::ApiState;

/// Most movements in one unit that are told, the newest ones.
const POSTINGS_MAX: u8 = 100;

/// What is known of a user.
pub(super) struct Known {
    /// The directory's words.
    pub(super) user: User,
    /// What he has, in each of his units.
    pub(super) accounts: Vec<InUnit>,
    /// Payments that are his or may be, by name.
    pub(super) payments: BTreeMap<String, Payment>,
}

/// What a user has in one unit.
pub(super) struct InUnit {
    pub(super) unit: String,
    /// Movements, oldest first.
    pub(super) postings: Vec<Posting>,
    /// Whether there are older ones.
    pub(super) has_older: bool,
    pub(super) parts: Parts,
}

/// Reads what is known of a user, and tells it.
pub(super) async fn read_and_tell(
    state: &ApiState,
    tenant_id: i32,
    user: User,
) -> Result<Tale, RouteError> {
    let units = state.units_of(tenant_id, &user.user_id).await?;
    let (client, now) = (&state.client().await?, state.clock.now());
    let account = Owner::User(user.user_id.clone()).account_id();
    let mut accounts = Vec::new();
    for Unit { name: unit, .. } in units {
        let page = Page { from: From::Newest, limit: POSTINGS_MAX };
        let all = Between::default();
        let mut found = posting_list(client, tenant_id, (account, &unit), all, &page).await?;
        found.rows.reverse();
        let parts = balance_get(client, tenant_id, &user.user_id, &unit, now).await?;
        let (postings, has_older) = (found.rows, found.has_more);
        accounts.push(InUnit { unit, postings, has_older, parts: parts.unwrap_or_default() });
    }
    let mut payments = BTreeMap::new();
    for root_key in
        store::read::explain::explain_payment_list(client, tenant_id, &user.user_id).await?
    {
        if let Some(payment) = payment_get(client, tenant_id, &root_key).await? {
            payments.insert(root_key, payment);
        }
    }
    Ok(tell(&Known { user, accounts, payments }))
}

/// Tells the story.
pub(super) fn tell(known: &Known) -> Tale {
    let id = &known.user.user_id;
    let registered = Beat {
        at: known.user.created_at,
        position: None,
        text: format!("The app registered user {id}."),
        proof: None,
    };
    let mut beats = vec![registered];
    for InUnit { unit, postings, has_older, .. } in &known.accounts {
        if *has_older {
            let first = postings.first().map_or(known.user.created_at, |first| first.recorded_at);
            let text = format!(
                "Older movements of {unit} are not told here: GET /v1/users/{id}/postings?unit={unit} lists them all."
            );
            beats.push(Beat { at: first, position: None, text, proof: None });
        }
        beats.extend(postings.iter().map(|posting| moved(known, unit, posting)));
    }
    beats.sort_by_key(|beat| beat.at);
    Tale { title: title(known), beats, now: now(known) }
}

fn moved(known: &Known, unit: &str, posting: &Posting) -> Beat {
    let amount = credits(posting.amount.saturating_abs(), unit);
    let balance = credits(posting.balance_after, unit);
    let source = posting.root_key.as_ref().map_or_else(String::new, |root_key| {
        let payment = known.payments.get(root_key);
        let price = payment.and_then(|payment| payment.paid.zip(payment.currency.as_deref()));
        let price = price.map(|(paid, currency)| format!(", {}", money(paid, currency)));
        format!(" (payment {root_key}{})", price.unwrap_or_default())
    });
    let what = match (posting.contra, posting.amount > 0) {
        (SystemAccount::Sale, true) => "bought",
        (SystemAccount::Sale, false) => {
            "taken back, because the payment is worth less by what we know now"
        }
        (SystemAccount::Refund, false) => "taken back, because the money was refunded",
        (SystemAccount::Refund, true) => "given back, because a refund failed",
        (SystemAccount::Dispute, false) => "taken back, because the payment is disputed",
        (SystemAccount::Dispute, true) => "given back after a dispute",
        (SystemAccount::Spend, false) => "spent",
        (SystemAccount::Spend, true) => "given back from a spend",
        (SystemAccount::Expiry, false) => "expired",
        (SystemAccount::Expiry, true) => {
            "expired before; called back, so that they can be taken and nothing is owed for them"
        }
        (SystemAccount::Promo, _) => "given for free",
        (SystemAccount::Adjustment, true) => {
            "moved here, because a person found that they are theirs"
        }
        (SystemAccount::Adjustment, false) => {
            "moved away, because a person found that they are somebody else's"
        }
        (SystemAccount::Unclaimed, true) => {
            "bought; they had stood unclaimed until it was known whose they are"
        }
        (SystemAccount::Unclaimed, false) => "taken back, because they were found not to be theirs",
        (SystemAccount::WriteOff, true) => {
            "written off, because they were gone already; nothing is owed for them"
        }
        (SystemAccount::WriteOff, false) => "taken back, because they had been written off",
    };
    let sign = if posting.amount > 0 { "+" } else { "−" };
    Beat {
        at: posting.recorded_at,
        position: posting.decision.map(|(pos, _)| pos),
        text: format!("{sign}{amount}{source}: {what}. Their balance became {balance}."),
        proof: None,
    }
}

fn title(known: &Known) -> String {
    let available =
        known.accounts.iter().map(|account| credits(account.parts.available(), &account.unit));
    format!("User {}: {} available", known.user.user_id, and(&available.collect::<Vec<_>>()))
}

fn now(known: &Known) -> String {
    let having: Vec<String> = known.accounts.iter().flat_map(having).collect();
    let waiting =
        known.payments.values().filter(|payment| !matches!(payment.owner, Some(Owner::User(_))));
    let waiting: Vec<String> = waiting.map(|payment| payment.root_key.clone()).collect();
    let more = if waiting.is_empty() {
        String::new()
    } else {
        format!(" Explain {} to see what they wait for.", and(&waiting))
    };
    format!("{}.{more}", having.join("; "))
}

/// What a user has in one unit, part by part.
fn having(InUnit { unit, parts, .. }: &InUnit) -> impl Iterator<Item = String> {
    let say = |amount: i64, what: &str| {
        (amount != 0).then(|| format!("{} {what}", credits(amount, unit)))
    };
    let having = [
        Some(format!("{} can be spent", credits(parts.available(), unit))),
        say(parts.held, "are held by jobs under way"),
        say(parts.pending, "come once their payment is complete"),
        say(parts.in_review, "are paid and wait in a case that names this user"),
        say(parts.disputed, "are taken back while a dispute is open"),
        say(parts.debt(), "are owed"),
    ];
    having.into_iter().flatten()
}
