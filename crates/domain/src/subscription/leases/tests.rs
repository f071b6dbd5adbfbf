//! The rules of leases, also under any order of what readers and clocks do.

use std::ops::RangeInclusive;

use super::*;
use kernel::ids::new_id;
use proptest::prelude::*;

const PARTITIONS: i64 = 4;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

fn fresh() -> Vec<PartitionState> {
    let key = new_id();
    (0..PARTITIONS).map(|partition| PartitionState::beginning("a", key, partition, 0)).collect()
}

fn heads(counts: [i64; 4]) -> Heads {
    (0..PARTITIONS).zip(counts).collect()
}

fn lease(size: i64, until: i64) -> NewLease {
    NewLease { id: new_id(), until: at(until), size }
}

#[test]
fn a_partition_is_one_reader_s_until_the_lease_expires() {
    let mut states = fresh();
    let heads = heads([5, 0, 3, 0]);
    let numbers = |states: &[PartitionState], now| {
        free(states, &heads, at(now)).iter().map(|state| state.partition).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&states, 0), [0, 2]);
    states[0] = states[0].leased(&lease(1, 30), 2);
    assert_eq!(numbers(&states, 29), [2]);
    assert_eq!(numbers(&states, 30), [2, 0], "it has waited for less long");
}

#[test]
fn an_acknowledged_lease_moves_its_partitions_and_a_lost_one_moves_none() {
    let mut states = fresh();
    let (first, second) = (lease(2, 30), lease(1, 60));
    states[0] = states[0].leased(&first, 2);
    states[2] = states[2].leased(&first, 3);
    let moved = acknowledged(&states, first.id, at(29)).expect("it is held");
    let positions: Vec<_> =
        moved.iter().map(|(before, after)| (before.position, after.position, after.version)).collect();
    assert_eq!(positions, [(0, 2, 3), (0, 3, 3)]);
    assert!(moved.iter().all(|(_, after)| after.lease.is_none()));
    let lost = |states: &[PartitionState], now| {
        acknowledged(states, first.id, at(now)).expect_err("it is lost").code
    };
    assert_eq!(lost(&states, 30), ErrorCode::LeaseLost, "expired");
    states[0] = states[0].leased(&second, 2);
    assert_eq!(lost(&states, 29), ErrorCode::LeaseLost, "a part of it is another reader's");
    assert_eq!(acknowledged(&states, new_id(), at(0)), Ok(Vec::new()), "another lease");
}

#[test]
fn readers_who_ask_together_share_what_is_free() {
    assert_eq!([share(16, 0), share(16, 1), share(16, 3), share(1, 3), share(0, 3)], [16, 16, 6, 1, 0]);
}

#[test]
fn who_got_nothing_looks_again_when_a_lease_ends_or_hides_more() {
    let mut states = fresh();
    assert_eq!(look_again(&states, &heads([0; 4]), at(0)), None);
    states[1] = states[1].leased(&lease(1, 30), 2);
    assert_eq!(look_again(&states, &heads([0, 2, 0, 0]), at(10)), Some(Duration::from_secs(20)));
    assert_eq!(look_again(&states, &heads([0, 3, 0, 0]), at(10)), Some(BEHIND_A_LEASE));
    assert_eq!(look_again(&states, &heads([0, 3, 0, 0]), at(30)), None, "it is free");
}

#[test]
fn a_few_events_of_no_interest_are_not_worth_a_write() {
    let state = &fresh()[0];
    assert_eq!(state.skipped(SKIP_WORTH_STORING - 1), None);
    let skipped = state.skipped(SKIP_WORTH_STORING).expect("worth it");
    assert_eq!((skipped.position, skipped.version), (SKIP_WORTH_STORING, 2));
}

/// The events of a lease, by partition.
type Batch = Vec<(i64, RangeInclusive<i64>)>;

