//! A GET of the plainest kind, for polling a server on this machine.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(5);

/// An HTTP answer.
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// Asks with HTTP/1.0 on a connection of its own: the answer is neither chunked nor compressed, and ends with the connection.
pub fn get(addr: SocketAddr, path: &str) -> Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&addr, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {addr}\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    parse(&text).ok_or_else(|| Error::new(ErrorKind::InvalidData, "not an HTTP answer"))
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_are_told_apart() {
        let answer = parse("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\r\na\r\n\r\nb").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (503, "a\r\n\r\nb"));
    }
}
