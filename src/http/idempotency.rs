//! `Idempotency-Key` (SPEC §2): the first answer is kept in the transaction of its effect and replayed for
//! 24 hours. Requests that changed nothing leave no answer behind: they may be sent again under their key.

use crate::http::error::HttpResult;
use std::borrow::Cow;

use actix_web::http::header::{ETAG, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::actors::first_answers::{FirstAnswer, Turn};
use crate::http::extract::Authenticated;
use crate::http::state::Gateway;
use kernel::caller::Caller;
use kernel::context::{Context, IdempotencyClaim};
use kernel::error::{Error, ErrorCode, FieldError};

/// SPEC §2: the longest key.
const KEY_MAX: usize = 255;

/// What a successful answer will look like.
#[derive(Clone)]
pub struct Shape {
    pub status: u16,
    /// The path of the collection, for `Location`.
    pub location: Option<Cow<'static, str>>,
}

impl Shape {
    pub const OK: Self = Self { status: 200, location: None };
    pub const NO_CONTENT: Self = Self { status: 204, location: None };

    /// A saga was started.
    pub const ACCEPTED: Self = Self { status: 202, location: Some(Cow::Borrowed("/api/sagas")) };

    pub const fn created(path: &'static str) -> Self {
        Self { status: 201, location: Some(Cow::Borrowed(path)) }
    }

    /// A new record of a collection that stands below another record.
    pub fn created_below(path: String) -> Self {
        Self { status: 201, location: Some(Cow::Owned(path)) }
    }
}

/// Runs a command, unless its key has an answer already. `digest` is a hash of the body, without its secrets.
///
/// # Errors
/// `idempotency_key_reused`, `request_in_flight`, `invalid_header`, or the command's own.
pub async fn once<F>(
    gateway: &Gateway,
    request: &HttpRequest,
    auth: &Authenticated,
    digest: &[u8],
    shape: Shape,
    run: impl FnOnce(Context) -> F,
) -> HttpResult
where
    F: Future<Output = HttpResult>,
{
    once_viewed(gateway, request, auth, digest, shape, |kept| Ok(kept.get().to_owned()), run).await
}

/// As [`once`], for records that the gateway renders: `view` makes the body from what was kept, in the language of this
/// request.
///
/// # Errors
/// As [`once`].
pub async fn once_viewed<F>(
    gateway: &Gateway,
    request: &HttpRequest,
    auth: &Authenticated,
    digest: &[u8],
    shape: Shape,
    view: impl Fn(&RawValue) -> serde_json::Result<String>,
    run: impl FnOnce(Context) -> F,
) -> HttpResult
where
    F: Future<Output = HttpResult>,
{
    let Some(key) = key(request)? else { return run(auth.context()).await };
    let claim = IdempotencyClaim {
        id: claim_id(&auth.caller, key),
        fingerprint: fingerprint(gateway, request, digest),
        status: shape.status,
        location: shape.location,
    };
    let turn = gateway.first_answers.take(claim)?;
    if let Some(first) = turn.find().await? {
        return replay(&turn, &first, view);
    }
    let context = Context { claim: Some(turn.claim.clone()), ..auth.context() };
    match run(context).await {
        // Another node may have been faster, and this one refused because of what that one did: its answer is the first.
        Err(error) => match turn.find().await {
            Ok(Some(first)) => replay(&turn, &first, view),
            Ok(None) | Err(_) => Err(error),
        },
        answer => answer,
    }
}

/// A user's keys are the user's, and those of an API key its own: another one may not read what its answers say.
fn claim_id(caller: &Caller, key: &str) -> String {
    match caller.api_key_id() {
        None => format!("{}/{key}", caller.user_id),
        // A user's id and a colon begin no other claim.
        Some(by) => format!("{}:{by}/{key}", caller.user_id),
    }
}

fn key(request: &HttpRequest) -> Result<Option<&str>, Error> {
    let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
    let plain = value.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_MAX);
    plain.map(Some).ok_or_else(|| Error {
        fields: vec![FieldError::new("Idempotency-Key", "invalid_value")],
        ..Error::new(ErrorCode::InvalidHeader)
    })
}

/// Keyed, because it is stored: whoever reads the database must not be able to try bodies against it.
pub fn fingerprint(gateway: &Gateway, request: &HttpRequest, digest: &[u8]) -> String {
    let parts = [request.method().as_str().as_bytes(), request.path().as_bytes(), digest];
    base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        gateway.auth.keys.fingerprint(&parts),
    )
}

/// The digest of a body whose secrets were taken out: a hash of a password must not be a fast one, however it is keyed.
pub fn digest_without_secrets(body: &impl Serialize) -> [u8; 32] {
    Sha256::digest(serde_json::to_vec(body).expect("bodies are plain structs")).into()
}

fn replay(
    turn: &Turn<'_>,
    first: &FirstAnswer,
    view: impl Fn(&RawValue) -> serde_json::Result<String>,
) -> HttpResult {
    turn.check(first)?;
    let status = actix_web::http::StatusCode::from_u16(first.status).map_err(Error::internal)?;
    let mut answer = HttpResponse::build(status);
    answer.insert_header(("Idempotency-Replayed", "true"));
    if let Some(location) = &first.location {
        answer.insert_header((LOCATION, location.as_str()));
    }
    if first.status == 204 {
        return Ok(answer.finish());
    }
    if let Some(version) = first.version {
        answer.insert_header((ETAG, format!("\"{version}\"")));
    }
    let body = view(&first.body).map_err(Error::internal)?;
    Ok(answer.content_type("application/json").body(body))
}
