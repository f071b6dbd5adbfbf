//! Reads the node's figures once a minute, for the history of the last hour.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use kernel::clock::Clock;
use runtime::consumer::ConsumerSpec;
use runtime::stats::{ActorStats, ActorStatsRegistry};
use runtime::supervisor::LivenessGuard;
use store::{Db, StoreError, cursors, progress};

use crate::actors::operations::history::{History, HistoryReading, LogSample, STEP_SECONDS, Sample};

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
            parts.recorder.add(parts.without_log());
            loop {
                tokio::time::sleep(Duration::from_secs(STEP_SECONDS)).await;
                stats.step();
                let log = stats.progress().watch(parts.log()).await.ok();
                parts.recorder.add(Sample { log, ..parts.without_log() });
            }
        };
        ctx.spawn(work.into_actor(self));
    }
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
