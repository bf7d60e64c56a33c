//! Commands: what moves credits for the app, and what says how far they may move.

use serde_json::json;
use service::problem::Code;

use crate::commands::{self, objects};
use crate::openapi::description::{Description, Tag};
use crate::openapi::texts::{AnyId, UserId};

pub(super) fn spend() -> Description {
    let text = "Draws from the grants that end first. Nothing is written if less is available than asked for.";
    of_user::<objects::SpendObject>("Use a user's credits", text)
        .body::<commands::spend::Request>(json!({"amount": 5, "description": "5 images"}))
        .creates()
        .refuses(&[Code::InsufficientCredits, Code::AccountFrozen])
        .then("spendGet", "id", "$response.body#/id")
        .then("spendReverse", "id", "$response.body#/id")
}

pub(super) fn spend_get() -> Description {
    let description = Description::new::<objects::SpendObject>(Tag::Credits, "Show a spend", "");
    description.at::<AnyId>(SPEND_ID).refuses(&[Code::SpendNotFound])
}

pub(super) fn reverse() -> Description {
    let text = "Credits go back to the grants that they were drawn from. Those whose grant has ended since lapse, or come \
                back as a new grant.";
    Description::new::<objects::ReversalObject<'static>>(Tag::Credits, "Give a spend back", text)
        .at::<AnyId>(SPEND_ID)
        .command()
        .optional_body::<commands::reverse::Request>(json!({"expired": "lapse"}))
        .creates()
        .refuses(&[Code::SpendNotFound, Code::Conflict])
}

pub(super) fn hold() -> Description {
    let text = "For a job that may fail: what is held cannot be spent by others, and comes back by itself.";
    of_user::<objects::HoldObject>("Reserve a user's credits", text)
        .body::<commands::hold::Request>(json!({"amount": 5, "expires_in": 600}))
        .creates()
        .refuses(&[Code::InsufficientCredits, Code::AccountFrozen])
        .then("holdGet", "id", "$response.body#/id")
        .then("holdCapture", "id", "$response.body#/id")
        .then("holdRelease", "id", "$response.body#/id")
}

pub(super) fn hold_get() -> Description {
    let description = Description::new::<objects::HoldObject>(Tag::Credits, "Show a hold", "");
    description.at::<AnyId>(HOLD_ID).refuses(&[Code::HoldNotFound])
}

pub(super) fn capture() -> Description {
    let text = "All of it, or the amount that is given; the rest is let go.";
    of_hold("Spend what a hold reserves", text)
        .optional_body::<commands::capture::Request>(json!({"amount": 3}))
        .then("spendGet", "id", "$response.body#/spend")
        .then("spendReverse", "id", "$response.body#/spend")
}

pub(super) fn release() -> Description {
    of_hold("Let go what a hold reserves", "The credits can be spent again.")
        .optional_body::<commands::release::Request>(json!({}))
}

pub(super) fn grant() -> Description {
    let text = "Promotional, or bought outside of Stripe. A debt is paid first.";
    of_user::<objects::GrantObject<'static>>("Give a user credits", text)
        .body::<commands::grant::Request>(json!({"amount": 50, "reason": "welcome"}))
        .creates()
}

pub(super) fn freeze() -> Description {
    let text = "Spends and holds are refused from now on. What is held can still be captured.";
    of_user::<objects::SettingObject<'static>>("Freeze an account", text)
        .at::<UserId>("u_2")
        .body::<commands::freeze::Request>(json!({"reason": "The card was stolen."}))
}

pub(super) fn thaw() -> Description {
    let text = "Spends and holds are allowed again.";
    of_user::<objects::SettingObject<'static>>("Thaw an account", text)
        .at::<UserId>("u_2")
        .body::<commands::freeze::Request>(json!({"reason": "It was a mistake."}))
}

pub(super) fn overdraft() -> Description {
    let text = "How far below zero spends and holds may go from now on. What is below it already stays so.";
    of_user::<objects::SettingObject<'static>>("Set an overdraft limit", text)
        .body::<commands::overdraft::Request>(json!({"limit": 100}))
}

const SPEND_ID: &str = "spd_0192f0c1-2d3e-7000-8000-000000000001";
const HOLD_ID: &str = "hld_0192f0c1-2d3e-7000-8000-000000000001";

fn of_user<T: schemars::JsonSchema>(summary: &'static str, text: &'static str) -> Description {
    let description = Description::new::<T>(Tag::Credits, summary, text);
    description.at::<UserId>("u_1").command().refuses(&[Code::UserNotFound])
}

fn of_hold(summary: &'static str, text: &'static str) -> Description {
    Description::new::<objects::HoldObject>(Tag::Credits, summary, text)
        .at::<AnyId>(HOLD_ID)
        .command()
        .refuses(&[Code::HoldNotFound, Code::Conflict])
}
