//! A user's own story.

use std::collections::BTreeMap;

use store::read::balance::Parts;
use store::read::postings::Posting;
use store::read::users::User;

use super::super::user::{InUnit, Known};
use super::*;

#[test]
fn a_user_and_what_is_on_its_way() {
    let paid = payment(Some(user()), Status::Paid).payment.unwrap();
    let waits = Payment { root_key: "pi_2".into(), owner: None, ..paid.clone() };
    let posting = |seq: i64, contra, amount, balance_after| Posting {
        seq,
        contra,
        amount,
        balance_after,
        decision: Some((seq, 0)),
        event: None,
        command: None,
        root_key: Some("pi_1".into()),
        line: None,
        effective_at: at(seq),
        recorded_at: at(seq),
    };
    let known = Known {
        user: User {
            user_id: "u_1".into(),
            email: None,
            email_verified: false,
            name: None,
            metadata: BTreeMap::new(),
            pos: 1,
            created_at: at(0),
        },
        accounts: vec![
            InUnit {
                unit: "credits".into(),
                postings: vec![
                    posting(1, SystemAccount::Sale, 500, 500),
                    posting(2, SystemAccount::Unclaimed, 1, 501),
                    posting(3, SystemAccount::Expiry, 20, 521),
                    posting(4, SystemAccount::Refund, -120, 401),
                    posting(5, SystemAccount::WriteOff, 30, 431),
                    posting(6, SystemAccount::WriteOff, -30, 401),
                ],
                has_older: false,
                parts: Parts { posted: 401, pending: 50, ..Parts::default() },
            },
            InUnit {
                unit: "images".into(),
                postings: vec![posting(7, SystemAccount::Sale, 5, 9)],
                has_older: true,
                parts: Parts { posted: 9, held: 2, ..Parts::default() },
            },
        ],
        payments: BTreeMap::from([("pi_1".to_owned(), paid), ("pi_2".to_owned(), waits)]),
    };
    check(
        &super::super::user::tell(&known),
        "User u_1: 401 credits and 7 images available",
        &[
            "00 The app registered user u_1.",
            "01 +500 credits (payment pi_1, 12.00 USD): bought. Their balance became 500 credits.",
            "02 +1 credit (payment pi_1, 12.00 USD): bought; they had stood unclaimed until it was known whose they are. \
             Their balance became 501 credits.",
            "03 +20 credits (payment pi_1, 12.00 USD): expired before; called back, so that they can be taken and nothing is \
             owed for them. Their balance became 521 credits.",
            "04 −120 credits (payment pi_1, 12.00 USD): taken back, because the money was refunded. Their balance became \
             401 credits.",
            "05 +30 credits (payment pi_1, 12.00 USD): written off, because they were gone already; nothing is owed for them. \
             Their balance became 431 credits.",
            "06 −30 credits (payment pi_1, 12.00 USD): taken back, because they had been written off. Their balance became \
             401 credits.",
            "07 Older movements of images are not told here: GET /v1/users/u_1/postings?unit=images lists them all.",
            "07 +5 images (payment pi_1, 12.00 USD): bought. Their balance became 9 images.",
        ],
        "401 credits can be spent; 50 credits come once their payment is complete; 7 images can be spent; 2 images are held by \
         jobs under way. Explain pi_2 to see what they wait for.",
    );
}
