//! Balances as they change.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::response::Response;
use futures_util::{FutureExt as _, StreamExt as _};
use http::{StatusCode, header};
use jiff::SignedDuration;
use ledger::ids::Owner;
use serde_json::{Value, json};
use testkit::WAIT_MAX;

use crate::support::{World, new_key};

const PATH: &str = "/v1/users/u_1/balance/stream";

/// A stream that is read.
struct Events {
    body: BodyDataStream,
    text: String,
}

/// An event.
#[derive(Debug)]
struct Event {
    id: String,
    balance: Value,
}

impl Events {
    fn of(response: Response) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self { body: Body::into_data_stream(response.into_body()), text: String::new() }
    }

    async fn open(world: &World) -> Self {
        Self::of(world.open(PATH, &[]).await)
    }

    /// The next event; none if the stream ended.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (Event::read(event), rest.to_owned());
                self.text = rest;
                if event.is_some() {
                    return event;
                }
            } else {
                let more = tokio::time::timeout(WAIT_MAX, self.body.next()).await;
                let more = more.expect("an event")?.unwrap();
                self.text.push_str(std::str::from_utf8(&more).unwrap());
            }
        }
    }

    /// What is available by the next event.
    async fn available(&mut self) -> i64 {
        self.next().await.expect("an event").balance["available"].as_i64().unwrap()
    }

    /// Whether nothing more was sent so far.
    fn is_silent(&mut self) -> bool {
        self.text.is_empty() && self.body.next().now_or_never().is_none()
    }
}

impl Event {
    /// Reads an event; none if it is a comment.
    fn read(text: &str) -> Option<Self> {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let id = field("id: ")?.to_owned();
        assert_eq!(field("event: "), Some("balance"));
        Some(Self { id, balance: serde_json::from_str(field("data: ")?).unwrap() })
    }
}

#[tokio::test]
async fn the_first_event_comes_at_once_and_one_with_each_change() {
    let world = World::new().await;
    world.register("u_1").await;
    let mut events = Events::open(&world).await;
    let first = events.next().await.unwrap();
    let mut shown = world.get("/v1/users/u_1/balance").await;
    assert_eq!(first.balance, shown.ok());
    for amount in [5, 7] {
        world.give("u_1", amount).await;
        let event = events.next().await.unwrap();
        shown = world.get("/v1/users/u_1/balance").await;
        assert_eq!(event.balance, shown.ok());
        assert_eq!(shown.headers[header::ETAG], format!("W/\"{}\"", event.id));
    }
    // Others' credits are no news.
    world.register("u_2").await;
    world.give("u_2", 1).await;
    world.give("u_1", 1).await;
    assert_eq!(events.available().await, 13);
}

#[tokio::test]
async fn whoever_comes_again_is_told_what_he_missed_and_nothing_twice() {
    let world = World::new().await;
    world.register("u_1").await;
    world.give("u_1", 5).await;
    let id = Events::open(&world).await.next().await.unwrap().id;
    let mut events = Events::of(world.open(PATH, &[("last-event-id", &id)]).await);
    assert!(events.is_silent(), "nothing changed");
    world.give("u_1", 1).await;
    assert_eq!(events.available().await, 6);
    let mut events = Events::of(world.open(PATH, &[("last-event-id", &id)]).await);
    assert_eq!(events.available().await, 6);
}

#[tokio::test]
async fn a_change_that_nobody_tells_of_is_found() {
    let world = World::new().await;
    world.register("u_1").await;
    let mut events = Events::open(&world).await;
    assert_eq!(events.available().await, 0);
    let account = Owner::User("u_1".into()).account_id().0;
    world
        .run(&format!(
            "INSERT INTO account (tenant_id, account_id, unit, version, posted) VALUES ($1, '{account}', 'credits', 1, 9)"
        ))
        .await;
    assert_eq!(events.available().await, 9);
}

