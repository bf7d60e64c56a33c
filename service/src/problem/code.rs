//! Every code that a refusal can carry: the one list behind answers, documentation and clients.

use http::StatusCode;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The request cannot be read: not JSON, a broken query, a bad header.
    BadRequest,
    /// A parameter is missing.
    ParameterMissing,
    /// A parameter has a value that it cannot have.
    ParameterInvalid,
    /// A parameter that this operation does not know.
    ParameterUnknown,
    /// A POST that moves credits came without `Idempotency-Key`, or with one of a wrong form.
    IdempotencyKeyInvalid,
    /// No key or token, or one that is not valid.
    Unauthorized,
    /// The account has less available than asked for.
    InsufficientCredits,
    /// The key's role or scopes do not allow this, or it is not for users, or another user's.
    Forbidden,
    /// The account is frozen: nothing can be spent or held.
    AccountFrozen,
    /// Nothing here, of a kind that has no code of its own.
    NotFound,
    /// No such user.
    UserNotFound,
    /// No such case.
    CaseNotFound,
    /// No such event.
    EventNotFound,
    /// No such payment.
    PaymentNotFound,
    /// No such price in the catalogue.
    PriceNotFound,
    /// No such hold.
    HoldNotFound,
    /// No such spend.
    SpendNotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The request took too long to arrive.
    RequestTimeout,
    /// The thing is no longer in the state that this act needs; somebody else was faster.
    Conflict,
    /// The e-mail is another user's.
    EmailTaken,
    /// The same `Idempotency-Key` is being worked on right now.
    IdempotencyKeyInFlight,
    /// The body is longer than allowed.
    PayloadTooLarge,
    /// The body is not of the type that this operation reads.
    UnsupportedMediaType,
    /// This `Idempotency-Key` was used before with another request.
    IdempotencyKeyReused,
    /// Too many requests with this key, or of this user.
    RateLimited,
    /// A fault of ours.
    Internal,
    /// The database cannot be reached, or the service is too busy; nothing was done.
    Unavailable,
    /// It is stored and will be done, but was not within the time that a request may wait.
    NotDecidedYet,
    /// The answer was lost on the way: it was done or not. The same request under the same key finds out, and has one effect.
    OutcomeUnknown,
}

impl Code {
    /// All of them, in order of status.
    pub const ALL: &[Self] = &[
        Self::BadRequest,
        Self::ParameterMissing,
        Self::ParameterInvalid,
        Self::ParameterUnknown,
        Self::IdempotencyKeyInvalid,
        Self::Unauthorized,
        Self::InsufficientCredits,
        Self::Forbidden,
        Self::AccountFrozen,
        Self::NotFound,
        Self::UserNotFound,
        Self::CaseNotFound,
        Self::EventNotFound,
        Self::PaymentNotFound,
        Self::PriceNotFound,
        Self::HoldNotFound,
        Self::SpendNotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::Conflict,
        Self::EmailTaken,
        Self::IdempotencyKeyInFlight,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::IdempotencyKeyReused,
        Self::RateLimited,
        Self::Internal,
        Self::Unavailable,
        Self::NotDecidedYet,
        Self::OutcomeUnknown,
    ];

    /// Its text in the answer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::ParameterMissing => "parameter_missing",
            Self::ParameterInvalid => "parameter_invalid",
            Self::ParameterUnknown => "parameter_unknown",
            Self::IdempotencyKeyInvalid => "idempotency_key_invalid",
            Self::Unauthorized => "unauthorized",
            Self::InsufficientCredits => "insufficient_credits",
            Self::Forbidden => "forbidden",
            Self::AccountFrozen => "account_frozen",
            Self::NotFound => "not_found",
            Self::UserNotFound => "user_not_found",
            Self::CaseNotFound => "case_not_found",
            Self::EventNotFound => "event_not_found",
            Self::PaymentNotFound => "payment_not_found",
            Self::PriceNotFound => "price_not_found",
            Self::HoldNotFound => "hold_not_found",
            Self::SpendNotFound => "spend_not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RequestTimeout => "request_timeout",
            Self::Conflict => "conflict",
            Self::EmailTaken => "email_taken",
            Self::IdempotencyKeyInFlight => "idempotency_key_in_flight",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::RateLimited => "rate_limited",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
            Self::NotDecidedYet => "not_decided_yet",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }

    /// The status that it is answered with.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest
            | Self::ParameterMissing
            | Self::ParameterInvalid
            | Self::ParameterUnknown
            | Self::IdempotencyKeyInvalid => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::InsufficientCredits => StatusCode::PAYMENT_REQUIRED,
            Self::Forbidden | Self::AccountFrozen => StatusCode::FORBIDDEN,
            Self::NotFound
            | Self::UserNotFound
            | Self::CaseNotFound
            | Self::EventNotFound
            | Self::PaymentNotFound
            | Self::PriceNotFound
            | Self::HoldNotFound
            | Self::SpendNotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict | Self::EmailTaken | Self::IdempotencyKeyInFlight => {
                StatusCode::CONFLICT
            }
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable | Self::NotDecidedYet | Self::OutcomeUnknown => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// What it means, in one sentence that is the same for every occurrence.
    pub const fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request cannot be read.",
            Self::ParameterMissing => "A parameter is missing.",
            Self::ParameterInvalid => "A parameter has a value that it cannot have.",
            Self::ParameterUnknown => "This operation does not know that parameter.",
            Self::IdempotencyKeyInvalid => {
                "This operation needs an Idempotency-Key of 1 to 255 printable characters."
            }
            Self::Unauthorized => "A valid API key or token is needed.",
            Self::InsufficientCredits => "The account has not enough available credits.",
            Self::Forbidden => "This key or token may not do this.",
            Self::AccountFrozen => "The account is frozen: nothing can be spent or held.",
            Self::NotFound => "There is no such thing here.",
            Self::UserNotFound => "There is no such user.",
            Self::CaseNotFound => "There is no such case.",
            Self::EventNotFound => "There is no such event.",
            Self::PaymentNotFound => "There is no such payment.",
            Self::PriceNotFound => "There is no such price in the catalogue.",
            Self::HoldNotFound => "There is no such hold.",
            Self::SpendNotFound => "There is no such spend.",
            Self::MethodNotAllowed => "This path is not served by that method.",
            Self::RequestTimeout => "The request took too long to arrive.",
            Self::Conflict => "It is no longer in the state that this act needs.",
            Self::EmailTaken => "The e-mail is another user's.",
            Self::IdempotencyKeyInFlight => "A request with this Idempotency-Key is under way.",
            Self::PayloadTooLarge => "The body is longer than allowed.",
            Self::UnsupportedMediaType => "The body is not of a type that can be read here.",
            Self::IdempotencyKeyReused => "This Idempotency-Key was used with another request.",
            Self::RateLimited => "Too many requests with this key or token.",
            Self::Internal => "Something went wrong on our side.",
            Self::Unavailable => "The service cannot do this right now; nothing was done.",
            Self::NotDecidedYet => "It is stored and will be done, but was not done yet.",
            Self::OutcomeUnknown => {
                "It is not known whether it was done: repeat it under the same Idempotency-Key."
            }
        }
    }
}
