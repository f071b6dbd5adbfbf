//! What waits in an endpoint's lane: the first delivery of each partition key may be sent, the others wait behind it. Pure.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use domain::webhook::delivery::Delivery;
use kernel::clock::Timestamp;
use kernel::event::{LoggedEvent, PARTITIONS};
use kernel::ids::Id;

/// With so many deliveries in the queue, their events are left in the log until they are sent.
const EVENTS_KEPT: usize = 256;

/// A delivery that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub delivery: Delivery,
    /// Its event, if it is in memory.
    pub event: Option<Arc<LoggedEvent>>,
}

/// When a delivery may be sent; of several, the one that is due for the longest time goes first.
type Due = (Timestamp, i64, i64, Id);

/// The deliveries of a lane that have not ended.
#[derive(Debug, Default)]
pub struct Queue {
    /// By partition key, in the order of the log.
    keys: HashMap<Id, VecDeque<Waiting>>,
    /// The first of each key, unless it is being sent.
    due: BTreeSet<Due>,
    /// The keys whose first is being sent.
    sending: HashSet<Id>,
    waiting: [usize; PARTITIONS as usize],
}

fn due_of(delivery: &Delivery) -> Due {
    let at = delivery.next_try_at.unwrap_or(delivery.created_at);
    (at, delivery.partition, delivery.partition_seq, delivery.partition_key)
}

impl Queue {
    /// How many deliveries of a partition wait.
    pub fn waiting(&self, partition: i64) -> usize {
        self.waiting[partition as usize]
    }

    pub fn len(&self) -> usize {
        self.waiting.iter().sum()
    }

    /// Adds a delivery at its place among those of its key, but behind one that is being sent.
    pub fn push(&mut self, delivery: Delivery, event: Option<Arc<LoggedEvent>>) {
        self.waiting[delivery.partition as usize] += 1;
        let event = event.filter(|_| self.len() <= EVENTS_KEPT);
        let of_key = self.keys.entry(delivery.partition_key).or_default();
        let is_sending = usize::from(self.sending.contains(&delivery.partition_key));
        let place = of_key.partition_point(|it| it.delivery.partition_seq < delivery.partition_seq);
        let place = place.max(is_sending);
        if place == 0 {
            if let Some(first) = of_key.front() {
                self.due.remove(&due_of(&first.delivery));
            }
            self.due.insert(due_of(&delivery));
        }
        of_key.insert(place, Waiting { delivery, event });
    }

    /// Takes a delivery that is due: no other of its key is, until it is put back or done.
    pub fn take(&mut self, now: Timestamp) -> Option<Waiting> {
        let first = *self.due.first().filter(|(at, ..)| *at <= now)?;
        self.due.remove(&first);
        self.sending.insert(first.3);
        self.keys.get(&first.3)?.front().cloned()
    }

    /// When the next delivery is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, ..)| *at)
    }

    /// Puts a delivery that was taken back, as it is now.
    pub fn put_back(&mut self, delivery: Delivery) {
        let Some(first) = self.keys.get_mut(&delivery.partition_key).and_then(VecDeque::front_mut) else {
            return;
        };
        self.sending.remove(&delivery.partition_key);
        self.due.insert(due_of(&delivery));
        first.delivery = delivery;
    }

    /// Removes a delivery that was taken and has ended; the next of its key may be sent.
    pub fn done(&mut self, key: Id) {
        self.sending.remove(&key);
        let Some(of_key) = self.keys.get_mut(&key) else { return };
        if let Some(ended) = of_key.pop_front() {
            self.waiting[ended.delivery.partition as usize] -= 1;
        }
        match of_key.front() {
            Some(next) => {
                self.due.insert(due_of(&next.delivery));
            }
            None => {
                self.keys.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::webhook::delivery::DeliveryState;
    use kernel::ids::new_id;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn delivery(key: Id, seq: i64) -> Delivery {
        Delivery {
            id: new_id(),
            version: 1,
            webhook_id: Id::nil(),
            event_id: new_id(),
            event_type: "customer.created".into(),
            partition_key: key,
            partition: 3,
            partition_seq: seq,
            created_at: at(1),
            state: DeliveryState::Pending,
            tries: 0,
            next_try_at: Some(at(1)),
            ended_at: None,
            tried_at: None,
            took_ms: None,
            signature: None,
            status: None,
            answer: None,
            failure: None,
        }
    }

    #[test]
    fn a_key_goes_in_order_and_a_failing_one_holds_no_other() {
        let (one, other) = (new_id(), new_id());
        let mut queue = Queue::default();
        for (key, seq) in [(one, 1), (one, 2), (other, 3)] {
            queue.push(delivery(key, seq), None);
        }
        assert_eq!((queue.waiting(3), queue.len()), (3, 3));
        let mut taken = || queue.take(at(1)).map(|it| it.delivery);
        let (first, third) = (taken().unwrap(), taken().unwrap());
        assert_eq!((first.partition_seq, third.partition_seq), (1, 3));
        assert_eq!(taken(), None, "the second waits behind the first");
        queue.done(other);
        queue.put_back(Delivery { next_try_at: Some(at(9)), tries: 1, ..first });
        assert_eq!(queue.next_due(), Some(at(9)));
        assert!(queue.take(at(8)).is_none());
        let again = queue.take(at(9)).unwrap().delivery;
        assert_eq!((again.partition_seq, again.tries), (1, 1));
        queue.done(one);
        assert_eq!(queue.take(at(9)).unwrap().delivery.partition_seq, 2);
        queue.done(one);
        for seq in [7, 5, 6] {
            queue.push(delivery(one, seq), None);
        }
        assert_eq!(queue.take(at(1)).unwrap().delivery.partition_seq, 5);
        queue.push(delivery(one, 4), None);
        queue.done(one);
        for seq in [4, 6, 7] {
            assert_eq!(
                queue.take(at(1)).unwrap().delivery.partition_seq,
                seq,
                "what is replayed, in its place"
            );
            queue.done(one);
        }
        assert!(queue.keys.is_empty() && queue.len() == 0 && queue.next_due().is_none());
    }
}
