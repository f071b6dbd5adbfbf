//! Looks names up for connections to endpoints. A connection goes to the addresses that were checked here, so that it does not matter
//! what the name's server answers a moment later.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Looks up the addresses of a name.
type Lookup = dyn Fn(String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> + Send + Sync;

/// How names are looked up: as the system does, unless a test has its own way.
#[derive(Clone)]
pub struct HostLookup(Arc<Lookup>);

impl HostLookup {
    /// A way of its own.
    pub fn of(
        lookup: impl Fn(String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(lookup))
    }
}

impl Default for HostLookup {
    fn default() -> Self {
        Self::of(|name| {
            Box::pin(async move {
                let found = tokio::net::lookup_host((name, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            })
        })
    }
}

impl fmt::Debug for HostLookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostLookup")
    }
}

/// Why a name has no address to connect to.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    #[error("the name has no address: {0}")]
    None(String),
    /// One of its addresses is not allowed. Then none is: whoever has a name point to this network means no good.
    #[error("the name has an address that is not allowed")]
    Refused,
}

/// Answers with addresses that are all allowed, or with an error.
pub struct Guarded<F> {
    lookup: HostLookup,
    allows: Arc<F>,
}

impl<F: Fn(IpAddr) -> bool> Guarded<F> {
    pub fn new(lookup: HostLookup, allows: F) -> Self {
        Self { lookup, allows: Arc::new(allows) }
    }
}

impl<F: Fn(IpAddr) -> bool + Send + Sync + 'static> Resolve for Guarded<F> {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, allows) = ((self.lookup.0)(name.as_str().to_owned()), self.allows.clone());
        Box::pin(async move {
            let found = lookup.await.map_err(|error| LookupError::None(error.to_string()))?;
            if found.is_empty() {
                return Err(LookupError::None("no addresses".into()).into());
            }
            if !found.iter().all(|address| allows(*address)) {
                return Err(LookupError::Refused.into());
            }
            // The port is the URL's.
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicU8, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const CHECKED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    const INSIDE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// Answers each connection once, and closes it.
    async fn answers(listener: TcpListener) {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 204 No\r\nconnection: close\r\n\r\n").await;
        }
    }

    #[tokio::test]
    async fn a_connection_goes_to_the_address_that_was_checked_whatever_the_name_s_server_says_next() {
        let outside = TcpListener::bind((CHECKED, 0)).await.expect("a free port");
        let port = outside.local_addr().expect("an address").port();
        let inside = TcpListener::bind((INSIDE, port)).await.expect("the same port");
        tokio::spawn(answers(outside));
        // Its answer alternates, as that of a server that rebinds a name between a check and a connection.
        let asked = Arc::new(AtomicU8::new(0));
        let count = asked.clone();
        let lookup = HostLookup::of(move |_| {
            let address =
                if count.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) { CHECKED } else { INSIDE };
            Box::pin(async move { Ok(vec![address]) })
        });
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]);
        let client = client.dns_resolver(Guarded::new(lookup, |address| address == CHECKED)).build();
        let client = client.expect("a client");
        let url = format!("http://rebinding.example:{port}/");
        for round in 0..6 {
            let sent = client.post(&url).send().await;
            assert_eq!(sent.is_ok(), round % 2 == 0, "round {round}: {sent:?}");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 6, "each connection asks once");
        let nobody = tokio::time::timeout(std::time::Duration::from_millis(50), inside.accept()).await;
        assert!(nobody.is_err(), "nobody came inside");
    }
}
