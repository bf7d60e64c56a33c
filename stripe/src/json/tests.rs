//! Which bytes are JSON here, and what is said of the others.

use serde_json::json;

use super::{JsonProblemKind, Keep, parse, parse_keeping, text};

use JsonProblemKind::{DuplicateKey, MalformedJson, Number, TooDeep};

#[track_caller]
fn check(name: &str, bytes: impl AsRef<[u8]>, expected: Option<JsonProblemKind>) {
    let bytes = bytes.as_ref();
    let parsed = parse(bytes);
    assert_eq!(parsed.as_ref().err().map(|problem| problem.kind), expected, "{name}");
    // What is passed over is held to the same rules, and the same thing is said of it.
    let checked = parse_keeping(bytes, &Keep::Nothing);
    assert_eq!(checked.err(), parsed.err(), "{name}, passed over");
}

#[test]
fn documents_that_are_json() {
    for (name, document) in [
        ("null", "null"),
        ("a list", "[]"),
        ("text", r#""x""#),
        ("a number", "1"),
        ("white space around", " \r\n\t{ } \n"),
        ("an escaped NUL", r#"{"a":"\u0000"}"#),
        ("a surrogate pair", r#"{"a":"\ud83d\ude00"}"#),
        ("an empty key", r#"{"":1}"#),
        ("keys that differ in case", r#"{"a":1,"A":2}"#),
        ("one key in two objects", r#"{"a":{"a":1},"b":{"a":1}}"#),
        ("minus zero", "-0"),
        ("an exponent", "1E+2"),
        ("2^53 + 1", "9007199254740993"),
        ("2^63", "9223372036854775808"),
        ("a number that rounds to zero", "1e-400000"),
    ] {
        check(name, document, None);
    }
}

#[test]
fn documents_that_are_not_json() {
    let good = br#"{"id":"evt_1"}"#;
    for (name, document) in [
        ("empty", &b""[..]),
        ("blank", b" \n"),
        ("prose", b"this is not valid JSON"),
        ("truncated in an object", br#"{"id":"evt_1""#),
        ("truncated in text", br#"{"id":"ev"#),
        ("truncated in a word", b"nul"),
        ("something behind the end", br#"{"id":"evt_1"}x"#),
        ("two documents", br#"{"id":"evt_1"}{"id":"evt_2"}"#),
        ("two documents, line by line", b"{}\n{}"),
        ("comma behind the last", br#"{"id":"evt_1",}"#),
        ("a comment", b"{/**/}"),
        ("single quotes", b"{'id':'evt_1'}"),
        ("NaN", br#"{"a":NaN}"#),
        ("Infinity", br#"{"a":-Infinity}"#),
        ("plus sign", b"+1"),
        ("leading zero", b"01"),
        ("hexadecimal", b"0x10"),
        ("bare point", b"1."),
        ("byte order mark", b"\xEF\xBB\xBF{}"),
        ("UTF-16", b"{\0}\0"),
        ("NUL behind the end", b"{}\0"),
        ("NUL in text", b"{\"a\":\"\0\"}"),
        ("line feed in text", b"{\"a\":\"\n\"}"),
        ("unknown escape", br#"{"a":"\x41"}"#),
        ("leading surrogate alone", br#"{"a":"\ud800"}"#),
        ("trailing surrogate alone", br#"{"a":"\udc00"}"#),
        ("two leading surrogates", br#"{"a":"\ud800\ud800"}"#),
        ("surrogate in a key", br#"{"\ud800":1}"#),
        ("key that is no text", b"{1:2}"),
    ] {
        check(name, document, Some(MalformedJson));
    }
    for length in 0..good.len() {
        check("prefix of a document", &good[..length], Some(MalformedJson));
    }
}

#[test]
fn invalid_utf8_is_not_json_wherever_it_stands() {
    let sequences: [&[u8]; 20] = [
        b"\x80",
        b"\xBF",
        b"\xC0\x80",
        b"\xC1\xBF",
        b"\xC3",
        b"\xC3\x28",
        b"\xE0\x80\x80",
        b"\xE0\x9F\xBF",
        b"\xE2\x82",
        b"\xE2\x28\xA1",
        b"\xED\xA0\x80",
        b"\xED\xBF\xBF",
        b"\xF0\x80\x80\x80",
        b"\xF0\x8F\xBF\xBF",
        b"\xF0\x9F\x98",
        b"\xF4\x90\x80\x80",
        b"\xF5\x80\x80\x80",
        b"\xFC\x80\x80\x80\x80\x80",
        b"\xFE",
        b"\xFF",
    ];
    for sequence in sequences {
        let places = [
            [br#"{"a":""#, sequence, br#""}"#].concat(),
            [br#"{""#, sequence, br#"":1}"#].concat(),
            [b"{", sequence, b"}"].concat(),
            [b"{}", sequence].concat(),
        ];
        for document in places {
            check(&format!("{sequence:x?}"), document, Some(MalformedJson));
        }
    }
}

#[test]
fn keys_stand_once_in_an_object_at_any_depth() {
    for (name, document) in [
        ("at the top", r#"{"a":1,"a":1}"#),
        ("with another between", r#"{"id":"evt_1","type":"x","id":"evt_2"}"#),
        ("deeper", r#"{"data":{"object":{"amount":1,"currency":"usd","amount":2}}}"#),
        ("in a list", r#"[1,{"a":null,"a":null}]"#),
        ("written differently", r#"{"a":1,"\u0061":2}"#),
        ("both escaped", r#"{"\u0061":1,"\u0061":2}"#),
        ("the empty key", r#"{"":1,"":2}"#),
    ] {
        check(name, document, Some(DuplicateKey));
    }
}

#[test]
fn nesting_ends_at_127_levels() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        check("127 levels", nested(127), None);
        for depth in [128, 129, 10_000, 500_000] {
            check("more levels", nested(depth), Some(TooDeep));
        }
        check("never closed", open.repeat(500_000), Some(TooDeep));
    }
}

#[test]
fn numbers_fit_64_bits() {
    for number in ["1e400000", "-1e400000", "1e309", &"9".repeat(10_000)] {
        check(number, format!(r#"{{"data":{{"object":{{"amount":{number}}}}}}}"#), Some(Number));
    }
}

#[test]
fn size_alone_is_no_problem() {
    check("a key of 1 MiB", format!(r#"{{"{}":1}}"#, "k".repeat(1 << 20)), None);
    let keys: Vec<String> = (0..100_000).map(|number| format!(r#""{number}":1"#)).collect();
    check("100,000 keys", format!("{{{}}}", keys.join(",")), None);
    let one_twice = format!("{{{},{}}}", keys.join(","), keys[0]);
    check("100,000 keys, one of them twice", one_twice, Some(DuplicateKey));
}

#[test]
fn a_problem_says_where_it_is_but_not_what_stands_there() {
    let problem = parse(b"{\n  \"card\": 4242424242424242x\n}").unwrap_err();
    assert_eq!(problem.to_string(), "malformed_json at line 2, column 27");
}

#[test]
fn nothing_of_a_parsed_document_is_lost() {
    let document = r#"{"a":[1,-2,1.5,true,null,"\u00e9",{}],"b":{"c":18446744073709551615}}"#;
    let expected: serde_json::Value = serde_json::from_str(document).unwrap();
    assert_eq!(parse(document.as_bytes()), Ok(expected));
}

#[test]
fn only_what_is_named_is_built() {
    static KEEP: Keep = Keep::Only(&[
        ("scalar", Keep::Only(&[])),
        ("object", Keep::Only(&[("inner", Keep::Only(&[]))])),
        ("list", Keep::Only(&[])),
        ("all", Keep::All),
        ("nothing", Keep::Nothing),
    ]);
    let document = br#"{"scalar":1,"object":{"inner":{"x":1},"x":1},"list":[1,{"inner":1}],"all":[{"x":[1]}],"nothing":1,"x":1}"#;
    let built = json!({"scalar": 1, "object": {"inner": {}}, "list": [], "all": [{"x": [1]}]});
    assert_eq!(parse_keeping(document, &KEEP), Ok(built));
}

#[test]
fn text_leaves_without_nul() {
    assert_eq!(text("a\0b\0"), "a\u{FFFD}b\u{FFFD}");
    assert_eq!(text("a\u{1}é"), "a\u{1}é");
}
