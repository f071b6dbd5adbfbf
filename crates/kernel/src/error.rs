//! The error of every part: a stable code, and what the caller needs to correct the request.
//!
//! Texts in the reader's language belong to `http/problem.rs` and `locales/`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::Id;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal $text:literal),* $(,)?) => {
        /// The kinds of errors (SPEC §2), each with a stable name and an HTTP status.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $text)] $name),*
        }

        impl ErrorCode {
            /// Every code, so that a test can check the texts of each.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$name),*];

            /// Its HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// Its name, as problem bodies carry it in `code`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

codes! {
    MalformedRequest = 400 "malformed_request",
    MalformedJson = 400 "malformed_json",
    InvalidParameter = 400 "invalid_parameter",
    InvalidHeader = 400 "invalid_header",
    InvalidCursor = 400 "invalid_cursor",
    NonAsciiUrl = 400 "non_ascii_url",
    InvalidFrame = 400 "invalid_frame",
    MissingToken = 401 "missing_token",
    InvalidToken = 401 "invalid_token",
    TokenExpired = 401 "token_expired",
    SessionEnded = 401 "session_ended",
    KeyRevoked = 401 "key_revoked",
    InvalidCredentials = 401 "invalid_credentials",
    Forbidden = 403 "forbidden",
    MissingScope = 403 "missing_scope",
    SessionRequired = 403 "session_required",
    OwnRequest = 403 "own_request",
    ForeignOrigin = 403 "foreign_origin",
    NotFound = 404 "not_found",
    CustomerNotFound = 404 "customer_not_found",
    MethodNotAllowed = 405 "method_not_allowed",
    RequestTimeout = 408 "request_timeout",
    DuplicateCustomer = 409 "duplicate_customer",
    EmailTaken = 409 "email_taken",
    LastAdmin = 409 "last_admin",
    OwnAccount = 409 "own_account",
    NoSuccessor = 409 "no_successor",
    ApprovalNotPending = 409 "approval_not_pending",
    DealClosed = 409 "deal_closed",
    SagaNotCompleted = 409 "saga_not_completed",
    AlreadyUndone = 409 "already_undone",
    NotUndoable = 409 "not_undoable",
    ChangedSince = 409 "changed_since",
    MergeConflict = 409 "merge_conflict",
    ImportNotPreviewed = 409 "import_not_previewed",
    ImportPreviewedByAnother = 409 "import_previewed_by_another",
    TooManyKeys = 409 "too_many_keys",
    TooManyViews = 409 "too_many_views",
    TooManyAttachments = 409 "too_many_attachments",
    TooManyWebhooks = 409 "too_many_webhooks",
    WebhookDisabled = 409 "webhook_disabled",
    NotADeadLetter = 409 "not_a_dead_letter",
    LeaseLost = 409 "lease_lost",
    TooManySubscriptions = 409 "too_many_subscriptions",
    AlreadySignedIn = 409 "already_signed_in",
    RequestInFlight = 409 "request_in_flight",
    CursorReset = 410 "cursor_reset",
    StaleVersion = 412 "stale_version",
    BodyTooLarge = 413 "body_too_large",
    AttachmentTooLarge = 413 "attachment_too_large",
    ImportTooLarge = 413 "import_too_large",
    UnsupportedMediaType = 415 "unsupported_media_type",
    UnsupportedContentCoding = 415 "unsupported_content_coding",
    InvalidFields = 422 "invalid_fields",
    IdempotencyKeyReused = 422 "idempotency_key_reused",
    UpgradeRequired = 426 "upgrade_required",
    TooManyAttempts = 429 "too_many_attempts",
    KeyRateExceeded = 429 "key_rate_exceeded",
    TooManyStreams = 429 "too_many_streams",
    TooManyWaiting = 429 "too_many_waiting",
    TooManyConnections = 429 "too_many_connections",
    HeadTooLarge = 431 "head_too_large",
    Internal = 500 "internal_error",
    Unavailable = 503 "unavailable",
    Overloaded = 503 "overloaded",
}

/// What is wrong with a field of a body, or with a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field as a path: `email`, `items[2].name`.
    pub field: String,
    /// What is wrong, as a stable name with texts in `locales/`.
    pub code: Cow<'static, str>,
    /// The limit that was exceeded, where the text names it.
    pub limit: Option<i64>,
    /// What would be right, where the text names it: the choices, the known fields, the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
}

