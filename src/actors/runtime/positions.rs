//! How far a reader of the log has come: one number a slice. What feeds and the live hub share. Pure.

use std::sync::Arc;

use super::cluster::placement::SliceSet;
use super::registry::Batch;
use crate::actors::event::{LoggedEvent, SLICES};

const COUNT: usize = SLICES as usize;

/// The last number of each slice that needs no more looking at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Positions([i64; COUNT]);

/// What a delivery brought.
#[derive(Debug)]
pub struct Taken {
    /// Its events beyond the positions before it, in their order.
    pub fresh: Vec<Arc<LoggedEvent>>,
    /// Numbers are missing before it: the log has them.
    pub gap: bool,
}

impl From<[i64; COUNT]> for Positions {
    fn from(numbers: [i64; COUNT]) -> Self {
        Self(numbers)
    }
}

impl FromIterator<(i64, i64)> for Positions {
    /// From `(slice, number)`; slices that are not named stand at their beginning.
    fn from_iter<I: IntoIterator<Item = (i64, i64)>>(numbers: I) -> Self {
        let mut positions = Self::default();
        numbers.into_iter().for_each(|(slice, number)| positions.advance(slice, number));
        positions
    }
}

impl Positions {
    /// The number of a slice.
    pub fn at(&self, slice: i64) -> i64 {
        self.0[slice as usize]
    }

    /// Goes on to `number`, never back.
    pub fn advance(&mut self, slice: i64, number: i64) {
        let known = &mut self.0[slice as usize];
        *known = (*known).max(number);
    }

    /// `(slice, number)` of every slice.
    pub fn iter(&self) -> impl Iterator<Item = (i64, i64)> {
        (0..SLICES).zip(self.0)
    }

    /// Whether no slice is ahead of `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(mine, theirs)| mine <= theirs)
    }

    /// Takes of a delivery what is of these slices. One with numbers missing before the delivery's stays where it is.
    pub fn take(&mut self, batch: &Batch, slices: SliceSet) -> Taken {
        let before = *self;
        let mut gap = false;
        for range in batch.ranges.iter().filter(|range| slices.contains(range.slice)) {
            if range.from > self.at(range.slice) + 1 {
                gap = true;
            } else {
                self.advance(range.slice, range.to);
            }
        }
        let is_fresh = |event: &&Arc<LoggedEvent>| {
            event.slice_seq > before.at(event.slice) && event.slice_seq <= self.at(event.slice)
        };
        Taken { fresh: batch.events.iter().filter(is_fresh).cloned().collect(), gap }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::runtime::registry::{Origin, Range};

    fn batch(slice: i64, from: i64, to: i64) -> Batch {
        Batch { ranges: [Range { slice, from, to }].into(), events: Vec::new(), origin: Origin::Here }
    }

    #[test]
    fn a_delivery_moves_its_slice_unless_numbers_are_missing_before_it() {
        let mut positions = Positions::default();
        assert!(!positions.take(&batch(3, 1, 4), SliceSet::ALL).gap);
        assert!(positions.take(&batch(3, 6, 7), SliceSet::ALL).gap);
        assert_eq!(positions.at(3), 4);
        assert!(!positions.take(&batch(3, 2, 5), SliceSet::ALL).gap, "what overlaps is no gap");
        assert_eq!(positions.at(3), 5);
    }

    #[test]
    fn what_is_of_another_nodes_slices_is_passed_over() {
        let (mut positions, mine) = (Positions::default(), SliceSet::from_iter([1, 2]));
        assert!(!positions.take(&batch(3, 6, 7), mine).gap);
        assert_eq!(positions.at(3), 0);
        assert!(positions.take(&batch(2, 6, 7), mine).gap);
    }
}
