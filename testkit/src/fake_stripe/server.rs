//! HTTP: who asks, in which version, and whether it was asked before.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Form, FromRequest as _, Request, State};
use axum::http::{HeaderMap, Method as HttpMethod, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::call::{Call, Method};
use super::delivery::Postman;
use super::expand::expand;
use super::idempotency::{Keys, Reply};
use super::params::Params;
use super::refusal::Refusal;
use super::settings::Settings;
use super::versions::Version;
use super::world::{Caller, World};
use super::{form, objects, wire};
use crate::delivery;

/// What all calls share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<(World, Keys)>,
    pub(super) postman: Arc<Postman>,
}

impl Shared {
    pub(super) fn new(settings: &Settings, postman: Postman) -> Self {
        let state = Mutex::new((World::new(settings), Keys::default()));
        Self { state, postman: Arc::new(postman) }
    }

    /// Answers one call, and sends off what happened by it.
    fn reply(&self, call: &Call, mut caller: Caller, version: Option<Version>) -> Reply {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (world, keys) = &mut *state;
        let key = caller.idempotency_key.clone().filter(|_| call.method == Method::Post);
        let before = key.as_ref().map_or(Ok(None), |key| keys.answered(key, call));
        match before {
            Ok(Some(reply)) => return reply,
            Ok(None) => {}
            Err(refusal) => return refused(&refusal),
        }
        caller.request = world.new_id("req");
        world.caller = caller;
        let reply = match objects::answer(world, call) {
            Ok(object) => {
                let version = version.unwrap_or_else(|| world.account_version().clone());
                Reply { status: 200, body: told(world, &version, call, object), replayed: false }
            }
            Err(refusal) => refused(&refusal),
        };
        if let Some(key) = key {
            keys.save(key, call, reply.clone());
        }
        self.postman.post(&world.take_news());
        reply
    }
}

/// The answer in the shape of the version, with what was to be expanded.
fn told(world: &World, version: &Version, call: &Call, mut answer: Value) -> Value {
    if answer["object"] == "list" {
        for element in answer["data"].as_array_mut().into_iter().flatten() {
            *element = world.rendered(element, version);
        }
    } else {
        answer = world.rendered(&answer, version);
    }
    for path in call.params().list("expand").filter_map(Params::leaf) {
        expand(world, version, &mut answer, path);
    }
    answer
}

/// The routes: one, because what is asked for is decided by the objects.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(answer).with_state(shared)
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let headers = request.headers().clone();
    let path = request.uri().path().to_owned();
    let method = match *request.method() {
        HttpMethod::GET => Method::Get,
        HttpMethod::DELETE => Method::Delete,
        _ => Method::Post,
    };
    if !has_key(&headers) {
        return response(&refused(&Refusal::unauthorized()));
    }
    // What is no form has no parameters; the refusal then names the one that is missing.
    let form = Form::<Vec<(String, String)>>::from_request(request, &()).await;
    let pairs = form.map(|Form(pairs)| pairs).unwrap_or_default();
    let call = Call { method, path, params: form::tree(pairs) };
    let caller = Caller {
        account: header(&headers, "stripe-account"),
        now: delivery::now(),
        request: String::new(),
        idempotency_key: header(&headers, "idempotency-key"),
    };
    let version = header(&headers, "stripe-version").map(|name| Version::new(&name));
    response(&shared.reply(&call, caller, version))
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Whether there is a secret or restricted key, as a bearer or as the user of basic authentication.
fn has_key(headers: &HeaderMap) -> bool {
    let Some(value) = header(headers, "authorization") else { return false };
    let key = match value.split_once(' ') {
        Some(("Bearer", key)) => key.to_owned(),
        Some(("Basic", encoded)) => {
            let decoded = STANDARD.decode(encoded).unwrap_or_default();
            String::from_utf8(decoded).unwrap_or_default()
        }
        _ => return false,
    };
    key.starts_with("sk_") || key.starts_with("rk_")
}

fn refused(refusal: &Refusal) -> Reply {
    Reply { status: refusal.status, body: refusal.body(), replayed: false }
}

fn response(reply: &Reply) -> Response<Body> {
    let mut builder =
        Response::builder().status(reply.status).header("content-type", "application/json");
    if reply.replayed {
        builder = builder.header("idempotent-replayed", "true");
    }
    builder.body(Body::from(wire::bytes(&reply.body))).expect("a status and two headers are valid")
}
