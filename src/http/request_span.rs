//! The span of a request for a receiver of traces, by OpenTelemetry's conventions for HTTP servers. It has the route and
//! neither path nor query, which may have what users have typed.

use actix_web::dev::ServiceResponse;
use runtime::spans::{Kind, OpenSpan, SpanContext, Work};

use crate::http::request_ids::RequestIds;

/// What is asked for again and again, by machines and by every page.
const UNTRACED: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/assets/"];

/// Begins the span, below that of the caller if its `traceparent` names one. From here on the request's `traceparent` is
/// that of its span: calls, events and effects stand below it.
pub fn begin(ids: &mut RequestIds, path: &str) -> (Option<OpenSpan>, Option<SpanContext>) {
    if UNTRACED.iter().any(|untraced| path.starts_with(untraced)) {
        return (None, None);
    }
    let (span, context) = OpenSpan::root(Kind::Server, SpanContext::of(ids.traceparent.as_deref()));
    if let Some(context) = context {
        ids.traceparent = Some(context.traceparent());
    }
    // The name of a request whose client has gone away before there was an answer.
    (span.map(|span| span.named(Work::Request, "HTTP")), context)
}

/// Ends the span when the head of the response is made. `route`: the pattern that the router has found.
pub fn end(
    span: Option<OpenSpan>,
    response: &ServiceResponse,
    method: &'static str,
    route: Option<&str>,
    request_id: &str,
) {
    let Some(mut span) = span else { return };
    let (name, method) = if method == "other" { ("HTTP", "_OTHER") } else { (method, method) };
    match route {
        Some(route) => span.set_name(format!("{name} {route}")),
        None => span.set_name(name),
    }
    span.set("http.request.method", method);
    if let Some(route) = route {
        span.set("http.route", route.to_owned());
    }
    let status = response.status().as_u16();
    span.set("http.response.status_code", i64::from(status));
    // By it the lines of the log are found.
    span.set("kizuna.request_id", request_id.to_owned());
    if status >= 500 {
        span.fail(status.to_string(), true);
    }
}
