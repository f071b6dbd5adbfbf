//! The id of a request and its trace context (SPEC §2): read by the outermost middleware, found by everything within.

use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::{HttpMessage, HttpRequest};
use kernel::context::Context;
use kernel::ids::new_id;
use runtime::spans::SpanContext;

/// A request id from outside is echoed up to this length.
const REQUEST_ID_MAX: usize = 128;

/// The ids that came with a request, or were given to it.
#[derive(Clone, Debug)]
pub struct RequestIds {
    pub request_id: Arc<str>,
    pub traceparent: Option<Arc<str>>,
}

impl RequestIds {
    /// The ids that the headers name; a new request id if they name none.
    pub fn read(request: &ServiceRequest) -> Self {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let given = header("x-request-id").filter(|id| !id.is_empty() && id.len() <= REQUEST_ID_MAX);
        Self {
            request_id: given.map_or_else(|| new_id().to_string().into(), Arc::from),
            traceparent: header("traceparent")
                .filter(|text| SpanContext::parse(text).is_some())
                .map(Arc::from),
        }
    }

    /// The ids of a request that has passed the outermost middleware.
    pub fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().expect("set by the outermost middleware").clone()
    }

    /// A context with these ids, and otherwise that of the system.
    pub fn context(&self) -> Context {
        Context {
            correlation_id: self.request_id.clone(),
            traceparent: self.traceparent.clone(),
            ..Context::system()
        }
    }
}