impl FieldError {
    pub fn new(field: impl Into<String>, code: &'static str) -> Self {
        Self { field: field.into(), code: code.into(), limit: None, allowed: None }
    }

    pub fn limit(field: impl Into<String>, code: &'static str, limit: i64) -> Self {
        Self { limit: Some(limit), ..Self::new(field, code) }
    }

    /// With what would be right.
    pub fn allowing(self, allowed: impl Into<String>) -> Self {
        Self { allowed: Some(allowed.into()), ..self }
    }
}

/// Why a request failed, for the log alone: answers leave it out, and errors that differ only in it are equal.
#[derive(Clone, Default)]
pub struct Cause(Option<Arc<str>>);

impl PartialEq for Cause {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Cause {}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a request failed. It changed nothing, unless the code says that the outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    pub code: ErrorCode,
    pub fields: Vec<FieldError>,
    /// `duplicate_customer`: the records that have the address.
    pub candidates: Vec<Id>,
    /// `not_found`: the customer into which the missing one was merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<Id>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    #[serde(skip)]
    pub cause: Cause,
}

impl Error {
    pub fn new(code: ErrorCode) -> Self {
        let cause = Cause::default();
        Self { code, fields: Vec::new(), candidates: Vec::new(), merged_into: None, retry_after: None, cause }
    }

    /// Adds the cause, for the log. An error that has a cause keeps it. A cause holds no secret and no personal data.
    pub fn with_cause(mut self, cause: impl fmt::Display) -> Self {
        self.cause.0.get_or_insert_with(|| cause.to_string().into());
        self
    }

    /// Why it happened, where that is known.
    pub fn cause(&self) -> Option<&str> {
        self.cause.0.as_deref()
    }

    /// 500: a defect of ours, and which.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(ErrorCode::Internal).with_cause(cause)
    }

    /// 422 for one field.
    pub fn field(field: &str, code: &'static str) -> Self {
        Self::fields(vec![FieldError::new(field, code)])
    }

    /// 422 for several fields.
    pub fn fields(fields: Vec<FieldError>) -> Self {
        Self { fields, ..Self::new(ErrorCode::InvalidFields) }
    }

    /// 400 for one parameter.
    pub fn parameter(name: &str, code: &'static str) -> Self {
        Self { fields: vec![FieldError::new(name, code)], ..Self::new(ErrorCode::InvalidParameter) }
    }

    pub fn after(code: ErrorCode, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..Self::new(code) }
    }

    /// 503: a part is temporarily unavailable.
    pub fn unavailable() -> Self {
        Self::after(ErrorCode::Unavailable, Duration::from_secs(1))
    }

    /// 503: the queues are full.
    pub fn overloaded() -> Self {
        Self::after(ErrorCode::Overloaded, Duration::from_secs(1))
    }

    /// The scope that an API key lacks: what `missing_scope` names.
    pub fn missing_scope(&self) -> Option<&str> {
        let fault = self.fields.first().filter(|_| self.code == ErrorCode::MissingScope)?;
        fault.allowed.as_deref()
    }

    /// When to try again, in whole seconds and at least one: what `Retry-After` says.
    pub fn wait_seconds(&self) -> Option<i64> {
        let whole = |wait: Duration| wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.retry_after.map(|wait| i64::try_from(whole(wait).max(1)).unwrap_or(i64::MAX))
    }

    /// Whether the error is temporary, so that a retry may succeed. Retries and circuit breakers go by this.
    pub fn is_passing(&self) -> bool {
        self.code.status() == 503
    }
}

/// For logs and operators: the cause is part of it.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        for error in &self.fields {
            write!(f, ", {}: {}", error.field, error.code)?;
        }
        if let Some(cause) = self.cause() {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_for_the_log_and_for_no_answer() {
        let error = Error::unavailable().with_cause("the pool is empty").with_cause("later");
        assert_eq!(error.cause(), Some("the pool is empty"));
        assert_eq!(error.to_string(), "unavailable: the pool is empty");
        assert_eq!(error, Error::unavailable());
        let json = serde_json::to_string(&error).expect("errors are plain structs");
        assert!(!json.contains("pool"), "{json}");
        let read: Error = serde_json::from_str(&json).expect("an error");
        assert_eq!(read.cause(), None);
        assert_eq!(read, Error::unavailable());
    }
}
