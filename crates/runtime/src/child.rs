//! The actor of one aggregate: load, decide, commit, answer, one message after another.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, AtomicResponse, Context as ActixContext, Handler,
    Message, WrapFuture,
};
use tokio::time::Instant;

use crate::entity::{Aggregate, Entities};
use crate::prepared::Prepared;
use crate::stats::LiveGauge;
use crate::supervisor::Tracked;
use crate::trace::Trace;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::event::{Event, StateAfter, Versioned};
use kernel::failpoint;
use kernel::ids::Id;
use kernel::simulation;
use kernel::simulation::mutant;
use store::idempotency::{FirstAnswer, IDEMPOTENCY_KEYS};
use store::noting::Step;
use store::unit_of_work::{CommitError, UnitOfWork, Write};

/// After this many lost compare-and-sets in a row, a child waits for a random time up to `COMMIT_BACKOFF` before it
/// decides again. It tries until the command's deadline, because most attempts are lost while several nodes change one
/// record.
const LOSSES_AT_ONCE: u32 = 3;
const COMMIT_BACKOFF: Duration = Duration::from_millis(20);
/// How long a child that was removed from the directory still answers messages that were sent before.
const PASSIVATION_GRACE: Duration = Duration::from_millis(250);

type Answer<A> = Result<Arc<<A as Aggregate>::State>, Error>;

/// A command to an aggregate, with its context.
pub(super) struct Execute<A: Aggregate> {
    pub command: A::Command,
    pub prepared: Prepared,
}

impl<A: Aggregate> Message for Execute<A> {
    type Result = Answer<A>;
}

/// Asks for the current state.
pub(super) struct Read<A>(PhantomData<fn() -> A>);

impl<A> Default for Read<A> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<A: Aggregate> Message for Read<A> {
    type Result = Result<Option<Arc<A::State>>, Error>;
}

/// Makes a child finish the messages it has and stop. It is no longer in the directory.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Passivate;

/// Makes a child read its state again before it decides or answers: another aggregate's unit has changed it.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Forget;

enum LoadedState<S> {
    /// Must be read before the next decision.
    Unknown,
    Known(Option<Arc<S>>),
}

/// One aggregate's actor.
pub struct Child<A: Aggregate> {
    id: Id,
    entities: Entities<A>,
    memory: LoadedState<A::State>,
    /// The trace of the current message, for the log line of a crash.
    trace: Trace,
    passivating: bool,
    _live: LiveGauge,
}

impl<A: Aggregate> Child<A> {
    /// `fresh`: the id is new, so there is no row to read.
    pub(super) fn new(id: Id, entities: Entities<A>, live: LiveGauge, fresh: bool) -> Self {
        let memory = if fresh { LoadedState::Known(None) } else { LoadedState::Unknown };
        Self { id, entities, memory, trace: Trace::none(), passivating: false, _live: live }
    }

    /// Moves the state out for one message. If handling it panics, the state stays `Unknown`.
    fn begin(&mut self, trace: &Trace) -> Handling<A> {
        self.trace = trace.clone();
        let memory = std::mem::replace(&mut self.memory, LoadedState::Unknown);
        Handling { id: self.id, entities: self.entities.clone(), memory, has_read: false }
    }

    fn end(&mut self, turn: Handling<A>) {
        (self.memory, self.trace) = (turn.memory, Trace::none());
    }
}

impl<A: Aggregate> Actor for Child<A> {
    type Context = ActixContext<Self>;
}

impl<A: Aggregate> Drop for Child<A> {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.passivating {
            self.trace.in_scope(|| self.entities.on_crash(self.id));
        }
    }
}

impl<A: Aggregate> Handler<Tracked<Execute<A>>> for Child<A> {
    type Result = AtomicResponse<Self, Answer<A>>;

