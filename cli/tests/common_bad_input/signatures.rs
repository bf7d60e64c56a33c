//! A: who signed, when, and what.

use testkit::delivery::sign;

use super::door::Answer::Stored;
use super::door::{
    Answer, INVALID, LIVE_SECRET, ROLLED_SECRET, Row, SECRET, event, request, signature_line,
};
use crate::common_webhook::NOW;

/// Another signature of the right length.
const WRONG: &str = ",v1=0000000000000000000000000000000000000000000000000000000000000000";

/// What is made of a text: of the MAC, of the header's line, of the body.
type Change<T> = fn(&str) -> T;

/// All rows; each has an event of its own.
pub(crate) fn rows() -> Vec<Row> {
    [values(), times(), lines(), secrets(), bodies()].into_iter().flatten().collect()
}

/// What the header says, made of the right MAC.
fn values() -> Vec<Row> {
    let values: [(&str, Answer, Change<String>); 35] = [
        ("as Stripe signs", Stored, |mac| format!("t={NOW},v1={mac}")),
        ("upper-case hexadecimal", Stored, |mac| format!("t={NOW},v1={}", mac.to_uppercase())),
        ("v1 before t", Stored, |mac| format!("v1={mac},t={NOW}")),
        ("v0 beside v1", Stored, |mac| format!("t={NOW},v1={mac},v0={mac}")),
        ("second of two", Stored, |mac| format!("t={NOW}{WRONG},v1={mac}")),
        ("eighth of eight", Stored, |mac| format!("t={NOW}{},v1={mac}", WRONG.repeat(7))),
        ("ninth of nine", INVALID, |mac| format!("t={NOW}{},v1={mac}", WRONG.repeat(8))),
        ("first of nine", INVALID, |mac| format!("t={NOW},v1={mac}{}", WRONG.repeat(8))),
        ("only commas", INVALID, |_| ",,,".to_owned()),
        ("no pairs", INVALID, |mac| mac.to_owned()),
        ("8 KiB", INVALID, |mac| format!("t={NOW},v1={mac},x={}", "x".repeat(8192))),
        ("2,000 pairs", INVALID, |mac| format!("t={NOW},v1={mac}{}", ",x=y".repeat(2000))),
        ("no t", INVALID, |mac| format!("v1={mac}")),
        ("t twice", INVALID, |mac| format!("t={NOW},t={NOW},v1={mac}")),
        ("t empty", INVALID, |mac| format!("t=,v1={mac}")),
        ("t negative", INVALID, |mac| format!("t=-{NOW},v1={mac}")),
        ("t with a plus", INVALID, |mac| format!("t=+{NOW},v1={mac}")),
        ("t with a blank", INVALID, |mac| format!("t= {NOW},v1={mac}")),
        ("t with an underscore", INVALID, |mac| format!("t=1_795262400,v1={mac}")),
        ("t with a fraction", INVALID, |mac| format!("t={NOW}.0,v1={mac}")),
        ("t hexadecimal", INVALID, |mac| format!("t=0x{NOW:x},v1={mac}")),
        ("t with words behind it", INVALID, |mac| format!("t={NOW}abc,v1={mac}")),
        ("t of 20 digits", INVALID, |mac| format!("t=17952624000000000000,v1={mac}")),
        ("t zero", INVALID, |mac| format!("t=0,v1={mac}")),
        ("t with a zero that was not signed", INVALID, |mac| format!("t=0{NOW},v1={mac}")),
        ("v1 empty", INVALID, |_| format!("t={NOW},v1=")),
        ("v1 of one digit", INVALID, |mac| format!("t={NOW},v1={}", &mac[..1])),
        ("v1 of 62 digits", INVALID, |mac| format!("t={NOW},v1={}", &mac[..62])),
        ("v1 of 63 digits", INVALID, |mac| format!("t={NOW},v1={}", &mac[..63])),
        ("v1 of 65 digits", INVALID, |mac| format!("t={NOW},v1={mac}0")),
        ("v1 twice in a row", INVALID, |mac| format!("t={NOW},v1={mac}{mac}")),
        ("v1 with a word in it", INVALID, |mac| format!("t={NOW},v1={}zz", &mac[..62])),
        ("only v0", INVALID, |mac| format!("t={NOW},v0={mac}")),
        ("V1", INVALID, |mac| format!("t={NOW},V1={mac}")),
        ("a blank before v1", INVALID, |mac| format!("t={NOW}, v1={mac}")),
    ];
    let rows = values.into_iter().enumerate().map(|(number, (name, answer, value))| {
        let body = event(&format!("evt_value_{number}"));
        let right = sign(SECRET, NOW, &body);
        let (_time, mac) = right.split_once(",v1=").unwrap();
        let line = format!("Stripe-Signature: {}\r\n", value(mac));
        Row { name: name.to_owned(), request: request(line.as_bytes(), &body), answer }
    });
    rows.collect()
}

