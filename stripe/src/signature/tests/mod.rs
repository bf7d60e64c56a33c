//! What is accepted as Stripe's, and what is not.

mod secrets;
mod vectors;

use proptest::prelude::*;

use super::{MAX_HEADER_BYTES, Secret, SignatureError, Tolerance, sign, verify};

const BODY: &[u8] = br#"{"id":"evt_1"}"#;
const NOW: i64 = 1_700_000_000;
/// HMAC-SHA256 of `1700000000.{"id":"evt_1"}` under the secret below, computed by Python's `hmac`.
const MAC: &str = "84768340446b87bcde840c56ceade8063d3f7336e6ee3e81a1d245f5d7257453";

fn secret() -> Secret {
    Secret::parse("whsec_5f0c2a9be41d4c7c8a36e1f7").unwrap()
}

fn other_secret() -> Secret {
    Secret::parse("whsec_0123456789abcdef01234567").unwrap()
}

fn accepted(header: &[u8]) -> Result<usize, SignatureError> {
    verify(header, BODY, &[secret()], NOW, Tolerance::STANDARD)
}

#[track_caller]
fn check(name: &str, header: impl AsRef<[u8]>, expected: Result<(), SignatureError>) {
    let header = header.as_ref();
    let text = String::from_utf8_lossy(header);
    assert_eq!(accepted(header).map(|_| ()), expected, "{name}: {text}");
}

#[test]
fn the_mac_is_that_of_an_independent_implementation() {
    assert_eq!(sign(&secret(), NOW, BODY), format!("t={NOW},v1={MAC}"));
    check("the same, verified", format!("t={NOW},v1={MAC}"), Ok(()));
}

#[test]
fn headers_that_are_no_list_of_pairs_are_refused() {
    use SignatureError::{MalformedHeader, NoHeader, NoMatchingSignature};
    let good = format!("t={NOW},v1={MAC}");
    let padding = "x".repeat(MAX_HEADER_BYTES - good.len() - ",v0=".len());
    let pairs = "a=b,".repeat(10_000);
    let cases: [(&str, Vec<u8>, Result<(), SignatureError>); 15] = [
        ("absent or empty", Vec::new(), Err(NoHeader)),
        ("blank", b" ".to_vec(), Err(MalformedHeader)),
        ("one comma", b",".to_vec(), Err(MalformedHeader)),
        ("only commas", b",,,,".to_vec(), Err(MalformedHeader)),
        ("comma in front", format!(",{good}").into(), Err(MalformedHeader)),
        ("comma behind", format!("{good},").into(), Err(MalformedHeader)),
        ("item without a value", format!("{good},v0").into(), Err(MalformedHeader)),
        ("semicolons", format!("t={NOW};v1={MAC}").into(), Err(SignatureError::BadTime)),
        ("not ASCII", format!("{good},v0=é").into(), Err(MalformedHeader)),
        ("not UTF-8", [good.as_bytes(), b",v0=\xff"].concat(), Err(MalformedHeader)),
        ("as long as it may be", format!("{good},v0={padding}").into(), Ok(())),
        ("one byte longer", format!("{good},v0={padding}x").into(), Err(MalformedHeader)),
        ("8 KiB", format!("{good},v0={}", "x".repeat(8192)).into(), Err(MalformedHeader)),
        ("10,000 pairs", format!("{pairs}{good}").into(), Err(MalformedHeader)),
        ("no signature", format!("t={NOW}").into(), Err(NoMatchingSignature)),
    ];
    for (name, header, expected) in cases {
        check(name, header, expected);
    }
}

