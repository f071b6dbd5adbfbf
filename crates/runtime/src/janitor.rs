//! Bounds memory and tables: passivates idle children, deletes expired rows, and does what else tables need now and then.

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
const CHORES_EVERY: Duration = Duration::from_secs(300);
/// The most rows that a chore deletes: a long DELETE would delay the journal.
const ROWS_MAX: i64 = 1_000;

/// Passivates the idle children of a directory.
pub type Sweep = Arc<dyn Fn() + Send + Sync>;

/// What a table needs now and then. Deletes expired rows, at most the given number, say; returns how many it changed.
pub type Chore = fn(Db, Timestamp, i64) -> BoxFuture<'static, Result<u64, StoreError>>;

/// Sweeps, and does the chores, at intervals.
pub struct JanitorActor {
    db: Db,
    clock: Clock,
    chores: Vec<Chore>,
    sweeps: Vec<Sweep>,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl JanitorActor {
    pub fn new(
        db: Db,
        clock: Clock,
        chores: Vec<Chore>,
        sweeps: Vec<Sweep>,
        liveness: LivenessGuard,
        stats: Arc<ActorStats>,
    ) -> Self {
        Self { db, clock, chores, sweeps, stats, _liveness: liveness }
    }

    fn do_chores(&self) {
        let (db, now, chores) = (self.db.clone(), self.clock.now(), self.chores.clone());
        self.db.runtime().spawn(async move {
            for chore in chores {
                if let Err(error) = chore(db.clone(), now, ROWS_MAX).await {
                    tracing::warn!(%error, "looking after a table failed; it is tried again in some minutes");
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
        ctx.run_interval(CHORES_EVERY, |this, _| this.do_chores());
    }
}