    fn handle(&mut self, message: Tracked<Execute<A>>, _: &mut Self::Context) -> Self::Result {
        let sender = message.trace().clone();
        let Execute { command, prepared } = message.take();
        let trace = sender.of_command(A::KIND, self.id, &prepared.context);
        let mut turn = self.begin(&trace);
        let work = trace.run(async move {
            let answer = turn.execute(&command, &prepared).await;
            (turn, answer)
        });
        AtomicResponse::new(Box::pin(work.into_actor(self).map(|(turn, answer), this, _| {
            this.end(turn);
            answer
        })))
    }
}

impl<A: Aggregate> Handler<Tracked<Read<A>>> for Child<A> {
    type Result = AtomicResponse<Self, Result<Option<Arc<A::State>>, Error>>;

    fn handle(&mut self, message: Tracked<Read<A>>, _: &mut Self::Context) -> Self::Result {
        let trace = message.trace().clone();
        message.take();
        let mut turn = self.begin(&trace);
        let read_stamp = self.entities.read_stamp(self.id);
        let work = trace.run(async move {
            let answer = turn.load().await;
            (turn, answer)
        });
        AtomicResponse::new(Box::pin(work.into_actor(self).map(move |(turn, answer), this, _| {
            if let Ok(Some(state)) = &answer {
                this.entities.remember(this.id, state, read_stamp);
            }
            this.end(turn);
            answer
        })))
    }
}

impl<A: Aggregate> Handler<Passivate> for Child<A> {
    type Result = ();

    fn handle(&mut self, _: Passivate, ctx: &mut Self::Context) {
        self.passivating = true;
        ctx.run_later(PASSIVATION_GRACE, |_, ctx| ctx.stop());
    }
}

impl<A: Aggregate> Handler<Forget> for Child<A> {
    type Result = ();

    fn handle(&mut self, _: Forget, _: &mut Self::Context) {
        self.memory = LoadedState::Unknown;
    }
}

/// The child's state while it handles a message.
struct Handling<A: Aggregate> {
    id: Id,
    entities: Entities<A>,
    memory: LoadedState<A::State>,
    /// Whether this message has read the state from the database.
    has_read: bool,
}

impl<A: Aggregate> Handling<A> {
    async fn load(&mut self) -> Result<Option<Arc<A::State>>, Error> {
        if let LoadedState::Known(state) = &self.memory {
            return Ok(state.clone());
        }
        let state = self.entities.parts().db.row::<A::State>(A::TABLE, self.id).await?.map(Arc::new);
        self.memory = LoadedState::Known(state.clone());
        self.has_read = true;
        Ok(state)
    }

    /// Whether another node may have committed after the state was read and before this message arrived.
    fn may_be_old(&self) -> bool {
        self.entities.parts().shared && !self.has_read && !mutant("old-state-decides")
    }

    /// Decides and commits; decides again if another commit was faster.
    async fn execute(&mut self, command: &A::Command, prepared: &Prepared) -> Answer<A> {
        assert!(!failpoint::fails("entity.execute", |kind| kind == A::KIND), "failpoint entity.execute");
        let context = &prepared.context;
        let give_up = Instant::now() + self.entities.parts().limits.deadline;
        let mut losses = 0;
        loop {
            let state = self.load().await?;
            let version = state.as_deref().map_or(0, Versioned::version);
            let now = self.entities.parts().clock.now();
            let decided = self.decide(state.as_deref(), version, command, context, now);
            // The commit would detect an old state by its comparison, but without an event there is no commit.
            if self.may_be_old() && decided.as_ref().map_or(true, Vec::is_empty) {
                self.memory = LoadedState::Unknown;
                continue;
            }
            let (unit, next) = self.unit(state.as_deref(), version, &decided?, prepared, now);
            if unit.writes.is_empty() {
                return next.map(Arc::new).ok_or_else(|| Error::new(ErrorCode::NotFound));
            }
            let asked = Instant::now();
            match self.entities.parts().journal.commit(unit).await {
                Ok(_) => return self.committed(next, asked),
                // A request with this idempotency key was just committed: the gateway reads its answer.
                Err(CommitError::Stale(table)) if table == IDEMPOTENCY_KEYS.name => {
                    return Err(Error::new(ErrorCode::RequestInFlight));
                }
                Err(error @ CommitError::Conflict { .. }) => return Err(error.into()),
                Err(CommitError::Stale(_)) => {
                    losses += 1;
                    self.look_again(version, losses, give_up).await?;
                }
                Err(CommitError::Duplicate(_)) if A::duplicate() != ErrorCode::Internal => {
                    return Err(Error::new(A::duplicate()));
                }
                Err(error) => {
                    self.memory = LoadedState::Unknown;
                    self.entities.forget(self.id);
                    return Err(error.into());
                }
            }
        }
    }

