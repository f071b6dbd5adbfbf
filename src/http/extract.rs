//! What handlers take from a request; each refuses what SPEC §2 refuses, before any service is asked.

use crate::http::admission;
use crate::http::error::HttpError;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::http::body_faults::{explain, fault};
use crate::http::entity_tags;
use crate::http::entity_tags::NotATag;
use crate::http::key_gate::ByKey;
use crate::http::methods::no_resource;
use crate::http::request_ids::RequestIds;
use crate::http::request_log::{note_route, note_user};
use crate::http::state::gateway;
use domain::user::record::UserState;
use kernel::caller::Caller;
use kernel::context::{Context, Versions};
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::ids::Id;
use kernel::validation::Rules;

/// SPEC §2: a body over this is 413.
pub const BODY_MAX: usize = 256 * 1024;
/// So much of a body that is too large is still read, so that its sender sees the answer.
const DRAIN_MAX: usize = 4 * BODY_MAX;

/// A body that takes longer leaves the request's place to another request meanwhile.
const WITH_THE_HEAD: Duration = Duration::from_millis(10);

type Later<T> = Pin<Box<dyn Future<Output = Result<T, HttpError>>>>;

/// A JSON object of known fields only.
pub struct Body<T> {
    pub value: T,
    /// A hash of its bytes, for `Idempotency-Key`.
    pub digest: [u8; 32],
}

impl<T: DeserializeOwned + Rules + 'static> FromRequest for Body<T> {
    type Error = HttpError;
    type Future = Later<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { Ok(Self::of(&read(&request, payload).await?, is_json(&request))?) })
    }
}

impl<T: DeserializeOwned + Rules> Body<T> {
    fn of(bytes: &[u8], json: bool) -> Result<Self, Error> {
        if !json {
            return Err(Error::new(ErrorCode::UnsupportedMediaType));
        }
        Ok(Self { value: parse(bytes)?, digest: Sha256::digest(bytes).into() })
    }
}

/// The body of a request that may come without one; an absent body counts as an empty object.
pub struct OptionalBody<T>(pub Body<T>);

impl<T: DeserializeOwned + Rules + Default + 'static> FromRequest for OptionalBody<T> {
    type Error = HttpError;
    type Future = Later<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read(&request, payload).await?;
            if bytes.is_empty() {
                return Ok(Self(Body { value: T::default(), digest: Sha256::digest(b"").into() }));
            }
            Ok(Self(Body::of(&bytes, is_json(&request))?))
        })
    }
}

fn is_json(request: &HttpRequest) -> bool {
    request.content_type().eq_ignore_ascii_case("application/json")
}

/// A body within its bounds of size, time and rate.
///
/// # Errors
/// `body_too_large`, `request_timeout`, `unsupported_content_coding`, `malformed_request`, `overloaded`.
pub(super) async fn read(request: &HttpRequest, mut payload: Payload) -> Result<Vec<u8>, Error> {
    check_coding(request)?;
    let mut receiving = std::pin::pin!(receive(request, &mut payload));
    if let Ok(received) = tokio::time::timeout(WITH_THE_HEAD, &mut receiving).await {
        return received;
    }
    let had_place = admission::waits(request);
    let received = receiving.await?;
    if had_place {
        admission::goes_on(request).await?;
    }
    Ok(received)
}

async fn receive(request: &HttpRequest, payload: &mut Payload) -> Result<Vec<u8>, Error> {
    let (pace, begun) = (gateway(request).body_pace, Instant::now());
    let mut bytes = Vec::new();
    let mut length = 0;
    loop {
        let chunk = tokio::time::timeout_at(begun + pace.time_for(length), payload.next()).await;
        let chunk = chunk.map_err(|_| Error::new(ErrorCode::RequestTimeout))?;
        let Some(chunk) = chunk else { break };
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

/// A body is read as it is sent: the server knows no coding, so that no small body becomes a large one.
fn check_coding(request: &HttpRequest) -> Result<(), Error> {
    let lines = request.headers().get_all(header::CONTENT_ENCODING);
    let is_plain = |coding: &str| coding.trim().is_empty() || coding.trim().eq_ignore_ascii_case("identity");
    let mut lines = lines.map(|line| line.to_str().unwrap_or("unreadable"));
    match lines.all(|line| line.split(',').all(is_plain)) {
        true => Ok(()),
        false => Err(Error::new(ErrorCode::UnsupportedContentCoding)),
    }
}

/// Reads a JSON object: not JSON is 400, JSON of another shape is 422 with every fault.
///
/// # Errors
/// `malformed_json`, `invalid_fields`.
pub fn parse<T: DeserializeOwned + Rules>(bytes: &[u8]) -> Result<T, Error> {
    // serde reads a struct from an array too; the contract knows objects only.
    let is_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let parsed = if is_object { serde_json::from_slice(bytes).ok() } else { None };
    parsed.ok_or_else(|| explain::<T>(bytes))
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
///
/// # Errors
/// `invalid_parameter`.
pub fn parse_query<T: DeserializeOwned>(query: &str) -> Result<T, Error> {
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

impl Rules for Nothing {}

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
        ready(id_of(request, "id").map(Self))
    }
}

fn id_of(request: &HttpRequest, name: &str) -> Result<Id, HttpError> {
    let id = request.match_info().get(name).and_then(Id::parse);
    id.ok_or_else(|| HttpError(no_resource(request)))
}

/// The `{id}` of a record and the `{part_id}` of what stands beside it: a comment, an attachment; or a webhook and its
/// `{delivery_id}`.
pub struct PartId {
    pub record: Id,
    pub id: Id,
}

impl FromRequest for PartId {
    type Error = HttpError;
    type Future = Ready<Result<Self, HttpError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let name = if request.match_info().get("part_id").is_some() { "part_id" } else { "delivery_id" };
        let part = |record| id_of(request, name).map(|id| Self { record, id });
        ready(id_of(request, "id").and_then(part))
    }
}

/// The signed-in user behind a request.
pub struct Authenticated {
    pub caller: Caller,
    pub user: Arc<UserState>,
    ids: RequestIds,
    if_match: Option<Versions>,
}

impl Authenticated {
    /// What a command of this request carries.
    pub fn context(&self) -> Context {
        Context { caller: self.caller, if_match: self.if_match.clone(), ..self.ids.context() }
    }
}

impl FromRequest for Authenticated {
    type Error = HttpError;
    type Future = Later<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            note_route(&request);
            let by_key = request.extensions().get::<ByKey>().cloned();
            let principal = match by_key {
                Some(ByKey(found)) => found?,
                None => gateway(&request).auth.authenticate(bearer(&request)?).await?,
            };
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

/// The versions that `If-Match` accepts; `None` for `*` and for no such header.
fn if_match(request: &HttpRequest) -> Result<Option<Versions>, Error> {
    let lines = request.headers().get_all(header::IF_MATCH).map(|line| line.as_bytes());
    entity_tags::versions(lines).map_err(|NotATag| Error {
        fields: vec![FieldError::new("If-Match", "invalid_value").allowing("\"3\", \"4\"; *")],
        ..Error::new(ErrorCode::InvalidHeader)
    })
}

/// Somebody who need not be signed in.
pub struct Anonymous {
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
        ready(Ok(Self { ids: RequestIds::of(request) }))
    }
}
