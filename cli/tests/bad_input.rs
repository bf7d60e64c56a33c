//! Requests that nobody should send, each with the exact answer: signatures and times (A), framing (B), authentic bytes that
//! are broken (C). Over bare TCP, so that nothing on our side puts them right. None may be answered by a 5xx, none may store
//! what it should not, and after all of them the webhook answers as before.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot be set up has failed"
)]

mod common_bad_input;
mod common_webhook;

use common_bad_input::bodies::{self, Broken};
use common_bad_input::door::{Answer, Door, Row, signed};
use common_bad_input::{framing, signatures};

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_right_or_the_delivery_is_refused() {
    let door = Door::open(None).await;
    let stored = door.check(signatures::rows()).await;
    door.close(stored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn framing_never_decides_what_is_believed() {
    let door = Door::open(None).await;
    let stored = door.check(framing::rows()).await;
    door.close(stored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_slow_is_let_go() {
    let door = Door::open(Some(framing::SHORT)).await;
    let stored = door.check(framing::slow_rows()).await;
    door.close(stored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authentic_bytes_are_stored_whatever_they_are() {
    let door = Door::open(None).await;
    let broken = bodies::all();
    let first = broken.iter().map(|one| row(one, Answer::Stored));
    let stored = door.check(first.collect()).await;
    let again = (1..).zip(&broken).map(|(pos, one)| row(one, Answer::DuplicateOf(pos)));
    assert_eq!(door.check(again.collect()).await, 0);
    door.check_log(&broken).await;
    door.close(stored).await;
}

fn row(broken: &Broken, answer: Answer) -> Row {
    Row { name: broken.name.to_owned(), request: signed(&broken.bytes), answer }
}