    fn decide(
        &self,
        state: Option<&A::State>,
        version: i64,
        command: &A::Command,
        context: &Context,
        now: Timestamp,
    ) -> Result<Vec<A::Event>, Error> {
        let events = A::decide(state, command, &context.caller, self.id, now)?;
        // After the decision (RFC 9110 §13.2.1), so that a caller who may not see the record learns nothing about its
        // version.
        context.check_version(version)?;
        Ok(events)
    }

    /// Reads the state again after a commit based on `version` was rejected.
    ///
    /// # Errors
    /// `unavailable` if the version is unchanged: then a row of another condition has changed, and only the sender of
    /// the command can decide again. `overloaded` after the deadline.
    async fn look_again(&mut self, version: i64, losses: u32, give_up: Instant) -> Result<(), Error> {
        if losses > LOSSES_AT_ONCE {
            tokio::time::sleep(commit_backoff()).await;
        }
        self.memory = LoadedState::Unknown;
        let state = self.load().await?;
        if state.as_deref().map_or(0, Versioned::version) == version {
            return Err(Error::unavailable().with_cause("a row changed on which the command depends"));
        }
        if Instant::now() < give_up {
            return Ok(());
        }
        Err(Error::overloaded()
            .with_cause("other nodes changed the record each time before this command did"))
    }

    /// The unit of work of a decision (state row, events, first answer), and the state after it.
    fn unit(
        &self,
        state: Option<&A::State>,
        version: i64,
        events: &[A::Event],
        prepared: &Prepared,
        now: Timestamp,
    ) -> (UnitOfWork, Option<A::State>) {
        let context = &prepared.context;
        let mut unit = UnitOfWork::default();
        let mut next = state.cloned();
        for event in events {
            let after = event.after().clone();
            unit.writes.extend(A::beside(event, self.id));
            if let Some(event) = A::logged(event) {
                unit.events.push(Event::new(event, self.id, after.version(), now, context));
            }
            next = Some(after);
        }
        if let Some(next) = next.as_ref().filter(|_| !events.is_empty()) {
            let write = match A::is_kept(next) {
                true => Write::row(A::TABLE, self.id, A::row(next)),
                false => Write::delete(A::TABLE, self.id),
            };
            unit.writes.push(write.expecting(version));
        }
        if !unit.writes.is_empty() {
            unit.join(prepared.with.clone());
            let after = next.as_ref().map_or(version, Versioned::version);
            unit.writes
                .extend(prepared.noting.iter().map(|noting| noting.write(Step { before: version, after })));
        }
        if let (Some(claim), Some(next), false) = (&context.claim, &next, mutant("no-idempotency-claim")) {
            let answer =
                FirstAnswer::new(claim, A::made(next, self.id), Some(next.version()), A::view(next), now);
            unit.writes.push(answer.write());
        }
        (unit, next)
    }

    fn committed(&mut self, next: Option<A::State>, asked: Instant) -> Answer<A> {
        let next =
            Arc::new(next.ok_or_else(|| Error::internal("a command was committed that leaves no state"))?);
        self.memory = LoadedState::Known(Some(next.clone()));
        self.entities.committed(self.id, &next, asked);
        Ok(next)
    }
}

#[expect(clippy::disallowed_methods, reason = "nodes that lost together must not come back together")]
fn commit_backoff() -> Duration {
    COMMIT_BACKOFF.mul_f64(simulation::fraction().unwrap_or_else(rand::random))
}
