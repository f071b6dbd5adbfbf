//! A receiver of webhooks: an HTTP server in the test's process that keeps what it is sent, and answers as a test says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request that was received.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    pub bytes: Vec<u8>,
    /// The body as JSON.
    pub body: Value,
}

impl Received {
    /// The `webhook-id`.
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    /// A status, one more header, and a body.
    With(u16, String, String),
    /// Never.
    Hang,
    /// One byte of a right answer at a time, with this pause in between.
    Drip(Duration),
    /// The connection is closed.
    Close,
}

type Answers = dyn Fn(&Received) -> Reply + Send + Sync;

struct State {
    received: Mutex<Vec<Received>>,
    answers: Mutex<Arc<Answers>>,
    connections: AtomicUsize,
}

/// The server; it ends when it is dropped.
pub struct Receiver {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Starts one that answers 204, on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// Without a free port.
    pub async fn start() -> Self {
        Self::at("127.0.0.1:0").await
    }

    /// Starts one at this address.
    ///
    /// # Panics
    /// When the address is taken.
    pub async fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            received: Mutex::default(),
            answers: Mutex::new(Arc::new(|_| Reply::Status(204))),
            connections: AtomicUsize::new(0),
        });
        let serving = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, serving.clone()));
            }
        });
        Self { address, state, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Answers so from now on.
    pub fn answers(&self, answers: impl Fn(&Received) -> Reply + Send + Sync + 'static) {
        *self.state.answers.lock().expect("no panic under this lock") = Arc::new(answers);
    }

    /// Everything that was received, in order.
    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().expect("no panic under this lock").clone()
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut stream, &mut buffer).await {
        state.received.lock().expect("no panic under this lock").push(request.clone());
        let answers = state.answers.lock().expect("no panic under this lock").clone();
        let answered = match answers(&request) {
            Reply::Status(status) => send(&mut stream, &answer(status, "", "")).await,
            Reply::With(status, header, body) => send(&mut stream, &answer(status, &header, &body)).await,
            Reply::Hang => std::future::pending().await,
            Reply::Close => return,
            Reply::Drip(pause) => drip(&mut stream, &answer(200, "", "slowly"), pause).await,
        };
        if answered.is_err() {
            return;
        }
    }
}

fn answer(status: u16, header: &str, body: &str) -> String {
    let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    // 204 has no length.
    let length = if status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    format!("HTTP/1.1 {status} Status\r\n{header}{length}\r\n{body}")
}

async fn send(stream: &mut TcpStream, answer: &str) -> std::io::Result<()> {
    stream.write_all(answer.as_bytes()).await
}

async fn drip(stream: &mut TcpStream, answer: &str, pause: Duration) -> std::io::Result<()> {
    for byte in answer.bytes() {
        stream.write_all(&[byte]).await?;
        stream.flush().await?;
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

/// Reads a request; what follows it stays in `buffer`. `None` at the end of the connection.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Received> {
    let head_end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let pair =
        |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    let headers: BTreeMap<String, String> = lines.filter_map(pair).collect();
    let length: usize = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let body_end = head_end + 4 + length;
    while buffer.len() < body_end {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let bytes = buffer[head_end + 4..body_end].to_vec();
    buffer.drain(..body_end);
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    Some(Received { path, headers, bytes, body })
}
