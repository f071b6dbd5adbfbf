//! What every request and answer has (SPEC §2): a request id, trace context, the language of problems,
//! security headers, a count in the metrics, a span and a line in the log (`request_log`).

use std::time::{Duration, Instant};

use actix_web::body::{self, BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode, Version};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError};
use futures_util::StreamExt;

use crate::http::admission;
use crate::http::connection::{InService, Requests};
use crate::http::error::HttpError;
use crate::http::key_gate;
use crate::http::language::locale_of;
use crate::http::methods;
use crate::http::problem::render;
use crate::http::request_ids::RequestIds;
use crate::http::request_log::{self, log_answer, traced};
use crate::http::request_span;
use crate::http::state::Gateway;
use kernel::error::{Error, ErrorCode};

/// Where requests are let in here; the console lets its own in, and what operators ask is always answered.
const API: &str = "/api/";
/// How much of the body of a refused request is read, and how long that may take.
const BODY_TAKEN: usize = 64 * 1024;
const BODY_TAKEN_WITHIN: Duration = Duration::from_millis(100);
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The API's page runs its own scripts; Swagger UI styles inline and draws from data URLs.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                           img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

/// The middleware around everything.
///
/// # Errors
/// None of its own.
pub async fn around(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let begun = Instant::now();
    let in_service = request.request().conn_data::<Requests>().map(Requests::begin);
    let method = known_method(request.method().as_str());
    let is_head = request.method() == Method::HEAD;
    if is_head {
        answer_as_get(&mut request);
    }
    let mut ids = RequestIds::read(&request);
    let gateway = request.app_data::<Data<Gateway>>();
    if let Some(answer) = gateway.and_then(|gateway| gateway.cors.preflight(&request)) {
        let response = answered_at_once(request, answer, &ids, method, begun);
        return Ok(held(framed(response, is_head), in_service));
    }
    if request.path().starts_with(API)
        && let Err(error) = admission::enter(&request).await
    {
        take_body(&mut request).await;
        let rendered = render(&error, locale_of(request.request()), request.path());
        let response = answered_at_once(request, rendered, &ids, method, begun);
        return Ok(held(framed(response, is_head), in_service));
    }
    let (span, context) = request_span::begin(&mut ids, request.path());
    request.extensions_mut().insert(ids.clone());
    let trace = request_log::opened(&ids, method, context);
    let answered = async {
        // Handlers' and extractors' errors are answers by now; the router needs the request for itself.
        let served = match key_gate::enter(&request).await {
            Ok(()) => next.call(request).await?.map_into_boxed_body(),
            Err(error) => {
                take_body(&mut request).await;
                request.into_response(HttpError(error).error_response())
            }
        };
        let mut response = with_problem(served);
        admission::left(&response);
        finish(&mut response, &ids.request_id);
        let route = response.request().match_pattern();
        request_span::end(span, &response, method, route.as_deref(), &ids.request_id);
        count(&response, method, route, begun);
        log_answer(&response);
        Ok(response)
    };
    let response: Result<_, actix_web::Error> = trace.clone().run(answered).await;
    response.map(|response| held(framed(traced(response, &trace), is_head), in_service))
}

/// Marks a HEAD, for the one GET that must do nothing then.
struct IsHead;

/// Whether the request came as HEAD.
pub fn is_head(request: &HttpRequest) -> bool {
    request.extensions().contains::<IsHead>()
}

/// HEAD is answered as GET is, without the body (RFC 9110 §9.3.2), and changes no protocol.
fn answer_as_get(request: &mut ServiceRequest) {
    request.extensions_mut().insert(IsHead);
    request.headers_mut().remove(header::UPGRADE);
    request.head_mut().method = Method::GET;
}

/// The response as its client can read it.
fn framed(mut response: ServiceResponse<BoxBody>, is_head: bool) -> ServiceResponse<BoxBody> {
    let is_old = response.request().version() < Version::HTTP_11;
    let is_stream = response.response().body().size() == BodySize::Stream;
    if response.status() == StatusCode::REQUEST_TIMEOUT {
        close(response.response_mut());
    }
    if is_head && is_stream {
        // Nobody reads what it would cost to make.
        return response.map_body(|_, _| BoxBody::new(body::None::new()));
    }
    if is_old && is_stream {
        // HTTP/1.0 has no chunks: the end of the connection is the end of the body.
        response.response_mut().head_mut().no_chunking(true);
        close(response.response_mut());
    }
    response
}

