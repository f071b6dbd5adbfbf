//! Who this node is.

use std::net::SocketAddr;
use std::sync::OnceLock;

use crate::clock::Timestamp;

/// The services of SPEC §1, as a node hosts them.
pub const SERVICES: [&str; 5] = ["auth", "customer", "sales", "opportunity", "analytics"];

/// This node, as the others and its operators know it.
#[derive(Debug)]
pub struct Node {
    /// Unlike that of every other node.
    pub id: String,
    pub started_at: Timestamp,
    address: OnceLock<SocketAddr>,
}

impl Node {
    pub fn new(id: String, started_at: Timestamp) -> Self {
        Self { id, started_at, address: OnceLock::new() }
    }

    /// The API listens here; told once.
    pub fn listens(&self, address: SocketAddr) {
        let _ = self.address.set(address);
    }

    /// Where the API listens, once it does.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address.get().copied()
    }
}
