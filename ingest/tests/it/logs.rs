//! What a refusal leaves in the log: one line that an operator can use, and nothing that somebody sent.

use serde_json::Value;

use crate::support::*;

/// Something that must never be in a log line.
const CANARY: &str = "canary@example.com";

#[tokio::test]
async fn a_refusal_is_one_line_with_its_reason_and_its_request() {
    let world = World::new().await;
    let body = event_with("evt_1", &serde_json::json!({"email": CANARY}));
    let request = world.post_as(PATH, LIVE_SECRET, &body).header("User-Agent", CANARY);
    let lines = lines_of(request).await;
    let [line] = &lines[..] else { panic!("not one line of that request: {lines:?}") };
    assert_eq!((line["level"].as_str(), line["status"].as_u64()), (Some("INFO"), Some(400)));
    assert_eq!(line["target"].as_str(), Some("ingest::webhook"));
    assert_eq!(line["peer"].as_str(), Some("127.0.0.1"));
    let message = line["message"].as_str().unwrap();
    assert!(message.contains("no v1 signature matches"), "{message}");

    assert_eq!(lines_of(world.post(&body)).await, Vec::<Value>::new(), "what is stored needs none");
    for secret in [CANARY, SECRET, ROLLED_SECRET, LIVE_SECRET] {
        assert!(!log().contains(secret), "{secret} is in the log");
    }
}

/// The log lines of one request.
async fn lines_of(request: reqwest::RequestBuilder) -> Vec<Value> {
    let response = request.send().await.unwrap();
    let id = response.headers()["request-id"].to_str().unwrap();
    let log = log();
    let lines = log.lines().map(|line| serde_json::from_str(line).expect("a line is one object"));
    lines.filter(|line: &Value| line["request_id"] == *id).collect()
}
