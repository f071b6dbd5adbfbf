//! Who this node is.

use std::net::SocketAddr;
use std::sync::OnceLock;

use kernel::clock::Timestamp;
use kernel::ids::{Id, new_id};
use kernel::service_id::ServiceId;
use store::leases::Member;

/// This node, as the others and its operators know it.
#[derive(Debug)]
pub struct Node {
    /// Unlike that of every other node; a restart may keep it.
    pub id: String,
    /// Unlike that of every other process.
    pub incarnation: Id,
    pub services: Vec<ServiceId>,
    pub started_at: Timestamp,
    address: OnceLock<SocketAddr>,
}

impl Node {
    /// A node of this name, or of a made one, that hosts these services.
    pub fn new(id: Option<String>, services: &[ServiceId], started_at: Timestamp) -> Self {
        let incarnation = new_id();
        let id = id.unwrap_or_else(|| incarnation.to_string());
        Self { id, incarnation, services: services.to_vec(), started_at, address: OnceLock::new() }
    }

    /// The API listens here; told once.
    pub(super) fn listens(&self, address: SocketAddr) {
        let _ = self.address.set(address);
    }

    /// Whether it hosts this service.
    pub fn hosts(&self, service: ServiceId) -> bool {
        self.services.contains(&service)
    }

    /// As it stands among the members.
    pub fn member(&self) -> Member {
        Member {
            id: self.id.clone(),
            incarnation: self.incarnation,
            address: self.address.get().map(ToString::to_string),
            services: self.services.iter().map(ToString::to_string).collect(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started_at,
        }
    }
}
