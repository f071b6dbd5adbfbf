//! The log of requests: a span per request, and one line per answer that is an error of the server or a denial.
//!
//! 500 is an `error` and every other 5xx a `warn`, each with its cause; 401, 403 and 429 are `info`, with the client's
//! address. Other statuses are only counted. A line has codes and addresses, but nothing that a
//! client has sent: tokens, passwords and e-mail addresses stay out of the log.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use kernel::error::Error;
use kernel::ids::Id;
use runtime::spans::SpanContext;
use runtime::trace::{self, Origin, Span, Trace, Value};

use crate::http::client_address::client_address;
use crate::http::request_ids::RequestIds;

/// The error of an answer whose body is already written, for the log line.
struct LoggedError(Error);

/// The trace of a request that has just begun, with its span's `context` if the trace is collected.
pub fn opened(ids: &RequestIds, method: &'static str, context: Option<SpanContext>) -> Trace {
    let RequestIds { request_id, traceparent } = ids.clone();
    let mut fields = vec![("request_id", Value::Text(request_id.clone())), ("method", Value::Name(method))];
    fields.extend(context.map(|context| ("trace_id", Value::Text(context.trace_id()))));
    Trace::new(Span::new("request", fields), Origin { request_id, traceparent }).under(context)
}

/// Adds the route to the request's span, a pattern such as `/api/customers/{id}`. Before the router has found the
/// route, asking for it would try the patterns of all routes.
pub fn note_route(request: &HttpRequest) {
    trace::note("route", || request.match_pattern().map(|route| Value::Text(route.into())));
}

/// Adds the authenticated user to the request's span.
pub fn note_user(user: Id) {
    trace::note("user", || Some(Value::Id(user)));
}

/// Attaches the error to its answer, so that the log line has the code and the cause.
pub fn tells(response: &mut HttpResponse, error: &Error) {
    response.extensions_mut().insert(LoggedError(error.clone()));
}

/// Writes the log line of an answer, if its status needs one.
pub fn log_answer(response: &ServiceResponse) {
    let status = response.status().as_u16();
    if !matches!(status, 401 | 403 | 429 | 500..) {
        return;
    }
    note_route(response.request());
    let extensions = response.response().extensions();
    let error = extensions.get::<LoggedError>().map(|logged| &logged.0);
    log(status, error, response.request());
}

/// Writes the log line of an error that was sent over a live connection after its handshake.
pub fn log_error(error: &Error, request: &HttpRequest) {
    log(error.code.status(), Some(error), request);
}

fn log(status: u16, error: Option<&Error>, request: &HttpRequest) {
    let code = error.map(|error| error.code.as_str());
    let cause = error.and_then(Error::cause);
    match status {
        500 => tracing::error!(status, code, cause, "a request failed"),
        501.. => tracing::warn!(status, code, cause, "a request could not be served"),
        401 | 403 | 429 => {
            let address = client_address(request).map(tracing::field::display);
            tracing::info!(status, code, address, "a request was refused");
        }
        _ => {}
    }
}

/// The answer with its body in the trace: a body that is written bit by bit outlives the handler.
pub fn traced(response: ServiceResponse<BoxBody>, trace: &Trace) -> ServiceResponse<BoxBody> {
    if response.response().body().size() != BodySize::Stream {
        return response;
    }
    response.map_body(|_, body| BoxBody::new(TracedBody { body, trace: trace.clone() }))
}

struct TracedBody {
    body: BoxBody,
    trace: Trace,
}

impl MessageBody for TracedBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let Self { body, trace } = self.get_mut();
        trace.in_scope(|| Pin::new(body).poll_next(cx))
    }
}
