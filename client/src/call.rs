//! One request and its answer.

use std::ops::Deref;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ETAG, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::problem::Error;
use crate::retry::Repeat;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A request, to be sent once or several times.
#[derive(Debug)]
pub(crate) struct Call {
    pub method: Method,
    /// Path and query.
    pub path: String,
    pub headers: Vec<(HeaderName, String)>,
    pub body: Option<Vec<u8>>,
    pub repeat: Repeat,
}

impl Call {
    fn new(method: Method, path: impl Into<String>, repeat: Repeat) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: None, repeat }
    }

    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, Repeat::Always)
    }

    pub fn delete(path: impl Into<String>) -> Self {
        // Sent again after it took effect it would be a 404, which says nothing of the saga that the first began.
        Self::new(Method::DELETE, path, Repeat::IfUnsent)
    }

    pub fn patch(path: impl Into<String>) -> Self {
        // With `If-Match`, sent again after it took effect it would be a 412.
        Self::new(Method::PATCH, path, Repeat::IfUnsent)
    }

    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path, Repeat::IfUnsent)
    }

    /// With a body.
    ///
    /// # Errors
    /// `Unreadable` when it can't be written as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        self.body = Some(serde_json::to_vec(body).map_err(Error::Unreadable)?);
        Ok(self)
    }

    /// Only if the record still has this version.
    pub fn if_match(self, version: Option<i64>) -> Self {
        match version {
            Some(version) => self.header(reqwest::header::IF_MATCH, format!("\"{version}\"")),
            None => self,
        }
    }

    /// At most once under this key, so that it may be sent again whatever became of it.
    pub fn once(self, key: &str) -> Self {
        Self { repeat: Repeat::Always, ..self.header(IDEMPOTENCY_KEY, key.to_owned()) }
    }

    /// Sent under an `Idempotency-Key` that is made for this call.
    pub fn once_by_itself(self) -> Self {
        self.once(&Uuid::new_v4().to_string())
    }

    fn header(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// An answer whose body has arrived in whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    /// Reads an answer to its end.
    ///
    /// # Errors
    /// Any answer without success is one.
    pub async fn read(response: reqwest::Response) -> Result<Self, Error> {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await?;
        if !status.is_success() {
            return Err(Error::of(status, &body, retry_after(&headers)));
        }
        Ok(Self { headers, body: body.to_vec() })
    }

    /// The body as a value.
    ///
    /// # Errors
    /// `Unreadable`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(Error::Unreadable)
    }

    /// A header's text.
    pub fn header(&self, name: impl AsRef<str>) -> Option<&str> {
        self.headers.get(name.as_ref())?.to_str().ok()
    }

    /// The body as a record, with what the headers say of it.
    ///
    /// # Errors
    /// `Unreadable`.
    pub fn answer<T: DeserializeOwned>(&self) -> Result<Answer<T>, Error> {
        Ok(Answer {
            record: self.json()?,
            etag: self.header(ETAG).and_then(|tag| tag.trim_matches('"').parse().ok()),
            location: self.header(LOCATION).map(str::to_owned),
            replayed: self.header(IDEMPOTENCY_REPLAYED).is_some(),
        })
    }
}

/// `Retry-After` in seconds; the form with a date is read as none.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// A record, and what the headers say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    pub record: T,
    /// The version that the `ETag` names, for the next `If-Match`.
    pub etag: Option<i64>,
    /// Where a new record is.
    pub location: Option<String>,
    /// Whether this is the first answer once more, to a request that had taken effect before.
    pub replayed: bool,
}

impl<T> Deref for Answer<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.record
    }
}
