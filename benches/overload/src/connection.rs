//! One HTTP/1.1 connection that sends the request of the bench and reads its status. No library: at these rates the
//! client must cost less than the server.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest answer that is read.
const ANSWER_MAX: usize = 64 * 1024;

/// Where the requests go, and what they have in common.
pub struct Target {
    address: SocketAddr,
    head: String,
    made: AtomicU64,
}

impl Target {
    pub fn new(address: SocketAddr, token: &str) -> Self {
        let head = format!(
            "POST /api/customers HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: "
        );
        Self { address, head, made: AtomicU64::new(0) }
    }

    /// The next request; every one creates another customer.
    fn request(&self) -> Vec<u8> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let body = format!(r#"{{"name":"負荷 {number}","company":"絆商事"}}"#);
        format!("{}{}\r\n\r\n{body}", self.head, body.len()).into_bytes()
    }
}

/// A connection to the server.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(target: &Target) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(target.address).await.context("the server takes no connection")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4_096) })
    }

    /// Sends one request and returns the status of its answer.
    pub async fn send(&mut self, target: &Target) -> anyhow::Result<u16> {
        self.stream.write_all(&target.request()).await?;
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the server closed the connection");
            ensure!(self.buffer.len() < ANSWER_MAX, "an answer without an end");
            if let Some(status) = status(&self.buffer)? {
                return Ok(status);
            }
        }
    }
}

/// The status of a whole answer; `None` if some of it has not come yet.
fn status(answer: &[u8]) -> anyhow::Result<Option<u16>> {
    let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&answer[..end])?.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.context("an answer without a length")?.parse()?;
    let status = head.split(' ').nth(1).context("an answer without a status")?.parse()?;
    Ok((answer.len() >= end + 4 + length).then_some(status))
}
