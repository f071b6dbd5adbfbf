//! Consumers: each event takes effect once in each, in order per record, and positions pass only what took effect.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use kernel::event::EventType;

use crate::database::server::Changed;
use crate::invariants::log::{Log, Logged};
use crate::ledger::consumers::CONSUMERS;
use crate::model::{Held, broken};

/// What took effect.
#[derive(Default)]
pub struct Effects(BTreeMap<&'static str, OfConsumer>);

#[derive(Default)]
struct OfConsumer {
    applied: HashSet<String>,
    /// By record: the last version that took effect.
    last: HashMap<String, i64>,
    parked: BTreeSet<String>,
    positions: BTreeMap<i64, i64>,
}

fn types(consumer: &str) -> Option<(&'static str, &'static [EventType])> {
    CONSUMERS.into_iter().find(|(name, _)| *name == consumer)
}

fn is_of(types: &[EventType], event: &Logged) -> bool {
    types.iter().any(|known| known.name() == event.kind)
}

impl Effects {
    pub fn commit(&mut self, changed: &[Changed], log: &Log) -> Held {
        let mut released = Vec::new();
        let mut applied: Vec<&Changed> = Vec::new();
        for change in changed {
            match change.table {
                "parked_events" => {
                    let (consumer, event) = (change.text("consumer"), change.text("event_id"));
                    let Some((name, _)) = types(&consumer) else { continue };
                    let of = self.0.entry(name).or_default();
                    if change.after.is_none() {
                        of.parked.remove(&event);
                        released.push((name, event));
                    } else {
                        of.parked.insert(event);
                    }
                }
                "effects" => applied.push(change),
                _ => {}
            }
        }
        applied.sort_by_key(|change| (change.text("subject"), change.int("sequence")));
        for change in applied {
            self.applied(change, log)?;
        }
        for (name, event) in released {
            if !self.0.entry(name).or_default().applied.contains(&event) {
                return broken("a parked event is released with its effect", format!("{name}: {event}"));
            }
        }
        for change in changed.iter().filter(|change| change.table == "consumer_cursors") {
            self.moved(change, log)?;
        }
        Ok(())
    }

    fn applied(&mut self, change: &Changed, log: &Log) -> Held {
        let (consumer, event) = (change.text("consumer"), change.text("event_id"));
        let Some((name, types)) = types(&consumer) else { return Ok(()) };
        let of = self.0.entry(name).or_default();
        if change.int("count") != 1 || !of.applied.insert(event.clone()) {
            let what = format!("{name}: {event}, {} times", change.int("count"));
            return broken("an event takes effect once in a consumer", what);
        }
        let (subject, sequence) = (change.text("subject"), change.int("sequence"));
        let events = log.records.get(&subject).map_or(&[][..], Vec::as_slice);
        let mut wanted = events.iter().map(|place| &log.events[*place]).filter(|event| is_of(types, event));
        let last = of.last.insert(subject.clone(), sequence).unwrap_or(0);
        let next = wanted.find(|event| event.sequence > last).map(|event| event.sequence);
        if next == Some(sequence) {
            return Ok(());
        }
        let what = format!("{name}: version {sequence} of {subject} after {last}, not {next:?}");
        broken("events take effect in the order of their record", what)
    }

    fn moved(&mut self, change: &Changed, log: &Log) -> Held {
        let consumer = change.text("consumer");
        let Some((name, types)) = types(&consumer) else { return Ok(()) };
        let of = self.0.entry(name).or_default();
        let (partition, position) = (change.int("slice"), change.int("position"));
        let before = of.positions.insert(partition, position).unwrap_or(0);
        let events = log.partitions.get(&partition).map_or(&[][..], Vec::as_slice);
        if position < before || position > events.len() as i64 {
            let what = format!("{name}: from {before} to {position} of {} in {partition}", events.len());
            return broken("positions go forward, and not beyond the log", what);
        }
        let passed = &events[before as usize..position as usize];
        let missed = passed.iter().map(|place| &log.events[*place]).find(|event| {
            is_of(types, event) && !of.applied.contains(&event.id) && !of.parked.contains(&event.id)
        });
        match missed {
            None => Ok(()),
            Some(event) => {
                let what = format!("{name}: {} {} in {partition}", event.kind, event.partition_seq);
                broken("positions pass only what took effect", what)
            }
        }
    }

    /// What must be true when all is over: each event took effect.
    pub fn finish(&self, log: &Log) -> Held {
        for (name, types) in CONSUMERS {
            let due = log.events.iter().filter(|event| is_of(types, event));
            let nothing = OfConsumer::default();
            let of = self.0.get(name).unwrap_or(&nothing);
            for event in due {
                if !of.applied.contains(&event.id) {
                    let what =
                        format!("{name}: {} {} in {}", event.kind, event.partition_seq, event.partition);
                    return broken("every event takes effect in every consumer", what);
                }
            }
        }
        Ok(())
    }
}
