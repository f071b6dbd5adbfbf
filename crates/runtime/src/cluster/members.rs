//! Who lives, as this node knows it.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;

use crate::cluster::node::Node;
use crate::cluster::placement::{Membership, PartitionSet};
use kernel::service_id::ServiceId;
use store::leases::Member;

/// The living nodes; clones share them. Kept true by the lease (`lease.rs`), or for good on a node that is alone.
#[derive(Clone)]
pub struct Members {
    node: Arc<Node>,
    living: Arc<watch::Sender<Arc<Membership>>>,
}

impl Members {
    /// A node that has no others: it is the whole cluster.
    pub fn alone(node: Arc<Node>) -> Self {
        let living = Membership(vec![node.member()]);
        Self { node, living: Arc::new(watch::Sender::new(Arc::new(living))) }
    }

    /// A node of a cluster: it works on nothing until it has its lease.
    pub fn joining(node: Arc<Node>) -> Self {
        Self { node, living: Arc::new(watch::Sender::new(Arc::default())) }
    }

    /// This node.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The API of this node listens here; told once.
    pub fn listens(&self, address: SocketAddr) {
        self.node.listens(address);
        let me = self.node.member();
        let mut living = self.now().0.clone();
        living
            .iter_mut()
            .filter(|member| member.incarnation == me.incarnation)
            .for_each(|member| *member = me.clone());
        self.set(living);
    }

    /// The living nodes now.
    pub fn now(&self) -> Arc<Membership> {
        self.living.borrow().clone()
    }

    /// Told of every change from now on.
    pub fn watch(&self) -> watch::Receiver<Arc<Membership>> {
        self.living.subscribe()
    }

    /// The nodes that host a service, this one among them if it does.
    pub fn hosts(&self, service: ServiceId) -> Vec<Member> {
        self.now().hosting(Some(service)).cloned().collect()
    }

    /// The partitions that this node works on for a service; for none: for what runs everywhere.
    pub fn my_partitions(&self, service: Option<ServiceId>) -> PartitionSet {
        self.now().partitions_of(self.node.incarnation, service)
    }

    /// These live from now on.
    pub(super) fn set(&self, living: Vec<Member>) {
        let living = Membership(living);
        self.living.send_if_modified(|known| {
            let is_new = **known != living;
            if is_new {
                tracing::info!(nodes = ?living.0.iter().map(|member| &member.id).collect::<Vec<_>>(), "the living nodes");
                *known = Arc::new(living);
            }
            is_new
        });
    }
}