fn close(response: &mut HttpResponse<BoxBody>) {
    response.head_mut().set_connection_type(ConnectionType::Close);
}

/// The request counts as served until its body has been written.
fn held(response: ServiceResponse<BoxBody>, in_service: Option<InService>) -> ServiceResponse<BoxBody> {
    if let Some(in_service) = &in_service
        && response.status() == StatusCode::REQUEST_TIMEOUT
    {
        in_service.closes();
    }
    match in_service {
        Some(in_service) if response.response().body().size() == BodySize::Stream => {
            response.map_body(|_, body| BoxBody::new(in_service.with(body)))
        }
        _ => response,
    }
}

fn with_problem(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let error = response.response().extensions().get::<Error>().cloned();
    let status = response.status();
    // An error made by the framework (a bad path encoding, say) has no error of ours yet.
    let error = error.or_else(|| {
        let foreign = (status.is_client_error() || status.is_server_error())
            && !response.headers().contains_key(header::CONTENT_TYPE);
        foreign.then(|| {
            Error::new(match status.as_u16() {
                404 => ErrorCode::NotFound,
                400..=499 => ErrorCode::MalformedRequest,
                _ => ErrorCode::Internal,
            })
            .with_cause("the framework answered for itself")
        })
    });
    let Some(error) = error else { return response };
    let (request, _) = response.into_parts();
    let mut rendered = render(&error, locale_of(&request), request.path());
    if error.code == ErrorCode::MethodNotAllowed
        && let Some(allow) = methods::allow(&request)
    {
        rendered.headers_mut().insert(header::ALLOW, allow);
    }
    request_log::tells(&mut rendered, &error);
    ServiceResponse::new(request, rendered)
}

/// Takes a body that nobody will read, if it arrives with the head: then the connection lives on, and the client need not
/// open another one in the middle of an overload.
async fn take_body(request: &mut ServiceRequest) {
    let mut payload = request.take_payload();
    let mut left = BODY_TAKEN;
    let taken = async {
        while let Some(Ok(chunk)) = payload.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(BODY_TAKEN_WITHIN, taken).await;
}

/// The answer to a request that was not let in, or asks what it may. It costs little: no route is looked for, and no span is
/// opened.
fn answered_at_once(
    request: ServiceRequest,
    answer: HttpResponse,
    ids: &RequestIds,
    method: &'static str,
    begun: Instant,
) -> ServiceResponse<BoxBody> {
    let mut response = request.into_response(answer);
    finish(&mut response, &ids.request_id);
    count(&response, method, None, begun);
    response
}

fn finish(response: &mut ServiceResponse<BoxBody>, request_id: &str) {
    let request = response.request().clone();
    let gateway = request.app_data::<Data<Gateway>>();
    let url = gateway.and_then(|gateway| gateway.public_url.as_deref());
    let secure = url.is_some_and(|url| url.starts_with("https:"));
    let is_page = request.path().starts_with("/docs/");
    let headers = response.headers_mut();
    key_gate::announce(&request, headers);
    if let Some(gateway) = gateway {
        gateway.cors.write(request.path(), request.headers(), headers);
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(X_REQUEST_ID, id);
    }
    let mut set = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    set(
        header::CONTENT_SECURITY_POLICY,
        if is_page { PAGE_POLICY } else { "default-src 'none'; frame-ancestors 'none'" },
    );
    // Records are private and change: whoever keeps one must ask again.
    set(header::CACHE_CONTROL, "no-store");
    if secure {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}

/// `route`: the pattern that the router has found.
fn count(response: &ServiceResponse<BoxBody>, method: &'static str, route: Option<String>, begun: Instant) {
    let route = route.unwrap_or_else(|| "none".to_owned());
    let status = response.status().as_u16();
    tracing::debug!(method, path = response.request().path(), status, elapsed = ?begun.elapsed(), "answered");
    metrics::counter!("kizuna_http_requests_total", "method" => method, "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("kizuna_http_request_seconds", "method" => method, "route" => route)
        .record(begun.elapsed().as_secs_f64());
}

/// Methods are free text on the wire; the metrics know a bounded number.
fn known_method(method: &str) -> &'static str {
    ["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}
