//! The shape of a refusal, and that the list of codes is whole.

use std::collections::BTreeSet;

use axum::body::to_bytes;

use super::*;

async fn json_of(response: Response) -> Value {
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn a_problem_has_the_members_of_rfc_9457_and_its_own() {
    let problem = Problem::new(Code::InsufficientCredits)
        .detail("50 asked for, 20 available.")
        .param("amount")
        .with("available", 20);
    let response = problem.into_response();
    assert_eq!(response.status(), StatusCode::PAYMENT_REQUIRED);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let expected = serde_json::json!({
        "type": "/v1/problems/insufficient_credits",
        "title": "The account has not enough available credits.",
        "status": 402,
        "code": "insufficient_credits",
        "detail": "50 asked for, 20 available.",
        "param": "amount",
        "doc_url": "/v1/problems/insufficient_credits",
        "available": 20,
    });
    assert_eq!(json_of(response).await, expected);
}

#[tokio::test]
async fn what_the_status_asks_for_is_in_the_headers() {
    let response = Problem::new(Code::Unavailable).retry_after(7).into_response();
    assert_eq!(response.headers()[header::RETRY_AFTER], "7");
    let response = Problem::new(Code::Unauthorized).into_response();
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
}

#[test]
fn codes_are_distinct_and_in_order_of_status() {
    let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(names.len(), Code::ALL.len());
    assert!(Code::ALL.is_sorted_by_key(|code| code.status().as_u16()));
}
