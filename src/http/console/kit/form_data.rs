//! What a form sends.

use crate::http::error::HttpError;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::http::console::kit::session::check_form;
use crate::http::console::kit::session_user::identity;
use crate::http::extract::read;
use crate::http::state::gateway;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

/// The field that every form carries (see [`check_form`]).
const TOKEN: &str = "form_token";

/// The fields of a form of this session; any other is refused.
pub struct Posted(pub Fields);

/// A form's fields in the order sent.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a body as browsers write it.
    pub fn parsed(bytes: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(bytes);
        // Browsers end lines as mail does; the records have plain line feeds.
        Self(pairs.map(|(name, value)| (name.into_owned(), value.replace("\r\n", "\n"))).collect())
    }

    /// A field's text, if it was sent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The version of the record that the form was made of.
    pub fn version(&self) -> Option<i64> {
        self.get("version").and_then(|text| text.parse().ok())
    }

    /// An id, if one was chosen.
    pub fn id(&self, name: &str) -> Option<Id> {
        self.get(name).and_then(Id::parse)
    }

    /// A page of ours to go back to; another site's address is nowhere to go.
    pub fn back(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|path| is_here(path))
    }
}

/// Whether an address is a path of this site: `//host` and `/\host` are others'.
pub fn is_here(path: &str) -> bool {
    let plain = path.bytes().all(|byte| (b'!'..=b'~').contains(&byte) && byte != b'\\');
    plain && path.starts_with('/') && !path.starts_with("//")
}

impl FromRequest for Posted {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, HttpError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let principal = identity(&request).ok_or_else(|| Error::new(ErrorCode::MissingToken))?;
            let fields = Fields::parsed(&body(&request, payload).await?);
            check_form(&gateway(&request), fields.get(TOKEN), principal.caller.session_id)?;
            Ok(Self(fields))
        })
    }
}

/// The fields of a form that needs no session: the sign-in.
pub struct Unproven(pub Fields);

impl FromRequest for Unproven {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, HttpError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { Ok(Self(Fields::parsed(&body(&request, payload).await?))) })
    }
}

async fn body(request: &HttpRequest, payload: Payload) -> Result<Vec<u8>, Error> {
    use actix_web::HttpMessage;
    if !request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Error::new(ErrorCode::UnsupportedMediaType));
    }
    read(request, payload).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_gone_back_to() {
        for here in ["/", "/customers", "/customers?q=%E7%B5%86&sort=name"] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "customers", "/a\nb", "/絆"]
        {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }
}
