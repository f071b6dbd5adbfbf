//! The only writer of a node: commits the waiting units of work together (group commit), and publishes their events in
//! the order of the commits.

mod queue;

use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, ArbiterHandle, AsyncContext, Context, Handler, Message, ResponseFuture, WrapFuture,
};
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::Instant;

use crate::journal::queue::{Queue, Waits};
use crate::registry::{Batch, Origin, Registry};
use crate::spans::{Kind, OpenSpan, SpanContext, Work};
use crate::stats::ActorStats;
use crate::supervisor::{LivenessGuard, Ref, Supervisor, Tracked};
use kernel::simulation::mutant;
use store::Db;
use store::journal::{Outcome, commit};
use store::unit_of_work::{CommitError, UnitOfWork};

/// Bounds of the journal.
#[derive(Clone, Debug)]
pub struct JournalLimits {
    /// The most units of one transaction.
    pub group: usize,
    /// The most units that wait; further ones are refused.
    pub queue: usize,
    /// How long a unit of [`Journal::commit_gathered`] waits for others, unless commits are large without it.
    pub gathering: Duration,
}

impl Default for JournalLimits {
    fn default() -> Self {
        Self { group: 64, queue: 10_000, gathering: Duration::from_millis(5) }
    }
}

/// A commit of so many units that somebody waits for is large: then effects go with the next one, because many units
/// already share each transaction (docs/performance.md).
const LARGE: usize = 4;
/// How long a unit may take from its submission to its commit.
const DEADLINE: Duration = Duration::from_secs(30);

/// Commits units of work; clones use the same writer.
///
/// ```no_run
/// use kizuna_runtime::journal::Journal;
/// use kernel::ids::Id;
/// use store::table::Table;
/// use store::unit_of_work::{CommitError, UnitOfWork, Write};
///
/// /// Replaces a row, unless somebody changed it since version 3 was read.
/// async fn rename(journal: &Journal, table: &'static Table, id: Id) -> Result<(), CommitError> {
///     let row = serde_json::json!({"id": id, "version": 4, "name": "new"});
///     let write = Write::put(table, id, &row).expecting(3);
///     journal.commit(UnitOfWork { writes: vec![write], ..UnitOfWork::default() }).await.map(drop)
/// }
/// ```
#[derive(Clone)]
pub struct Journal(Ref<JournalActor>);

impl Journal {
    pub fn new(actor: Ref<JournalActor>) -> Self {
        Self(actor)
    }

    /// Starts the journal's actor under supervision. Its commits are published to `registry`.
    pub fn start(
        supervisor: &Supervisor,
        arbiter: &ArbiterHandle,
        db: Db,
        registry: Registry,
        limits: JournalLimits,
    ) -> Self {
        Self(supervisor.spawn("journal", arbiter, move |liveness, stats| {
            JournalActor::new(db.clone(), registry.clone(), limits.clone(), liveness, stats)
        }))
    }

    /// Commits `unit` as a whole, or not at all.
    ///
    /// # Errors
    /// See [`CommitError`]; after `Unknown` the caller must drop its state and reload.
    pub async fn commit(&self, unit: UnitOfWork) -> Outcome {
        self.ask(Commit { unit, is_gathered: false }).await
    }

    /// As [`Self::commit`], for what nobody waits for, as an effect without events: it waits a few milliseconds for
    /// others of its kind, so that one transaction serves them all, and no command waits behind each of them.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn commit_gathered(&self, unit: UnitOfWork) -> Outcome {
        self.ask(Commit { unit, is_gathered: true }).await
    }

    async fn ask(&self, commit: Commit) -> Outcome {
        match self.0.ask(commit, DEADLINE).await {
            Ok(outcome) => outcome,
            Err(error) => Err(CommitError::Unknown(error.to_string())),
        }
    }
}

#[derive(Message)]
#[rtype(result = "Outcome")]
struct Commit {
    unit: UnitOfWork,
    is_gathered: bool,
}

struct Waiter {
    unit: UnitOfWork,
    is_gathered: bool,
    answer: oneshot::Sender<Outcome>,
    span: Option<OpenSpan>,
}

impl Waits for Waiter {
    fn unit(&self) -> &UnitOfWork {
        &self.unit
    }
}

