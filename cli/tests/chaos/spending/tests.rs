//! Histories that the check must pass, and those that it must not.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::check::check;
use super::model::{Account, Deed, Terms};
use super::operation::{Answer, Ask, Operation};
use super::recorded::{Done, Entry, Recorded};

const FOR_EVER: Terms = Terms { priority: 0, expires_at: Timestamp::MAX };

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A history of one account, which can be spoilt.
#[derive(Default)]
struct Story {
    operations: Vec<Operation>,
    entries: Vec<Entry>,
    keys: BTreeMap<String, Uuid>,
}

impl Story {
    /// An operation, all of it after those before it.
    fn ask(&mut self, key: &str, ask: Ask, status: u16, body: &Value) {
        let invoked = 2 * u64::try_from(self.operations.len()).unwrap();
        let answer = Answer { status, is_repeated: false, body: body.to_string() };
        self.operations.push(Operation {
            account: 0,
            key: key.to_owned(),
            ask,
            invoked,
            completed: Some(invoked + 1),
            until: second(0),
            answer: Some(answer),
        });
    }

    /// What was done, as the next command, for this key.
    fn done(&mut self, key: Option<&str>, deed: Deed) {
        let seq = i64::try_from(self.entries.len()).unwrap() + 1;
        let command_id = Uuid::from_u128(seq.unsigned_abs().into());
        self.keys.extend(key.map(|key| (key.to_owned(), command_id)));
        let done = Some(Done { command_id, seq, is_clocks: false });
        self.entries.push(Entry { at: second(seq), deed, done, position: 0 });
    }

    /// Has each of two operations happen when the other did.
    fn swap(&mut self, one: usize, other: usize) {
        let moments = self.operations[one].clone();
        self.operations[one].invoked = self.operations[other].invoked;
        self.operations[one].completed = self.operations[other].completed;
        self.operations[other].invoked = moments.invoked;
        self.operations[other].completed = moments.completed;
    }

    fn check(self) -> Result<(), String> {
        let user = "user".to_owned();
        let entries = BTreeMap::from([(user.clone(), self.entries)]);
        check(&[user], &self.operations, &Recorded { entries, keys: self.keys })
    }
}

fn balance(available: i64) -> Value {
    json!({"available": available, "held": 0, "posted": available, "debt": 0})
}

fn spent(seq: i64, amount: i64, available: i64) -> Value {
    json!({
        "seq": seq,
        "amount": amount,
        "grants": [{"grant": format!("grt_{}_1_credits", Uuid::nil().simple()), "amount": amount}],
        "balance": balance(available),
    })
}

fn read(seq: i64, available: i64) -> Value {
    let mut read = balance(available);
    let more = json!({"seq": seq, "position": 0, "as_of": second(9), "expiring_next": null});
    read.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    read
}

/// Ten are given, four are spent, the six that are left are seen, seven are refused.
fn story() -> Story {
    let mut story = Story::default();
    let given = json!({"seq": 1, "amount": 10, "remaining": 10, "balance": balance(10)});
    let grant = Ask::Grant { amount: 10, priority: 0, expires_at: None };
    story.ask("give", grant, 201, &given);
    story.ask("spend", Ask::Spend { amount: 4 }, 201, &spent(2, 4, 6));
    story.ask("read", Ask::Read, 200, &read(2, 6));
    story.ask("too much", Ask::Spend { amount: 7 }, 402, &json!({"available": 6}));
    story.done(Some("give"), Deed::Grant { grant: 1, amount: 10, terms: FOR_EVER });
    story.done(Some("spend"), Deed::Spend { id: "s".to_owned(), amount: 4 });
    story
}

/// Spoils a story, and looks for what is wrong with it then.
#[track_caller]
fn fails(spoil: impl FnOnce(&mut Story), says: &str) {
    let mut story = story();
    spoil(&mut story);
    let why = story.check().unwrap_err();
    assert!(why.contains(says), "{why}");
}

#[test]
fn a_history_without_fault_passes() {
    story().check().unwrap();
}

#[test]
fn what_is_not_known_was_done_or_not() {
    let mut done = story();
    done.operations[1].answer = None;
    done.operations[1].completed = None;
    done.check().unwrap();
    let mut not_done = story();
    not_done.ask("lost", Ask::Spend { amount: 1 }, 201, &Value::Null);
    not_done.operations[4].answer = None;
    not_done.operations[4].completed = None;
    not_done.check().unwrap();
}

#[test]
fn everything_happens_once() {
    fails(|story| story.keys.retain(|key, _| key != "spend"), "acknowledged, and not recorded");
    fails(
        |story| story.done(Some("too much"), Deed::Spend { id: "t".to_owned(), amount: 6 }),
        "refused, and done",
    );
    fails(
        |story| story.done(None, Deed::Spend { id: "t".to_owned(), amount: 4 }),
        "2 were asked for, 3 done",
    );
    fails(|story| story.operations[1].ask = Ask::Spend { amount: 5 }, "did something else");
    fails(|story| story.entries[1].done.as_mut().unwrap().seq = 3, "recorded as Some(3)");
}

