//! Keeps what grows within its bounds: idle children, expired keys and sessions, login buckets that are full again.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context};

use super::stats::ActorStats;
use super::supervisor::Life;
use crate::clock::Clock;
use crate::persistence::{Db, auth, idempotency, login_buckets};

const SWEEP_EVERY: Duration = Duration::from_secs(5);
const PURGE_EVERY: Duration = Duration::from_secs(300);
/// Rows of one purge: a long delete would hold up the journal.
const PURGE_ROWS: i64 = 1_000;

/// What a sweep does besides: a directory's idle children.
pub type Sweep = Arc<dyn Fn() + Send + Sync>;

/// Sweeps and purges at intervals.
pub struct JanitorActor {
    db: Db,
    clock: Clock,
    kept: Duration,
    sweeps: Vec<Sweep>,
    stats: Arc<ActorStats>,
    _life: Life,
}

impl JanitorActor {
    /// `kept`: how long first answers of idempotency keys are kept.
    pub fn new(
        db: Db,
        clock: Clock,
        kept: Duration,
        sweeps: Vec<Sweep>,
        life: Life,
        stats: Arc<ActorStats>,
    ) -> Self {
        Self { db, clock, kept, sweeps, stats, _life: life }
    }

    fn purge(&self) {
        let (db, now, kept) = (self.db.clone(), self.clock.now(), self.kept);
        self.db.runtime().spawn(async move {
            let before = crate::clock::Timestamp::from_micros(now.micros() - kept.as_micros() as i64);
            let keys = idempotency::purge(&db, before, PURGE_ROWS).await;
            let sessions = auth::purge_sessions(&db, now, PURGE_ROWS).await;
            let buckets = login_buckets::purge(&db, now, PURGE_ROWS).await;
            for error in [keys.err(), sessions.err(), buckets.err()].into_iter().flatten() {
                tracing::warn!(%error, "a purge failed; the next one will catch up");
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
