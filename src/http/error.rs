//! An error on its way out of a handler. It becomes a body at the outermost layer, which knows the request's language.

use std::fmt;

use actix_web::HttpResponse;
use kernel::error::Error;

/// What a handler answers with.
pub type HttpResult = Result<HttpResponse, HttpError>;

/// The error of a handler or an extractor, in the type that actix-web can answer with.
#[derive(Clone, Debug)]
pub struct HttpError(pub Error);

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Error> for HttpError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}
