//! Sends a close frame before the frames that wait to be sent, so that a slow client need not read them first.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BodyStream, BoxBody, MessageBody};
use actix_web::web::Bytes;
use actix_ws::CloseReason;
use futures_util::Stream;

/// The longest text of a close frame, in bytes.
const REASON_MAX: usize = 123;

#[derive(Default)]
struct State {
    reason: Option<CloseReason>,
    waker: Option<Waker>,
}

/// Closes a socket.
#[derive(Clone, Default)]
pub struct Closing(Rc<RefCell<State>>);

impl Closing {
    /// Sends the close frame next and nothing after it.
    pub fn close(&self, reason: CloseReason) {
        let mut state = self.0.borrow_mut();
        state.reason.get_or_insert(reason);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}

/// Wraps the response so that [`Closing`] can end its body.
pub fn closable(response: HttpResponse) -> (HttpResponse, Closing) {
    let closing = Closing::default();
    let signal = closing.clone();
    let response =
        response.map_body(|_, body| BodyStream::new(Closable { body: Some(body), signal }).boxed());
    (response, closing)
}

struct Closable {
    /// `None` after the close frame.
    body: Option<BoxBody>,
    signal: Closing,
}

impl Stream for Closable {
    type Item = Result<Bytes, Box<dyn std::error::Error>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        let mut state = this.signal.0.borrow_mut();
        if let Some(reason) = state.reason.take() {
            drop(state);
            this.body = None;
            // The body yields whole frames, so a close frame may follow.
            return Poll::Ready(Some(Ok(frame(&reason))));
        }
        state.waker = Some(cx.waker().clone());
        drop(state);
        debug_assert_eq!(body.size(), BodySize::Stream);
        Pin::new(body).poll_next(cx)
    }
}

/// A close frame (RFC 6455 §5.5.1): at most 125 bytes of payload, the text not cut within a character.
fn frame(reason: &CloseReason) -> Bytes {
    let text = reason.description.as_deref().unwrap_or_default();
    let text = &text[..text.floor_char_boundary(REASON_MAX)];
    let mut frame = vec![0x88, text.len() as u8 + 2];
    frame.extend(u16::from(reason.code).to_be_bytes());
    frame.extend(text.as_bytes());
    frame.into()
}

#[cfg(test)]
mod tests {
    use actix_ws::CloseCode;

    use super::*;

    #[test]
    fn a_close_frame_keeps_to_its_bound() {
        assert_eq!(&frame(&CloseCode::Away.into())[..], [0x88, 2, 0x03, 0xe9]);
        let long = frame(&(CloseCode::Other(4401), "絆".repeat(100)).into());
        assert_eq!((long.len(), long[1], &long[2..4]), (127, 125, &[0x11, 0x31][..]));
    }
}