/// How far the time that was signed is from now, in seconds.
fn times() -> Vec<Row> {
    let offsets = [
        (-86_400, INVALID),
        (-301, INVALID),
        (-300, Stored),
        (-299, Stored),
        (299, Stored),
        (300, Stored),
        (301, INVALID),
        (86_400, INVALID),
    ];
    let rows = offsets.map(|(offset, answer)| {
        let body = event(&format!("evt_time_{offset}"));
        let line = format!("Stripe-Signature: {}\r\n", sign(SECRET, NOW + offset, &body));
        Row { name: format!("{offset} s"), request: request(line.as_bytes(), &body), answer }
    });
    rows.into()
}

/// The header as it stands in the request.
fn lines() -> Vec<Row> {
    let lines: [(&str, Answer, Change<Vec<u8>>); 7] = [
        ("no header", INVALID, |_| Vec::new()),
        ("an empty header", INVALID, |_| b"Stripe-Signature: \r\n".to_vec()),
        ("two headers", INVALID, |line| [line, line].concat().into_bytes()),
        ("another name", INVALID, |line| line.replace("Stripe-", "X-Stripe-").into_bytes()),
        ("a name in upper case", Stored, |line| {
            line.replace("Stripe-Signature", "STRIPE-SIGNATURE").into_bytes()
        }),
        ("blanks around the value", Stored, |line| {
            line.replace(": ", ": \t ").replace("\r\n", " \t\r\n").into_bytes()
        }),
        ("not ASCII", INVALID, |line| {
            line.replace("\r\n", "").bytes().chain(*b",x=\xff\r\n").collect()
        }),
    ];
    let rows = lines.into_iter().enumerate().map(|(number, (name, answer, change))| {
        let body = event(&format!("evt_line_{number}"));
        let headers = change(&signature_line(&body));
        Row { name: name.to_owned(), request: request(&headers, &body), answer }
    });
    rows.collect()
}

/// Whose secret it is.
fn secrets() -> Vec<Row> {
    let secrets = [
        ("the other secret of a rotation", ROLLED_SECRET, Stored),
        ("the secret of the other mode", LIVE_SECRET, INVALID),
        ("a secret without its prefix", "5f0c2a9be41d4c7c8a36e1f7", INVALID),
        ("a stranger's secret", "whsec_3nJk8Qv1ZrT6yWb0Xc5LmD2f", INVALID),
    ];
    let rows = secrets.map(|(name, secret, answer)| {
        let body = event(&format!("evt_{secret}"));
        let line = format!("Stripe-Signature: {}\r\n", sign(secret, NOW, &body));
        Row { name: name.to_owned(), request: request(line.as_bytes(), &body), answer }
    });
    rows.into()
}

/// What became of the body behind the signature.
fn bodies() -> Vec<Row> {
    let changes: [(&str, Change<Vec<u8>>); 8] = [
        ("one bit", |text| {
            let mut bytes = text.as_bytes().to_vec();
            bytes[8] ^= 1;
            bytes
        }),
        ("a newline behind it", |text| format!("{text}\n").into_bytes()),
        ("CRLF behind it", |text| format!("{text}\r\n").into_bytes()),
        ("a BOM before it", |text| format!("\u{feff}{text}").into_bytes()),
        ("written anew", |text| text.replace(':', ": ").into_bytes()),
        ("other quotes", |text| text.replace('"', "'").into_bytes()),
        ("cut off", |text| text.as_bytes()[..text.len() - 1].to_vec()),
        ("empty", |_| Vec::new()),
    ];
    let body = event("evt_changed");
    let text = String::from_utf8(body.clone()).unwrap();
    let rows = changes.map(|(name, change)| {
        let request = request(signature_line(&body).as_bytes(), &change(&text));
        Row { name: format!("changed: {name}"), request, answer: INVALID }
    });
    rows.into()
}
