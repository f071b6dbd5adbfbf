//! Who this node is.

use std::net::SocketAddr;
use std::sync::OnceLock;

use crate::actors::service_name::ServiceName;
use crate::clock::Timestamp;
use crate::ids::{Id, new_id};
use crate::persistence::nodes::Member;

/// This node, as the others and its operators know it.
#[derive(Debug)]
pub struct Node {
    /// Unlike that of every other node; a restart may keep it.
    pub id: String,
    /// Unlike that of every other process.
    pub incarnation: Id,
    pub services: Vec<ServiceName>,
    pub started_at: Timestamp,
    address: OnceLock<SocketAddr>,
}

impl Node {
    /// A node of this name, or of a made one, that hosts these services.
    pub fn new(id: Option<String>, services: &[ServiceName], started_at: Timestamp) -> Self {
        let incarnation = new_id();
        let id = id.unwrap_or_else(|| incarnation.to_string());
        Self { id, incarnation, services: services.to_vec(), started_at, address: OnceLock::new() }
    }

    /// The API listens here; told once.
    pub(super) fn listens(&self, address: SocketAddr) {
        let _ = self.address.set(address);
    }

    /// Whether it hosts this service.
    pub fn hosts(&self, service: ServiceName) -> bool {
        self.services.contains(&service)
    }

    /// As it stands among the members.
    pub fn member(&self) -> Member {
        Member {
            id: self.id.clone(),
            incarnation: self.incarnation,
            address: self.address.get().map(ToString::to_string),
            services: self.services.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started_at,
        }
    }
}
