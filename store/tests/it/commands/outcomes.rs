//! Each thing that can become of a request.

use ledger::account::{HoldState, Refusal, SystemAccount, Terms};
use ledger::ids::{HoldId, SpendId};
use store::commands::{After, Command, Note, Outcome};

use super::kit::{
    Shop, account, capture, done, gift, hold, keyed, new_id, plain, reverse, second, spend, until,
};

#[tokio::test]
async fn credits_are_given_held_captured_spent_and_given_back() {
    let shop = Shop::new(&["ada"]).await;
    let granted = shop.does(1, gift("ada", 100, Terms::default())).await;
    let grant = granted.grant.unwrap();
    assert_eq!((grant.granted, granted.step, granted.postings.len()), (100, 1, 1));
    assert_eq!(granted.postings[0].contra, SystemAccount::Promo);

    let held = shop.does(2, hold("ada", 30, 100)).await;
    let hold_id = HoldId(held.command_id);
    assert_eq!(held.after, After { available: 70, held: 30, debt: 0, posted: 100 });
    assert_eq!(held.hold.unwrap().hold_id, hold_id);

    let captured = shop.does(3, capture(hold_id, Some(20))).await;
    assert_eq!(captured.after, After { available: 80, held: 0, debt: 0, posted: 80 });
    assert_eq!(captured.hold.unwrap().state, HoldState::Captured);

    let spent = shop.does(4, spend("ada", 80)).await;
    assert_eq!((spent.after.available, spent.step), (0, 4));
    for (at, spend) in [(5, captured.command_id), (6, spent.command_id)] {
        let back = shop.does(at, reverse(SpendId(spend))).await;
        assert!(back.reversed.unwrap().is_reversed);
        let again = shop.one(at, reverse(SpendId(spend))).await;
        let spend_id = SpendId(spend);
        assert_eq!(again, Outcome::Refused(Refusal::AlreadyReversed { spend_id }));
    }
    assert_eq!(shop.number("SELECT posted FROM account WHERE tenant_id = $1").await, 100);
    assert_eq!(shop.number("SELECT steps FROM account WHERE tenant_id = $1").await, 6);
    assert_eq!(shop.number("SELECT count(*) FROM command WHERE tenant_id = $1").await, 6);
}

#[tokio::test]
async fn who_and_what_is_unknown_is_told_so() {
    let shop = Shop::new(&["ada"]).await;
    assert_eq!(shop.one(1, spend("bob", 1)).await, Outcome::UserUnknown);
    let nobody = new_id();
    assert_eq!(shop.one(1, capture(HoldId(nobody), None)).await, Outcome::HoldUnknown);
    assert_eq!(shop.one(1, reverse(SpendId(nobody))).await, Outcome::SpendUnknown);
    // What is there under the id is something else.
    let granted = shop.does(1, gift("ada", 5, Terms::default())).await.command_id;
    assert_eq!(shop.one(1, capture(HoldId(granted), None)).await, Outcome::HoldUnknown);
    assert_eq!(shop.one(1, reverse(SpendId(granted))).await, Outcome::SpendUnknown);
    let spent = shop.does(1, spend("ada", 1)).await.command_id;
    assert_eq!(
        shop.one(1, Command::Release { hold_id: HoldId(spent) }).await,
        Outcome::HoldUnknown
    );
}

#[tokio::test]
async fn a_refusal_writes_nothing_and_harms_no_other() {
    let shop = Shop::new(&["ada", "bob"]).await;
    let requests = [
        plain(gift("ada", 10, Terms::default())),
        plain(spend("ada", 11)),
        plain(spend("bob", 1)),
        plain(spend("ada", 10)),
        plain(hold("ada", 1, 50)),
    ];
    let outcomes = shop.run(1, &requests).await;
    let insufficient =
        |wanted, available| Outcome::Refused(Refusal::Insufficient { wanted, available });
    assert_eq!(outcomes[1], insufficient(11, 10));
    assert_eq!(outcomes[2], insufficient(1, 0));
    assert_eq!(outcomes[4], insufficient(1, 0));
    assert_eq!(done(outcomes[3].clone()).after.available, 0);
    assert_eq!(shop.number("SELECT count(*) FROM command WHERE tenant_id = $1").await, 2);
    assert_eq!(shop.number("SELECT count(*) FROM hold WHERE tenant_id = $1").await, 0);
}

#[tokio::test]
async fn limits_and_freezing_govern_what_comes_after_them() {
    let shop = Shop::new(&["ada"]).await;
    let limit = Command::SetLimit { account: account("ada"), overdraft_limit: 5 };
    shop.does(1, limit).await;
    let spent = shop.does(2, spend("ada", 5)).await;
    assert_eq!(spent.after, After { available: 0, held: 0, debt: 5, posted: -5 });
    let freeze =
        |frozen| Command::SetFrozen { account: account("ada"), frozen, reason: "?".into() };
    shop.does(3, freeze(true)).await;
    assert_eq!(shop.one(4, spend("ada", 1)).await, Outcome::Refused(Refusal::Frozen));
    shop.does(5, gift("ada", 8, Terms::default())).await;
    shop.does(6, freeze(false)).await;
    assert_eq!(shop.does(7, spend("ada", 3)).await.after.available, 0);
}

