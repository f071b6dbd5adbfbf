//! Which methods an address takes, read from the OpenAPI document: for the 405s and their `Allow`.

use actix_web::HttpRequest;
use actix_web::http::{Method, header};
use actix_web::web::Data;
use utoipa::openapi::OpenApi;

use crate::http::openapi;
use crate::http::state::Gateway;
use kernel::error::{Error, ErrorCode};

/// Why a request met nothing: another method of a known address is 405, the rest 404.
pub fn no_resource(request: &HttpRequest) -> Error {
    let allowed = allowed(request);
    let is_another = !allowed.is_empty() && !allowed.contains(request.method());
    Error::new(if is_another { ErrorCode::MethodNotAllowed } else { ErrorCode::NotFound })
}

/// The `Allow` of a 405.
pub fn allow(request: &HttpRequest) -> Option<header::HeaderValue> {
    let names = allowed(request).iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    header::HeaderValue::from_str(&names).ok().filter(|names| !names.is_empty())
}

fn allowed(request: &HttpRequest) -> Vec<Method> {
    let gateway = request.app_data::<Data<Gateway>>();
    gateway.map_or_else(Vec::new, |gateway| methods(&gateway.openapi, request.path()))
}

/// The methods of the path that says most about the address: `/customers/stats` before `/customers/{id}`.
fn methods(api: &OpenApi, address: &str) -> Vec<Method> {
    let parts: Vec<&str> = address.split('/').collect();
    let is_open = |part: &str| part.starts_with('{');
    let fits = |path: &str| {
        path.split('/').count() == parts.len()
            && path
                .split('/')
                .zip(&parts)
                .all(|(wanted, part)| wanted == *part || (is_open(wanted) && !part.is_empty()))
    };
    let fitting = api.paths.paths.iter().filter(|(path, _)| fits(path));
    let closest = fitting.min_by_key(|(path, _)| path.split('/').filter(|part| is_open(part)).count());
    let mut methods = closest.map_or_else(Vec::new, |(_, item)| openapi::methods(item));
    // HEAD is answered wherever GET is (`conventions`).
    if methods.contains(&Method::GET) {
        methods.push(Method::HEAD);
    }
    methods.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    methods
}
