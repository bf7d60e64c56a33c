//! Which paths of Stripe's API may be asked for: one object each, by its id, with or without parts of it expanded, or once more
//! for each thin event that names it.
//!
//! A key comes from a case, and what stands in a case comes in the end from outside. So a path is never taken as it is:
//! it is read, and written anew from what was understood.

use store::read::pulls::PREFIX;
use stripe::event_type::{is_id, object_at};

/// How the id of a Connect account begins.
const ACCOUNT_PREFIX: &str = "acct_";

/// Most parts that are expanded at once; more would only make a slow answer slower.
const EXPAND_MAX: usize = 4;

/// Parts that may be asked for with the object.
const EXPANDABLE: [&str; 10] = [
    "charge",
    "customer",
    "invoice",
    "latest_charge",
    "line_items",
    "payment_intent",
    "payment_intent.latest_charge",
    "payments",
    "refunds",
    "subscription",
];

/// One object of Stripe's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// What the cases wait for.
    pub(super) key: String,
    /// Connect account that it belongs to; none for the own one.
    pub(super) account: Option<String>,
    /// What it calls itself in `object`.
    pub(super) object: &'static str,
    /// Its id.
    pub(super) id: String,
    /// Parts of it that come along.
    pub(super) expand: Vec<&'static str>,
    /// Where it stands: `/v1/charges/ch_1`.
    pub(super) path: String,
    /// Whether a thin event names it, for which it is asked once: no later answer says more of that event.
    pub(super) is_once: bool,
}

impl Wanted {
    /// Reads `pull:[<account>]<path>[?expand[]=<part>[&expand[]=<part>]…]`, or `pull:[<account>]<path>@<position>` of what the
    /// thin event there names; none if that is not a path that may be asked for.
    pub(super) fn parse(key: &str) -> Option<Self> {
        let rest = key.strip_prefix(PREFIX)?;
        let (account, rest) = rest.split_at_checked(rest.find('/')?)?;
        let is_account = account.starts_with(ACCOUNT_PREFIX) && is_id(account);
        if !is_account && !account.is_empty() {
            return None;
        }
        let (rest, position) = rest.split_once('@').map_or((rest, None), |(r, p)| (r, Some(p)));
        if position.is_some_and(|position| position.parse::<u64>().is_err()) {
            return None;
        }
        let (path, query) = rest.split_once('?').map_or((rest, None), |(p, q)| (p, Some(q)));
        let (object, id) = object_at(path)?;
        Some(Self {
            key: key.to_owned(),
            account: is_account.then(|| account.to_owned()),
            object,
            id: id.to_owned(),
            expand: query.map_or(Some(Vec::new()), expanded)?,
            path: path.to_owned(),
            is_once: position.is_some(),
        })
    }
}

/// Reads `expand[]=<part>&expand[]=<part>…`.
fn expanded(query: &str) -> Option<Vec<&'static str>> {
    let part = |pair: &str| {
        let named = pair.strip_prefix("expand[]=")?;
        EXPANDABLE.into_iter().find(|part| *part == named)
    };
    let parts: Vec<&str> = query.split('&').map(part).collect::<Option<_>>()?;
    (parts.len() <= EXPAND_MAX).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_is_asked_for_by_its_id() {
        let wanted = Wanted::parse("pull:/v1/charges/ch_1").unwrap();
        let expected = Wanted {
            key: "pull:/v1/charges/ch_1".to_owned(),
            account: None,
            object: "charge",
            id: "ch_1".to_owned(),
            expand: Vec::new(),
            path: "/v1/charges/ch_1".to_owned(),
            is_once: false,
        };
        assert_eq!(wanted, expected);
        let warning = Wanted::parse("pull:/v1/radar/early_fraud_warnings/issfr-1").unwrap();
        assert_eq!((warning.object, &*warning.id), ("radar.early_fraud_warning", "issfr-1"));
    }

    #[test]
    fn what_a_thin_event_names_is_asked_for_once() {
        let wanted = Wanted::parse("pull:acct_1/v1/charges/ch_1@17").unwrap();
        assert_eq!((wanted.path.as_str(), wanted.is_once), ("/v1/charges/ch_1", true));
        assert_eq!(wanted.key, "pull:acct_1/v1/charges/ch_1@17");
    }

    #[test]
    fn parts_and_an_account_may_be_named() {
        let key = "pull:acct_1/v1/checkout/sessions/cs_test_1?expand[]=line_items&expand[]=payment_intent";
        let wanted = Wanted::parse(key).unwrap();
        assert_eq!(wanted.account.as_deref(), Some("acct_1"));
        assert_eq!(wanted.path, "/v1/checkout/sessions/cs_test_1");
        assert_eq!(wanted.expand, ["line_items", "payment_intent"]);
    }

    #[test]
    fn nothing_else_may_be_asked_for() {
        let long = format!("pull:/v1/charges/{}", "x".repeat(stripe::MAX_ID_CHARS + 1));
        let parts = ["expand[]=charge"; EXPAND_MAX + 1].join("&");
        let greedy = format!("pull:/v1/charges/ch_1?{parts}");
        for key in [
            "user:/v1/charges/ch_1",
            "pull:",
            "pull:ch_1",
            "pull:v1/charges/ch_1",
            "pull:/v1/charges",
            "pull:/v1/charges/",
            "pull:/v1/charges/ch_1/",
            "pull:/v1/charges/ch_1/capture",
            "pull:/v1/charges/../balance",
            "pull:/v1/charges/%2e%2e",
            "pull:/v1/charges/ch 1",
            "pull:/v1/charges/ch_1#x",
            "pull:/v1/charges/chä",
            "pull:/v1/balance",
            "pull:/v1/payouts/po_1",
            "pull://evil.example/v1/charges/ch_1",
            "pull:https://evil.example/v1/charges/ch_1",
            "pull:evil/v1/charges/ch_1",
            "pull:acct_1@evil/v1/charges/ch_1",
            "pull:/v1/charges/ch_1@",
            "pull:/v1/charges/ch_1@x",
            "pull:/v1/charges/ch_1@1@2",
            "pull:/v1/charges/ch_1@1/refunds",
            "pull:/v1/charges/ch_1?",
            "pull:/v1/charges/ch_1?limit=100",
            "pull:/v1/charges/ch_1?expand[]=customer.sources",
            "pull:/v1/charges/ch_1?expand[]=charge&",
            long.as_str(),
            greedy.as_str(),
        ] {
            assert_eq!(Wanted::parse(key), None, "{key}");
        }
    }
}
