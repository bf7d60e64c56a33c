//! B: where a request begins and ends, and what it is asked for. Every body here is signed as it should be.

use std::time::Duration;

use super::door::Answer::{AllStored, Bare, Closed, Refused, Stored};
use super::door::{Answer, INVALID, PATH, Row, event, request, signature_line, signed};

/// Patience with whoever is slow: short, because the tests wait for its end, and long enough for whoever is not.
pub(crate) const SHORT: Duration = Duration::from_secs(1);

/// The largest body.
const MEBIBYTE: usize = 1024 * 1024;

const NOT_FOUND: Answer = Refused(404, "not_found");
const NO_METHOD: Answer = Refused(405, "method_not_allowed");
const TOO_LARGE: Answer = Refused(413, "body_too_large");
const ENCODED: Answer = Refused(415, "body_encoded");
const INCOMPLETE: Answer = Refused(400, "body_incomplete");

/// All rows that are answered at once.
pub(crate) fn rows() -> Vec<Row> {
    [request_lines(), headers(), lengths(), chunks(), sizes(), several()]
        .into_iter()
        .flatten()
        .collect()
}

/// Requests that end too early, or never.
pub(crate) fn slow_rows() -> Vec<Row> {
    let whole = signed(&event("evt_slow"));
    let head = whole.iter().rposition(|&byte| byte == b'\n').unwrap();
    let chunked = chunked(&event("evt_slow"), "4\r\n{\"id");
    let rows = [
        ("not a byte", Vec::new(), Closed),
        ("half a request line", whole[..9].to_vec(), Closed),
        ("headers without an end", whole[..head].to_vec(), Closed),
        ("a body without its first byte", whole[..=head].to_vec(), Refused(408, "body_timeout")),
        (
            "a body without its last byte",
            whole[..whole.len() - 1].to_vec(),
            Refused(408, "body_timeout"),
        ),
        ("chunks without an end", chunked, Refused(408, "body_timeout")),
        ("half the preface of HTTP/2", b"PRI * HTTP/2.0\r\n".to_vec(), Closed),
        ("as it should be", whole, Stored),
    ];
    rows.map(|(name, request, answer)| row(name, request, answer)).into()
}

fn row(name: &str, request: Vec<u8>, answer: Answer) -> Row {
    Row { name: name.to_owned(), request, answer }
}

/// A signed request for `body` with another request line, and with more lines of headers.
fn with(request_line: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let usual = format!("POST {PATH} HTTP/1.1\r\n");
    let whole = request(format!("{}{more}", signature_line(body)).as_bytes(), body);
    [request_line.as_bytes(), b"\r\n", &whole[usual.len()..]].concat()
}

/// Methods, paths and versions.
fn request_lines() -> Vec<Row> {
    let lines = [
        ("GET /v1/webhooks/stripe HTTP/1.1", NO_METHOD),
        ("HEAD /v1/webhooks/stripe HTTP/1.1", Bare(405)),
        ("PUT /v1/webhooks/stripe HTTP/1.1", NO_METHOD),
        ("PATCH /v1/webhooks/stripe HTTP/1.1", NO_METHOD),
        ("DELETE /v1/webhooks/stripe HTTP/1.1", NO_METHOD),
        ("OPTIONS /v1/webhooks/stripe HTTP/1.1", NO_METHOD),
        ("TRACE /v1/webhooks/stripe HTTP/1.1", NO_METHOD),
        ("PURGE /v1/webhooks/stripe HTTP/1.1", NO_METHOD),
        ("post /v1/webhooks/stripe HTTP/1.1", NO_METHOD),
        ("GET /v1/webhooks/stripe/live HTTP/1.1", NO_METHOD),
        ("POST / HTTP/1.1", NOT_FOUND),
        ("POST /v1/webhooks/stripe/ HTTP/1.1", NOT_FOUND),
        ("POST /v1/webhooks/stripe/nobody HTTP/1.1", NOT_FOUND),
        ("POST /v1/webhooks/stripe/live/more HTTP/1.1", NOT_FOUND),
        ("POST /V1/webhooks/stripe HTTP/1.1", NOT_FOUND),
        ("POST //v1/webhooks/stripe HTTP/1.1", NOT_FOUND),
        ("POST /v1/webhooks/x/..%2fstripe HTTP/1.1", NOT_FOUND),
        ("POST /v1/webhooks/x/../stripe HTTP/1.1", NOT_FOUND),
        ("POST /v1/webhooks/stripe/%ff HTTP/1.1", NOT_FOUND),
        ("POST /v1/webhooks/stripe?x=1 HTTP/1.1", Stored),
        ("POST http://elsewhere/v1/webhooks/stripe HTTP/1.1", Stored),
        ("POST /v1/webhooks/stripe HTTP/1.0", Stored),
        ("POST /v1/webhooks/stripe HTTP/3.0", Bare(400)),
        ("POST /v1/webhooks/stripe", Bare(400)),
        ("POST  /v1/webhooks/stripe HTTP/1.1", Bare(400)),
        ("POST /v1/webhooks/stripe\0 HTTP/1.1", Bare(400)),
        ("\u{16}\u{3}\u{1}", Bare(400)),
    ];
    let rows = lines.into_iter().enumerate().map(|(number, (line, answer))| {
        row(line, with(line, "", &event(&format!("evt_request_{number}"))), answer)
    });
    rows.collect()
}

