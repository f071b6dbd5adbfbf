//! The scheduler: jobs that run at the occurrences of their schedules, each occurrence once on any number of nodes
//! (SPEC §8.5).
//!
//! An occurrence is claimed by a compare-and-set of the schedule's row, and only the claimer runs the job. If
//! occurrences were missed while no node ran, one run makes up for all of them. A run that fails, or dies with its
//! node, is not repeated: the job does the rest at its next occurrence.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use futures_util::future::BoxFuture;

use crate::journal::Journal;
use crate::schedule::Schedule;
use crate::stats::ActorStats;
use crate::supervisor::LivenessGuard;
use kernel::clock::Clock;
use kernel::error::Error;
use kernel::simulation::mutant;
use store::schedules;
use store::schedules::LastOccurrence;
use store::unit_of_work::{CommitError, UnitOfWork};
use store::{Db, StoreError};

/// How often the clock is read; a schedule can't be finer.
const POLL: Duration = Duration::from_millis(200);
/// How often it is read while the database is away.
const POLL_AWAY: Duration = Duration::from_secs(2);

/// The work of a job at each occurrence.
pub type Work = Arc<dyn Fn() -> BoxFuture<'static, Result<(), Error>> + Send + Sync>;

/// Work that is repeated by a schedule.
#[derive(Clone)]
pub struct Job {
    /// `service.purpose`: the key of its row.
    pub name: &'static str,
    pub schedule: Schedule,
    pub work: Work,
}

/// The parts of a node that jobs use.
#[derive(Clone)]
pub struct SchedulerParts {
    pub db: Db,
    pub journal: Journal,
    pub clock: Clock,
}

/// Runs jobs. After a restart it continues from the stored occurrences.
pub struct SchedulerActor {
    parts: SchedulerParts,
    jobs: Vec<Job>,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl SchedulerActor {
    pub fn new(
        parts: SchedulerParts,
        jobs: Vec<Job>,
        liveness: LivenessGuard,
        stats: Arc<ActorStats>,
    ) -> Self {
        Self { parts, jobs, stats, _liveness: liveness }
    }
}

impl Actor for SchedulerActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        // A loop per job: jobs do not wait for each other, and runs of one job do not overlap.
        for job in &self.jobs {
            let timer = Timer::new(self.parts.clone(), job.clone(), self.stats.clone());
            ctx.spawn(run(timer).into_actor(self));
        }
    }
}

async fn run(mut timer: Timer) {
    loop {
        let stats = timer.stats.clone();
        let rest = match stats.progress().watch(timer.run_once()).await {
            Ok(_) => POLL,
            Err(error) => {
                tracing::warn!(job = timer.job.name, %error, "can't read or claim a schedule; trying again");
                POLL_AWAY
            }
        };
        tokio::time::sleep(rest).await;
    }
}

/// One job's schedule on this node.
pub struct Timer {
    parts: SchedulerParts,
    job: Job,
    stats: Arc<ActorStats>,
    /// The stored occurrence as last read; `None` if it may have changed.
    last: Option<LastOccurrence>,
}

impl Timer {
    pub fn new(parts: SchedulerParts, job: Job, stats: Arc<ActorStats>) -> Self {
        Self { parts, job, stats, last: None }
    }

    /// Runs the job if an occurrence is due and not claimed; returns whether it ran.
    ///
    /// # Errors
    /// When the database does not answer; then the job did not run.
    pub async fn run_once(&mut self) -> Result<bool, StoreError> {
        let now = self.parts.clock.now();
        let last = match self.last.take() {
            Some(last) => last,
            // A new schedule begins with its next occurrence, not with a past one.
            None => schedules::load(&self.parts.db, self.job.name, now).await?,
        };
        let Some(occurrence) = self.job.schedule.due(last.last_occurrence, now) else {
            self.last = Some(last);
            return Ok(false);
        };
        let claim = UnitOfWork { writes: vec![last.claim(occurrence)], ..UnitOfWork::default() };
        match self.parts.journal.commit(claim).await {
            Ok(_) => {}
            // Another node claimed it; the next read shows which occurrence.
            Err(CommitError::Stale(_)) if !mutant("schedule-without-claim") => return Ok(false),
            Err(CommitError::Stale(_)) => {}
            Err(why) => return Err(StoreError::Unavailable(why.to_string())),
        }
        self.stats.step();
        tracing::debug!(job = self.job.name, %occurrence, "a job starts");
        if let Err(error) = (self.job.work)().await {
            self.stats.failed();
            tracing::warn!(job = self.job.name, %occurrence, %error, "a job failed; its next run does the rest");
        }
        Ok(true)
    }
}
