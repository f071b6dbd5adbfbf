//! What handlers take from a request; each refuses what SPEC §2 refuses, before any service is asked.

use crate::http::error::HttpError;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::http::client_address::client_address;
use crate::http::methods::no_resource;
use crate::http::request_ids::RequestIds;
use crate::http::request_log::{note_route, note_user};
use crate::http::state::gateway;
use domain::user::record::UserState;
use kernel::caller::Caller;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::ids::Id;

/// SPEC §2: a body over this is 413.
pub const BODY_MAX: usize = 256 * 1024;
/// So much of a body that is too large is still read, so that its sender sees the answer.
const DRAIN_MAX: usize = 4 * BODY_MAX;

type Later<T> = Pin<Box<dyn Future<Output = Result<T, HttpError>>>>;

/// A JSON object of known fields only.
pub struct Body<T> {
    pub value: T,
    /// A hash of its bytes, for `Idempotency-Key`.
    pub digest: [u8; 32],
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = HttpError;
    type Future = Later<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let json = is_json(request);
        let payload = payload.take();
        Box::pin(async move { Ok(Self::of(&read(payload).await?, json)?) })
    }
}

impl<T: DeserializeOwned> Body<T> {
    fn of(bytes: &[u8], json: bool) -> Result<Self, Error> {
        if !json {
            return Err(Error::new(ErrorCode::UnsupportedMediaType));
        }
        Ok(Self { value: parse(bytes)?, digest: Sha256::digest(bytes).into() })
    }
}

/// The body of a request that may come without one; an absent body counts as an empty object.
pub struct OptionalBody<T>(pub Body<T>);

impl<T: DeserializeOwned + Default + 'static> FromRequest for OptionalBody<T> {
    type Error = HttpError;
    type Future = Later<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let json = is_json(request);
        let payload = payload.take();
        Box::pin(async move {
            let bytes = read(payload).await?;
            if bytes.is_empty() {
                return Ok(Self(Body { value: T::default(), digest: Sha256::digest(b"").into() }));
            }
            Ok(Self(Body::of(&bytes, json)?))
        })
    }
}

fn is_json(request: &HttpRequest) -> bool {
    request.content_type().eq_ignore_ascii_case("application/json")
}

/// A body within its bound.
pub(super) async fn read(mut payload: Payload) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(chunk) = payload.next().await {
        let chunk: Bytes = chunk.map_err(|_| Error::new(ErrorCode::MalformedRequest))?;
        length += chunk.len();
        if length <= BODY_MAX {
            bytes.extend_from_slice(&chunk);
        } else if length > DRAIN_MAX {
            break;
        }
    }
    if length > BODY_MAX { Err(Error::new(ErrorCode::BodyTooLarge)) } else { Ok(bytes) }
}

/// Reads a JSON object: not JSON is 400, JSON of another shape is 422 with the place of the fault.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    // serde reads a struct from an array too; the contract knows objects only.
    let is_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize::<_, T>(&mut json);
    let value = parsed.map_err(|error| {
        // serde reports some faults of shape as faults of syntax (null for an enumeration), and stops at a fault of
        // shape before it sees that the document breaks off: so the document is parsed once more, as JSON only.
        match serde_json::from_slice::<serde_json::Value>(bytes).is_ok() {
            true if is_object => {
                Error::fields(vec![fault(&error.path().to_string(), &error.inner().to_string())])
            }
            true => Error::field("", "invalid_type"),
            false => Error::new(ErrorCode::MalformedJson),
        }
    })?;
    json.end().map_err(|_| Error::new(ErrorCode::MalformedJson))?;
    if is_object { Ok(value) } else { Err(Error::field("", "invalid_type")) }
}

