//! A log reader's position: one sequence number per partition. Used by consumers. Pure.

use std::sync::Arc;

use crate::cluster::placement::PartitionSet;
use crate::registry::Batch;
use kernel::event::{LoggedEvent, PARTITIONS};
use kernel::simulation::mutant;

const COUNT: usize = PARTITIONS as usize;

/// The last sequence number per partition that was processed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Positions([i64; COUNT]);

/// The part of a delivery that was not taken before.
#[derive(Debug)]
pub struct NewEvents {
    /// Its events after the previous positions, in order.
    pub fresh: Vec<Arc<LoggedEvent>>,
    /// Whether sequence numbers are missing before it. Those events are in the log.
    pub gap: bool,
}

impl From<[i64; COUNT]> for Positions {
    fn from(numbers: [i64; COUNT]) -> Self {
        Self(numbers)
    }
}

impl FromIterator<(i64, i64)> for Positions {
    /// From `(partition, number)`; partitions that are not named are at 0.
    fn from_iter<I: IntoIterator<Item = (i64, i64)>>(numbers: I) -> Self {
        let mut positions = Self::default();
        numbers.into_iter().for_each(|(partition, number)| positions.advance(partition, number));
        positions
    }
}

impl Positions {
    /// The sequence number of a partition.
    pub fn at(&self, partition: i64) -> i64 {
        self.0[partition as usize]
    }

    /// Advances a partition to `number`; a smaller number changes nothing.
    pub fn advance(&mut self, partition: i64, number: i64) {
        let known = &mut self.0[partition as usize];
        *known = (*known).max(number);
    }

    /// `(partition, number)` of every partition.
    pub fn iter(&self) -> impl Iterator<Item = (i64, i64)> {
        (0..PARTITIONS).zip(self.0)
    }

    /// Takes the events of these partitions from a delivery. A partition with missing sequence numbers does not advance.
    pub fn take(&mut self, batch: &Batch, partitions: PartitionSet) -> NewEvents {
        let before = *self;
        let mut gap = false;
        for range in batch.ranges.iter().filter(|range| partitions.contains(range.partition)) {
            if range.from > self.at(range.partition) + 1 && !mutant("gap-ignored") {
                gap = true;
            } else {
                self.advance(range.partition, range.to);
            }
        }
        let is_fresh = |event: &&Arc<LoggedEvent>| {
            event.partition_seq > before.at(event.partition)
                && event.partition_seq <= self.at(event.partition)
        };
        NewEvents { fresh: batch.events.iter().filter(is_fresh).cloned().collect(), gap }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Range;

    fn batch(partition: i64, from: i64, to: i64) -> Batch {
        Batch { ranges: [Range { partition, from, to }].into(), ..Batch::default() }
    }

    #[test]
    fn a_delivery_moves_its_slice_unless_numbers_are_missing_before_it() {
        let mut positions = Positions::default();
        assert!(!positions.take(&batch(3, 1, 4), PartitionSet::ALL).gap);
        assert!(positions.take(&batch(3, 6, 7), PartitionSet::ALL).gap);
        assert_eq!(positions.at(3), 4);
        assert!(!positions.take(&batch(3, 2, 5), PartitionSet::ALL).gap, "what overlaps is no gap");
        assert_eq!(positions.at(3), 5);
    }

    #[test]
    fn what_is_of_another_nodes_slices_is_passed_over() {
        let (mut positions, mine) = (Positions::default(), PartitionSet::from_iter([1, 2]));
        assert!(!positions.take(&batch(3, 6, 7), mine).gap);
        assert_eq!(positions.at(3), 0);
        assert!(positions.take(&batch(2, 6, 7), mine).gap);
    }
}
