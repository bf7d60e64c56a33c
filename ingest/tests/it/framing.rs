//! What goes on below the handler: framing, slowness, versions of HTTP.

use tokio::io::AsyncWriteExt as _;

use crate::support::*;

/// Limits that a test can wait for.
fn hasty() -> Setup {
    let mut setup = Setup::default();
    setup.http.header_read_timeout = SHORT;
    setup.limits.body_timeout = SHORT;
    setup
}

#[tokio::test]
async fn framing_that_can_be_read_in_two_ways_is_refused() {
    let world = World::with(hasty()).await;
    let body = event_body("evt_1");
    let header = format!("Stripe-Signature: {}\r\n", signature(SECRET, NOW, body.as_bytes()));
    let len = body.len();
    let broken = [
        wire(&format!("{header}Content-Length: {len}\r\nContent-Length: {}\r\n", len + 1), &body),
        wire(&format!("{header}Content-Length: +{len}\r\n"), &body),
        wire(&format!("{header}Content-Length: {len}, {len}\r\n"), &body),
        wire(&format!("{header}Content-Length: 99999999999999999999\r\n"), &body),
        wire(&format!("{header}Transfer-Encoding: gzip\r\n"), &body),
        wire(
            &format!("{header}Transfer-Encoding: chunked\r\n"),
            &format!("fffffffffffffffff\r\n{body}"),
        ),
        wire(&format!("{header}Content-Length: {len}\r\n X: folded\r\n"), &body),
        wire(&format!("{header}Content-Length: {len}\r\nX: a\0b\r\n"), &body),
        format!("POST  {PATH} HTTP/1.1\r\nHost: x\r\n{header}Content-Length: {len}\r\n\r\n{body}"),
        format!("POST {PATH} HTTP/3.0\r\nHost: x\r\n{header}Content-Length: {len}\r\n\r\n{body}"),
    ];
    for request in broken {
        let text = world.exchange(request.as_bytes()).await;
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{request}\n{text}");
    }
    assert_eq!(world.stored(world.test_tenant).await, 0);
    assert_eq!(answer(world.post(body)).await, stored_at(1));
}

#[tokio::test]
async fn nothing_is_smuggled_behind_a_chunked_body() {
    let world = World::with(hasty()).await;
    let hidden_body = event_body("evt_hidden");
    let header = signature(SECRET, NOW, hidden_body.as_bytes());
    let hidden = wire(
        &format!("Stripe-Signature: {header}\r\nContent-Length: {}\r\n", hidden_body.len()),
        &hidden_body,
    );
    // By its Content-Length all of it is one request, by its Transfer-Encoding it is two.
    let body = format!("0\r\n\r\n{hidden}");
    let both = format!(
        "Stripe-Signature: {}\r\nContent-Length: {}\r\nTransfer-Encoding: chunked\r\n",
        signature(SECRET, NOW, body.as_bytes()),
        body.len()
    );
    let text = world.exchange(wire(&both, &body).as_bytes()).await;
    assert_eq!(text.matches("HTTP/1.1").count(), 1, "{text}");
    assert!(text.starts_with("HTTP/1.1 400"), "{text}");
    assert_eq!(world.stored(world.test_tenant).await, 0);
}

#[tokio::test]
async fn whoever_is_slow_is_let_go_and_nothing_is_stored() {
    let world = World::with(hasty()).await;
    let body = event_body("evt_1");
    let header = signature(SECRET, NOW, body.as_bytes());
    let head = format!("Stripe-Signature: {header}\r\nContent-Length: {}\r\n", body.len());
    let text =
        world.exchange(format!("POST {PATH} HTTP/1.1\r\nHost: x\r\n{head}").as_bytes()).await;
    assert!(!text.contains("200 OK"), "{text}");
    let text = world.exchange(wire(&head, &body[..body.len() - 1]).as_bytes()).await;
    assert!(
        text.starts_with("HTTP/1.1 408") && text.contains(r#"{"error":"body_timeout"}"#),
        "{text}"
    );
    assert_eq!(world.stored(world.test_tenant).await, 0);
}

#[tokio::test]
async fn a_body_that_comes_in_pieces_is_the_same_body() {
    let world = World::new().await;
    let body = event_body("evt_1");
    let header = signature(SECRET, NOW, body.as_bytes());
    let chunk = |piece: &[u8]| {
        format!("{:x};extension=x\r\n{}\r\n", piece.len(), String::from_utf8_lossy(piece))
    };
    let mut chunks: String = body.as_bytes().chunks(7).map(chunk).collect();
    chunks.push_str("0\r\nTrailer: x\r\n\r\n");
    let head = format!("Stripe-Signature: {header}\r\nTransfer-Encoding: chunked\r\n");
    let mut stream = world.connect().await;
    for piece in wire(&head, &chunks).as_bytes().chunks(11) {
        stream.write_all(piece).await.unwrap();
    }
    let text = read_to_close(&mut stream).await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert_eq!(world.event(1).await.body.unwrap(), body);
}

#[tokio::test]
async fn pipelined_deliveries_are_answered_in_order() {
    let world = World::with(hasty()).await;
    let request = |n: i32| {
        let body = event_body(&format!("evt_{n}"));
        let header = signature(SECRET, NOW, body.as_bytes());
        wire(&format!("Stripe-Signature: {header}\r\nContent-Length: {}\r\n", body.len()), &body)
    };
    let text = world.exchange((1..=100).map(request).collect::<String>().as_bytes()).await;
    let positions: Vec<&str> = text.split("\"position\":").skip(1).collect();
    assert_eq!(positions.len(), 100);
    for (n, position) in (1..).zip(positions) {
        assert!(position.starts_with(&format!("{n}}}")), "{n}: {position}");
    }
}

#[tokio::test]
async fn http_2_delivers_as_well() {
    let world = World::new().await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    for n in 1..=3 {
        let body = event_body(&format!("evt_{n}"));
        let header = signature(SECRET, NOW, body.as_bytes());
        let request = client.post(world.to(PATH)).header("Stripe-Signature", header).body(body);
        assert_eq!(answer(request).await, stored_at(n));
    }
}
