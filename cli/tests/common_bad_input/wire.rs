//! Bytes out, answers in.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Sends `request` and returns all answers until the other side closes. It may do so while we still write, so both go on
/// together.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> Vec<Reply> {
    let (mut incoming, mut outgoing) = TcpStream::connect(address).await.unwrap().into_split();
    let mut answered = Vec::new();
    let read = async {
        let mut piece = vec![0; 64 * 1024];
        // A reset behind the answer means that bytes of ours were left unread.
        while let Ok(len @ 1..) = incoming.read(&mut piece).await {
            answered.extend_from_slice(&piece[..len]);
        }
    };
    let both = async { tokio::join!(read, outgoing.write_all(request)) };
    let _closed = tokio::time::timeout(testkit::WAIT_MAX, both).await.expect("the door closes");
    replies(&String::from_utf8_lossy(&answered))
}

/// Splits what came back; what only says to go on (1xx) is left out.
fn replies(mut text: &str) -> Vec<Reply> {
    let mut replies = Vec::new();
    while !text.is_empty() {
        let (head, rest) = text.split_once("\r\n\r\n").expect("an answer has a head");
        let head = head.to_lowercase();
        let status = head.strip_prefix("http/1.1 ").or_else(|| head.strip_prefix("http/1.0 "));
        let status = status.and_then(|line| line.get(..3)?.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no answer of HTTP's: {head}"));
        let len = header(&head, "content-length").and_then(|len| len.parse().ok()).unwrap_or(0);
        // An answer to HEAD tells a length and has no body.
        let (body, rest) = rest.split_at(rest.len().min(len));
        text = rest;
        if status >= 200 {
            replies.push(Reply { status, head, body: body.to_owned() });
        }
    }
    replies
}

/// A header's value in a head of lower case.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}