/// Headers beside the signature.
fn headers() -> Vec<Row> {
    let long = format!("X: {}\r\n", "x".repeat(40 * 1024));
    let many = "X: y\r\n".repeat(101);
    let lines = [
        ("gzip", "Content-Encoding: gzip\r\n", ENCODED),
        ("br", "Content-Encoding: br\r\n", ENCODED),
        ("zstd", "Content-Encoding: zstd\r\n", ENCODED),
        ("deflate", "Content-Encoding: deflate\r\n", ENCODED),
        ("two codings", "Content-Encoding: identity, gzip\r\n", ENCODED),
        (
            "two headers of coding",
            "Content-Encoding: identity\r\nContent-Encoding: br\r\n",
            ENCODED,
        ),
        ("no coding, and said so", "Content-Encoding: identity\r\n", Stored),
        ("another type", "Content-Type: text/plain; charset=utf-16\r\n", Stored),
        ("asks whether to go on", "Expect: 100-continue\r\n", Stored),
        ("wants to change the protocol", "Connection: Upgrade\r\nUpgrade: h2c\r\n", Stored),
        ("NUL in a header", "X: a\0b\r\n", Bare(400)),
        ("NUL in a header's name", "X\0: a\r\n", Bare(400)),
        ("a folded header", "X: a\r\n b\r\n", Bare(400)),
        ("a header without a colon", "X\r\n", Bare(400)),
        ("a header larger than all may be", long.as_str(), Bare(431)),
        ("too many headers", many.as_str(), Bare(431)),
    ];
    let line = format!("POST {PATH} HTTP/1.1");
    let rows = lines.into_iter().enumerate().map(|(number, (name, more, answer))| {
        row(name, with(&line, more, &event(&format!("evt_header_{number}"))), answer)
    });
    rows.collect()
}

/// What `Content-Length` says.
fn lengths() -> Vec<Row> {
    let body = event("evt_length");
    let len = body.len();
    let lines = [
        (
            "two lengths",
            format!("Content-Length: {len}\r\nContent-Length: {}\r\n", len - 1),
            Bare(400),
        ),
        ("a list of lengths", format!("Content-Length: {len}, {len}\r\n"), Bare(400)),
        ("a length with a sign", format!("Content-Length: +{len}\r\n"), Bare(400)),
        ("a negative length", "Content-Length: -1\r\n".to_owned(), Bare(400)),
        ("an endless length", "Content-Length: 99999999999999999999\r\n".to_owned(), Bare(400)),
        ("a coding of transfer that is none", "Transfer-Encoding: gzip\r\n".to_owned(), Bare(400)),
        ("a length that is too short", format!("Content-Length: {}\r\n", len - 1), INVALID),
        ("no length", String::new(), INVALID),
    ];
    let rows = lines.map(|(name, line, answer)| row(name, bare(&line, &body, &body), answer));
    rows.into()
}