/// Collects units while a commit is under way, then commits them together.
pub struct JournalActor {
    db: Db,
    registry: Registry,
    limits: JournalLimits,
    queue: Queue<Waiter>,
    committing: bool,
    /// How many units of the last commit somebody waited for.
    awaited: usize,
    /// Whether a timer runs for units that are gathered.
    waking: bool,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl JournalActor {
    pub fn new(
        db: Db,
        registry: Registry,
        limits: JournalLimits,
        liveness: LivenessGuard,
        stats: Arc<ActorStats>,
    ) -> Self {
        Self {
            db,
            registry,
            limits,
            queue: Queue::default(),
            committing: false,
            awaited: 0,
            waking: false,
            stats,
            _liveness: liveness,
        }
    }

    /// The span of a unit's commit, from its submission on.
    fn span(&self, sender: Option<SpanContext>) -> Option<OpenSpan> {
        let mut span = OpenSpan::child(Kind::Client, sender)?.named(Work::Commit, "COMMIT");
        span.set("db.system.name", self.db.dialect().system());
        span.set("db.operation.name", "COMMIT");
        Some(span)
    }

    /// Starts what is to be done for the units that wait, unless a commit is under way.
    fn look(&mut self, ctx: &mut Context<Self>) {
        if self.committing {
            return;
        }
        match self.queue.wait(Instant::now()) {
            None => {}
            Some(Duration::ZERO) => {
                self.committing = true;
                // After whatever else is ready now, so that the units that are already in the mailbox join this commit. Not a
                // timer: those of tokio wait for the next millisecond.
                ctx.spawn(yield_now().into_actor(self).map(|(), this, ctx| this.commit_next(ctx)));
            }
            Some(_) if self.waking => {}
            Some(wait) => {
                self.waking = true;
                ctx.run_later(wait, |this, ctx| {
                    this.waking = false;
                    this.look(ctx);
                });
            }
        }
    }

    fn commit_next(&mut self, ctx: &mut Context<Self>) {
        let group = self.queue.next_group(self.limits.group, Instant::now());
        if group.is_empty() {
            self.committing = false;
            self.look(ctx);
            return;
        }
        self.awaited = group.iter().filter(|waiter| !waiter.is_gathered).count();
        let (units, waiting): (Vec<_>, Vec<_>) =
            group.into_iter().map(|waiter| (waiter.unit, (waiter.answer, waiter.span))).unzip();
        let (mut answers, spans): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        if mutant("answers-before-commit") {
            answers.drain(..).for_each(|answer: oneshot::Sender<Outcome>| drop(answer.send(Ok(Vec::new()))));
        }
        metrics::counter!("kizuna_journal_commits_total").increment(1);
        metrics::counter!("kizuna_journal_units_total").increment(units.len() as u64);
        metrics::histogram!("kizuna_journal_group_size").record(units.len() as f64);
        // A task of the database's runtime, so that the transaction ends even if this actor dies.
        let db = self.db.clone();
        let task = self.db.runtime().spawn(async move { commit(&db, units).await });
        let registry = self.registry.clone();
        let done = async move {
            let outcomes = task.await;
            // Before anything follows from the commit.
            end_spans(spans, outcomes.as_deref().unwrap_or_default());
            if let Ok(outcomes) = &outcomes {
                let events = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).flatten();
                registry.publish(Batch::of(events.cloned().collect(), Origin::Local)).await;
            }
            for (place, answer) in answers.into_iter().enumerate() {
                let outcome = match &outcomes {
                    Ok(outcomes) => outcomes[place].clone(),
                    Err(_) => Err(CommitError::Unknown("the commit was cut off".into())),
                };
                // The sender may have stopped waiting; the commit is valid anyway.
                let _ = answer.send(outcome);
            }
        };
        let stats = self.stats.clone();
        let done = async move { stats.progress().watch(done).await };
        ctx.spawn(done.into_actor(self).map(|(), this, ctx| this.commit_next(ctx)));
    }
}

/// Makes the commit the parent of what its events lead to. Events that another trace has caused stay with that.
fn stamp(unit: &mut UnitOfWork, span: &mut Option<OpenSpan>) {
    let Some(span) = span else { return };
    let Some(context) = span.context() else { return };
    span.set("kizuna.events", unit.events.len() as i64);
    let traceparent = context.traceparent();
    for event in &mut unit.events {
        let cause = event.traceparent.as_deref().and_then(SpanContext::parse);
        if cause.is_none_or(|cause| cause.trace_id == context.trace_id) {
            event.traceparent = Some(traceparent.clone());
        }
    }
}

/// Ends the spans of units that were committed together; without outcomes the commit was cut off.
fn end_spans(spans: Vec<Option<OpenSpan>>, outcomes: &[Outcome]) {
    let size = spans.len() as i64;
    for (place, span) in spans.into_iter().enumerate() {
        let Some(mut span) = span else { continue };
        span.set("db.operation.batch.size", size);
        let (code, is_fault) = match outcomes.get(place) {
            Some(Ok(_)) => continue,
            Some(Err(CommitError::Stale(_))) => ("stale", false),
            Some(Err(CommitError::Conflict { .. })) => ("conflict", false),
            Some(Err(CommitError::Duplicate(_))) => ("duplicate", false),
            Some(Err(CommitError::Unavailable(_))) => ("unavailable", true),
            Some(Err(CommitError::Refused(_))) => ("refused", true),
            Some(Err(CommitError::Unknown(_))) | None => ("unknown", true),
        };
        span.fail(code, is_fault);
    }
}

impl Actor for JournalActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(self.limits.queue);
    }
}

impl Handler<Tracked<Commit>> for JournalActor {
    type Result = ResponseFuture<Outcome>;

    fn handle(&mut self, message: Tracked<Commit>, ctx: &mut Self::Context) -> Self::Result {
        let mut span = self.span(message.trace().context());
        let Commit { mut unit, is_gathered } = message.take();
        if self.queue.len() >= self.limits.queue {
            self.stats.failed();
            span.into_iter().for_each(|mut span| span.fail("queue_full", true));
            return Box::pin(async { Err(CommitError::Unavailable("the journal's queue is full".into())) });
        }
        let (answer, outcome) = oneshot::channel();
        stamp(&mut unit, &mut span);
        let waiter = Waiter { unit, is_gathered, answer, span };
        if is_gathered {
            let wait = if self.awaited < LARGE { self.limits.gathering } else { Duration::ZERO };
            self.queue.gather(waiter, Instant::now() + wait);
        } else {
            self.queue.push(waiter);
        }
        self.look(ctx);
        Box::pin(async {
            outcome.await.unwrap_or_else(|_| Err(CommitError::Unknown("the journal died".into())))
        })
    }
}
