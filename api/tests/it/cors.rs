//! Which pages may read: those of the origins on the list, and only what users may.

use std::slice::from_ref;

use api::{Access, Origins};
use axum::body::Body;
use http::{HeaderName, Method, Request, StatusCode, header};
use store::keys::KeyRole;

use crate::support::{Answer, Api, World, make_key};

const OURS: &str = "https://app.example.com";

async fn ask(api: &Api, method: Method, path: &str, headers: &[(HeaderName, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    api.answer(request.body(Body::empty()).unwrap()).await
}

/// Asks as a browser does before a page may read with a token.
async fn preflight(api: &Api, origin: &str, method: &str, path: &str) -> Answer {
    let headers = [
        (header::ORIGIN, origin),
        (header::ACCESS_CONTROL_REQUEST_METHOD, method),
        (header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization,last-event-id"),
    ];
    ask(api, Method::OPTIONS, path, &headers).await
}

#[track_caller]
fn allowed(answer: &Answer) -> Option<&str> {
    let origin = answer.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN)?;
    assert!(!answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    Some(origin.to_str().unwrap())
}

fn reading(world: &World, origins: &str) -> Api {
    let origins = Origins::parse(origins).unwrap();
    world.api(from_ref(&world.tenant), Access { origins, ..Access::default() })
}

#[tokio::test]
async fn a_page_of_the_list_reads_what_users_may() {
    let world = World::new().await;
    world.register("u_1").await;
    let api = reading(&world, &format!("{OURS}, http://localhost:5173"));
    for path in ["/v1/users/u_1/balance", "/v1/users/u_1", "/v1/checkout_sessions/cs_1"] {
        for origin in [OURS, "http://localhost:5173"] {
            let answer = preflight(&api, origin, "GET", path).await;
            assert_eq!((answer.status, allowed(&answer)), (StatusCode::OK, Some(origin)));
            assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_METHODS], "GET");
            let headers = answer.headers[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
            assert_eq!(headers, "authorization,if-none-match,last-event-id");
        }
    }
    let (_, key) = make_key(&world.login, &world.tenant, KeyRole::Read).await;
    let bearer = format!("Bearer {key}");
    let headers = [(header::ORIGIN, OURS), (header::AUTHORIZATION, bearer.as_str())];
    let answer = ask(&api, Method::GET, "/v1/users/u_1/balance", &headers).await;
    assert_eq!((answer.status, allowed(&answer)), (StatusCode::OK, Some(OURS)));
    let exposed = answer.headers[header::ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap();
    assert_eq!(exposed, "etag,request-id,retry-after");
    let varies: Vec<_> = answer.headers.get_all(header::VARY).iter().collect();
    assert!(varies.iter().any(|value| value.to_str().unwrap().contains("origin")), "{varies:?}");
    // A refusal is for the page to read as well.
    let refused = ask(&api, Method::GET, "/v1/users/u_1/balance", &headers[..1]).await;
    assert_eq!((refused.status, allowed(&refused)), (StatusCode::UNAUTHORIZED, Some(OURS)));
}

#[tokio::test]
async fn other_pages_and_other_operations_get_nothing() {
    let world = World::new().await;
    world.register("u_1").await;
    let api = reading(&world, OURS);
    for foreign in [
        "https://evil.example",
        "https://app.example.com.evil.example",
        "https://app.example.com:8443",
        "http://app.example.com",
        "null",
    ] {
        assert_eq!(allowed(&preflight(&api, foreign, "GET", "/v1/users/u_1/balance").await), None);
        let headers = [(header::ORIGIN, foreign)];
        let answer = ask(&api, Method::GET, "/v1/users/u_1/balance", &headers).await;
        assert_eq!(allowed(&answer), None, "{foreign}");
    }
    // The method that is allowed is GET, whatever is asked for; what is not for users is for no page.
    let answer = preflight(&api, OURS, "PUT", "/v1/users/u_1").await;
    assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_METHODS], "GET");
    let answer = ask(&api, Method::PUT, "/v1/users/u_1", &[(header::ORIGIN, OURS)]).await;
    assert_eq!((answer.status, allowed(&answer)), (StatusCode::UNAUTHORIZED, None));
    for path in ["/v1/cases", "/v1/users", "/v1/checkout_params", "/v1/nothing"] {
        let answer = preflight(&api, OURS, "GET", path).await;
        assert_eq!(allowed(&answer), None, "{path}");
    }
}

#[tokio::test]
async fn without_a_list_there_are_no_such_headers() {
    let world = World::new().await;
    let api = world.api(from_ref(&world.tenant), Access::default());
    let answer = preflight(&api, OURS, "GET", "/v1/users/u_1/balance").await;
    answer.refused(405, "method_not_allowed", None);
    let answer = ask(&api, Method::GET, "/v1/users/u_1", &[(header::ORIGIN, OURS)]).await;
    assert_eq!(allowed(&answer), None);
    assert!(!answer.headers.contains_key(header::VARY));
}
