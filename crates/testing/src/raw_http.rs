//! HTTP as bytes: for clients that are slow, old or wrong.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// A connection whose bytes the test writes.
pub struct RawHttp {
    stream: TcpStream,
    received: Vec<u8>,
}

impl RawHttp {
    /// Connects to a server by its URL.
    ///
    /// # Panics
    /// When nobody listens there.
    pub async fn open(base: &str) -> Self {
        let address = base.trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.expect("a server");
        Self { stream, received: Vec::new() }
    }

    /// Connects from this address of the machine, such as `127.0.0.2`.
    ///
    /// # Panics
    /// When nobody listens there, or the address is not this machine's.
    pub async fn open_from(base: &str, own: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(format!("{own}:0").parse().expect("an address")).expect("an address of this machine");
        let address = base.trim_start_matches("http://").parse().expect("an address");
        Self { stream: socket.connect(address).await.expect("a server"), received: Vec::new() }
    }

    /// Sends bytes; false if the server has closed the connection.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Waits until the server closes the connection; what it has sent.
    ///
    /// # Panics
    /// When it does not within this time.
    pub async fn until_closed(&mut self, within: Duration) -> String {
        let reading = async { while self.read().await {} };
        let closed = timeout(within, reading).await;
        assert!(closed.is_ok(), "still open after {within:?}; it has sent {:?}", self.text());
        self.text()
    }

    /// Reads until the text has come; all that was sent so far.
    ///
    /// # Panics
    /// When it does not come within ten seconds.
    pub async fn until(&mut self, wanted: &str) -> String {
        self.until_count(wanted, 1).await
    }

    /// Reads until the text has come so often; all that was sent so far.
    ///
    /// # Panics
    /// When it does not come within ten seconds.
    pub async fn until_count(&mut self, wanted: &str, count: usize) -> String {
        let reading = async {
            while self.text().matches(wanted).count() < count {
                assert!(self.read().await, "closed before {wanted:?}: {:?}", self.text());
            }
        };
        let come = timeout(Duration::from_secs(10), reading).await;
        assert!(come.is_ok(), "no {wanted:?} in {:?}", self.text());
        self.text()
    }

    /// Reads once; false at the end.
    async fn read(&mut self) -> bool {
        let mut bytes = [0; 64 * 1024];
        match self.stream.read(&mut bytes).await {
            Ok(0) | Err(_) => false,
            Ok(length) => {
                self.received.extend_from_slice(&bytes[..length]);
                true
            }
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.received).into_owned()
    }
}

/// The problem in an answer of bytes: its status and its code.
///
/// # Panics
/// When the answer is not a problem.
#[track_caller]
pub fn problem_in(answer: &str) -> (u16, String) {
    let status = answer.get(9..12).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    match (status, body["code"].as_str()) {
        (Some(status), Some(code)) if answer.contains("application/problem+json") => {
            (status, code.to_owned())
        }
        _ => panic!("no problem: {answer:?}"),
    }
}
