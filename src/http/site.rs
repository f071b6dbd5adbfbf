//! This site as browsers know it: its origin, and the names of its cookies.

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::http::state::Gateway;

/// The names of the console's cookies.
pub struct CookieNames {
    /// Holds an access token, which the live feed takes, too.
    pub session: &'static str,
    /// Holds the refresh token.
    pub refresh: &'static str,
    /// Proves that its user has signed in with this browser before.
    pub device: &'static str,
}

/// Over TLS. A browser takes a cookie of such a name only from this host over TLS, for the whole site: neither a
/// neighbouring host nor a plain connection can plant one.
const SECURE: CookieNames = CookieNames {
    session: "__Host-kizuna_session",
    refresh: "__Host-kizuna_refresh",
    device: "__Host-kizuna_device",
};
/// Over plain HTTP, where browsers refuse the prefix: on one's own machine, say.
const PLAIN: CookieNames =
    CookieNames { session: "kizuna_session", refresh: "kizuna_refresh", device: "kizuna_device" };

/// Whether browsers reach this site over TLS.
pub fn is_secure(gateway: &Gateway) -> bool {
    gateway.public_url.as_deref().is_some_and(|url| url.starts_with("https:"))
}

/// The names of this site's cookies.
pub fn cookie_names(gateway: &Gateway) -> &'static CookieNames {
    if is_secure(gateway) { &SECURE } else { &PLAIN }
}

/// Whether `origin` (scheme, host and port) is this site's: that of `--public-url`, else the host that the request names,
/// over the plain HTTP that this server speaks.
pub fn is_this_site(gateway: &Gateway, request: &HttpRequest, origin: &str) -> bool {
    if let Some(url) = &gateway.public_url {
        return origin.eq_ignore_ascii_case(origin_of(url));
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let named = origin.strip_prefix("http://");
    host.zip(named).is_some_and(|(host, named)| host.eq_ignore_ascii_case(named))
}

/// A URL without its path, and without the port that its scheme has anyway.
fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    let path = url[host..].find('/').map_or(url.len(), |path| host + path);
    let origin = &url[..path];
    let port = if origin.starts_with("https:") { ":443" } else { ":80" };
    origin.strip_suffix(port).unwrap_or(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_url_without_its_path() {
        assert_eq!(origin_of("https://crm.example.com"), "https://crm.example.com");
        assert_eq!(origin_of("https://crm.example.com:8443/kizuna"), "https://crm.example.com:8443");
        assert_eq!(origin_of("https://crm.example.com:443"), "https://crm.example.com");
        assert_eq!(origin_of("http://crm.example.com:443"), "http://crm.example.com:443");
    }
}
