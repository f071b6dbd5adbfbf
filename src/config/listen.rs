//! An address to listen on: `127.0.0.1:8080`, `[::1]:8080`, or a name such as `localhost:8080`.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

/// An address to listen on, as it was given and as it resolves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    text: String,
    addresses: Vec<SocketAddr>,
}

impl Listen {
    /// The addresses, at least one: a name may have one of IPv4 and one of IPv6.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Whether nobody but this machine reaches it.
    pub fn is_loopback(&self) -> bool {
        self.addresses.iter().all(|address| address.ip().to_canonical().is_loopback())
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Listen {
    type Err = String;

    /// # Errors
    /// When the text is no address with a port, or a name that does not resolve.
    fn from_str(text: &str) -> Result<Self, String> {
        let has_port = text.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.parse::<u16>().is_ok() && (host.starts_with('[') || !host.contains(':'))
        });
        if !has_port {
            return Err("expected ADDRESS:PORT or NAME:PORT, such as 127.0.0.1:8080 or localhost:8080".into());
        }
        let resolved =
            text.to_socket_addrs().map_err(|error| format!("the name does not resolve: {error}"))?;
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for address in resolved {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        // IPv4 first: it is where clients of a name with both look when IPv6 is off.
        addresses.sort_by_key(SocketAddr::is_ipv6);
        if addresses.is_empty() {
            return Err("the name has no address".into());
        }
        Ok(Self { text: text.to_owned(), addresses })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_a_name_with_a_port_is_a_place_to_listen() {
        for (text, is_loopback) in [
            ("127.0.0.1:8080", true),
            ("[::1]:80", true),
            ("localhost:0", true),
            ("0.0.0.0:8080", false),
            ("[::]:1", false),
        ] {
            let listen: Listen = text.parse().expect("a place to listen");
            assert_eq!((listen.to_string().as_str(), listen.is_loopback()), (text, is_loopback), "{text}");
        }
        for text in
            ["", "8080", ":8080", "localhost", "localhost:", "localhost:http", "127.0.0.1:99999", "::1:80"]
        {
            let error = text.parse::<Listen>().expect_err(text);
            assert!(error.contains("NAME:PORT"), "{text}: {error}");
        }
        assert!("no such name:80".parse::<Listen>().is_err());
    }
}