#[test]
fn the_time_is_exactly_one_of_1_to_12_digits() {
    // Each time is signed as it stands, so that only its form can be what is refused.
    let bad = [
        "",
        "-1",
        "+1700000000",
        " 1700000000",
        "1700000000 ",
        "1_700_000_000",
        "1700000000.0",
        "1700000000abc",
        "abc",
        "0x6553f100",
        "1e9",
        "1700000000000000000000",
        "0001700000000",
        "NaN",
        "%31",
        "1700000000\t",
        "--1",
        "1700000000=",
    ];
    for text in bad {
        let mac = hex::encode(secret().mac(text.as_bytes(), BODY));
        check("form of t", format!("t={text},v1={mac}"), Err(SignatureError::BadTime));
    }
    let full_width = format!("t=１,v1={MAC}");
    check("full-width digit", full_width, Err(SignatureError::MalformedHeader));
    check("t absent", format!("v1={MAC}"), Err(SignatureError::BadTime));
    check("t twice", format!("t={NOW},t={NOW},v1={MAC}"), Err(SignatureError::BadTime));
    check("T instead of t", format!("T={NOW},v1={MAC}"), Err(SignatureError::BadTime));
    let zero = hex::encode(secret().mac(b"0", BODY));
    check("t is 0", format!("t=0,v1={zero}"), Err(SignatureError::OutsideTolerance));
}

#[test]
fn what_is_signed_are_the_bytes_of_t_and_not_its_number() {
    let over_raw = hex::encode(secret().mac(b"001700000000", BODY));
    check("leading zeros, raw bytes signed", format!("t=001700000000,v1={over_raw}"), Ok(()));
    let over_number = format!("t=001700000000,v1={MAC}");
    check("leading zeros, number signed", over_number, Err(SignatureError::NoMatchingSignature));
}

#[test]
fn the_tolerance_holds_in_both_directions_and_its_last_second_counts() {
    let outside = Err(SignatureError::OutsideTolerance);
    for (offset, expected) in [
        (-301, outside),
        (-300, Ok(0)),
        (-299, Ok(0)),
        (0, Ok(0)),
        (299, Ok(0)),
        (300, Ok(0)),
        (301, outside),
    ] {
        let header = sign(&secret(), NOW + offset, BODY);
        assert_eq!(accepted(header.as_bytes()), expected, "{offset} s from now");
    }
    for now in [i64::MIN, i64::MAX] {
        let header = format!("t={NOW},v1={MAC}");
        let verdict = verify(header.as_bytes(), BODY, &[secret()], now, Tolerance::STANDARD);
        assert_eq!(verdict, outside, "no overflow at {now}");
    }
}

#[test]
fn a_stored_delivery_can_be_verified_for_ever() {
    let header = sign(&secret(), 12_345, BODY);
    let verdict = verify(header.as_bytes(), BODY, &[secret()], NOW, Tolerance::NotChecked);
    assert_eq!(verdict, Ok(0));
}

#[test]
fn only_authentic_bytes_are_said_to_be_outside_the_tolerance() {
    let forged = format!("t=1,v1={MAC}");
    check("old and forged", forged, Err(SignatureError::NoMatchingSignature));
}

#[test]
fn a_signature_is_64_digits_and_no_prefix_of_it_passes() {
    for length in 0..MAC.len() {
        let header = format!("t={NOW},v1={}", &MAC[..length]);
        check("prefix", header, Err(SignatureError::NoMatchingSignature));
    }
    let last_digit_changed =
        format!("{}{}", &MAC[..63], if MAC.ends_with('0') { '1' } else { '0' });
    let bad = [
        format!("{MAC}0"),
        format!("{MAC}{MAC}"),
        format!(" {MAC}"),
        format!("{MAC} "),
        format!("0x{}", &MAC[2..]),
        "z".repeat(64),
        "potato".to_owned(),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned(),
        last_digit_changed,
    ];
    for value in bad {
        check("no match", format!("t={NOW},v1={value}"), Err(SignatureError::NoMatchingSignature));
    }
    check("upper case", format!("t={NOW},v1={}", MAC.to_uppercase()), Ok(()));
}

#[test]
fn other_schemes_never_count() {
    for scheme in ["v0", "v2", "V1", " v1", "v1 ", "v01", "v", ""] {
        let header = format!("t={NOW},{scheme}={MAC}");
        check(scheme, header, Err(SignatureError::NoMatchingSignature));
        check(scheme, format!("t={NOW},{scheme}=whatever,v1={MAC}"), Ok(()));
    }
}

