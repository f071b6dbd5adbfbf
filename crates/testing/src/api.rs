//! A client of the REST API, whose failures show the request and the answer.

use std::fmt;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, ETAG, HeaderMap, IF_MATCH, LINK};
use serde_json::{Value, json};

/// The API of one server for one user. Cheap to clone; the methods that add a header return a changed copy:
/// `api.if_match(1).patch("/api/customers/…", json!({"name": "絆"})).await`.
#[derive(Clone, Debug)]
pub struct Api {
    base: String,
    client: reqwest::Client,
    token: Option<String>,
    language: Option<String>,
    headers: Vec<(String, String)>,
}

/// How long a connection stays open unused: less than the 5 s after which the server closes it, because a request that
/// meets the close gets no answer.
const IDLE_MAX: Duration = Duration::from_secs(2);

impl Api {
    /// A client without a token.
    pub fn new(base: impl Into<String>) -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(IDLE_MAX)
            // Plain HTTP: loading the system's authorities takes time for each client.
            .tls_certs_only([])
            .build()
            .expect("an HTTP client");
        Self { base: base.into(), client, token: None, language: None, headers: Vec::new() }
    }

    /// The API as the user with this email sees it.
    ///
    /// # Panics
    /// When the login is refused.
    pub async fn login(base: impl Into<String>, email: &str, password: &str) -> Self {
        let nobody = Self::new(base);
        let answer = nobody.post("/api/auth/login", json!({"email": email, "password": password})).await;
        let token = answer.expect(200).text_at("/access_token");
        nobody.token(token)
    }

    /// The same server (and connections) with this access token.
    pub fn token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// The same server without a token.
    pub fn anonymous(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// Asks for texts in this language (`ja`, `en`).
    pub fn language(&self, language: &str) -> Self {
        Self { language: Some(language.to_owned()), ..self.clone() }
    }

    /// Sends this header too.
    pub fn header(&self, name: impl AsRef<str>, value: impl ToString) -> Self {
        let mut copy = self.clone();
        copy.headers.push((name.as_ref().to_owned(), value.to_string()));
        copy
    }

    /// Only if the record still has this version.
    pub fn if_match(&self, version: i64) -> Self {
        self.header(IF_MATCH, format!("\"{version}\""))
    }

    /// At most once under this key.
    pub fn idempotency_key(&self, key: impl ToString) -> Self {
        self.header("idempotency-key", key)
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// The access token in use, if any.
    pub fn access_token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.must(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.must(Method::POST, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.must(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.must(Method::DELETE, path, None).await
    }

    /// Any method, and a body byte for byte (its type goes by [`Api::header`]).
    pub async fn raw(&self, method: &str, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let answer = self.attempt_raw(method, path, body).await;
        answer.unwrap_or_else(|error| panic!("no answer from {path}: {error:?}"))
    }

    /// Like [`Api::raw`], for tests in which the server may end during the request.
    pub async fn attempt_raw(
        &self,
        method: &str,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::Result<Answer> {
        let method = method.parse().expect("an HTTP method");
        Answer::read(self.request(method, path).body(body)).await
    }

    /// Like the others, for tests in which the server may end during the request.
    pub async fn attempt(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Answer> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        Answer::read(request).await
    }

    async fn must(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let answer = self.attempt(method.clone(), path, body).await;
        answer.unwrap_or_else(|error| panic!("no answer to {method} {path}: {error:?}"))
    }

    /// A path of this server, or a whole URL, as a `Link` header may have it.
    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = if path.starts_with('/') { format!("{}{path}", self.base) } else { path.to_owned() };
        let mut request = self.client.request(method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(language) = &self.language {
            request = request.header(ACCEPT_LANGUAGE, language);
        }
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }
}

/// An answer of the server.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// `null` if the text is no JSON.
    pub body: Value,
    pub text: String,
}

impl Answer {
    async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or_default();
        Ok(Self { status, headers, body, text })
    }

    /// Itself, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// Itself, if it is a problem with this status and code.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, Some(code)), "{self}");
        assert_eq!(self.header(CONTENT_TYPE), Some("application/problem+json"), "{self}");
        self
    }

    pub fn header(&self, name: impl AsRef<str>) -> Option<&str> {
        self.headers.get(name.as_ref())?.to_str().ok()
    }

    /// A problem's stable word.
    pub fn code(&self) -> Option<&str> {
        self.body["code"].as_str()
    }

    /// The text at a JSON pointer: `text_at("/user/email")`.
    #[track_caller]
    pub fn text_at(&self, pointer: &str) -> String {
        match self.body.pointer(pointer).and_then(Value::as_str) {
            Some(text) => text.to_owned(),
            None => panic!("no text at {pointer} in {self}"),
        }
    }

    /// The record's id.
    #[track_caller]
    pub fn id(&self) -> String {
        self.text_at("/id")
    }

    /// The bare array of a list.
    #[track_caller]
    pub fn items(&self) -> &[Value] {
        self.body.as_array().unwrap_or_else(|| panic!("no list: {self}"))
    }

    /// The version that the `ETag` names.
    pub fn version(&self) -> Option<i64> {
        self.header(ETAG)?.trim_matches('"').parse().ok()
    }

    /// Where the next page is, if there is one.
    pub fn next(&self) -> Option<&str> {
        self.beside("next")
    }

    /// Where the previous page is, if there is one.
    pub fn prev(&self) -> Option<&str> {
        self.beside("prev")
    }

    fn beside(&self, rel: &str) -> Option<&str> {
        let rel = format!("rel=\"{rel}\"");
        let link = self.header(LINK)?.split(',').find(|link| link.contains(&rel))?;
        Some(link.split_once('<')?.1.split_once('>')?.0)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}\n{}", self.status, self.headers, self.text)
    }
}
