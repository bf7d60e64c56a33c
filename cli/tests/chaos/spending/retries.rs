//! Retry storms: each command is sent five times at once, to both processes, by eight clients at a time. It has one effect and
//! five equal answers, also where a second effect could only be refused.

use serde_json::Value;
use tokio::task::JoinSet;

use super::app::App;
use super::operation::{Answer, Ask};
use super::users;
use crate::cluster::Cluster;
use crate::storm::registrations;
use crate::{ONE_AT_A_TIME, checks, number};

/// Clients, each with an account of its own: nobody else takes or gives anything there.
const CLIENTS: usize = 8;

/// How often each command is sent.
const COPIES: usize = 5;

/// Credits that are given each time; all of them are used, so that a second time would find none.
const CREDITS: i64 = 10;

/// Commands of a turn.
const COMMANDS: i64 = 9;

#[tokio::test(flavor = "multi_thread")]
async fn a_command_sent_five_times_at_once_has_one_effect_and_one_answer() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let turns = number("TALLY_RETRY_TURNS", 10);
    let mut cluster = Cluster::start(0, 1).await;
    cluster.tell(&registrations(0..CLIENTS)).await;
    for role in ["api", "api"] {
        cluster.start_one(role);
    }
    checks::quiescence(&cluster).await;
    let app = App::new(&cluster).await;
    let mut clients = JoinSet::new();
    for user in users(CLIENTS) {
        clients.spawn(client(app.clone(), user, turns));
    }
    clients.join_all().await;
    assert_eq!(cluster.tally(&["verify"]).await, Some(0), "verify: {}", cluster.words());
}

/// Everything that can be done to an account, again and again.
async fn client(app: App, user: String, turns: u64) {
    let hold = || Ask::Hold { amount: CREDITS, seconds: 3_600 };
    for turn in 0..turns {
        let send = async |ask: Ask, what: &str| {
            storm(&app, &user, &ask, &format!("{user} {turn} {what}")).await
        };
        send(Ask::Grant { amount: CREDITS, priority: 0, expires_at: None }, "grant").await;
        let spend = send(Ask::Spend { amount: CREDITS }, "spend").await;
        send(Ask::Reverse { spend: id(&spend, "id"), is_renewed: false }, "reverse").await;
        let released = send(hold(), "hold").await;
        send(Ask::Release { hold: id(&released, "id") }, "release").await;
        let held = send(hold(), "hold again").await;
        let capture = Ask::Capture { hold: id(&held, "id"), amount: None };
        let captured = send(capture, "capture").await;
        let reverse = Ask::Reverse { spend: id(&captured, "spend"), is_renewed: false };
        send(reverse, "reverse the capture").await;
        send(Ask::Spend { amount: CREDITS }, "spend again").await;
    }
    let balance = app.ask(0, (&user, &Ask::Read), "").await;
    let balance: Value = serde_json::from_str(&balance.body).unwrap();
    let commands = i64::try_from(turns).unwrap() * COMMANDS;
    assert_eq!(balance["seq"], commands, "each command is carried out once");
    assert_eq!(balance["available"], 0);
}

/// Sends a command five times at once; the answer that all of them got.
async fn storm(app: &App, user: &str, ask: &Ask, key: &str) -> Value {
    let mut copies = JoinSet::new();
    for process in 0..COPIES {
        let (app, user, ask, key) = (app.clone(), user.to_owned(), ask.clone(), key.to_owned());
        copies.spawn(async move { app.ask(process, (&user, &ask), &key).await });
    }
    let answers: Vec<Answer> = copies.join_all().await;
    let first = &answers[0];
    let is_equal = |answer: &Answer| (answer.status, &answer.body) == (first.status, &first.body);
    assert!(first.is_success() && answers.iter().all(is_equal), "{ask:?}: {answers:#?}");
    let carried_out = answers.iter().filter(|answer| !answer.is_repeated).count();
    assert_eq!(carried_out, 1, "one of them carried it out, the others repeat it: {answers:?}");
    serde_json::from_str(&first.body).unwrap()
}

fn id(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap().to_owned()
}
