//! Cross-origin requests (the Fetch standard's CORS protocol): which other sites' pages may call the API, by a token alone.
//! Cookies stay this site's: no answer allows credentials.
//!
//! The headers are written in the outermost middleware, because answers that no handler made need them, too: a page could
//! not read a 401, a 413 or a 503 otherwise.

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// What pages of these origins may ask.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const HEADERS: &str = "Authorization, Content-Type, Accept, Accept-Language, Idempotency-Key, If-Match, Last-Event-ID, \
                       X-Request-Id, traceparent, X-Allow-Duplicate, X-Device-Token";
/// What they may read of an answer besides what any page may.
const EXPOSED: &str = "ETag, Link, Location, X-Total-Count, X-Request-Id, Retry-After, Idempotency-Replayed, \
                       X-Next-Cursor, RateLimit, RateLimit-Policy, X-Missing-Types, X-Device-Token, \
                       Content-Disposition, WWW-Authenticate";
/// How long browsers may remember what is allowed, in seconds: Chromium's limit.
const MAX_AGE: &str = "7200";

/// An origin of another site: scheme, host and port, as browsers write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Parses the value of `--cors-origin`.
    ///
    /// # Errors
    /// For whatever is no exact origin as a browser would send it, and which part is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let why = |fault: &str| Err(format!("{fault}; expected an origin such as https://app.example.com"));
        if text == "*" || text.contains('*') {
            return why("every origin must be named, and * names none");
        }
        if text == "null" {
            return why("null is the origin of any page without one, so that it can't be trusted");
        }
        let Some(host) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
            return why("it must begin with https:// or http://");
        };
        if host.contains(['/', '?', '#']) {
            return why("an origin has no path and no slash at the end");
        }
        if host.contains('@') {
            return why("an origin names no user");
        }
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return why("browsers write origins in lower case");
        }
        let (name, port) = split_port(host);
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        let is_address =
            name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|inside| {
                inside.parse::<std::net::Ipv6Addr>().is_ok_and(|address| address.to_string() == inside)
            });
        let is_plain = !name.starts_with('.') && !name.is_empty() && name.chars().all(is_name);
        if !is_plain && !is_address {
            return why("the host is not one as browsers write it (names beyond ASCII begin with xn--)");
        }
        let default = if text.starts_with("https:") { "443" } else { "80" };
        match port {
            Some(port) if port == default => why("browsers leave out the port that the scheme has anyway"),
            Some(port)
                if port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port) =>
            {
                Ok(Self(text.to_owned()))
            }
            Some(_) => why("the port is not a number from 1 to 65535"),
            None => Ok(Self(text.to_owned())),
        }
    }
}

/// A host's name or address, and its port if it has one.
fn split_port(host: &str) -> (&str, Option<&str>) {
    let begin = host.rfind(']').unwrap_or(0);
    match host[begin..].find(':') {
        Some(colon) => (&host[..begin + colon], Some(&host[begin + colon + 1..])),
        None => (host, None),
    }
}

/// The origins that may call.
#[derive(Clone, Debug, Default)]
pub struct Cors(Vec<Origin>);

impl Cors {
    pub fn new(origins: Vec<Origin>) -> Self {
        Self(origins)
    }

    /// The answer to a preflight request of an origin that may call; `None` for every other request.
    pub fn preflight(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        let asks = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if *request.method() != Method::OPTIONS || !asks {
            return None;
        }
        self.allowed(request.path(), request.headers())?;
        let mut answer = HttpResponse::NoContent().finish();
        let headers = answer.headers_mut();
        let mut set = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
        set(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        set(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        set(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        Some(answer)
    }

    /// Writes what every answer to a request of `path` with these headers says about other origins.
    pub fn write(&self, path: &str, asked: &HeaderMap, answer: &mut HeaderMap) {
        if self.0.is_empty() || !is_open(path) {
            return;
        }
        // Caches must not give one origin's answer to another.
        answer.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.allowed(path, asked) {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }

    /// The origin of a request, if its pages may call this path.
    fn allowed<'a>(&self, path: &str, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let mut named = headers.get_all(header::ORIGIN);
        let origin = named.next().filter(|_| is_open(path))?;
        let is_listed = self.0.iter().any(|allowed| allowed.0.as_bytes() == origin.as_bytes());
        (is_listed && named.next().is_none()).then_some(origin)
    }
}

/// The paths that pages of other origins may call: the API, and the document that describes it.
fn is_open(path: &str) -> bool {
    path.starts_with("/api/") || path == "/openapi.json"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_exact_and_as_browsers_write_it() {
        for right in [
            "https://app.example.com",
            "http://localhost:3000",
            "http://127.0.0.1:8081",
            "https://xn--fsq.example",
            "https://[2001:db8::1]:8443",
        ] {
            assert_eq!(Origin::parse(right), Ok(Origin(right.to_owned())));
        }
        for wrong in [
            "",
            "*",
            "null",
            "https://*",
            "https://*.example.com",
            ".example.com",
            "example.com",
            "https://.example.com",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://app.example.com?x",
            "https://app.example.com:443",
            "http://app.example.com:80",
            "https://app.example.com:0",
            "https://app.example.com:",
            "https://app.example.com:08443",
            "https://app.example.com:70000",
            "https://App.example.com",
            "HTTPS://app.example.com",
            "https://user@example.com",
            "https://絆.example",
            "https://[::1",
            "https://[2001:0db8::1]",
            "ftp://app.example.com",
            "https://a b",
        ] {
            let why = Origin::parse(wrong).expect_err(wrong);
            assert!(why.contains("such as https://app.example.com"), "{why}");
        }
    }

    #[test]
    fn only_the_api_is_open_and_only_to_the_origins_that_are_named() {
        let cors = Cors::new(vec![Origin::parse("https://app.example.com").expect("an origin")]);
        let written = |path: &str, origins: &[&'static str]| {
            let (mut asked, mut answer) = (HeaderMap::new(), HeaderMap::new());
            for origin in origins {
                asked.append(header::ORIGIN, HeaderValue::from_static(origin));
            }
            cors.write(path, &asked, &mut answer);
            assert!(!answer.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
            let is_varied = answer.get(header::VARY).is_some_and(|vary| vary == "Origin");
            (answer.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), is_varied)
        };
        let app = "https://app.example.com";
        assert_eq!(written("/api/customers", &[app]), (true, true));
        assert_eq!(written("/openapi.json", &[app]), (true, true));
        for path in ["/customers", "/", "/metrics", "/apix", "/login", "/docs/"] {
            assert_eq!(written(path, &[app]), (false, false), "{path}");
        }
        for other in
            ["https://app.example.com:8443", "http://app.example.com", "null", "https://evil.example"]
        {
            assert_eq!(written("/api/customers", &[other]), (false, true), "{other}");
        }
        assert_eq!(written("/api/customers", &[]), (false, true));
        assert_eq!(written("/api/customers", &[app, "https://evil.example"]), (false, true));
    }
}
