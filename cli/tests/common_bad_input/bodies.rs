//! C: authentic bytes that are broken, or that look so. All are stored; a person looks at what is no event.

/// Bytes, and what is made of them.
pub(crate) struct Broken {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// The id that they are stored under; none for the hash of the bytes.
    pub(crate) id: Option<&'static str>,
    /// Outcome and reason of the latest decision.
    pub(crate) verdict: &'static str,
}

const MALFORMED: &str = "in_review malformed";
const UNSUPPORTED: &str = "in_review unsupported_shape";
const UNHANDLED: &str = "ignored unhandled_type";

/// All rows.
pub(crate) fn all() -> Vec<Broken> {
    let malformed = texts().into_iter().chain(bytes()).chain(events_that_are_none());
    let malformed =
        malformed.map(|(name, bytes)| Broken { name, bytes, id: None, verdict: MALFORMED });
    malformed.chain(events()).collect()
}

/// Texts that are no JSON, or JSON that is no object.
fn texts() -> Vec<(&'static str, Vec<u8>)> {
    let texts = [
        ("empty", ""),
        ("a blank", " "),
        ("not JSON", "not json"),
        ("a form", "id=evt_1&type=ping"),
        ("XML", "<event id=\"evt_1\"/>"),
        ("null", "null"),
        ("true", "true"),
        ("an empty list", "[]"),
        ("text", "\"x\""),
        ("a number", "1"),
        ("minus nothing", "-0"),
        ("a number with an exponent", "1E+2"),
        ("a number beyond all", "1e400000"),
        ("NaN", "NaN"),
        ("single quotes", "{'id':'evt_1'}"),
        ("a comma too many", r#"{"id":"evt_1",}"#),
        ("a comment", r#"{"id":"evt_1"/* */}"#),
        ("an open brace", "{"),
        ("an empty object", "{}"),
        ("two documents", "{}{}"),
    ];
    texts.into_iter().map(|(name, text)| (name, text.as_bytes().to_vec())).collect()
}

/// Bytes that are no text, or text of another kind.
fn bytes() -> Vec<(&'static str, Vec<u8>)> {
    let whole = event("evt_1", "ping", "{}");
    let utf_16 = whole.encode_utf16();
    vec![
        ("NUL", vec![0]),
        ("NUL behind it", format!("{whole}\0").into_bytes()),
        ("NUL in a text", whole.replace("evt_1", "evt_\0").into_bytes()),
        ("a BOM before it", format!("\u{feff}{whole}").into_bytes()),
        (
            "UTF-16, little end first",
            [0xff, 0xfe].into_iter().chain(utf_16.clone().flat_map(u16::to_le_bytes)).collect(),
        ),
        (
            "UTF-16, big end first",
            [0xfe, 0xff].into_iter().chain(utf_16.flat_map(u16::to_be_bytes)).collect(),
        ),
        ("cut off", whole.as_bytes()[..whole.len() - 1].to_vec()),
        ("words behind it", format!("{whole} and more").into_bytes()),
        ("a byte of Latin 1", spliced(&whole, b"\xe9")),
        ("half a character", spliced(&whole, b"\xc3")),
        ("an overlong slash", spliced(&whole, b"\xc0\xaf")),
        ("a surrogate in UTF-8", spliced(&whole, b"\xed\xa0\x80")),
        ("beyond Unicode", spliced(&whole, b"\xf4\x90\x80\x80")),
    ]
}

/// Events but for one thing.
fn events_that_are_none() -> Vec<(&'static str, Vec<u8>)> {
    let digits = "9".repeat(10_000);
    let texts = [
        ("a lone surrogate", event("evt_1", "ping", r#"{"x":"\ud800"}"#)),
        ("a lone second surrogate", event("evt_1", "ping", r#"{"x":"\udc00"}"#)),
        ("128 levels", nested(128)),
        ("129 levels", nested(129)),
        ("500,000 open brackets", "[".repeat(500_000)),
        ("a key twice", r#"{"id":"evt_1","object":"event","type":"ping","x":1,"x":1,"data":{"object":{}}}"#.to_owned()),
        ("two ids", r#"{"id":"evt_1","id":"evt_2","object":"event","type":"ping","data":{"object":{}}}"#.to_owned()),
        ("two ids, one in escapes", r#"{"id":"evt_1","\u0069d":"evt_2","object":"event","type":"ping","data":{"object":{}}}"#.to_owned()),
        ("two amounts", event("evt_1", "ping", r#"{"amount":1,"amount":100}"#)),
        ("an amount beyond all", event("evt_1", "ping", r#"{"amount":1e400000}"#)),
        ("an amount of 10,000 digits", event("evt_1", "ping", &format!(r#"{{"amount":{digits}}}"#))),
        ("an amount that is NaN", event("evt_1", "ping", r#"{"amount":NaN}"#)),
        ("an amount with a leading zero", event("evt_1", "ping", r#"{"amount":010}"#)),
        ("no id", r#"{"object":"event","type":"ping","data":{"object":{}}}"#.to_owned()),
        ("an empty id", event("", "ping", "{}")),
        ("an id of 256 characters", event(&"e".repeat(256), "ping", "{}")),
        ("no type", r#"{"id":"evt_1","object":"event","data":{"object":{}}}"#.to_owned()),
        ("an id that is a number", r#"{"id":1,"object":"event","type":"ping","data":{"object":{}}}"#.to_owned()),
        ("another object", r#"{"id":"evt_1","object":"charge","type":"ping"}"#.to_owned()),
    ];
    texts.into_iter().map(|(name, text)| (name, text.into_bytes())).collect()
}

/// Events that look odd.
fn events() -> Vec<Broken> {
    let keys: Vec<String> = (0..100_000).map(|number| format!("\"{number}\":0")).collect();
    let keys = format!("{{{}}}", keys.join(","));
    let long = format!("{{\"{}\":0}}", "k".repeat(1_000_000));
    let session = |amount: &str| {
        format!(
            r#"{{"id":"cs_1","object":"checkout.session","mode":"payment","payment_status":"paid","amount_total":{amount}}}"#
        )
    };
    let completed = "checkout.session.completed";
    let rows = [
        ("127 levels", nested(127), "evt_nested", UNHANDLED),
        ("100,000 keys", event("evt_keys", "ping", &keys), "evt_keys", UNHANDLED),
        ("a key of a megabyte", event("evt_key", "ping", &long), "evt_key", UNHANDLED),
        ("NUL in the id", event("evt_\\u0000", "ping", "{}"), "evt_\u{fffd}", UNHANDLED),
        ("an id without evt_", event("1", "ping", "{}"), "1", UNHANDLED),
        (
            "NUL in metadata",
            event(
                "evt_nul",
                "customer.created",
                r#"{"id":"cus_1","object":"customer","metadata":{"user_id":"u\u0000"}}"#,
            ),
            "evt_nul",
            "applied evidence",
        ),
        (
            "an amount of 2^53 + 1",
            event("evt_a", completed, &session("9007199254740993")),
            "evt_a",
            "in_review no_evidence",
        ),
        (
            "an amount of 2^63",
            event("evt_b", completed, &session("9223372036854775808")),
            "evt_b",
            UNSUPPORTED,
        ),
        (
            "an amount of 2^64",
            event("evt_c", completed, &session("18446744073709551616")),
            "evt_c",
            UNSUPPORTED,
        ),
        (
            "an amount with an exponent",
            event("evt_d", completed, &session("1E+2")),
            "evt_d",
            UNSUPPORTED,
        ),
        (
            "an amount that is text",
            event("evt_e", completed, &session("\"990\"")),
            "evt_e",
            UNSUPPORTED,
        ),
    ];
    rows.into_iter()
        .map(|(name, text, id, verdict)| Broken {
            name,
            bytes: text.into_bytes(),
            id: Some(id),
            verdict,
        })
        .collect()
}

/// An event around an object.
fn event(id: &str, event_type: &str, object: &str) -> String {
    format!(
        r#"{{"id":"{id}","object":"event","type":"{event_type}","data":{{"object":{object}}}}}"#
    )
}

/// An event that is so many levels deep.
fn nested(levels: usize) -> String {
    let (open, close) = ("[".repeat(levels - 3), "]".repeat(levels - 3));
    event("evt_nested", "ping", &format!("{{\"x\":{open}{close}}}"))
}

/// The text with bytes in the middle of its id.
fn spliced(text: &str, bytes: &[u8]) -> Vec<u8> {
    let at = text.find("evt_").unwrap() + 4;
    [&text.as_bytes()[..at], bytes, &text.as_bytes()[at..]].concat()
}
