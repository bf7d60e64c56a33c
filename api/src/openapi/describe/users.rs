//! Users, and what each of them has.

use schemars::JsonSchema;
use serde_json::json;
use service::problem::Code;

use crate::list::List;
use crate::openapi::description::{Description, Tag};
use crate::openapi::texts::{AnyId, HeaderText, Moment, Unit, UserId};
use crate::openapi::words::{Basis, GrantFilter};
use crate::{units, users};

pub(super) fn import() -> Description {
    let text = "Each as by PUT. What is refused of one keeps the others out of nothing: the answer says of each what became \
                of him, in the order of the request. Rows of the same user build on one another.";
    Description::new::<users::import::Imported>(Tag::Users, "Register or change many users", text)
        .body::<users::import::Request>(
        json!({"users": [{"id": "u_1", "email": "ada@example.com"}, {"id": "u_2"}]}),
    )
}

pub(super) fn put() -> Description {
    let text = "A member that is left out keeps its value, null removes it, metadata is replaced as a whole. An e-mail that \
                changes is unverified unless the request says otherwise. Payments that waited for this user are credited.";
    Description::new::<users::UserObject>(Tag::Users, "Register or change a user", text)
        .at::<UserId>("u_1")
        .refuses(&[Code::Conflict])
        .body::<users::put::Request>(json!({"email": "ada@example.com", "name": "Ada"}))
        .then("userGet", "user", "$response.body#/id")
        .then("balanceGet", "user", "$response.body#/id")
        .then("spendCreate", "user", "$response.body#/id")
        .then("holdCreate", "user", "$response.body#/id")
}

pub(super) fn get() -> Description {
    let text = "As the app described him last.";
    of_user::<users::UserObject>("Show a user", text)
}

/// What a user has, or had.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "BalanceNowOrThen")]
#[expect(dead_code, reason = "only its schema is used")]
enum NowOrThen {
    Now(users::balance::Balance),
    Then(users::balance::past::PastBalance<'static>),
}

pub(super) fn balance() -> Description {
    let text = "All parts come from one snapshot of the books. Zeros for a user who has nothing. Of an instant that is over, \
                what is not kept is null.";
    of_user::<NowOrThen>("Show what a user has", text)
        .query::<Unit>("unit", UNIT)
        .query::<Moment>("as_of", "What he had then, in place of now.")
        .query::<Basis>(
            "by",
            "By which of a movement's instants: that of its record, or of its effect.",
        )
        .tagged()
}

pub(super) fn balances() -> Description {
    of_user::<List<users::balance::Balance>>(
        "Show what a user has in each unit",
        "All on one page.",
    )
}

pub(super) fn stream() -> Description {
    let text = "Server-sent events named balance, each a balance object; the first one comes at once. The id of an event is \
                the version of the balance. The stream ends after some minutes, and the client comes again.";
    of_user::<AnyId>("Follow what a user has", text)
        .query::<Unit>("unit", UNIT)
        .header::<HeaderText>("Last-Event-ID", "The id of the event that was heard last.")
        .answers(&["text/event-stream"], None)
}

pub(super) fn units() -> Description {
    let text = "By name. Where none is configured, the default one.";
    Description::new::<List<units::list::UnitObject>>(Tag::Users, "List the kinds of credits", text)
}

pub(super) fn postings() -> Description {
    let text = "Every movement on the user's account, newest first.";
    of_user::<List<users::postings::PostingObject>>("List a user's postings", text)
        .query::<Unit>("unit", UNIT)
        .created()
        .list()
}

pub(super) fn grants() -> Description {
    let text = "The blocks of credits on the user's account, newest first: what each was, what is left of it, and when it \
                ends.";
    of_user::<List<users::grants::GrantObject>>("List a user's grants", text)
        .query::<Unit>("unit", UNIT)
        .query::<GrantFilter>("status", "Only those that can be spent or are held.")
        .list()
}

const UNIT: &str = "The kind of credits.";

fn of_user<T: JsonSchema>(summary: &'static str, text: &'static str) -> Description {
    let description = Description::new::<T>(Tag::Users, summary, text);
    description.at::<UserId>("u_1").refuses(&[Code::UserNotFound])
}