/// Bodies in chunks.
fn chunks() -> Vec<Row> {
    let (plain, extended) = (event("evt_chunked"), event("evt_chunk_extended"));
    let text = |body: &[u8]| String::from_utf8(body.to_vec()).unwrap();
    let one = |size: &str, body: &[u8]| format!("{size}\r\n{}\r\n0\r\n\r\n", text(body));
    let size = |body: &[u8]| format!("{:x}", body.len());
    let hidden = text(&signed(&event("evt_hidden")));
    vec![
        row("one chunk", chunked(&plain, &one(&size(&plain), &plain)), Stored),
        row(
            "a chunk with an extension, and a trailer",
            chunked(
                &extended,
                &format!("{};x=y\r\n{}\r\n0\r\nX: y\r\n\r\n", size(&extended), text(&extended)),
            ),
            Stored,
        ),
        row(
            "a chunk larger than 64 bits",
            chunked(&plain, &one("fffffffffffffffff", &plain)),
            INCOMPLETE,
        ),
        row("a chunk of no size", chunked(&plain, &one("x", &plain)), INCOMPLETE),
        row("a chunk of a negative size", chunked(&plain, &one("-1", &plain)), INCOMPLETE),
        row("a chunk that is longer than it says", chunked(&plain, &one("1", &plain)), INCOMPLETE),
        row(
            // By its length it is one request, by its chunks two: the second must not be read.
            "a request behind the last chunk",
            bare(
                &format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", hidden.len() + 5),
                &plain,
                format!("0\r\n\r\n{hidden}").as_bytes(),
            ),
            INVALID,
        ),
    ]
}

/// The largest body, and one byte more.
fn sizes() -> Vec<Row> {
    let largest = |first: u8| [vec![first], vec![b' '; MEBIBYTE - 1]].concat();
    let larger = vec![b' '; MEBIBYTE + 1];
    let in_chunks = |body: &[u8]| {
        let pieces = body.chunks(64 * 1024);
        let text = pieces
            .map(|piece| format!("{:x}\r\n{}\r\n", piece.len(), String::from_utf8_lossy(piece)));
        chunked(body, &(text.collect::<String>() + "0\r\n\r\n"))
    };
    let announced = request(signature_line(&larger).as_bytes(), &larger);
    let head = announced.len() - larger.len();
    vec![
        row("1 MiB", signed(&largest(b'1')), Stored),
        row("1 MiB in chunks", in_chunks(&largest(b'2')), Stored),
        row("a byte more", announced.clone(), TOO_LARGE),
        row("a byte more, announced and not sent", announced[..head].to_vec(), TOO_LARGE),
        row("a byte more in chunks", in_chunks(&larger), TOO_LARGE),
    ]
}

/// More than one request on a connection.
fn several() -> Vec<Row> {
    let kept = |number: i32| {
        let whole = String::from_utf8(signed(&event(&format!("evt_pipelined_{number}")))).unwrap();
        whole.replace(
            "Connection: close\r\n",
            if number < 100 { "" } else { "Connection: close\r\n" },
        )
    };
    let hundred: String = (1..=100).map(kept).collect();
    let body = event("evt_bare");
    let bare_lines = String::from_utf8(signed(&body)).unwrap().replace("\r\n", "\n");
    vec![
        row("a hundred at once", hundred.into_bytes(), AllStored(100)),
        // RFC 9112, 2.2: a recipient may take a single line feed for the end of a line.
        row("lines that end in a line feed", bare_lines.into_bytes(), Stored),
    ]
}

/// A request for `sent` whose length only `framing` tells, signed for `body`.
fn bare(framing: &str, body: &[u8], sent: &[u8]) -> Vec<u8> {
    let line = format!("POST {PATH} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
    let head = format!("{line}{framing}{}\r\n", signature_line(body));
    [head.as_bytes(), sent].concat()
}

/// A request in chunks, signed for `body`.
fn chunked(body: &[u8], chunks: &str) -> Vec<u8> {
    bare("Transfer-Encoding: chunked\r\n", body, chunks.as_bytes())
}
