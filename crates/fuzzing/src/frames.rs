//! What a WebSocket client sends: the bytes before they are frames, and the texts within.

use kizuna::actors::live::frames::ClientFrame;
use kizuna::http::live::gate::{FRAME_MAX, Heads};
use kizuna::http::live::params::bounded;
use std::io::Cursor;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;

/// The gate lets the same bytes pass however they arrive, and none that hold a header which no client may send.
pub fn socket_bytes(input: &[u8]) {
    let whole = Heads::default().take(input);
    for size in [1, 2, 7] {
        let mut heads = Heads::default();
        let parts = input.chunks(size).try_for_each(|part| heads.take(part));
        assert_eq!(parts, whole, "in parts of {size} bytes");
    }
    if whole.is_ok() {
        let mut stream = Cursor::new(input);
        while let Ok(Some((head, length))) = FrameHeader::parse(&mut stream) {
            assert!(head.mask.is_some(), "a frame without a mask passed");
            assert!(length <= FRAME_MAX as u64, "a frame of {length} bytes passed");
            assert!(!(head.rsv1 || head.rsv2 || head.rsv3), "reserved bits passed");
            let next = stream.position().saturating_add(length);
            stream.set_position(next);
        }
    }
}

/// A text is a frame of the protocol or none; a cursor within is cut to its longest form.
pub fn socket_text(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match serde_json::from_str::<ClientFrame>(text) {
        Ok(ClientFrame::Resume { cursor }) => assert!(bounded(&cursor).len() <= cursor.len()),
        Ok(ClientFrame::Subscribe { topics }) => {
            assert!(topics.len() <= text.len(), "more topics than bytes");
        }
        Ok(ClientFrame::Auth { .. }) | Err(_) => {}
    }
}
