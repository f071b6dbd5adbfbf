//! Checks the headers of WebSocket frames before actix-ws reads them.
//!
//! The decoder of actix-ws checks a frame's length only when the whole frame has arrived, so it would buffer a frame of
//! any length. It also reports reserved bits as the same "I/O error" as text that is not UTF-8.

use std::cell::Cell;
use std::rc::Rc;

use actix_web::error::PayloadError;
use actix_web::web::{Bytes, Payload};
use actix_web::{FromRequest, HttpRequest};
use actix_ws::CloseCode;
use futures_util::StreamExt;
use futures_util::stream::LocalBoxStream;

/// The largest payload of a frame, and of a message of several frames.
pub const FRAME_MAX: usize = 64 * 1024;
/// RFC 6455 §5.5: the largest payload of a control frame.
const CONTROL_MAX: u64 = 125;
/// Two bytes, eight of length, four of mask.
const HEAD_MAX: usize = 14;

/// Why a frame was rejected; empty before that.
#[derive(Clone, Default)]
pub struct FrameFault(Rc<Cell<Option<u16>>>);

impl FrameFault {
    pub fn code(&self) -> Option<CloseCode> {
        self.0.get().map(CloseCode::from)
    }
}

/// Passes the payload on up to the first frame that is rejected.
pub async fn guard(request: &HttpRequest, payload: Payload) -> (Payload, FrameFault) {
    let fault = FrameFault::default();
    let guarded = guarded(payload, fault.clone());
    let mut inner = actix_web::dev::Payload::Stream { payload: guarded };
    let payload = Payload::from_request(request, &mut inner).await.expect("it takes any payload");
    (payload, fault)
}

fn guarded(payload: Payload, fault: FrameFault) -> LocalBoxStream<'static, Result<Bytes, PayloadError>> {
    let mut heads = Heads::default();
    let passed = payload.scan(false, move |is_over, chunk| {
        if *is_over {
            return std::future::ready(None);
        }
        let passed = chunk.map_err(|error| (error, None)).and_then(|chunk| match heads.take(&chunk) {
            Ok(()) => Ok(chunk),
            Err(code) => Err((PayloadError::EncodingCorrupted, Some(code))),
        });
        *is_over = passed.is_err();
        std::future::ready(Some(passed.map_err(|(error, code)| {
            fault.0.set(code.map(u16::from));
            error
        })))
    });
    passed.boxed_local()
}

/// The position in the stream of frames: the bytes of the current header, or the bytes of payload left.
#[derive(Default)]
pub struct Heads {
    head: [u8; HEAD_MAX],
    known: usize,
    payload: u64,
}

impl Heads {
    /// Reads these bytes of the stream.
    ///
    /// # Errors
    /// The code to close with, as soon as a header is one that no client may send.
    pub fn take(&mut self, mut bytes: &[u8]) -> Result<(), CloseCode> {
        while !bytes.is_empty() {
            if self.payload > 0 {
                let skipped = bytes.len().min(usize::try_from(self.payload).unwrap_or(usize::MAX));
                self.payload -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            self.head[self.known] = bytes[0];
            self.known += 1;
            bytes = &bytes[1..];
            if let Some(payload) = length(&self.head[..self.known])? {
                (self.known, self.payload) = (0, payload);
            }
        }
        Ok(())
    }
}

/// The payload's length, once the header is complete. Fails as soon as the header can't become valid (RFC 6455 §5.2).
fn length(head: &[u8]) -> Result<Option<u64>, CloseCode> {
    let opcode = head[0] & 0x0f;
    let is_control = opcode >= 0x8;
    let has_reserved_bits = head[0] & 0x70 != 0;
    let is_fragment = head[0] & 0x80 == 0;
    if has_reserved_bits || !matches!(opcode, 0x0..=0x2 | 0x8..=0xa) || (is_control && is_fragment) {
        return Err(CloseCode::Protocol);
    }
    let Some(second) = head.get(1) else { return Ok(None) };
    if second & 0x80 == 0 {
        return Err(CloseCode::Protocol);
    }
    let extended = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let Some(number) = head.get(2..2 + extended) else { return Ok(None) };
    let number = number.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let length = if extended == 0 { u64::from(second & 0x7f) } else { number };
    // The top bit of eight bytes must be zero, and the length must have its shortest form.
    let is_minimal = match extended {
        0 => true,
        2 => length > 125,
        _ => length > u64::from(u16::MAX) && length >> 63 == 0,
    };
    if !is_minimal || (is_control && length > CONTROL_MAX) {
        return Err(CloseCode::Protocol);
    }
    if length > FRAME_MAX as u64 {
        return Err(CloseCode::Size);
    }
    Ok((head.len() == 2 + extended + 4).then_some(length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(first: u8, payload: usize) -> Vec<u8> {
        let mut frame = vec![first];
        match payload {
            0..126 => frame.push(0x80 | payload as u8),
            126..65_536 => {
                frame.push(0x80 | 126);
                frame.extend((payload as u16).to_be_bytes());
            }
            _ => {
                frame.push(0x80 | 127);
                frame.extend((payload as u64).to_be_bytes());
            }
        }
        frame.extend([1, 2, 3, 4]);
        frame.extend(std::iter::repeat_n(0xff, payload));
        frame
    }

    fn all(bytes: &[u8]) -> Result<(), CloseCode> {
        Heads::default().take(bytes)
    }

    proptest! {
        #[test]
        fn right_frames_pass_however_the_stream_is_cut(
            payloads in prop::collection::vec(0..FRAME_MAX, 1..5),
            cut in 1..1000_usize,
        ) {
            let bytes: Vec<u8> = payloads.iter().flat_map(|payload| frame(0x81, *payload)).collect();
            let mut heads = Heads::default();
            for part in bytes.chunks(cut) {
                prop_assert_eq!(heads.take(part), Ok(()));
            }
            prop_assert_eq!((heads.known, heads.payload), (0, 0));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = all(&bytes);
        }
    }

    #[test]
    fn what_is_wrong_is_refused_by_the_code_of_rfc_6455() {
        assert_eq!(all(&frame(0x81, FRAME_MAX)), Ok(()));
        for (wrong, code) in [
            (frame(0x81, FRAME_MAX + 1), CloseCode::Size),
            (vec![0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], CloseCode::Size),
            (vec![0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0], CloseCode::Protocol),
            (frame(0x83, 0), CloseCode::Protocol),
            (frame(0xc1, 1), CloseCode::Protocol),
            (frame(0x09, 0), CloseCode::Protocol),
            (frame(0x89, 126), CloseCode::Protocol),
            (vec![0x81, 0x01, b'a'], CloseCode::Protocol),
            (vec![0x81, 0xfe, 0, 1], CloseCode::Protocol),
        ] {
            assert_eq!(all(&wrong), Err(code), "{:x?}", &wrong[..wrong.len().min(10)]);
        }
    }
}
