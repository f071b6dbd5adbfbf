//! The identity of this node.

use std::net::SocketAddr;
use std::sync::OnceLock;

use kernel::clock::Timestamp;
use kernel::ids::{Id, new_id};
use kernel::service_id::ServiceId;
use store::leases::Member;

/// This node, as other nodes and operators see it.
#[derive(Debug)]
pub struct Node {
    /// The node's id, unique in the cluster; the same after a restart if it was given by a flag.
    pub id: String,
    /// The process's id: another one after each start.
    pub incarnation: Id,
    pub services: Vec<ServiceId>,
    pub started_at: Timestamp,
    address: OnceLock<SocketAddr>,
}

impl Node {
    /// A node with this id, or a generated one, that hosts these services.
    pub fn new(id: Option<String>, services: &[ServiceId], started_at: Timestamp) -> Self {
        let incarnation = new_id();
        let id = id.unwrap_or_else(|| incarnation.to_string());
        Self { id, incarnation, services: services.to_vec(), started_at, address: OnceLock::new() }
    }

    /// Sets the address of the API; called once.
    pub(super) fn listens(&self, address: SocketAddr) {
        let _ = self.address.set(address);
    }

    /// Whether it hosts this service.
    pub fn hosts(&self, service: ServiceId) -> bool {
        self.services.contains(&service)
    }

    /// The node as an entry of the members.
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
