//! Which addresses a webhook may have, so that nobody reaches by it what only this server can reach. Pure.
//!
//! A name is not looked up here. Whoever connects asks [`is_public`] about each address that the name has then.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The most characters of a URL.
pub const URL_MAX: usize = 2_000;

/// What the server allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    /// Private addresses, and http beside https.
    pub allow_private: bool,
}

impl AddressPolicy {
    /// Whether a connection to this address is allowed.
    pub fn allows(self, address: IpAddr) -> bool {
        self.allow_private || is_public(address)
    }

    /// The URL as it is stored: normalised, so that an address in another notation looks like what it is.
    ///
    /// # Errors
    /// The code of what is wrong with it.
    pub fn check(self, text: &str) -> Result<Url, &'static str> {
        let url = Url::parse(text).map_err(|_| "invalid_url")?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_private => {}
            "http" => return Err("https_required"),
            _ => return Err("invalid_url"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("url_with_credentials");
        }
        if url.fragment().is_some() {
            return Err("url_with_fragment");
        }
        match address_of(&url) {
            Some(address) if !self.allows(address) => Err("private_address"),
            None if !self.allow_private && url.domain().is_some_and(is_local_name) => Err("private_address"),
            _ => Ok(url),
        }
    }
}

/// The address that stands in a URL; `None` for a name.
pub fn address_of(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// Names that lead to this machine or its network on most machines (RFC 6761, RFC 8375, and what clouds call their metadata).
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let below = |zone: &str| name == zone || name.ends_with(&format!(".{zone}"));
    ["localhost", "local", "internal", "home.arpa"].into_iter().any(below)
}

/// Networks of IPv4 that are not the public internet: (address, bits of the network).
const NOT_PUBLIC_4: [(Ipv4Addr, u32); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network, unspecified
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // carrier-grade NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's host
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, metadata of clouds
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments, metadata of Oracle's cloud
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 31, 196, 0), 24),  // AS112
    (Ipv4Addr::new(192, 52, 193, 0), 24),  // AMT
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 3),      // multicast, reserved, broadcast
];

/// Networks within 2000::/3, the global unicast of IPv6, that are not the public internet.
const NOT_PUBLIC_6: [(Ipv6Addr, u32); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // Teredo, benchmarks, ORCHID and other protocols
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Whether an address is of the public internet. An address that carries another one (IPv4 in IPv6) is refused whatever it carries,
/// and so is all of IPv6 that is not global unicast: ::1, ::ffff:0:0/96, 64:ff9b::/96, fc00::/7, fe80::/10, ff00::/8 and the rest.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let within = |(network, bits): (Ipv4Addr, u32)| {
                (address.to_bits() ^ network.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
            };
            !NOT_PUBLIC_4.into_iter().any(within)
        }
        IpAddr::V6(address) => {
            let within = |(network, bits): (Ipv6Addr, u32)| {
                (address.to_bits() ^ network.to_bits()) >> (128 - bits) == 0
            };
            address.segments()[0] & 0xe000 == 0x2000 && !NOT_PUBLIC_6.into_iter().any(within)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STRICT: AddressPolicy = AddressPolicy { allow_private: false };

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4001:800::200e",
            "2001:200::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
            "2620:4f:8000::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn an_address_in_another_notation_is_what_it_is() {
        for text in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://0x7f.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://0/",
            "https://169.254.169.254/latest/meta-data",
            "https://１２７.０.０.１/",
            "https://127.0.0.1./",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://metadata.google.internal/",
            "https://printer.local/",
        ] {
            assert_eq!(STRICT.check(text).map(String::from), Err("private_address"), "{text}");
            let private = AddressPolicy { allow_private: true };
            assert!(private.check(text).is_ok(), "{text}");
        }
        for (text, code) in [
            ("http://example.com/", "https_required"),
            ("ftp://example.com/", "invalid_url"),
            ("file:///etc/passwd", "invalid_url"),
            ("javascript:alert(1)", "invalid_url"),
            ("example.com/hook", "invalid_url"),
            ("https://", "invalid_url"),
            ("https://user:word@example.com/", "url_with_credentials"),
            ("https://user@example.com/", "url_with_credentials"),
            ("https://example.com/#part", "url_with_fragment"),
        ] {
            assert_eq!(STRICT.check(text).map(String::from), Err(code), "{text}");
        }
        for (text, stored) in [
            ("https://example.com/hook?key=1", "https://example.com/hook?key=1"),
            ("HTTPS://Example.COM:8443", "https://example.com:8443/"),
            ("https://8.8.8.8/", "https://8.8.8.8/"),
            ("https://絆.example/", "https://xn--2jz.example/"),
        ] {
            let checked = STRICT.check(text).map(String::from);
            assert!(checked.is_ok(), "{text}: {checked:?}");
            if !stored.contains("xn--") {
                assert_eq!(checked.as_deref(), Ok(stored), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn an_ipv4_address_within_ipv6_is_never_public(bits: u32) {
            let four = Ipv4Addr::from_bits(bits);
            prop_assert!(!is_public(four.to_ipv6_mapped().into()));
            prop_assert!(!is_public(four.to_ipv6_compatible().into()));
        }
    }
}
