//! Why a WebSocket is closed, and the code that tells its client (SPEC §6, RFC 6455 §7.4.1).

use actix_ws::{CloseCode, CloseReason, ProtocolError};
use std::io::ErrorKind;

use crate::actors::live::Ended;

/// SPEC §6: the session has ended, or the client did not sign in.
pub const SIGNED_OUT: u16 = 4401;
/// RFC 6455's registry: try again later.
pub const TRY_AGAIN: u16 = 1013;

/// Why a socket is closed.
pub enum Close {
    /// At once, before the frames that wait to be sent.
    With(CloseCode, &'static str),
    /// After the error frame is sent.
    After(CloseCode, &'static str),
    /// The client has closed.
    Answer(Option<CloseReason>),
    /// The connection is lost.
    Gone,
}

impl From<Ended> for Close {
    fn from(why: Ended) -> Self {
        match why {
            Ended::SessionEnded => Self::With(CloseCode::Other(SIGNED_OUT), "session ended"),
            Ended::TooSlow => Self::With(CloseCode::Other(TRY_AGAIN), "too slow: resume by cursor"),
            Ended::Lost => Self::With(CloseCode::Other(TRY_AGAIN), "resume by cursor"),
            Ended::Stopping => Self::With(CloseCode::Away, "the server stops"),
        }
    }
}

/// The close code for invalid bytes: what the gate found, or else what the decoder reports.
pub fn code_of(found: Option<CloseCode>, error: &ProtocolError) -> CloseCode {
    match (found, error) {
        (Some(code), _) => code,
        (None, ProtocolError::Io(error)) if error.kind() == ErrorKind::InvalidData => CloseCode::Invalid,
        // actix-ws reports a message whose fragments together are too long this way.
        (None, ProtocolError::Io(_) | ProtocolError::Overflow) => CloseCode::Size,
        (None, _) => CloseCode::Protocol,
    }
}