#[test]
fn the_model_tells_every_answer() {
    fails(
        |story| story.operations[1].answer.as_mut().unwrap().body = spent(2, 4, 7).to_string(),
        "available: 7",
    );
    fails(
        |story| story.operations[2].answer.as_mut().unwrap().body = read(2, 10).to_string(),
        "is of no state",
    );
    fails(
        |story| {
            story.ask("more", Ask::Spend { amount: 7 }, 201, &spent(3, 7, -1));
            story.done(Some("more"), Deed::Spend { id: "t".to_owned(), amount: 7 });
        },
        "7 of 6 available",
    );
    fails(
        |story| {
            let problem = json!({"available": 6}).to_string();
            story.operations[3].ask = Ask::Spend { amount: 6 };
            story.operations[3].answer.as_mut().unwrap().body = problem;
        },
        "no state from 2",
    );
}

#[test]
fn what_was_over_is_seen() {
    // It was read before it was spent, in real time.
    fails(
        |story| story.operations[2].answer.as_mut().unwrap().body = read(1, 10).to_string(),
        "1 was read after 2 was known",
    );
    // The spend was answered before the grant that it draws from was asked for.
    fails(|story| story.swap(0, 1), "1 was made after 2 was known");
    // It was refused for what was spent only later.
    fails(
        |story| {
            story.swap(1, 3);
            story.operations.remove(2);
        },
        "no state from 1 to 1",
    );
}

/// An account with 10 that end in second 10, to be drawn first, and 10 that do not end.
fn account() -> Account {
    let mut account = Account::default();
    let soon = Terms { priority: 0, expires_at: second(10) };
    for (grant, terms) in [(1, FOR_EVER), (2, soon)] {
        account.apply(Deed::Grant { grant, amount: 10, terms }, second(0)).unwrap();
    }
    account
}

fn spend(account: &mut Account, id: &str, amount: i64, at: i64) -> BTreeMap<i64, i64> {
    let told = account.apply(Deed::Spend { id: id.to_owned(), amount }, second(at));
    told.unwrap().grants
}

#[test]
fn what_ends_first_is_drawn_first_and_not_after_its_end() {
    let mut account = account();
    assert_eq!(spend(&mut account, "a", 12, 1), BTreeMap::from([(1, 2), (2, 10)]));
    let mut account = self::account();
    assert_eq!(account.balance(second(9)).available, 20);
    assert_eq!(account.balance(second(10)).available, 10);
    assert_eq!(spend(&mut account, "a", 10, 10), BTreeMap::from([(1, 10)]));
    let more = Deed::Spend { id: "b".to_owned(), amount: 1 };
    assert_eq!(account.apply(more, second(10)), Err("1 of 0 available".to_owned()));
}

#[test]
fn a_hold_keeps_what_ends_meanwhile_until_its_own_deadline() {
    let mut account = account();
    let (hold, deadline) = ("h".to_owned(), second(20));
    account.apply(Deed::Hold { id: hold.clone(), amount: 15, deadline }, second(1)).unwrap();
    let seen = account.balance(second(15));
    assert_eq!((seen.available, seen.held, seen.posted), (5, 15, 20));
    assert_eq!(account.balance(second(20)).available, 10);
    let capture = Deed::Capture { hold, amount: Some(12), spend: "s".to_owned() };
    let told = account.apply(capture.clone(), second(15)).unwrap();
    assert_eq!(told.grants, BTreeMap::from([(1, 2), (2, 10)]));
    assert_eq!(account.balance(second(15)).available, 8);
    assert!(account.apply(capture, second(15)).is_err(), "it ends once");
}

#[test]
fn what_is_given_back_goes_where_it_came_from() {
    for (is_renewed, lapsed, available) in [(false, 10, 10), (true, 0, 20)] {
        let mut account = account();
        spend(&mut account, "s", 12, 1);
        let reverse =
            Deed::Reverse { spend: "s".to_owned(), is_renewed, grant: 9, terms: FOR_EVER };
        let told = account.apply(reverse.clone(), second(10)).unwrap();
        assert_eq!((told.lapsed, told.amount), (lapsed, 12));
        assert_eq!(account.balance(second(10)).available, available);
        assert!(account.apply(reverse, second(10)).is_err(), "it is given back once");
    }
}

#[test]
fn debt_takes_all_there_is_and_is_paid_first() {
    let mut account = Account::default();
    let payment = || "p".to_owned();
    account.apply(Deed::Buy { payment: payment(), grant: 1, amount: 30 }, second(1)).unwrap();
    spend(&mut account, "s", 20, 2);
    let hold = Deed::Hold { id: "h".to_owned(), amount: 4, deadline: second(20) };
    account.apply(hold, second(3)).unwrap();
    account.apply(Deed::TakeBack { payment: payment(), amount: 30 }, second(4)).unwrap();
    let seen = account.balance(second(4));
    assert_eq!((seen.available, seen.held, seen.posted, seen.debt), (0, 4, -20, 20));
    let told = account.apply(Deed::Grant { grant: 4, amount: 50, terms: FOR_EVER }, second(5));
    assert_eq!(told.unwrap().remaining, 30);
    assert_eq!(account.balance(second(5)).available, 26);
}