/// serde's message as a field and a stable word.
fn fault(path: &str, message: &str) -> FieldError {
    let named =
        |start: &str| message.strip_prefix(start).and_then(|rest| rest.split('`').next()).map(str::to_owned);
    let path = if path == "." { "" } else { path };
    if let Some(field) = named("unknown field `") {
        return FieldError::new(field, "unknown_field");
    }
    if let Some(field) = named("missing field `") {
        return FieldError::new(field, "required");
    }
    if let Some(field) = named("duplicate field `") {
        return FieldError::new(field, "duplicate_field");
    }
    let code = if message.starts_with("unknown variant") {
        "invalid_choice"
    } else if message.contains("not an RFC 3339 time") {
        "invalid_time"
    } else if message.starts_with("invalid type") || message.starts_with("expected value") {
        "invalid_type"
    } else {
        "invalid_value"
    };
    FieldError::new(path, code)
}

/// Query parameters: known ones only, each at most once, in UTF-8.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Params<T> {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse_query(request.query_string()).map(Self).map_err(HttpError))
    }
}

/// Reads a query: unknown and repeated parameters are refused.
pub(super) fn parse_query<T: DeserializeOwned>(query: &str) -> Result<T, Error> {
    let decoded = percent_encoding::percent_decode_str(query).decode_utf8();
    match decoded {
        Err(_) => return Err(Error::parameter("", "invalid_utf8")),
        Ok(text) if text.contains('\0') => return Err(Error::parameter("", "nul_character")),
        Ok(_) => {}
    }
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let mut fault = fault(&error.path().to_string(), &error.inner().to_string());
        if fault.code == "unknown_field" {
            fault.code = "unknown_parameter".into();
        }
        Error { fields: vec![fault], ..Error::new(ErrorCode::InvalidParameter) }
    })
}

/// The body of operations that need nothing said: an object without fields.
#[derive(Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// For operations that take no parameter.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

/// The `{id}` of the path. What is no id names nothing: 404, or 405 where the word itself is a path.
pub struct PathId(pub Id);

impl FromRequest for PathId {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("id").and_then(Id::parse);
        ready(id.map(Self).ok_or_else(|| HttpError(no_resource(request))))
    }
}

/// The signed-in user behind a request.
pub struct Authenticated {
    pub caller: Caller,
    pub user: Arc<UserState>,
    ids: RequestIds,
    if_match: Option<i64>,
}

impl Authenticated {
    /// What a command of this request carries.
    pub fn context(&self) -> Context {
        Context { caller: self.caller, if_match: self.if_match, ..self.ids.context() }
    }
}

impl FromRequest for Authenticated {
    type Error = HttpError;
    type Future = Later<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            note_route(&request);
            let gateway = gateway(&request);
            let token = bearer(&request)?;
            let principal = gateway.auth.authenticate(token).await?;
            note_user(principal.caller.user_id);
            let if_match = if_match(&request)?;
            Ok(Self {
                caller: principal.caller,
                user: principal.user,
                ids: RequestIds::of(&request),
                if_match,
            })
        })
    }
}

/// The token of the `Authorization` header.
pub(super) fn bearer(request: &HttpRequest) -> Result<&str, Error> {
    let value =
        request.headers().get(header::AUTHORIZATION).ok_or_else(|| Error::new(ErrorCode::MissingToken))?;
    let token = value.to_str().ok().and_then(|text| text.split_once(' '));
    match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Error::new(ErrorCode::InvalidToken)),
    }
}

/// `"3"` demands version 3, `*` any; anything else is no version of ours.
fn if_match(request: &HttpRequest) -> Result<Option<i64>, Error> {
    let Some(value) = request.headers().get(header::IF_MATCH) else { return Ok(None) };
    let invalid = || Error {
        fields: vec![FieldError::new("If-Match", "invalid_value")],
        ..Error::new(ErrorCode::InvalidHeader)
    };
    let text = value.to_str().map_err(|_| invalid())?.trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let digits = version.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|text| text.parse().ok()).map(Some).ok_or_else(invalid)
}

/// Somebody who need not be signed in.
pub struct Anonymous {
    pub address: Option<IpAddr>,
    ids: RequestIds,
}

impl Anonymous {
    pub fn context(&self) -> Context {
        self.ids.context()
    }
}

impl FromRequest for Anonymous {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        note_route(request);
        ready(Ok(Self { address: client_address(request), ids: RequestIds::of(request) }))
    }
}
