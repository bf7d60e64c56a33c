//! `POST /v1/checkout_params`: what the app's server hands to Stripe when it creates a checkout session, a payment intent or
//! a subscription for a user: a signed reference to him and to what he buys, wherever Stripe carries it along.
//!
//! The answer has no member but parameters of Stripe's, so that it can be passed on as it is. Nothing is stored: what was
//! signed is believed when it comes back.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use rules::reference::{METADATA_KEY, Terms, TermsError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::ids::time_ordered;
use service::problem::{Code, Problem};
use store::Client;
use store::read::checkout_params::{customer_of_user, owners_of_email};
use store::read::users::User;

use crate::auth::Caller;
use crate::body::Body;
use crate::error::{RouteError, invalid};
use crate::metadata;
use crate::params::Params;
use crate::state::ApiState;
use crate::users::put::is_email;
use crate::users::require;

/// How long what is signed may be used, in seconds. A session lives at most a day, and so it is a day old at most when Stripe
/// makes its payment intent or subscription: what these carry is still in force if the session was created within a day.
const VALID_SECONDS: i64 = 2 * 24 * 60 * 60;

/// What the user buys, and how.
#[derive(Debug, JsonSchema, Deserialize)]
#[schemars(rename = "CheckoutRequest")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[schemars(with = "crate::openapi::texts::UserId")]
    user: String,
    #[schemars(with = "Option<crate::openapi::texts::Email>")]
    email: Option<String>,
    price: String,
    #[schemars(with = "Option<crate::openapi::texts::Quantity>")]
    quantity: Option<i64>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    #[schemars(with = "crate::openapi::texts::Metadata")]
    metadata: BTreeMap<String, String>,
}

/// Mode of the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Deserialize)]
#[schemars(rename = "CheckoutMode")]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Payment,
    Subscription,
}

/// Parameters of Stripe's.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct CheckoutParams {
    /// None where the reference is too long for it: metadata hold the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    client_reference_id: Option<String>,
    /// The user's customer, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    customer: Option<String>,
    /// Otherwise one is to be made. In subscription mode Stripe makes one in any case, and refuses to be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    customer_creation: Option<&'static str>,
    metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Inherited")]
    payment_intent_data: Option<Inherited>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Inherited")]
    subscription_data: Option<Inherited>,
}

/// What the session hands on: it inherits no metadata to what it makes.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "CheckoutInherited")]
struct Inherited {
    metadata: BTreeMap<String, String>,
}

/// Answers with signed parameters.
pub(crate) async fn handler(
    State(state): State<ApiState>,
    caller: Caller,
    params: Params,
    Body(request): Body<Request>,
) -> Result<Json<CheckoutParams>, RouteError> {
    params.finish()?;
    request.check()?;
    let Some(keys) = state.signing_keys.get(&caller.tenant_id) else {
        let detail = "There is no key to sign with: set TALLY_SIGNING_KEY, for the projector too.";
        return Err(Problem::new(Code::Unavailable).detail(detail).into());
    };
    let client = state.client().await?;
    let user = require(&client, caller.tenant_id, &request.user).await?;
    if let Some(email) = &request.email {
        require_own(&state, &client, caller.tenant_id, &user, email).await?;
    }
    let customer = customer_of_user(&client, caller.tenant_id, &request.user).await?;
    let now = state.clock.now();
    let signed = keys.sign(Terms {
        tenant: keys.tenant().to_owned(),
        user: request.user,
        price: request.price,
        quantity: request.quantity.unwrap_or(1),
        // What the price is worth, the catalogue says.
        credits: None,
        unit: None,
        expires_at: now.as_second().saturating_add(VALID_SECONDS),
        nonce: time_ordered(now).into_bytes(),
    });
    let signed = signed.map_err(refusal)?;
    let mut metadata = request.metadata;
    metadata.extend(signed.metadata);
    let copy = Inherited { metadata: metadata.clone() };
    let (payment_intent_data, subscription_data) = match request.mode {
        Mode::Payment => (Some(copy), None),
        Mode::Subscription => (None, Some(copy)),
    };
    let makes_customer = customer.is_none() && request.mode == Mode::Payment;
    Ok(Json(CheckoutParams {
        client_reference_id: signed.client_reference_id,
        customer,
        customer_creation: makes_customer.then_some("always"),
        metadata,
        payment_intent_data,
        subscription_data,
    }))
}

impl Request {
    fn check(&self) -> Result<(), Problem> {
        if self.email.as_deref().is_some_and(|email| !is_email(email)) {
            return Err(invalid("email", "It is not an e-mail address."));
        }
        if self.metadata.contains_key(METADATA_KEY) {
            let param = format!("metadata.{METADATA_KEY}");
            return Err(invalid(param, "The signed reference has its place there."));
        }
        if self.metadata.keys().any(|key| key.contains(['[', ']'])) {
            return Err(invalid("metadata", "Stripe takes no key with square brackets."));
        }
        metadata::check(&self.metadata, metadata::MAX_PAIRS.saturating_sub(1))
    }
}

/// Refuses an e-mail that is another user's: the checkout would be started for the wrong one, such as by a stale session.
///
/// It is another's if he proved it. If nobody did, it may be whose it likes, but not only another's.
async fn require_own(
    state: &ApiState,
    client: &Client,
    tenant_id: i32,
    user: &User,
    email: &str,
) -> Result<(), RouteError> {
    let hash = state.evidence_keys.get(&tenant_id).and_then(|key| key.hash(email));
    let Some(hash) = hash else { return Ok(()) };
    let owners = owners_of_email(client, tenant_id, &hash).await?;
    let has_it = owners.iter().any(|owner| owner.user_id == user.user_id);
    let others = owners.iter().filter(|owner| owner.user_id != user.user_id);
    let Some(other) = others.into_iter().find(|other| other.is_verified || !has_it) else {
        return Ok(());
    };
    let detail =
        format!("It is the e-mail of user {}, and not of {}.", other.user_id, user.user_id);
    Err(Problem::new(Code::EmailTaken).param("email").detail(detail).into())
}

fn refusal(error: TermsError) -> Problem {
    let param = match error {
        TermsError::User => "user",
        TermsError::Quantity => "quantity",
        TermsError::Price
        | TermsError::TooLong
        | TermsError::Tenant
        | TermsError::Credits
        | TermsError::Unit
        | TermsError::Expiry
        | TermsError::Encoding => "price",
    };
    invalid(param, format!("It cannot be signed: {error}."))
}
