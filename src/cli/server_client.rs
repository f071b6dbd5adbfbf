//! A server that a command talks to over HTTP.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use rustls::ClientConfig;
use serde_json::{Value, json};

use crate::cli::tls;
use runtime::retry::Backoff;

/// The pauses before another try to connect.
pub const RECONNECT_BACKOFF: Backoff = Backoff {
    initial: Duration::from_millis(200),
    factor: 2.0,
    max: Duration::from_secs(30),
    times: u32::MAX,
};

/// Trying again would not help.
pub struct Refused(pub anyhow::Error);

/// What a step leads to, or why it may be tried again.
pub type Step<T> = Result<Result<T, String>, Refused>;

/// A server by its address.
pub struct Server {
    pub url: String,
    pub http: reqwest::Client,
    /// For `https://` and `wss://`.
    pub tls: Option<Arc<ClientConfig>>,
}

/// Checks the address of a server.
///
/// # Errors
/// When it is no address of one.
pub fn address(url: &str) -> Result<String, String> {
    let url = url.trim_end_matches('/');
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let is_server = host.is_some_and(|host| !host.is_empty() && !host.contains('/'));
    if is_server { Ok(url.to_owned()) } else { Err("expected http://HOST:PORT or https://HOST".into()) }
}

impl Server {
    /// `ca_file`: an authority to trust beside those of the system.
    ///
    /// # Errors
    /// When the file can't be used.
    pub fn new(url: &str, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let encrypted = url.starts_with("https:");
        let tls = encrypted.then(|| tls::client(ca_file)).transpose()?.map(Arc::new);
        // Without a proxy: a WebSocket uses none, either.
        let client = reqwest::Client::builder().no_proxy();
        let client = match &tls {
            Some(tls) => client.tls_backend_preconfigured(ClientConfig::clone(tls)),
            None => client.tls_certs_only([]),
        };
        Ok(Self { url: url.to_owned(), http: client.build()?, tls })
    }

    /// Signs in, if the server is there; returns the access token.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn sign_in(&self, email: &str, password: &str) -> Step<String> {
        let body = json!({"email": email, "password": password}).to_string();
        let request = self.http.post(format!("{}/api/auth/login", self.url)).body(body);
        let request = request.header("content-type", "application/json").timeout(Duration::from_secs(30));
        let answer = match self.sent(request).await? {
            Ok(answer) => answer,
            Err(why) => return Ok(Err(why)),
        };
        let status = answer.status().as_u16();
        let body = answer.json::<Value>().await.unwrap_or_default();
        let detail = body["detail"].as_str().unwrap_or("no reason is given");
        match (status, body["access_token"].as_str()) {
            (200, Some(token)) => Ok(Ok(token.to_owned())),
            (429 | 500.., _) => Ok(Err(format!("{} answers {status}: {detail}", self.url))),
            _ => Err(Refused(anyhow!("{} refuses the sign-in: {detail} ({status})", self.url))),
        }
    }

    /// The answer to a request.
    ///
    /// # Errors
    /// When the server's certificate is refused.
    pub async fn sent(&self, request: reqwest::RequestBuilder) -> Step<reqwest::Response> {
        match request.send().await {
            Ok(answer) => Ok(Ok(answer)),
            Err(error) => match tls::refused_certificate(&error) {
                Some(why) => Err(self.untrusted(&why)),
                None => Ok(Err(self.not_reached(&error))),
            },
        }
    }

    /// What could not be reached, and the innermost reason.
    pub fn not_reached(&self, error: &dyn std::error::Error) -> String {
        let mut cause = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        format!("cannot reach {}: {cause}", self.url)
    }

    fn untrusted(&self, why: &str) -> Refused {
        Refused(anyhow!(
            "{}: {why}; if the certificate is of an authority of yours, name its --ca-file",
            self.url
        ))
    }
}
