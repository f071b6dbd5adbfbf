//! Who works on a slice of the log: rendezvous hashing, so that a node that comes or goes moves only the slices that
//! are its own. Pure. The compare-and-set of the cursors makes a double assignment harmless; this only saves work.

use sha2::{Digest, Sha256};

use crate::actors::event::SLICES;
use crate::actors::service_name::ServiceName;
use crate::ids::Id;
use crate::persistence::nodes::Member;

/// Some of the slices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SliceSet(u16);

const _: () = assert!(SLICES == u16::BITS as i64, "a bit a slice");

impl SliceSet {
    pub const ALL: Self = Self(u16::MAX);

    pub fn contains(self, slice: i64) -> bool {
        (0..SLICES).contains(&slice) && self.0 & (1 << slice) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The slices, in order.
    pub fn iter(self) -> impl Iterator<Item = i64> {
        (0..SLICES).filter(move |slice| self.contains(*slice))
    }
}

impl FromIterator<i64> for SliceSet {
    fn from_iter<I: IntoIterator<Item = i64>>(slices: I) -> Self {
        Self(slices.into_iter().fold(0, |set, slice| set | 1 << slice))
    }
}

/// The living nodes at one moment, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership(pub Vec<Member>);

impl Membership {
    /// The nodes that host this service; all of them for none.
    pub fn hosting(&self, service: Option<ServiceName>) -> impl Iterator<Item = &Member> {
        self.0.iter().filter(move |member| service.is_none_or(|service| member.services.contains(&service)))
    }

    /// Which of them works on a slice; nobody while none lives.
    pub fn owner(&self, service: Option<ServiceName>, slice: i64) -> Option<&Member> {
        self.hosting(service).max_by_key(|member| weight(&member.id, slice))
    }

    /// The slices that a process works on for a service.
    pub fn slices_of(&self, incarnation: Id, service: Option<ServiceName>) -> SliceSet {
        let is_mine =
            |slice: &i64| self.owner(service, *slice).is_some_and(|owner| owner.incarnation == incarnation);
        (0..SLICES).filter(is_mine).collect()
    }
}

/// How much a node is for a slice: the same on every node. By name, so that a restart gets back what it had.
fn weight(id: &str, slice: i64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(slice.to_be_bytes());
    hash.update(id);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::ids::new_id;
    use proptest::prelude::*;

    fn member(id: String, services: &[ServiceName]) -> Member {
        Member {
            id,
            incarnation: new_id(),
            address: None,
            services: services.to_vec(),
            version: String::new(),
            started_at: Timestamp::from_micros(0),
        }
    }

    fn of(count: usize) -> Membership {
        Membership((0..count).map(|n| member(format!("node-{n}"), &ServiceName::ALL)).collect())
    }

    #[test]
    fn each_slice_has_one_owner_and_each_of_three_nodes_some_slices() {
        let three = of(3);
        let sets = three.0.iter().map(|member| three.slices_of(member.incarnation, None));
        let counts: Vec<usize> = sets.map(|set| set.iter().count()).collect();
        assert_eq!(counts.iter().sum::<usize>() as i64, SLICES);
        assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    }

    #[test]
    fn only_hosts_of_a_service_work_for_it() {
        let sales = member("a".into(), &[ServiceName::Sales]);
        let auth = member("b".into(), &[ServiceName::Auth]);
        let both = Membership(vec![sales.clone(), auth.clone()]);
        assert_eq!(both.slices_of(sales.incarnation, Some(ServiceName::Sales)), SliceSet::ALL);
        assert!(both.slices_of(auth.incarnation, Some(ServiceName::Sales)).is_empty());
        assert_eq!(both.owner(Some(ServiceName::Analytics), 3), None);
    }

    proptest! {
        #[test]
        fn who_leaves_moves_no_slice_but_its_own(count in 1_usize..12, gone in 0_usize..12) {
            let (before, gone) = (of(count + 1), gone % (count + 1));
            let mut after = before.clone();
            let left = after.0.remove(gone);
            for slice in 0..SLICES {
                let owner = before.owner(None, slice).expect("somebody lives");
                if owner.id != left.id {
                    prop_assert_eq!(after.owner(None, slice), Some(owner));
                }
            }
        }
    }
}
