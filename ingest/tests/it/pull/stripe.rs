//! A stand-in for Stripe's API that answers what a test tells it to, and keeps what it was asked.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Barrier;

/// An API at work.
pub(super) struct Stripe {
    pub(super) base: String,
    state: Arc<Api>,
}

#[derive(Default)]
struct Api {
    /// By path and query; the last answer of each stays.
    answers: Mutex<HashMap<String, VecDeque<Answer>>>,
    asked: Mutex<Vec<(String, HeaderMap)>>,
}

/// What is answered, and when.
#[derive(Clone)]
pub(super) struct Answer {
    status: u16,
    header: Option<(&'static str, String)>,
    body: String,
    when: When,
}

#[derive(Clone)]
enum When {
    AtOnce,
    Never,
    /// When as many as it takes have asked.
    Together(Arc<Barrier>),
}

impl Answer {
    /// An object, written as Stripe writes.
    pub(super) fn object(object: &Value) -> Self {
        Self { body: serde_json::to_string_pretty(object).unwrap(), ..Self::status(200) }
    }

    pub(super) fn status(status: u16) -> Self {
        Self { status, header: None, body: "{}".to_owned(), when: When::AtOnce }
    }

    pub(super) fn with_header(self, name: &'static str, value: impl Into<String>) -> Self {
        Self { header: Some((name, value.into())), ..self }
    }

    pub(super) fn with_body(self, body: String) -> Self {
        Self { body, ..self }
    }

    pub(super) fn never(self) -> Self {
        Self { when: When::Never, ..self }
    }

    pub(super) fn together(self, barrier: &Arc<Barrier>) -> Self {
        Self { when: When::Together(Arc::clone(barrier)), ..self }
    }
}

impl Stripe {
    /// An API that knows nothing yet.
    pub(super) async fn new() -> Self {
        let state = Arc::new(Api::default());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, state }
    }

    /// What it answers at a path, one after the other; the last one again and again.
    pub(super) fn answers(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        let answers = answers.into_iter().collect();
        self.state.answers.lock().unwrap().insert(path.to_owned(), answers);
    }

    /// Paths that it was asked for, in order.
    pub(super) fn asked(&self) -> Vec<String> {
        self.state.asked.lock().unwrap().iter().map(|(path, _)| path.clone()).collect()
    }

    /// How often it was asked for a path.
    pub(super) fn times(&self, path: &str) -> usize {
        self.asked().iter().filter(|asked| *asked == path).count()
    }

    /// The headers of the first request for a path.
    pub(super) fn headers(&self, path: &str) -> HeaderMap {
        let asked = self.state.asked.lock().unwrap();
        asked.iter().find(|(asked, _)| asked == path).unwrap().1.clone()
    }
}

async fn answer(State(api): State<Arc<Api>>, request: Request) -> Response {
    let path = request.uri().to_string();
    api.asked.lock().unwrap().push((path.clone(), request.headers().clone()));
    let told = {
        let mut answers = api.answers.lock().unwrap();
        answers.get_mut(&path).and_then(|queue| {
            if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() }
        })
    };
    let told = told.unwrap_or_else(|| Answer::status(404));
    match &told.when {
        When::AtOnce => {}
        When::Never => std::future::pending().await,
        When::Together(barrier) => {
            let _which = barrier.wait().await;
        }
    }
    let status = StatusCode::from_u16(told.status).unwrap();
    let mut response = (status, told.body).into_response();
    if let Some((name, value)) = told.header {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