#[tokio::test]
async fn time_alone_is_told_of() {
    let world = World::new().await;
    world.register("u_1").await;
    let body = json!({"amount": 5, "reason": "asked", "expires_at": "2026-11-21T11:00:00Z"});
    world.command(&new_key(), "/v1/users/u_1/grants", body).await;
    let mut events = Events::open(&world).await;
    assert_eq!(events.available().await, 5);
    world.hands.advance(SignedDuration::from_hours(1));
    assert_eq!(events.available().await, 0);
}

#[tokio::test]
async fn a_stream_that_cannot_be_is_refused() {
    let world = World::new().await;
    world.get("/v1/users/u_9/balance/stream").await.refused(404, "user_not_found", Some("user"));
    let answer = world.get(&format!("{PATH}?unit=two%20words")).await;
    answer.refused(400, "parameter_invalid", Some("unit"));
    world.get(&format!("{PATH}?as_of=now")).await.refused(400, "parameter_unknown", Some("as_of"));
}

/// One connection listens for all of them, and one statement looks.
#[tokio::test]
async fn thousands_listen_and_there_is_an_end_to_it() {
    const STREAMS_MAX: usize = 3_000;
    const OF_USER: usize = 15;
    let world = World::new().await;
    world.register("u_0").await;
    world
        .run(
            "INSERT INTO app_user (tenant_id, user_id, first_pos, pos)
             SELECT $1, 'u_' || n, 1, 1 FROM generate_series(1, 200) n",
        )
        .await;
    let mut streams = Vec::new();
    for number in 0..STREAMS_MAX {
        let path = format!("/v1/users/u_{}/balance/stream", number / OF_USER);
        let mut events = Events::of(world.open(&path, &[]).await);
        assert_eq!(events.available().await, 0);
        streams.push(events);
    }
    let refused = world.get("/v1/users/u_200/balance/stream").await;
    refused.refused(503, "unavailable", None);
    assert!(refused.headers.contains_key(header::RETRY_AFTER));
    let listening = "SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND application_name = 'tally_listener'";
    assert_eq!(world.sql.query_one(listening, &[]).await.unwrap().get::<_, i64>(0), 1);
    for number in 0..STREAMS_MAX / OF_USER {
        world.give(&format!("u_{number}"), 5).await;
    }
    for events in &mut streams {
        assert_eq!(events.available().await, 5);
    }
    // Whoever leaves makes room.
    streams.truncate(STREAMS_MAX - 1);
    Events::of(world.open("/v1/users/u_200/balance/stream", &[]).await);
}

#[tokio::test]
async fn one_user_does_not_take_the_places_of_all() {
    const OF_USER_MAX: usize = 16;
    let world = World::new().await;
    world.register("u_1").await;
    world.register("u_2").await;
    let in_seats = format!("{PATH}?unit=seats");
    let mut streams = Vec::new();
    for number in 0..OF_USER_MAX {
        let path = if number % 2 == 0 { PATH } else { &in_seats };
        streams.push(Events::of(world.open(path, &[]).await));
    }
    for path in [PATH, &in_seats] {
        let refused = world.get(path).await;
        refused.refused(429, "rate_limited", None);
        assert!(refused.headers.contains_key(header::RETRY_AFTER));
    }
    Events::of(world.open("/v1/users/u_2/balance/stream", &[]).await);
    // Whoever leaves makes room.
    streams.truncate(OF_USER_MAX - 1);
    streams.push(Events::of(world.open(&in_seats, &[]).await));
    world.get(PATH).await.refused(429, "rate_limited", None);
}

#[tokio::test]
async fn streams_end_with_the_process() {
    let world = World::new().await;
    world.register("u_1").await;
    let mut events = Events::open(&world).await;
    assert_eq!(events.available().await, 0);
    world.drain();
    assert!(events.next().await.is_none());
}

/// A proxy must not take a silent stream for a dead one.
#[tokio::test]
async fn a_silent_stream_is_kept_alive() {
    let world = World::new().await;
    world.register("u_1").await;
    let mut events = Events::open(&world).await;
    assert_eq!(events.available().await, 0);
    assert!(events.is_silent());
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(15)).await;
    tokio::time::resume();
    let sent = tokio::time::timeout(WAIT_MAX, events.body.next()).await.unwrap();
    assert!(sent.unwrap().unwrap().starts_with(b":"));
}
