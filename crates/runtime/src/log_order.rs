//! The whole log in the order of commits, put together from deliveries that come in any order. Pure.
//!
//! Events are numbered through all partitions and nodes, in the order of commits, without a gap. Deliveries of other nodes
//! come later than a node's own, and some never come. What comes after a gap waits here until the gap is filled, by a
//! delivery or from the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::registry::{Batch, Span};
use kernel::event::LoggedEvent;
use kernel::simulation::mutant;

/// A place in the log, and what is known of the log after a gap.
#[derive(Debug, Default)]
pub struct LogOrder {
    position: i64,
    /// By the first number of each span.
    ahead: BTreeMap<i64, Ahead>,
    waiting: usize,
}

#[derive(Debug)]
struct Ahead {
    to: i64,
    events: Vec<Arc<LoggedEvent>>,
}

impl LogOrder {
    /// Begins after the event of this number.
    pub fn after(position: i64) -> Self {
        Self { position, ..Self::default() }
    }

    /// The number up to which all events were returned, or were of no interest.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// Whether something waits behind a gap.
    pub fn has_gap(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// How many events wait behind a gap.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Takes a delivery; returns the events that come next, in order.
    pub fn take(&mut self, batch: &Batch) -> Vec<Arc<LoggedEvent>> {
        for Span { from, to } in batch.spans.iter().copied().filter(|span| span.to > self.position) {
            let known = self.ahead.get(&from).map_or(0, |ahead| ahead.to);
            if known < to {
                let within = |event: &&Arc<LoggedEvent>| {
                    event.log_seq.is_some_and(|number| (from..=to).contains(&number))
                };
                let mut events: Vec<_> = batch.events.iter().filter(within).cloned().collect();
                events.sort_by_key(|event| event.log_seq);
                self.waiting += events.len();
                let shorter = self.ahead.insert(from, Ahead { to, events });
                self.waiting -= shorter.map_or(0, |shorter| shorter.events.len());
            }
        }
        self.next()
    }

    /// The log was read up to `number`; returns the events that waited right behind it.
    pub fn advance(&mut self, number: i64) -> Vec<Arc<LoggedEvent>> {
        self.position = self.position.max(number);
        self.next()
    }

    fn next(&mut self) -> Vec<Arc<LoggedEvent>> {
        let mut next = Vec::new();
        while let Some(first) = self
            .ahead
            .first_entry()
            .filter(|first| *first.key() <= self.position + 1 + i64::from(mutant("live-gap-ignored")))
        {
            let Ahead { to, events } = first.remove();
            self.waiting -= events.len();
            let position = self.position;
            next.extend(events.into_iter().filter(|event| event.log_seq > Some(position)));
            self.position = position.max(to);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Origin;
    use kernel::clock::Timestamp;
    use kernel::context::Context;
    use kernel::event::{DomainEvent, Event, EventType, raw};
    use kernel::ids::new_id;
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    struct Rang;

    impl DomainEvent for Rang {
        fn event_type(&self) -> EventType {
            EventType::new("bell.rang", "/services/bell")
        }

        fn data(&self) -> Box<RawValue> {
            raw(&())
        }
    }

    fn event(number: i64) -> Arc<LoggedEvent> {
        let event = Event::new(&Rang, new_id(), 1, Timestamp::from_micros(0), &Context::system());
        Arc::new(LoggedEvent { partition: 0, partition_seq: number, log_seq: Some(number), event })
    }

    fn batch(numbers: impl IntoIterator<Item = i64>) -> Batch {
        Batch::of(numbers.into_iter().map(event).collect(), Origin::Local)
    }

    fn numbers(events: &[Arc<LoggedEvent>]) -> Vec<i64> {
        events.iter().filter_map(|event| event.log_seq).collect()
    }

    #[test]
    fn what_comes_early_waits_for_what_is_missing() {
        let mut order = LogOrder::after(10);
        assert_eq!(numbers(&order.take(&batch([13, 14]))), [0; 0]);
        assert_eq!((order.position(), order.has_gap(), order.waiting()), (10, true, 2));
        assert_eq!(numbers(&order.take(&batch([16]))), [0; 0]);
        assert_eq!(numbers(&order.take(&batch([11, 12]))), [11, 12, 13, 14]);
        assert_eq!(numbers(&order.advance(15)), [16]);
        assert_eq!((order.position(), order.has_gap(), order.waiting()), (16, false, 0));
    }

    #[test]
    fn what_was_taken_or_read_before_does_not_come_again() {
        let mut order = LogOrder::after(3);
        assert_eq!(numbers(&order.take(&batch([2, 3]))), [0; 0]);
        assert_eq!(numbers(&order.take(&batch([3, 4, 5]))), [4, 5]);
        assert_eq!(numbers(&order.take(&batch([8, 9]))), [0; 0]);
        assert_eq!(numbers(&order.advance(8)), [9], "the log was read into the middle of a commit");
        assert_eq!(numbers(&order.take(&batch([5, 8, 9]))), [0; 0]);
        assert_eq!((order.position(), order.waiting()), (9, 0));
    }

    #[test]
    fn numbers_whose_events_are_of_no_interest_are_no_gap() {
        let mut order = LogOrder::after(0);
        let mut filtered = batch([1, 2, 3]);
        filtered.events.retain(|event| event.log_seq == Some(2));
        assert_eq!(numbers(&order.take(&filtered)), [2]);
        assert_eq!(order.position(), 3);
    }

    proptest! {
        #[test]
        fn any_deliveries_give_every_event_once_and_in_order(
            cuts in prop::collection::vec(1_i64..6, 1..20),
            shuffle in any::<u64>(),
            repeats in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let mut commits = Vec::new();
            let mut last = 0;
            for length in cuts {
                commits.push((last + 1..=last + length).collect::<Vec<_>>());
                last += length;
            }
            for index in repeats {
                commits.push(commits[index.index(commits.len())].clone());
            }
            let mut state = shuffle | 1;
            commits.sort_by_cached_key(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state
            });
            let mut order = LogOrder::after(0);
            let mut seen = Vec::new();
            for commit in commits {
                seen.extend(numbers(&order.take(&batch(commit))));
            }
            prop_assert_eq!(seen, (1..=last).collect::<Vec<_>>());
            prop_assert!(!order.has_gap() && order.waiting() == 0);
        }
    }
}
