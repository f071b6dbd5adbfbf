//! A client's connection, with the bounds of time that the HTTP server lacks.
//!
//! The server bounds the head of a connection's first request and, by a clock of half seconds, its rest between requests;
//! not the head of a later request, nor what is left of a body that no handler reads. So the connection itself watches what arrives while no
//! request is being served. It also says why, where the server would refuse a request with an empty answer.
//!
//! [`around`](crate::http::conventions::around) marks the requests: [`Requests::begin`].

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::rt::net::TcpStream;
use actix_web::web::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::http::connections::Permit;
use crate::http::refusals;

/// Bytes of a request that are kept to say what is wrong with it.
const HEAD_KEPT: usize = 8 * 1024;
/// How long a connection that is to be closed may go on sending.
const LINGER: Duration = Duration::from_secs(1);

/// The bounds of time of a connection.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionTimes {
    /// For the head of a request.
    pub head: Duration,
    /// Between an answer and the next request.
    pub idle: Duration,
}

/// A client's connection.
pub struct Connection {
    io: TcpStream,
    requests: Requests,
    timer: Pin<Box<Sleep>>,
    /// The task was woken because the timer had run out before it read again.
    is_woken: bool,
    /// What is left to write of an answer of the connection's own.
    refusal: Option<Bytes>,
    _permit: Permit,
}

impl Connection {
    pub fn new(io: TcpStream, times: ConnectionTimes, permit: Permit) -> Self {
        let requests = Requests(Rc::new(RefCell::new(State::new(times))));
        Self {
            io,
            requests,
            timer: Box::pin(sleep_until(Instant::now())),
            is_woken: false,
            refusal: None,
            _permit: permit,
        }
    }

    /// What the connection's requests are marked with.
    pub fn requests(&self) -> Requests {
        self.requests.clone()
    }

    /// Whether the client has taken too long. Wakes the task when it will have.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.requests.0.borrow().deadline() else { return false };
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
            self.is_woken = false;
        }
        self.timer.as_mut().poll(cx).is_ready()
    }

    /// Ends the connection; a client that has begun a request learns why.
    fn end(&mut self) -> io::Error {
        let refusal = self.requests.0.borrow().too_slow();
        if let Some(refusal) = refusal {
            // As much as the socket takes: nobody waits for this client any more.
            let _ = self.io.try_write(&refusal);
        }
        io::ErrorKind::TimedOut.into()
    }

    fn poll_refusal(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.refusal.as_mut().filter(|rest| !rest.is_empty()) {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let _ = rest.split_to(written);
        }
        self.refusal = None;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // A client that sends a byte now and then must not have more time than one that sends none.
        if this.requests.0.borrow().has_begun_late() {
            return Poll::Ready(Err(this.end()));
        }
        let known = buffer.filled().len();
        match Pin::new(&mut this.io).poll_read(cx, buffer) {
            Poll::Ready(read) => {
                this.requests.0.borrow_mut().received(&buffer.filled()[known..]);
                Poll::Ready(read)
            }
            Poll::Pending if this.is_late(cx) => Poll::Ready(Err(this.end())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.refusal.is_none() {
            this.refusal = this.requests.0.borrow().refusal(bytes);
        }
        if this.refusal.is_some() {
            return this.poll_refusal(cx).map_ok(|()| bytes.len());
        }
        Pin::new(&mut this.io).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.io).poll_flush(cx))?;
        // The server flushes when it has written all it had.
        this.requests.0.borrow_mut().flushed();
        // The server may not read again before something wakes it, and reading is what ends a late connection.
        if this.is_late(cx) && !std::mem::replace(&mut this.is_woken, true) {
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

/// The requests of a connection; clones share it.
#[derive(Clone)]
pub struct Requests(Rc<RefCell<State>>);

impl Requests {
    /// Marks that a request is being served, until the mark is dropped.
    pub fn begin(&self) -> InService {
        self.0.borrow_mut().begin();
        InService(self.clone())
    }
}

/// The mark of a request that is being served.
pub struct InService(Requests);

impl InService {
    /// Marks that the connection closes after the answer.
    pub fn closes(&self) {
        self.0.0.borrow_mut().is_closing = true;
    }

    /// A body that keeps the mark until it is written.
    pub fn with(self, body: BoxBody) -> impl MessageBody<Error = <BoxBody as MessageBody>::Error> {
        MarkedBody { body, _mark: self }
    }
}

impl Drop for InService {
    fn drop(&mut self) {
        self.0.0.borrow_mut().end();
    }
}

struct MarkedBody {
    body: BoxBody,
    _mark: InService,
}

impl MessageBody for MarkedBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(cx)
    }
}

/// What a connection is doing.
struct State {
    times: ConnectionTimes,
    /// A request is being served: its handler and its body have bounds of their own.
    in_service: bool,
    /// Since when no request is being served.
    since: Instant,
    /// When the first byte came after that.
    first_byte: Option<Instant>,
    /// The first bytes that came after that.
    head: Vec<u8>,
    has_served: bool,
    is_closing: bool,
    /// An answer of a handler may still wait to be written.
    owes_answer: bool,
}

impl State {
    fn new(times: ConnectionTimes) -> Self {
        Self {
            times,
            in_service: false,
            since: Instant::now(),
            first_byte: None,
            head: Vec::new(),
            has_served: false,
            is_closing: false,
            owes_answer: false,
        }
    }

    fn begin(&mut self) {
        (self.in_service, self.owes_answer) = (true, true);
        self.head = Vec::new();
    }

    fn end(&mut self) {
        (self.in_service, self.has_served) = (false, true);
        (self.since, self.first_byte) = (Instant::now(), None);
    }

    fn flushed(&mut self) {
        if self.owes_answer && !self.in_service {
            self.owes_answer = false;
            self.since = Instant::now();
            self.first_byte = self.first_byte.map(|_| self.since);
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        if !self.in_service && !bytes.is_empty() {
            self.first_byte.get_or_insert_with(Instant::now);
            let room = HEAD_KEPT - self.head.len();
            self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// When the client has taken too long. A client that does not read its answer is for TCP to bound.
    fn deadline(&self) -> Option<Instant> {
        match (self.in_service || self.owes_answer, self.first_byte) {
            (true, _) => None,
            (false, _) if self.is_closing => Some(self.since + LINGER),
            (false, Some(first)) => Some(first + self.times.head),
            (false, None) if self.has_served => Some(self.since + self.times.idle),
            (false, None) => Some(self.since + self.times.head),
        }
    }

    fn has_begun_late(&self) -> bool {
        (self.first_byte.is_some() || self.is_closing)
            && self.deadline().is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// The answer to a client whose request has begun and does not end.
    fn too_slow(&self) -> Option<Bytes> {
        let has_begun = self.first_byte.is_some() && !self.is_closing;
        has_begun.then(|| refusals::of(408, &self.head))
    }

    /// What to write instead of the server's own, empty, answer to a request that it could not read.
    fn refusal(&self, bytes: &[u8]) -> Option<Bytes> {
        if self.in_service || self.owes_answer {
            return None;
        }
        let status = refusals::status(bytes)?;
        Some(refusals::of(status, &self.head))
    }
}
