//! The address of the client behind a request (SPEC §2).

use std::net::{IpAddr, SocketAddr};

use actix_web::HttpRequest;
use kernel::address::canonical;

use crate::http::state::gateway;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies whose `X-Forwarded-For` counts, in canonical form.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpAddr>);

impl FromIterator<IpAddr> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = IpAddr>>(addresses: I) -> Self {
        Self(addresses.into_iter().map(canonical).collect())
    }
}

impl TrustedProxies {
    /// Whether a proxy of these has this address.
    pub fn contains(&self, peer: IpAddr) -> bool {
        self.0.contains(&canonical(peer))
    }
}

/// The client's address, in canonical form: the peer's, or what a trusted proxy says.
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let forwarded = request.headers().get_all(X_FORWARDED_FOR).map(|line| line.as_bytes());
    Some(address_of(peer, &gateway(request).trusted_proxies, forwarded))
}

/// The client's address, of the peer and the lines of `X-Forwarded-For`.
pub fn address_of<'a>(
    peer: IpAddr,
    proxies: &TrustedProxies,
    forwarded: impl Iterator<Item = &'a [u8]>,
) -> IpAddr {
    let peer = canonical(peer);
    if !proxies.contains(peer) {
        return peer;
    }
    // The last entry is the proxy's own word; those before it are the client's and may be invented.
    let last_line = forwarded.last().and_then(|line| std::str::from_utf8(line).ok());
    let last_entry = last_line.and_then(|line| line.rsplit(',').next());
    last_entry.and_then(|entry| address_in(entry.trim())).map_or(peer, canonical)
}

/// The address of an entry, which may have brackets and a port: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
fn address_in(entry: &str) -> Option<IpAddr> {
    let bracketed = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']'));
    let plain = bracketed.unwrap_or(entry).parse().ok();
    plain.or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";
    const PEER: &str = "192.0.2.9";

    fn told(peer: &str, lines: &[&str]) -> String {
        let proxies = [PROXY, "::ffff:10.0.0.2", "fd00::1"].map(|proxy| proxy.parse().expect("an address"));
        let lines = lines.iter().map(|line| line.as_bytes());
        address_of(peer.parse().expect("an address"), &proxies.into_iter().collect(), lines).to_string()
    }

    #[test]
    fn the_last_entry_of_the_last_line_counts_behind_a_trusted_proxy() {
        for (lines, address) in [
            (&["203.0.113.7"][..], "203.0.113.7"),
            (&["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
            (&["198.51.100.1,203.0.113.7 "], "203.0.113.7"),
            (&["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
            (&["203.0.113.7:4711"], "203.0.113.7"),
            (&["::ffff:203.0.113.7"], "203.0.113.7"),
            (&["[::ffff:203.0.113.7]:4711"], "203.0.113.7"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["[2001:db8::1]:4711"], "2001:db8::1"),
        ] {
            for proxy in [PROXY, "::ffff:10.0.0.1", "10.0.0.2", "fd00::1"] {
                assert_eq!(told(proxy, lines), address, "{lines:?} by {proxy}");
            }
            assert_eq!(told(PEER, lines), PEER, "{lines:?}: nobody trusts this peer");
        }
    }

    #[test]
    fn an_entry_that_is_no_address_leaves_the_proxy_s() {
        for lines in [
            &[][..],
            &[""],
            &["unknown"],
            &["203.0.113.7, unknown"],
            &["203.0.113.7,"],
            &["203.0.113.7", ""],
            &["[203.0.113.7"],
            &["2001:db8::1]"],
            &["203.0.113.7:port"],
            &["203.0.113.7:99999"],
            &["203.0.113"],
            &["絆"],
        ] {
            assert_eq!(told(PROXY, lines), PROXY, "{lines:?}");
        }
        assert_eq!(told("::ffff:192.0.2.9", &[]), PEER);
    }
}
