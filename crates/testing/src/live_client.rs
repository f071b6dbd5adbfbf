//! A client over WebSocket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::Api;

/// How long to wait for a frame. No promise depends on it, so it is long enough for a busy machine.
pub const SOON: Duration = Duration::from_secs(30);
/// How long to wait before a test concludes that no frame comes.
const QUIET: Duration = Duration::from_millis(400);

/// An open socket.
pub struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What a client received.
#[derive(Debug)]
pub enum Heard {
    Frame(Value),
    /// The code of a close frame.
    Closed(u16),
    /// The connection broke.
    Gone,
}

impl Client {
    /// Opens `path` with these headers.
    ///
    /// # Errors
    /// The status of the answer, where there is no upgrade; 0 where there is no answer.
    pub async fn open(base: &str, path: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let url = format!("{}{path}", base.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("a URL");
        for (name, value) in headers {
            let name: HeaderName = name.parse().expect("a name");
            request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a value"));
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(_) => Err(0),
        }
    }

    /// A signed-in socket, after its hello.
    pub async fn of(api: &Api) -> Self {
        Self::at(api, "/api/ws").await.0
    }

    /// A client at this path, and the cursor of its hello.
    pub async fn at(api: &Api, path: &str) -> (Self, String) {
        let bearer = format!("Bearer {}", api.access_token().expect("signed in"));
        let opened = Self::open(api.base(), path, &[("authorization", &bearer)]).await;
        let mut client = opened.expect("a socket");
        let hello = client.frame().await;
        assert_eq!(hello["type"], "hello", "{hello}");
        let cursor = hello["cursor"].as_str().expect("a cursor").to_owned();
        (client, cursor)
    }

    pub async fn say(&mut self, frame: Value) {
        self.send(Message::text(frame.to_string())).await;
    }

    pub async fn send(&mut self, message: Message) {
        self.0.send(message).await.expect("an open socket");
    }

    pub async fn subscribe(&mut self, topics: &[&str]) {
        self.say(json!({"type": "subscribe", "topics": topics})).await;
    }

    /// The next frame or the end, without pings.
    pub async fn hear(&mut self) -> Heard {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Heard::Frame(serde_json::from_str(&text).expect("JSON"));
                }
                Some(Ok(Message::Close(close))) => {
                    return Heard::Closed(close.map_or(1005, |CloseFrame { code, .. }| code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Gone,
            }
        }
    }

    /// The next frame.
    #[track_caller]
    pub fn frame(&mut self) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            match tokio::time::timeout(SOON, self.hear()).await {
                Ok(Heard::Frame(frame)) => frame,
                other => panic!("no frame but {other:?} ({caller})"),
            }
        }
    }

    /// The next frame, which must be of this type.
    pub async fn next(&mut self, kind: &str) -> Value {
        let frame = self.frame().await;
        assert_eq!(frame["type"], kind, "{frame}");
        frame
    }

    /// The code of the close frame that comes, whatever comes before it.
    #[track_caller]
    pub fn closed(&mut self) -> impl Future<Output = u16> {
        let caller = std::panic::Location::caller();
        let heard = async move {
            loop {
                match self.hear().await {
                    Heard::Closed(code) => return code,
                    Heard::Frame(_) => {}
                    Heard::Gone => panic!("gone without a close frame ({caller})"),
                }
            }
        };
        async move {
            tokio::time::timeout(SOON, heard).await.unwrap_or_else(|_| panic!("it stays open ({caller})"))
        }
    }

    /// All frames until none comes for a while.
    pub async fn rest(&mut self) -> Vec<Value> {
        let mut frames = Vec::new();
        while let Ok(Heard::Frame(frame)) = tokio::time::timeout(QUIET, self.hear()).await {
            frames.push(frame);
        }
        frames
    }

    /// Checks that no frame comes.
    pub async fn assert_quiet(&mut self) {
        if let Ok(heard) = tokio::time::timeout(QUIET, self.hear()).await {
            panic!("{heard:?} though nothing should come");
        }
    }
}

/// The customer's name in a notification.
pub fn name_of(frame: &Value) -> String {
    frame["notification"]["data"]["customer_name"].as_str().unwrap_or_else(|| panic!("{frame}")).to_owned()
}

/// A frame's cursor.
pub fn cursor_of(frame: &Value) -> String {
    frame["cursor"].as_str().unwrap_or_else(|| panic!("no cursor: {frame}")).to_owned()
}
