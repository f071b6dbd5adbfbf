//! Ports for servers that must be found again at the same address after a restart.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the range of outgoing connections, one of which could take a port while its server is down.
const RANGE: std::ops::Range<u32> = 18_000..32_000;

/// A port of 127.0.0.1 that nobody has at this moment, and that is given out once in this process.
///
/// # Panics
/// When all are taken.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Test processes that run at the same time begin at different places.
    let begin = std::process::id().wrapping_mul(97);
    let width = RANGE.end - RANGE.start;
    for _ in 0..width {
        let offset = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % width;
        let port = u16::try_from(RANGE.start + offset).expect("a port");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port in {RANGE:?}")
}
