//! Reads the node's figures once a minute, for the history of the last hour.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use kernel::clock::{Clock, Timestamp};
use runtime::consumer::ConsumerSpec;
use runtime::stats::{ActorStats, ActorStatsRegistry};
use runtime::supervisor::LivenessGuard;
use store::{Db, StoreError, cursors, progress};

use crate::actors::operations::history::{History, HistoryReading, LogSample, STEP_SECONDS, Sample};

const STEP: Duration = Duration::from_secs(STEP_SECONDS);
/// How often the clock is read: a minute is at most so much longer than another.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The history of the node; clones share it. It outlives the actor that writes it.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<History>>);

impl Recorder {
    fn add(&self, sample: Sample) {
        self.0.lock().expect("no panic under this lock").add(sample);
    }

    pub fn read(&self) -> HistoryReading {
        self.0.lock().expect("no panic under this lock").read()
    }
}

/// What the sampler reads, and where it keeps it.
#[derive(Clone)]
pub struct SamplerParts {
    pub db: Db,
    pub clock: Clock,
    pub actor_stats: ActorStatsRegistry,
    pub consumers: Vec<ConsumerSpec>,
    pub recorder: Recorder,
}

/// Takes a sample at its start and every minute.
pub struct SamplerActor {
    parts: SamplerParts,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl SamplerActor {
    pub fn new(parts: SamplerParts, liveness: LivenessGuard, stats: Arc<ActorStats>) -> Self {
        Self { parts, stats, _liveness: liveness }
    }
}

impl Actor for SamplerActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (parts, stats) = (self.parts.clone(), self.stats.clone());
        let work = async move {
            // The actors' counters begin at the start; the database has other things to do then.
            let first = parts.without_log();
            let mut due = next(first.at, first.at);
            parts.recorder.add(first);
            loop {
                let now = parts.clock.now();
                if !is_due(due, now) {
                    tokio::time::sleep(LOOK_EVERY).await;
                    continue;
                }
                due = next(due, now);
                stats.step();
                let log = stats.progress().watch(parts.log()).await.ok();
                parts.recorder.add(Sample { log, ..parts.without_log() });
            }
        };
        ctx.spawn(work.into_actor(self));
    }
}

/// Whether a minute is over. A clock that was set back by more than a minute does not stop the history.
fn is_due(due: Timestamp, now: Timestamp) -> bool {
    now >= due || now.plus(STEP) < due
}

/// When the minute after `due` ends. Minutes that were missed are not made up for.
fn next(due: Timestamp, now: Timestamp) -> Timestamp {
    let regular = due.plus(STEP);
    if now < regular && regular <= now.plus(STEP) { regular } else { now.plus(STEP) }
}

impl SamplerParts {
    fn without_log(&self) -> Sample {
        Sample { at: self.clock.now(), actors: self.actor_stats.read(), log: None }
    }

    async fn log(&self) -> Result<LogSample, StoreError> {
        let events = progress::events(&self.db).await?;
        let mut pending = Vec::with_capacity(self.consumers.len());
        for ConsumerSpec { name, types, .. } in &self.consumers {
            pending.push((*name, cursors::lag(&self.db, name, types).await?));
        }
        Ok(LogSample { events, pending })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros((1_000_000 + second) * 1_000_000)
    }

    #[test]
    fn a_minute_ends_on_the_minute_also_when_the_clock_was_read_late() {
        assert!(!is_due(at(60), at(59)) && is_due(at(60), at(60)) && is_due(at(60), at(61)));
        assert_eq!(next(at(60), at(61)), at(120));
        assert_eq!(next(at(60), at(60)), at(120));
    }

    #[test]
    fn missed_minutes_are_not_made_up_for() {
        assert_eq!(next(at(60), at(600)), at(660));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_stop_the_history() {
        assert!(!is_due(at(60), at(0)), "the minute has just begun");
        assert!(is_due(at(60), at(-3_600)));
        assert_eq!(next(at(60), at(-3_600)), at(-3_540));
    }
}
