//! What this node did in the last hour, minute by minute. Pure; kept in memory, so that it begins with the node's start.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use utoipa::ToSchema;

use kernel::clock::Timestamp;
use runtime::stats::ActorReading;

/// Seconds between two samples.
pub const STEP_SECONDS: u64 = 60;
/// The minutes that are kept.
const MINUTES: usize = 60;

/// What was read at one moment.
#[derive(Clone, Debug)]
pub struct Sample {
    pub at: Timestamp,
    pub actors: Vec<ActorReading>,
    /// What the database said; `None` at the start, and while it does not answer.
    pub log: Option<LogSample>,
}

/// The log at one moment.
#[derive(Clone, Debug)]
pub struct LogSample {
    pub events: i64,
    /// How many events each consumer has not taken yet.
    pub pending: Vec<(&'static str, i64)>,
}

/// The samples of the last hour.
#[derive(Clone, Debug, Default)]
pub struct History(VecDeque<Sample>);

/// The last hour of this node: one value for each whole minute since its start, the newest last.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct HistoryReading {
    pub step_seconds: u64,
    /// When the last minute ended; null in the first minute.
    #[schema(required)]
    pub until: Option<Timestamp>,
    /// Events of the whole log; null where the database did not answer.
    pub events: Vec<Option<i64>>,
    pub actors: Vec<ActorCourse>,
    pub consumers: Vec<ConsumerCourse>,
}

/// An actor's last hour.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ActorCourse {
    #[schema(example = "journal")]
    pub name: String,
    /// Messages handled in each minute.
    pub handled: Vec<u64>,
    /// Messages without an answer in each minute.
    pub failed: Vec<u64>,
    /// How often it was started again in each minute.
    pub restarts: Vec<u64>,
}

/// A consumer's last hour.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConsumerCourse {
    #[schema(example = "analytics.metrics")]
    pub name: &'static str,
    /// Its lag at the end of each minute, in events; null where the database did not answer.
    pub pending: Vec<Option<i64>>,
}

impl History {
    /// Adds a sample; the oldest goes when there are more than an hour's.
    pub fn add(&mut self, sample: Sample) {
        self.0.push_back(sample);
        while self.0.len() > MINUTES + 1 {
            self.0.pop_front();
        }
    }

    /// The values of each minute between two samples.
    pub fn read(&self) -> HistoryReading {
        let until = if self.0.len() > 1 { self.0.back().map(|sample| sample.at) } else { None };
        let steps = || self.0.iter().zip(self.0.iter().skip(1));
        let events =
            steps().map(|(before, after)| Some(after.log.as_ref()?.events - before.log.as_ref()?.events));
        HistoryReading {
            step_seconds: STEP_SECONDS,
            until,
            events: events.collect(),
            actors: self.actors(),
            consumers: self.consumers(),
        }
    }

    fn actors(&self) -> Vec<ActorCourse> {
        let mut courses: BTreeMap<&str, ActorCourse> = BTreeMap::new();
        let mut last: BTreeMap<&str, &ActorReading> = BTreeMap::new();
        for (minute, sample) in self.0.iter().enumerate() {
            for now in &sample.actors {
                // An actor's counters begin with zero at its first start.
                let grown = |value: fn(&ActorReading) -> u64| {
                    value(now).saturating_sub(last.get(now.name.as_str()).map_or(0, |before| value(before)))
                };
                let course = courses.entry(&now.name).or_insert_with(|| ActorCourse {
                    name: now.name.clone(),
                    handled: vec![0; minute.saturating_sub(1)],
                    failed: vec![0; minute.saturating_sub(1)],
                    restarts: vec![0; minute.saturating_sub(1)],
                });
                if minute > 0 {
                    course.handled.push(grown(|it| it.handled));
                    course.failed.push(grown(|it| it.failed));
                    course.restarts.push(grown(|it| it.restarts));
                }
                last.insert(&now.name, now);
            }
        }
        courses.into_values().collect()
    }

    fn consumers(&self) -> Vec<ConsumerCourse> {
        let names = self.0.iter().rev().find_map(|sample| sample.log.as_ref());
        let course = |(name, _): &(&'static str, i64)| {
            let pending = |sample: &Sample| {
                let known = &sample.log.as_ref()?.pending;
                known.iter().find(|(other, _)| other == name).map(|(_, pending)| *pending)
            };
            ConsumerCourse { name, pending: self.0.iter().skip(1).map(pending).collect() }
        };
        names.map(|log| log.pending.iter().map(course).collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(name: &str, handled: u64) -> ActorReading {
        ActorReading { name: name.into(), mailbox: 0, handled, failed: handled / 10, restarts: 0, live: 1 }
    }

    fn sample(minute: i64, actors: Vec<ActorReading>, log: Option<(i64, i64)>) -> Sample {
        let log = log.map(|(events, lag)| LogSample { events, pending: vec![("sales.customers", lag)] });
        Sample { at: Timestamp::from_micros(minute * 60_000_000), actors, log }
    }

    #[test]
    fn a_minute_is_the_difference_of_two_samples() {
        let mut history = History::default();
        assert_eq!(history.read().until, None);
        history.add(sample(0, vec![actor("journal", 10)], Some((5, 0))));
        assert_eq!(history.read().events, [], "no minute yet");
        history.add(sample(1, vec![actor("journal", 30)], Some((9, 2))));
        history.add(sample(2, vec![actor("journal", 30), actor("sales.task", 7)], None));
        history.add(sample(3, vec![actor("journal", 31), actor("sales.task", 8)], Some((12, 1))));
        let reading = history.read();
        assert_eq!(reading.until, Some(Timestamp::from_micros(180_000_000)));
        assert_eq!(reading.events, [Some(4), None, None], "unknown beside a gap");
        let handled: Vec<_> = reading.actors.iter().map(|it| (it.name.as_str(), &it.handled[..])).collect();
        assert_eq!(handled, [("journal", &[20, 0, 1][..]), ("sales.task", &[0, 7, 1][..])]);
        assert_eq!(reading.actors[0].failed, [2, 0, 0]);
        assert_eq!(reading.consumers[0].pending, [Some(2), None, Some(1)]);
    }

    #[test]
    fn no_more_than_an_hour_is_kept() {
        let mut history = History::default();
        for minute in 0..200 {
            history.add(sample(minute, vec![actor("journal", minute as u64)], Some((minute, 0))));
        }
        let reading = history.read();
        assert_eq!((reading.events.len(), reading.actors[0].handled.len()), (60, 60));
        assert!(reading.actors[0].handled.iter().all(|handled| *handled == 1));
    }
}
