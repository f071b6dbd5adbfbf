//! Which node works on a partition of the log, by rendezvous hashing: a node that joins or leaves moves only its own
//! partitions. Pure. Two nodes on one partition do no harm, because cursors move by compare-and-set; the placement only
//! saves work.

use sha2::{Digest, Sha256};

use kernel::event::PARTITIONS;
use kernel::ids::Id;
use kernel::service_id::ServiceId;
use store::leases::Member;

/// A set of partitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionSet(u16);

const _: () = assert!(PARTITIONS == u16::BITS as i64, "one bit for each partition");

impl PartitionSet {
    pub const ALL: Self = Self(u16::MAX);

    pub fn contains(self, partition: i64) -> bool {
        (0..PARTITIONS).contains(&partition) && self.0 & (1 << partition) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The partitions, in order.
    pub fn iter(self) -> impl Iterator<Item = i64> {
        (0..PARTITIONS).filter(move |partition| self.contains(*partition))
    }
}

impl FromIterator<i64> for PartitionSet {
    fn from_iter<I: IntoIterator<Item = i64>>(partitions: I) -> Self {
        Self(partitions.into_iter().fold(0, |set, partition| set | 1 << partition))
    }
}

/// The living nodes at one time, in the order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership(pub Vec<Member>);

impl Membership {
    /// The nodes that host this service; all nodes for `None`.
    pub fn hosting(&self, service: Option<ServiceId>) -> impl Iterator<Item = &Member> {
        self.0.iter().filter(move |member| {
            service.is_none_or(|service| member.services.iter().any(|hosted| hosted == service.0))
        })
    }

    /// The node that works on a partition; `None` if no node is alive.
    pub fn owner(&self, service: Option<ServiceId>, partition: i64) -> Option<&Member> {
        self.hosting(service).max_by_key(|member| weight(&member.id, partition))
    }

    /// The partitions that a process works on for a service.
    pub fn partitions_of(&self, incarnation: Id, service: Option<ServiceId>) -> PartitionSet {
        let is_mine = |partition: &i64| {
            self.owner(service, *partition).is_some_and(|owner| owner.incarnation == incarnation)
        };
        (0..PARTITIONS).filter(is_mine).collect()
    }
}

/// The weight of a node for a partition. It depends on the node's id alone, so that every node computes the same and a
/// restarted node gets its partitions back.
fn weight(id: &str, partition: i64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(partition.to_be_bytes());
    hash.update(id);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::clock::Timestamp;
    use kernel::ids::new_id;
    use proptest::prelude::*;

    const SALES: ServiceId = ServiceId("sales");
    const AUTH: ServiceId = ServiceId("auth");

    fn member(id: String, services: &[ServiceId]) -> Member {
        Member {
            id,
            incarnation: new_id(),
            address: None,
            services: services.iter().map(ToString::to_string).collect(),
            version: String::new(),
            started_at: Timestamp::from_micros(0),
        }
    }

    fn of(count: usize) -> Membership {
        Membership((0..count).map(|n| member(format!("node-{n}"), &[SALES, AUTH])).collect())
    }

    #[test]
    fn each_partition_has_one_owner_and_each_of_three_nodes_owns_some() {
        let three = of(3);
        let sets = three.0.iter().map(|member| three.partitions_of(member.incarnation, None));
        let counts: Vec<usize> = sets.map(|set| set.iter().count()).collect();
        assert_eq!(counts.iter().sum::<usize>() as i64, PARTITIONS);
        assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    }

    #[test]
    fn only_hosts_of_a_service_work_for_it() {
        let sales = member("a".into(), &[SALES]);
        let auth = member("b".into(), &[AUTH]);
        let both = Membership(vec![sales.clone(), auth.clone()]);
        assert_eq!(both.partitions_of(sales.incarnation, Some(SALES)), PartitionSet::ALL);
        assert!(both.partitions_of(auth.incarnation, Some(SALES)).is_empty());
        assert_eq!(both.owner(Some(ServiceId("analytics")), 3), None);
    }

    proptest! {
        #[test]
        fn who_leaves_moves_no_slice_but_its_own(count in 1_usize..12, gone in 0_usize..12) {
            let (before, gone) = (of(count + 1), gone % (count + 1));
            let mut after = before.clone();
            let left = after.0.remove(gone);
            for partition in 0..PARTITIONS {
                let owner = before.owner(None, partition).expect("somebody lives");
                if owner.id != left.id {
                    prop_assert_eq!(after.owner(None, partition), Some(owner));
                }
            }
        }
    }
}
