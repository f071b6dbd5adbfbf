//! The end of a node: what was accepted is finished (SPEC §8.8).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::json;

use testing::{Member, Sqlite, TestApp, eventually};

/// A connection that is kept, spoken by hand so that a request can be sent in parts.
struct Wire(TcpStream);

impl Wire {
    fn open(app: &TestApp) -> Self {
        let socket = TcpStream::connect(app.address).expect("a connection");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        Self(socket)
    }

    fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).expect("an open connection");
    }

    /// The next answer, up to the end of its body.
    #[track_caller]
    fn receive(&mut self) -> String {
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if length.is_some_and(|length| length.parse() == Ok(body.len())) {
                    return text.into_owned();
                }
            }
            let mut buffer = [0; 4096];
            let read = self.0.read(&mut buffer).expect("an answer");
            assert!(read > 0, "closed before the answer was whole: {text}");
            bytes.extend_from_slice(&buffer[..read]);
        }
    }

    #[track_caller]
    fn ask(&mut self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"));
        self.receive()
    }

    fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_request_under_way_when_the_stop_begins_is_answered() {
    let app = TestApp::start(Sqlite).await;
    let token = Member::first(&app).await.access_token().expect("signed in").to_owned();
    let body = json!({"name": "最後の顧客"}).to_string();
    let (mut request, mut idle) = (Wire::open(&app), Wire::open(&app));
    request.send(&format!(
        "POST /api/customers HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    ));
    assert!(idle.ask("/readyz").starts_with("HTTP/1.1 200 "));
    let mut stopping = Box::pin(app.stopper.stop());
    assert!(stopping.as_mut().now_or_never().is_none(), "it waits for the request");
    let refused = || async { TcpStream::connect(app.address).is_err() };
    eventually(Duration::from_secs(5), refused).await;
    assert!(idle.is_closed(), "a connection that nothing is under way on");
    request.send(&body);
    let answer = request.receive();
    assert!(answer.starts_with("HTTP/1.1 201 ") && answer.contains("最後の顧客"), "{answer}");
    assert!(answer.contains("connection: close"), "no more after this one: {answer}");
    tokio::time::timeout(Duration::from_secs(10), stopping).await.expect("a node that ends");
}
