//! The living nodes, as this node knows them.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::stream::unfold;

use crate::cluster::clock::ClusterClock;
use crate::cluster::node::Node;
use crate::cluster::placement::{Membership, PartitionSet};
use crate::cluster::watched::{Watched, Watcher};
use kernel::ids::Id;
use kernel::service_id::ServiceId;
use store::leases::Member;

/// The living nodes; clones share them. Updated by `lease.rs`; constant on a single node.
#[derive(Clone)]
pub struct Members {
    node: Arc<Node>,
    clock: ClusterClock,
    living: Watched<Arc<Membership>>,
}

impl Members {
    /// The members of a single node: only itself.
    pub fn alone(node: Arc<Node>) -> Self {
        let living = Membership(vec![node.member()]);
        Self { node, clock: ClusterClock::default(), living: Watched::new(Arc::new(living)) }
    }

    /// The members of a cluster node: none, until the node has its lease.
    pub fn joining(node: Arc<Node>) -> Self {
        Self { node, clock: ClusterClock::default(), living: Watched::new(Arc::default()) }
    }

    /// This node.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The cluster's clock; unknown on a single node, and before this node has read the leases.
    pub fn clock(&self) -> &ClusterClock {
        &self.clock
    }

    /// Sets the address of this node's API; called once.
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

    /// The nodes that are alive now.
    pub fn now(&self) -> Arc<Membership> {
        self.living.get()
    }

    /// A watcher of every change from now on.
    pub fn watch(&self) -> Watcher<Arc<Membership>> {
        self.living.watch()
    }

    /// The living nodes that host a service, this one included.
    pub fn hosts(&self, service: ServiceId) -> Vec<Member> {
        self.now().hosting(Some(service)).cloned().collect()
    }

    /// The partitions that this node works on for a service; `None`: for consumers that every node runs.
    pub fn my_partitions(&self, service: Option<ServiceId>) -> PartitionSet {
        self.now().partitions_of(self.node.incarnation, service)
    }

    /// Replaces the living nodes.
    pub(super) fn set(&self, living: Vec<Member>) {
        let living = Membership(living);
        self.living.modify(|known| {
            let is_new = **known != living;
            if is_new {
                let nodes: Vec<_> = living.0.iter().map(|member| &member.id).collect();
                tracing::info!(?nodes, "cluster membership changed");
                *known = Arc::new(living);
            }
            is_new
        });
    }
}

/// The nodes that host a service, as this node knows them; clones share them.
#[derive(Clone)]
pub struct Hosts {
    members: Members,
    service: ServiceId,
}

impl Hosts {
    pub fn new(members: Members, service: ServiceId) -> Self {
        Self { members, service }
    }

    /// Whether this node hosts the service, with or without a lease, or another living node does.
    pub fn exist(&self) -> bool {
        !self.incarnations().is_empty()
    }

    /// Yields whenever all hosts of the service have been replaced by new ones. A node that was killed and started
    /// again is a new host, even if this node did not notice that it was gone.
    pub fn appearances(&self) -> impl Stream<Item = ()> + use<> {
        let begun = (self.clone(), self.members.watch(), self.incarnations());
        unfold(begun, async |(hosts, mut living, mut before)| {
            loop {
                living.changed().await;
                let now = hosts.incarnations();
                let appeared = !now.is_empty() && !now.iter().any(|host| before.contains(host));
                before = now;
                if appeared {
                    return Some(((), (hosts, living, before)));
                }
            }
        })
    }

    fn incarnations(&self) -> Vec<Id> {
        let node = self.members.node();
        if node.hosts(self.service) {
            // The node counts itself, even without a lease.
            return vec![node.incarnation];
        }
        self.members.now().hosting(Some(self.service)).map(|member| member.incarnation).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::{FutureExt, StreamExt};

    use super::*;
    use kernel::clock::Timestamp;

    fn node(services: &[ServiceId]) -> Node {
        Node::new(None, services, Timestamp::from_micros(0))
    }

    #[test]
    fn a_host_appears_where_none_of_those_before_is_left() {
        let members = Members::joining(Arc::new(node(&[ServiceId("auth")])));
        let hosts = Hosts::new(members.clone(), ServiceId("sales"));
        let [one, other, third] = [(); 3].map(|()| node(&[ServiceId("sales")]).member());
        let stranger = node(&[ServiceId("customer")]).member();
        let mut appearances = pin!(hosts.appearances());
        let mut live = |living: &[&Member]| {
            members.set(living.iter().copied().cloned().collect());
            (hosts.exist(), appearances.next().now_or_never().is_some())
        };
        assert_eq!(live(&[&stranger]), (false, false));
        assert_eq!(live(&[&stranger, &one]), (true, true));
        assert_eq!(live(&[&one, &other]), (true, false), "a second one");
        assert_eq!(live(&[&other]), (true, false), "the first one left");
        assert_eq!(live(&[&third]), (true, true), "one that was started in its place");
        assert_eq!(live(&[&stranger]), (false, false));
        assert_eq!(live(&[&third]), (true, true));
    }

    #[test]
    fn a_node_hosts_its_own_services_before_it_has_its_lease() {
        let members = Members::joining(Arc::new(node(&[ServiceId("auth")])));
        let auth = Hosts::new(members.clone(), ServiceId("auth"));
        let mut appearances = pin!(auth.appearances());
        assert!(auth.exist() && !Hosts::new(members.clone(), ServiceId("sales")).exist());
        members.set(vec![members.node().member()]);
        assert!(appearances.next().now_or_never().is_none(), "it was there before");
    }
}
