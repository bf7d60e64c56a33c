//! Checkouts.

use serde_json::json;
use service::problem::Code;

use crate::checkout;
use crate::openapi::description::{Description, Tag};
use crate::openapi::texts::{AnyId, WaitSeconds};

pub(super) fn params() -> Description {
    let text = "Parameters of Stripe's, to be passed on as they are: a signed reference to the user and to what he buys, \
                wherever Stripe carries it along. Nothing is stored.";
    Description::new::<checkout::params::CheckoutParams>(Tag::Checkout, "Start a checkout", text)
        .body::<checkout::params::Request>(json!({"user": "u_1", "price": "price_50"}))
        .refuses(&[Code::UserNotFound, Code::EmailTaken])
}

pub(super) fn get() -> Description {
    let text = "For the page that a buyer comes back to. It never grants anything: it tells. A user's token is told of that \
                user's sessions.";
    Description::new::<checkout::get::CheckoutSession>(
        Tag::Checkout,
        "Show what became of a checkout",
        text,
    )
    .at::<AnyId>("cs_test_1")
    .query::<WaitSeconds>(
        "wait",
        "Answer as soon as the status is final, or after so many seconds.",
    )
    .then("paymentGet", "id", "$response.body#/payment")
}