/// What may happen, in any order.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Events are committed to a partition.
    Commit(i64, i64),
    /// A reader asks for so many events.
    Lease(i64),
    /// One of the leases so far is acknowledged.
    Ack(prop::sample::Index),
    /// Seconds pass.
    Pass(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..PARTITIONS, 1_i64..6).prop_map(|(partition, count)| Step::Commit(partition, count)),
        (1_i64..8).prop_map(Step::Lease),
        any::<prop::sample::Index>().prop_map(Step::Ack),
        (1_i64..40).prop_map(Step::Pass),
    ]
}

/// Leases as the service does; returns the events by partition.
fn take(states: &mut [PartitionState], heads: &Heads, now: i64, limit: i64) -> Option<(Id, Batch)> {
    let mut chosen = Vec::new();
    let mut left = limit;
    for state in free(states, heads, at(now)) {
        let upto = heads[&state.partition].min(state.position + left);
        left -= upto - state.position;
        chosen.push((state.partition, upto));
        if left == 0 {
            break;
        }
    }
    let new = lease(chosen.len() as i64, now + 30);
    let mut batch = Vec::new();
    for (partition, upto) in chosen {
        let state = &mut states[partition as usize];
        batch.push((partition, state.position + 1..=upto));
        *state = state.leased(&new, upto);
    }
    (!batch.is_empty()).then_some((new.id, batch))
}

proptest! {
    /// No event is skipped, none is with two readers at once, and what is acknowledged never comes again.
    #[test]
    fn every_event_is_delivered_in_order_whatever_readers_do(steps in prop::collection::vec(step(), 1..80)) {
        let (mut states, mut heads, mut now) = (fresh(), heads([0; 4]), 0);
        let mut leases: Vec<(Id, i64, Batch)> = Vec::new();
        let mut done: Heads = Heads::new();
        for step in steps {
            match step {
                Step::Commit(partition, count) => *heads.entry(partition).or_default() += count,
                Step::Pass(seconds) => now += seconds,
                Step::Lease(limit) => {
                    let Some((id, batch)) = take(&mut states, &heads, now, limit) else { continue };
                    for (partition, events) in &batch {
                        prop_assert_eq!(*events.start(), done.get(partition).copied().unwrap_or(0) + 1);
                        let with_another = leases.iter().any(|(_, until, other)| {
                            *until > now && other.iter().any(|(theirs, _)| theirs == partition)
                        });
                        prop_assert!(!with_another, "two readers have partition {partition}");
                    }
                    leases.push((id, now + 30, batch));
                }
                Step::Ack(index) if !leases.is_empty() => {
                    let (id, until, batch) = leases.remove(index.index(leases.len()));
                    match acknowledged(&states, id, at(now)) {
                        // Other readers have all of it.
                        Ok(moved) if moved.is_empty() => prop_assert!(until <= now),
                        Ok(moved) => {
                            prop_assert!(until > now && moved.len() == batch.len());
                            let moved: Vec<_> = moved.into_iter().map(|(_, after)| after).collect();
                            for after in moved {
                                let place = after.partition as usize;
                                states[place] = after;
                            }
                            for (partition, events) in batch {
                                done.insert(partition, *events.end());
                            }
                        }
                        Err(_) => prop_assert!(until <= now),
                    }
                }
                Step::Ack(_) => {}
            }
        }
        // A reader that stays gets all that is left.
        now += 60;
        while let Some((id, batch)) = take(&mut states, &heads, now, 3) {
            let moved: Vec<_> = acknowledged(&states, id, at(now)).expect("held").into_iter().map(|(_, after)| after).collect();
            for after in moved {
                let place = after.partition as usize;
                states[place] = after;
            }
            for (partition, events) in batch {
                prop_assert_eq!(*events.start(), done.get(&partition).copied().unwrap_or(0) + 1);
                done.insert(partition, *events.end());
            }
        }
        for (partition, head) in heads {
            prop_assert_eq!(done.get(&partition).copied().unwrap_or(0), head);
        }
    }
}
