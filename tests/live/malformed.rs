//! Invalid frames: the close codes of RFC 6455, and a server that keeps running.

use crate::wire::{Wire, frame};
use testing::live_client::Client;
use testing::{Sqlite, Team, TestApp};

/// The bytes that are sent, and the code of the close frame.
fn cases() -> Vec<(&'static str, Vec<u8>, u16)> {
    let join = |parts: &[Vec<u8>]| parts.concat();
    vec![
        ("a bad opcode", frame(0x83, b"a"), 1002),
        ("a bad control opcode", frame(0x8b, b""), 1002),
        ("reserved bits", frame(0xc1, b"a"), 1002),
        ("an unmasked frame", vec![0x81, 0x01, b'a'], 1002),
        ("a fragmented control frame", frame(0x09, b""), 1002),
        ("a long control frame", frame(0x89, &[b'a'; 126]), 1002),
        ("a continuation of nothing", frame(0x80, b"a"), 1002),
        ("a message within another", join(&[frame(0x01, b"a"), frame(0x81, b"b")]), 1002),
        ("a length in a longer form than it needs", vec![0x81, 0xfe, 0, 1, 0, 0, 0, 0, b'a'], 1002),
        ("a length with its top bit", [&[0x81, 0xff, 0x80][..], &[0; 7]].concat(), 1002),
        ("a close frame of one byte", frame(0x88, &[3]), 1002),
        ("a close frame with a code that is never sent", frame(0x88, &1005_u16.to_be_bytes()), 1002),
        ("text that is no UTF-8", frame(0x81, &[0xff, 0xfe]), 1007),
        ("fragments that are none together", join(&[frame(0x01, &[0xe7]), frame(0x80, &[0xff])]), 1007),
        ("an oversized frame", frame(0x81, &[b'a'; 64 * 1024 + 1]), 1009),
        ("a frame that says it is huge", [&[0x82, 0xff, 0, 0, 1, 0][..], &[0; 4]].concat(), 1009),
        ("fragments that are too much", join(&[frame(0x01, b"a"), frame(0, &[b'a'; 64 * 1024])]), 1009),
        ("binary", frame(0x82, b"a"), 1003),
        ("a close frame", frame(0x88, &4000_u16.to_be_bytes()), 4000),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_malformed_frame_closes_its_socket_with_its_code_and_harms_nobody() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let mut other = Client::of(&manager).await;
    for (what, bytes, code) in cases() {
        let mut wire = Wire::signed_in(&sales).await;
        wire.send(&bytes).await;
        assert_eq!(wire.close_code().await, Some(code), "{what}");
    }
    sales.customer("絆商事").await;
    other.next("notification").await;
    app.nobody().get("/readyz").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn frames_cut_anywhere_and_pings_between_fragments_are_right() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, .. } = Team::of(&app).await;
    let mut wire = Wire::signed_in(&sales).await;
    let text = br#"{"type":"nonsense","of":"\u7d46"}"#;
    let parts = [frame(0x01, &text[..9]), frame(0x89, b"still there?"), frame(0x80, &text[9..])].concat();
    for byte in parts {
        wire.send(&[byte]).await;
    }
    let pong = wire.next().await.expect("a pong");
    assert_eq!((pong.opcode, &pong.payload[..]), (10, &b"still there?"[..]));
    let error = wire.next().await.expect("an error");
    assert!(String::from_utf8(error.payload).expect("text").contains("invalid_frame"));
}
