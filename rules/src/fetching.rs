//! What has to be fetched from Stripe, named by the key under which a case waits for it: `pull:` and the path of Stripe's API,
//! with the Connect account before it where there is one. For what a thin event names, `@` and the event's position: only what
//! was asked for since says all that the event has to say.

use stripe::event_type::is_id;

/// Begins each of these keys.
const PREFIX: &str = "pull:";

/// The key of an object by the name of its collection (`charges`) and its id (of Connect: `acct_…/ch_…`). None for an id that
/// no path could hold.
pub fn fetch_key(collection: &str, id: &str, query: &str) -> Option<String> {
    let (account, id) = id.rsplit_once('/').unwrap_or(("", id));
    let fits = is_id(id) && (account.is_empty() || is_id(account));
    fits.then(|| format!("{PREFIX}{account}/v1/{collection}/{id}{query}"))
}

/// The key of what the thin event at a position names, by its path, such as `/v1/charges/ch_1`, on a Connect account if there
/// is one.
pub fn thin_key(account: Option<&str>, path: &str, pos: i64) -> String {
    format!("{PREFIX}{}{path}@{pos}", account.unwrap_or_default())
}

/// The Connect account that a key is about.
pub fn account_of(key: &str) -> Option<&str> {
    let (account, _) = key.strip_prefix(PREFIX)?.split_once('/')?;
    (!account.is_empty()).then_some(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_the_path() {
        assert_eq!(fetch_key("charges", "ch_1", "").as_deref(), Some("pull:/v1/charges/ch_1"));
        let connected = fetch_key("charges", "acct_1/ch_1", "?expand[]=refunds");
        assert_eq!(connected.as_deref(), Some("pull:acct_1/v1/charges/ch_1?expand[]=refunds"));
        assert_eq!(thin_key(None, "/v1/charges/ch_1", 7), "pull:/v1/charges/ch_1@7");
        assert_eq!(
            thin_key(Some("acct_1"), "/v1/charges/ch_1", 7),
            "pull:acct_1/v1/charges/ch_1@7"
        );
        assert_eq!(account_of("pull:acct_1/v1/charges/ch_1@7"), Some("acct_1"));
        assert_eq!(account_of("pull:/v1/charges/ch_1"), None);
        for id in ["", "../x", "ch_1?x", "a b"] {
            assert_eq!(fetch_key("charges", id, ""), None, "{id}");
        }
    }
}
