//! What was set on an account: how far below zero it may go, and whether it is frozen.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use store::commands::Done;

use super::Balance;

/// A setting of an account, with what was said of it.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "AccountSetting")]
pub(crate) struct SettingObject<'a> {
    #[schemars(extend("enum" = ["overdraft", "freeze"]))]
    object: &'static str,
    user: &'a str,
    unit: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64")]
    limit: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    frozen: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    reason: Option<&'a str>,
    seq: i64,
    created: Timestamp,
    balance: Balance,
}

/// How far below zero spends and holds may go from now on.
pub(super) fn overdraft(done: &Done, limit: i64) -> SettingObject<'_> {
    SettingObject { limit: Some(limit), ..setting("overdraft", done) }
}

/// Whether spends and holds are refused from now on.
pub(super) fn freeze<'a>(done: &'a Done, frozen: bool, reason: &'a str) -> SettingObject<'a> {
    SettingObject { frozen: Some(frozen), reason: Some(reason), ..setting("freeze", done) }
}

fn setting<'a>(object: &'static str, done: &'a Done) -> SettingObject<'a> {
    SettingObject {
        object,
        user: &done.user,
        unit: &done.unit,
        limit: None,
        frozen: None,
        reason: None,
        seq: done.step,
        created: done.recorded_at,
        balance: done.after.into(),
    }
}
