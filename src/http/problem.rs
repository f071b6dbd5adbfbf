//! Refusals as RFC 9457 problems. A handler returns a [`Error`]; it becomes a body at the outermost layer,
//! which knows the request's language and address.

use crate::http::error::HttpError;
use std::borrow::Cow;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{Object, ObjectBuilder, Type};

use crate::i18n;
use crate::i18n::Param;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::ids::Id;
use kernel::locale::Locale;

/// The media type of errors.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The body of an error (RFC 9457).
#[derive(Serialize, ToSchema)]
pub struct Problem {
    #[schema(example = "urn:kizuna:problem:not_found")]
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    /// The request's path.
    instance: String,
    /// A stable word for what is wrong.
    #[schema(schema_with = codes)]
    code: &'static str,
    /// What is wrong with which field or parameter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// `duplicate_customer`: the customers that have the address already.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<Id>,
    /// `not_found`: the customer into which this one was merged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    merged_into: Option<Id>,
}

fn codes() -> Object {
    let words = ErrorCode::ALL.iter().map(|code| code.as_str());
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

/// One field's fault.
#[derive(Serialize, ToSchema)]
pub struct FieldProblem {
    field: String,
    /// A stable word.
    #[schema(value_type = String)]
    code: Cow<'static, str>,
    message: String,
}

impl Problem {
    pub fn new(error: &Error, locale: Locale, instance: &str) -> Self {
        let code = error.code.as_str();
        let mut params: Vec<_> =
            error.wait_seconds().map(|wait| ("seconds", Param::Number(wait))).into_iter().collect();
        params.extend(error.missing_scope().map(|scope| ("scope", Param::Text(scope.to_owned()))));
        let text =
            |attribute| i18n::text(locale, code, attribute, &params).unwrap_or_else(|| code.to_owned());
        Self {
            r#type: format!("urn:kizuna:problem:{code}"),
            title: text(None),
            status: error.code.status(),
            detail: text(Some("detail")),
            instance: instance.to_owned(),
            code,
            errors: error.fields.iter().map(|fault| FieldProblem::new(fault, locale)).collect(),
            candidates: error.candidates.clone(),
            merged_into: error.merged_into,
        }
    }
}

impl FieldProblem {
    fn new(fault: &FieldError, locale: Locale) -> Self {
        Self { field: fault.field.clone(), code: fault.code.clone(), message: Self::message(fault, locale) }
    }

    /// What is wrong, in the reader's language.
    pub fn message(fault: &FieldError, locale: Locale) -> String {
        let params: Vec<_> = fault.limit.iter().map(|limit| ("limit", Param::Number(*limit))).collect();
        let key = format!("field-{}", fault.code);
        // With what is allowed, if that is known.
        let allowed = fault.allowed.as_ref().and_then(|allowed| {
            i18n::text(locale, &key, Some("allowed"), &[("allowed", Param::Text(allowed.clone()))])
        });
        // The limits of a password are on its length, which the word for the fault does not say.
        let of_secret = fault
            .field
            .ends_with("password")
            .then(|| i18n::text(locale, &format!("refused-field-password_{}", fault.code), None, &params));
        let found = of_secret.flatten().or(allowed);
        let message = found.or_else(|| i18n::text(locale, &key, None, &params));
        message.unwrap_or_else(|| fault.code.to_string())
    }
}

/// A error in sentences, for a terminal: what is wrong, and with which field.
pub fn sentences(error: &Error, locale: Locale) -> String {
    let Problem { detail, errors, code, .. } = Problem::new(error, locale, "");
    let about = match errors.is_empty() {
        true => detail,
        false => {
            let said = errors.iter().map(|fault| format!("{}: {}", fault.field, fault.message));
            said.collect::<Vec<_>>().join(" ")
        }
    };
    let cause = error.cause().map(|cause| format!(" ({cause})")).unwrap_or_default();
    format!("{about} [{code}]{cause}")
}

impl ResponseError for HttpError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.status()).expect("codes have real statuses")
    }

    /// The bare answer; [`render`] fills in the body.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status_code()).finish();
        response.extensions_mut().insert(self.0.clone());
        response
    }
}

/// Writes a error's body and headers.
pub fn render(error: &Error, locale: Locale, instance: &str) -> HttpResponse {
    let mut answer = HttpResponseBuilder::new(
        StatusCode::from_u16(error.code.status()).expect("codes have real statuses"),
    );
    answer.content_type(PROBLEM_JSON);
    answer.insert_header((header::CONTENT_LANGUAGE, locale_tag(locale)));
    if let Some(seconds) = error.wait_seconds() {
        answer.insert_header((header::RETRY_AFTER, seconds));
    }
    if error.code.status() == 401 {
        let challenge = match error.code {
            ErrorCode::MissingToken => "Bearer".to_owned(),
            code => format!("Bearer error=\"invalid_token\", error_description=\"{}\"", code.as_str()),
        };
        answer.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    if let Some(scope) = error.missing_scope() {
        // RFC 6750 §3.1.
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        answer.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    if error.code == ErrorCode::UnsupportedContentCoding {
        // RFC 9110 §15.5.16.
        answer.insert_header((header::ACCEPT_ENCODING, "identity"));
    }
    if error.code == ErrorCode::UpgradeRequired {
        // RFC 9110 §15.5.22, RFC 6455 §4.4.
        answer.insert_header((header::UPGRADE, "websocket"));
        answer.insert_header((header::SEC_WEBSOCKET_VERSION, "13"));
    }
    answer.json(Problem::new(error, locale, instance))
}

/// As `Content-Language` writes it.
pub fn locale_tag(locale: Locale) -> &'static str {
    match locale {
        Locale::Ja => "ja",
        Locale::En => "en",
    }
}
