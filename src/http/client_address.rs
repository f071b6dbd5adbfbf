//! The address of the client behind a request.

use std::net::IpAddr;

use actix_web::HttpRequest;

use crate::http::state::gateway;

/// The client's address: the peer's, or what the trusted proxy says.
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr().map(|peer| peer.ip())?;
    if gateway(request).trusted_proxy != Some(peer) {
        return Some(peer);
    }
    // The last entry is the proxy's own word; those before it are the client's and may be invented.
    let forwarded = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
    forwarded.and_then(|list| list.rsplit(',').next()?.trim().parse().ok()).or(Some(peer))
}