#[tokio::test]
async fn what_is_due_runs_first_and_is_recorded_as_the_clocks() {
    let shop = Shop::new(&["ada"]).await;
    shop.does(1, gift("ada", 10, until(20))).await;
    shop.does(2, gift("ada", 10, Terms::default())).await;
    let held = shop.does(3, hold("ada", 15, 30)).await;
    // Both the hold and what it lets go of the first grant end by then.
    let spent = shop.does(40, spend("ada", 10)).await;
    assert_eq!(spent.after, After { available: 0, held: 0, debt: 0, posted: 0 });
    assert_eq!(spent.step, 5);
    let clock = "SELECT count(*) FROM command WHERE tenant_id = $1 AND actor = 'keeper' AND kind IN (9, 10)";
    assert_eq!(shop.number(clock).await, 1);
    let release = Command::Release { hold_id: HoldId(held.command_id) };
    assert!(matches!(
        shop.one(41, release).await,
        Outcome::Refused(Refusal::HoldClosed { state: HoldState::Expired, .. })
    ));
    assert_eq!(
        shop.number(
            "SELECT count(*) FROM outbox WHERE tenant_id = $1 AND topic = 'tally.credits.expired'"
        )
        .await,
        1
    );
}

#[tokio::test]
async fn what_the_clock_asks_for_is_done_once() {
    let shop = Shop::new(&["ada"]).await;
    let granted = shop.does(1, gift("ada", 10, until(20))).await;
    let grant_id = granted.grant.unwrap().grant_id;
    let expire = || Command::ExpireGrant { account: account("ada"), grant_id };
    assert_eq!(shop.one(19, expire()).await, Outcome::Refused(Refusal::NotDue));
    let request = plain(expire());
    let outcomes = shop.run(20, &[request.clone(), request.clone(), plain(expire())]).await;
    assert_eq!(done(outcomes[0].clone()).postings[0].amount, -10);
    let command_id = request.command_id;
    assert_eq!(outcomes[1], Outcome::Replayed { command_id, answer: Vec::new() });
    assert_eq!(outcomes[2], Outcome::Refused(Refusal::NotDue));
    assert_eq!(
        shop.run(21, &[request]).await,
        [Outcome::Replayed { command_id, answer: Vec::new() }]
    );
    assert_eq!(shop.number("SELECT count(*) FROM command WHERE tenant_id = $1").await, 2);
}

#[tokio::test]
async fn a_note_is_shown_again_by_what_ends_the_hold() {
    let shop = Shop::new(&["ada"]).await;
    shop.does(1, gift("ada", 10, Terms::default())).await;
    let note = Note {
        description: Some("a \0 job, not \\u0000".into()),
        metadata: [("job \\u0000".to_owned(), "7".to_owned())].into(),
    };
    let (account, expires_at) = (account("ada"), second(60));
    let command = Command::Hold { account, amount: 5, expires_at, note: note.clone() };
    let held = shop.does(2, command).await;
    assert_eq!(held.note, note);
    let captured = shop.does(3, capture(HoldId(held.command_id), None)).await;
    assert_eq!(captured.note.metadata, note.metadata);
    assert_eq!(captured.note.description.as_deref(), Some("a \u{fffd} job, not \\u0000"));
    let back = shop.does(4, reverse(SpendId(captured.command_id))).await;
    assert_eq!(back.note, captured.note);
}

#[tokio::test]
async fn an_answer_is_saved_with_its_effect_and_not_without() {
    let shop = Shop::new(&["ada"]).await;
    let refused = shop.run(1, &[keyed("k1", spend("ada", 5))]).await;
    assert!(matches!(refused[0], Outcome::Refused(Refusal::Insufficient { .. })));
    shop.does(2, gift("ada", 8, Terms::default())).await;
    let first = shop.run(3, &[keyed("k1", spend("ada", 5))]).await;
    let command_id = done(first[0].clone()).command_id;
    let answer = b"key_1 2 3".to_vec();
    let replayed = Outcome::Replayed { command_id, answer };
    let same = || keyed("k1", spend("ada", 5));
    assert_eq!(shop.run(4, &[same(), same()]).await, [replayed.clone(), replayed.clone()]);
    // Asked again alone, and twice in one batch with another command of the same account between.
    assert_eq!(shop.run(4, &[keyed("k1", spend("ada", 5))]).await, std::slice::from_ref(&replayed));
    let again =
        [keyed("k1", spend("ada", 5)), plain(spend("ada", 3)), keyed("k1", spend("ada", 4))];
    let outcomes = shop.run(5, &again).await;
    assert_eq!((&outcomes[0], &outcomes[2]), (&replayed, &Outcome::KeyReused));
    assert_eq!(done(outcomes[1].clone()).after.available, 0);
}

#[tokio::test]
async fn a_key_twice_in_one_batch_is_carried_out_once() {
    let shop = Shop::new(&["ada"]).await;
    shop.does(1, gift("ada", 9, Terms::default())).await;
    let same = || keyed("k", spend("ada", 5));
    let outcomes = shop.run(2, &[same(), same(), keyed("k", spend("ada", 4)), same()]).await;
    let command_id = done(outcomes[0].clone()).command_id;
    let replayed = Outcome::Replayed { command_id, answer: b"key_1 2 4".to_vec() };
    assert_eq!(outcomes[1..], [replayed.clone(), Outcome::KeyReused, replayed]);
    // The first with the key is refused: it leaves the key to another request.
    let outcomes =
        shop.run(3, &[keyed("j", spend("ada", 5)), keyed("j", spend("ada", 4)), same()]).await;
    assert!(matches!(outcomes[0], Outcome::Refused(Refusal::Insufficient { .. })));
    assert_eq!(done(outcomes[1].clone()).after.available, 0);
}
