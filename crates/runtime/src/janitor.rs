//! Bounds memory and tables: passivates idle children, and deletes expired rows.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context};

use crate::stats::ActorStats;
use crate::supervisor::LivenessGuard;
use futures_util::future::BoxFuture;
use kernel::clock::Clock;
use kernel::clock::Timestamp;
use store::{Db, StoreError};

const SWEEP_EVERY: Duration = Duration::from_secs(5);
const PURGE_EVERY: Duration = Duration::from_secs(300);
/// The most rows of one purge: a long DELETE would delay the journal.
const PURGE_ROWS: i64 = 1_000;

/// Passivates the idle children of a directory.
pub type Sweep = Arc<dyn Fn() + Send + Sync>;

/// Deletes expired rows, at most the given number; returns how many it deleted.
pub type Purge = fn(Db, Timestamp, i64) -> BoxFuture<'static, Result<u64, StoreError>>;

/// Sweeps and purges at intervals.
pub struct JanitorActor {
    db: Db,
    clock: Clock,
    purges: Vec<Purge>,
    sweeps: Vec<Sweep>,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl JanitorActor {
    pub fn new(
        db: Db,
        clock: Clock,
        purges: Vec<Purge>,
        sweeps: Vec<Sweep>,
        liveness: LivenessGuard,
        stats: Arc<ActorStats>,
    ) -> Self {
        Self { db, clock, purges, sweeps, stats, _liveness: liveness }
    }

    fn purge(&self) {
        let (db, now, purges) = (self.db.clone(), self.clock.now(), self.purges.clone());
        self.db.runtime().spawn(async move {
            for purge in purges {
                if let Err(error) = purge(db.clone(), now, PURGE_ROWS).await {
                    tracing::warn!(%error, "purging expired rows failed; the next purge will delete them");
                }
            }
        });
    }
}

impl Actor for JanitorActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(SWEEP_EVERY, |this, _| {
            this.stats.step();
            this.sweeps.iter().for_each(|sweep| sweep());
        });
        ctx.run_interval(PURGE_EVERY, |this, _| this.purge());
    }
}
