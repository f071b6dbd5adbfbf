//! A client that writes single bytes: for frames that no library sends, and for a client that does not read.

use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use testing::Api;
use testing::live_client::SOON;

/// An upgraded connection.
pub struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

/// A frame of the server: its opcode and payload.
pub struct Raw {
    pub opcode: u8,
    pub payload: Vec<u8>,
}

impl Wire {
    /// A signed-in socket; its hello is read.
    pub async fn signed_in(api: &Api) -> Self {
        Self::open(api, "/api/ws", None).await
    }

    /// A signed-in socket at `path`, with a receive buffer of this many bytes.
    pub async fn open(api: &Api, path: &str, room: Option<usize>) -> Self {
        let address = api.base().trim_start_matches("http://");
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        if let Some(room) = room {
            socket.set_recv_buffer_size(room).expect("a smaller buffer");
        }
        let to: std::net::SocketAddr = address.parse().expect("an address");
        socket.connect(&to.into()).expect("a server");
        socket.set_nonblocking(true).expect("a socket for tokio");
        let mut stream = TcpStream::from_std(socket.into()).expect("a socket for tokio");
        let token = api.access_token().expect("signed in");
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("an open connection");
        let mut wire = Self { stream, read: Vec::new() };
        let end = loop {
            if let Some(end) = wire.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            assert!(wire.more().await, "closed before the answer");
        };
        let head: Vec<u8> = wire.read.drain(..end).collect();
        let head = String::from_utf8(head).expect("text");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.to_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
        let hello = wire.next().await.expect("a hello");
        assert_eq!(hello.opcode, 1);
        wire
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        // The server may have closed the connection already.
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next frame; `None` after the connection is closed.
    pub async fn next(&mut self) -> Option<Raw> {
        loop {
            if let Some(frame) = self.take() {
                return Some(frame);
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// The code of the close frame; `None` if the connection ends without one.
    pub async fn close_code(mut self) -> Option<u16> {
        let closed = async {
            while let Some(Raw { opcode, payload }) = self.next().await {
                if opcode == 8 {
                    return payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]));
                }
            }
            None
        };
        tokio::time::timeout(SOON, closed).await.expect("a connection that ends")
    }

    async fn more(&mut self) -> bool {
        let read = tokio::time::timeout(SOON + Duration::from_secs(20), self.stream.read_buf(&mut self.read));
        matches!(read.await.expect("a server that says something"), Ok(1..))
    }

    /// A complete frame of the bytes that were read.
    fn take(&mut self) -> Option<Raw> {
        let (first, second) = (*self.read.first()?, *self.read.get(1)?);
        assert_eq!(second & 0x80, 0, "a server masks nothing");
        let (begin, length) = match second {
            126 => (4, usize::from(u16::from_be_bytes(self.read.get(2..4)?.try_into().ok()?))),
            127 => (10, u64::from_be_bytes(self.read.get(2..10)?.try_into().ok()?) as usize),
            short => (2, usize::from(short)),
        };
        let payload = self.read.get(begin..begin + length)?.to_vec();
        self.read.drain(..begin + length);
        Some(Raw { opcode: first & 0x0f, payload })
    }
}

/// A frame as a client masks it: the first byte, and the payload in the shortest form.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x1f, 0x2e, 0x3d, 0x4c];
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}
