//! What a refusal leaves in the log: one line that an operator can use, and nothing that somebody sent.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::support::*;

/// Something that must never be in a log line.
const CANARY: &str = "canary@example.com";

/// The log of this test's thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).expect("a line is one object")).collect()
    }
}

#[tokio::test]
async fn a_refusal_is_one_line_with_its_reason_and_its_request() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let world = World::new().await;
    let body = event_with("evt_1", &serde_json::json!({"email": CANARY}));

    let refused =
        world.post_as(PATH, LIVE_SECRET, &body).header("User-Agent", CANARY).send().await.unwrap();
    let id = refused.headers()["request-id"].to_str().unwrap().to_owned();
    let lines = log.lines();
    let ours: Vec<_> = lines.iter().filter(|line| line["request_id"] == *id).collect();
    let [line] = ours[..] else { panic!("not one line of that request: {lines:?}") };
    assert_eq!((line["level"].as_str(), line["status"].as_u64()), (Some("INFO"), Some(400)));
    assert_eq!(
        (line["target"].as_str(), line["peer"].as_str()),
        (Some("ingest::webhook"), Some("127.0.0.1"))
    );
    let message = line["message"].as_str().unwrap();
    assert!(message.contains("no v1 signature matches"), "{message}");

    assert_eq!(answer(world.post(&body)).await, stored_at(1));
    let of_ours = |line: &&Value| line["target"].as_str().unwrap_or_default().starts_with("ingest");
    assert_eq!(log.lines().iter().filter(of_ours).count(), 1, "what is stored needs no line");
    let text = format!("{:?}", log.lines());
    for secret in [CANARY, SECRET, LIVE_SECRET, "evt_1"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