#[test]
fn any_of_up_to_8_signatures_accepts() {
    let wrong = format!("v1={}", "0".repeat(64));
    for position in 0..8 {
        let mut items = vec![wrong.clone(); 8];
        items[position] = format!("v1={MAC}");
        check("one of 8", format!("t={NOW},{}", items.join(",")), Ok(()));
    }
    for position in 0..9 {
        let mut items = vec!["v1=".to_owned(); 9];
        items[position] = format!("v1={MAC}");
        let header = format!("{},t={NOW}", items.join(","));
        check("one of 9", header, Err(SignatureError::TooManySignatures));
    }
}

#[test]
fn the_index_of_the_secret_is_told() {
    let header = sign(&secret(), NOW, BODY);
    let cases = [
        (vec![secret()], Ok(0)),
        (vec![other_secret(), secret()], Ok(1)),
        (vec![other_secret(), secret(), secret()], Ok(1)),
        (vec![other_secret()], Err(SignatureError::NoMatchingSignature)),
        (vec![], Err(SignatureError::NoMatchingSignature)),
    ];
    for (secrets, expected) in cases {
        let verdict = verify(header.as_bytes(), BODY, &secrets, NOW, Tolerance::STANDARD);
        assert_eq!(verdict, expected, "{} secrets", secrets.len());
    }
}

#[test]
fn the_body_counts_byte_for_byte() {
    let header = format!("t={NOW},v1={MAC}");
    let changed: [&[u8]; 8] = [
        b"",
        b"{\"id\":\"evt_1\"}\n",
        b"{\"id\":\"evt_1\"}\r\n",
        b"{\"id\": \"evt_1\"}",
        b"{\"id\":\"evt_2\"}",
        b"\xEF\xBB\xBF{\"id\":\"evt_1\"}",
        b"{\0\"\0i\0d\0\"\0:\0\"\0e\0v\0t\0_\x001\0\"\0}\0",
        b"{\"id\":\"\\u0065vt_1\"}",
    ];
    for body in changed {
        let verdict = verify(header.as_bytes(), body, &[secret()], NOW, Tolerance::STANDARD);
        assert_eq!(verdict, Err(SignatureError::NoMatchingSignature));
    }
}

#[test]
fn codes_of_reasons_never_change() {
    let codes = [
        (SignatureError::NoHeader, 1),
        (SignatureError::MalformedHeader, 2),
        (SignatureError::BadTime, 3),
        (SignatureError::OutsideTolerance, 4),
        (SignatureError::NoMatchingSignature, 5),
        (SignatureError::TooManySignatures, 9),
    ];
    for (reason, code) in codes {
        assert_eq!(reason.code(), code, "{reason}");
    }
}

proptest! {
    #[test]
    fn what_is_signed_verifies(body: Vec<u8>, time in 0..999_999_999_999_i64, key in "[!-~]{24,64}") {
        let secret = Secret::keyed(key.as_bytes());
        let header = sign(&secret, time, &body);
        prop_assert_eq!(verify(header.as_bytes(), &body, &[secret], time, Tolerance::STANDARD), Ok(0));
    }

    #[test]
    fn one_bit_changed_in_the_body_fails(body in prop::collection::vec(any::<u8>(), 1..200), at: prop::sample::Index, bit in 0..8_u8) {
        let header = sign(&secret(), NOW, &body);
        let mut changed = body.clone();
        changed[at.index(body.len())] ^= 1 << bit;
        let verdict = verify(header.as_bytes(), &changed, &[secret()], NOW, Tolerance::STANDARD);
        prop_assert_eq!(verdict, Err(SignatureError::NoMatchingSignature));
    }

    #[test]
    fn one_bit_changed_in_the_header_fails(at: prop::sample::Index, bit in 0..8_u8) {
        let header = format!("t={NOW},v1={MAC}");
        let mut changed = header.clone().into_bytes();
        changed[at.index(header.len())] ^= 1 << bit;
        // 0x20 is the case of a letter, and the case of hexadecimal digits says nothing.
        let same_but_for_case = changed.eq_ignore_ascii_case(header.as_bytes())
            && changed.starts_with(format!("t={NOW},v1=").as_bytes());
        prop_assert_eq!(accepted(&changed).is_ok(), same_but_for_case);
    }

    #[test]
    fn no_header_is_too_strange_to_be_refused(header: Vec<u8>) {
        prop_assert!(accepted(&header).is_err());
    }
}
