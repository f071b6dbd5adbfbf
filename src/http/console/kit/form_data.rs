//! What a form sends.

use crate::http::error::HttpError;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::http::console::kit::session::{FormOf, form_of};
use crate::http::console::kit::session_user::identity;
use crate::http::extract::read;
use crate::http::state::gateway;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

/// The field that every form carries (see [`form_of`]).
const TOKEN: &str = "form_token";
/// The field that tells a form from every other (see [`once`](crate::http::console::kit::once::once)).
const KEY: &str = "form_key";
/// Stands in the names of fields that hold a secret: what they hold is neither shown again nor hashed.
const SECRET: &str = "password";

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

    /// The token of the form.
    pub fn token(&self) -> Option<&str> {
        self.get(TOKEN)
    }

    /// Every field in the order sent.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The form's own key: the id that its page gave it.
    pub fn key(&self) -> Option<Id> {
        self.id(KEY)
    }

    /// What was typed and chosen: all but the form's tokens and secrets.
    pub fn said(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs().filter(|(name, _)| ![TOKEN, KEY].contains(name) && !name.contains(SECRET))
    }

    /// These fields with another value of one.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.into()));
        self
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

impl<'a> FromIterator<(&'a str, &'a str)> for Fields {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a str)>>(pairs: T) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

impl FromRequest for Posted {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, HttpError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let principal = identity(&request).ok_or_else(|| Error::new(ErrorCode::MissingToken))?;
            let fields = Fields::parsed(&body(&request, payload).await?);
            match form_of(&gateway(&request), fields.token(), &principal.caller) {
                FormOf::ThisSession => Ok(Self(fields)),
                FormOf::OtherSession | FormOf::Nobody => Err(Error::new(ErrorCode::Forbidden).into()),
            }
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
