//! The vectors of the official libraries' own tests, as we decide them.

use std::fs;

use serde_json::Value;

use super::super::{Secret, SignatureError, Tolerance, WeakSecret, verify};
use crate::envelope::{self, NotAnEvent};
use crate::testing;

/// What we answer, and why that is not what the vector expects.
struct Departure {
    id: &'static str,
    ours: SignatureError,
    why: &'static str,
}

/// Where the libraries differ from each other or from STRIPE's rules as we keep them.
const DEPARTURES: [Departure; 4] = [
    Departure {
        id: "dotnet-bad-header-1",
        ours: SignatureError::BadTime,
        why: "`t=` is a time that is missing; the header itself is well-formed",
    },
    Departure {
        id: "node-empty-payload",
        ours: SignatureError::MalformedHeader,
        why: "an empty body is a body; what is wrong is the header (so says Python; Node judges the body first)",
    },
    Departure {
        id: "node-v0-only",
        ours: SignatureError::NoMatchingSignature,
        why: "no v1 at all is one way of having none that fits; senders are told no reason anyway",
    },
    Departure { id: "python-v0-only", ours: SignatureError::NoMatchingSignature, why: "as above" },
];

/// Accepted by Python and Node, which let times in the future pass; PHP and .NET refuse it, as we do.
const SDKS_DISAGREE: &str = "php-too-recent";

#[test]
fn every_vector_of_the_official_libraries_is_decided() {
    let Some(folder) = testing::fixtures() else { return };
    let text = fs::read(folder.join("signatures.json")).unwrap();
    let vectors: Vec<Value> = serde_json::from_slice(&text).unwrap();
    assert_eq!(vectors.len(), 47);
    for vector in &vectors {
        let id = vector["id"].as_str().unwrap();
        assert_eq!(ours(vector), expected(vector), "{id}");
        check_secret(vector);
        check_sdks(vector);
        check_meaning(vector);
    }
    for Departure { id, why, .. } in DEPARTURES {
        assert!(vectors.iter().any(|vector| vector["id"] == id), "no vector {id} ({why})");
    }
}

/// A key is made of whatever secret the vector has: that it is too weak for us is checked apart.
fn ours(vector: &Value) -> Result<(), SignatureError> {
    let header = vector["header"].as_str().unwrap_or_default();
    let body = vector["payload"].as_str().unwrap();
    let secret = Secret::keyed(vector["secret"].as_str().unwrap().as_bytes());
    let tolerance = match vector["tolerance"].as_u64() {
        Some(seconds) if seconds > 0 => Tolerance::Seconds(u32::try_from(seconds).unwrap()),
        _ => Tolerance::NotChecked,
    };
    let now = vector["now"].as_i64().unwrap();
    verify(header.as_bytes(), body.as_bytes(), &[secret], now, tolerance).map(|_| ())
}

fn expected(vector: &Value) -> Result<(), SignatureError> {
    let id = vector["id"].as_str().unwrap();
    if let Some(departure) = DEPARTURES.iter().find(|departure| departure.id == id) {
        return Err(departure.ours);
    }
    match vector["expected"].as_str().unwrap() {
        // The last two are about what is signed, not about the signature: see `check_meaning`.
        "ok" | "invalid_json" | "thin_event_on_snapshot_endpoint" => Ok(()),
        "missing_header" => Err(SignatureError::NoHeader),
        "malformed_header" => Err(SignatureError::MalformedHeader),
        "timestamp_out_of_tolerance" => Err(SignatureError::OutsideTolerance),
        "no_matching_signature" => Err(SignatureError::NoMatchingSignature),
        unforeseen => panic!("{id} expects {unforeseen}"),
    }
}

/// The libraries' tests use short secrets; none of them may start a server of ours.
fn check_secret(vector: &Value) {
    let expected = match vector["secret"].as_str().unwrap() {
        "" => WeakSecret::Empty,
        "webhook_secret" => WeakSecret::Placeholder,
        "whsec_test_secret" | "wrong_secret" => WeakSecret::TooShort,
        // Node accepts it and merely hints at the white space when nothing matches.
        "whsec_test_secret " => WeakSecret::WhiteSpace,
        unforeseen => panic!("{} has the secret {unforeseen}", vector["id"]),
    };
    let refusal = Secret::parse(vector["secret"].as_str().unwrap()).err();
    assert_eq!(refusal, Some(expected), "secret of {}", vector["id"]);
}

/// Whatever both libraries refuse we refuse, and whatever both accept we accept, but for the one vector that is named.
fn check_sdks(vector: &Value) {
    let answers: Vec<bool> =
        vector["sdk_results"].as_object().unwrap().values().map(|answer| answer == "ok").collect();
    let accepted = ours(vector).is_ok();
    let agrees = answers.iter().all(|&theirs| theirs == accepted);
    assert_eq!(agrees, vector["id"] != SDKS_DISAGREE, "{} and the SDKs", vector["id"]);
}

/// What is signed but is not JSON is no event; a thin event is one wherever it arrives.
fn check_meaning(vector: &Value) {
    let peeked = envelope::peek(vector["payload"].as_str().unwrap().as_bytes());
    match vector["expected"].as_str().unwrap() {
        "invalid_json" => assert!(matches!(peeked, Err(NotAnEvent::Json(_))), "{}", vector["id"]),
        "thin_event_on_snapshot_endpoint" if vector["id"] == "node-v2-thin-payload" => {
            assert_eq!(peeked, Err(NotAnEvent::BadType), "its payload has no type");
        }
        "thin_event_on_snapshot_endpoint" => assert!(peeked.unwrap().thin, "{}", vector["id"]),
        _ => {}
    }
}
