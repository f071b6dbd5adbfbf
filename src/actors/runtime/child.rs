//! The actor of one aggregate: load, decide, commit, answer, one message after another.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, AtomicResponse, Context as ActixContext, Handler,
    Message, WrapFuture,
};
use tokio::time::Instant;

use super::entity::{Aggregate, Entities};
use super::stats::Living;
use super::supervisor::Tracked;
use crate::actors::context::Context;
use crate::actors::event::Event;
use crate::actors::refusal::{Code, Refusal};
use crate::clock::Timestamp;
use crate::ids::Id;
use crate::persistence::idempotency::IDEMPOTENCY_KEYS;
use crate::persistence::unit::{Rejection, Unit, Write};

/// Losses to other nodes after which a child lets them go first, and for how long at most. It goes on until the
/// command's deadline: where several nodes change one record all the time, most attempts are lost.
const LOSSES_AT_ONCE: u32 = 3;
const LET_GO_FIRST: Duration = Duration::from_millis(20);
/// How long a child that was taken out of the directory still answers messages already under way.
const FAREWELL: Duration = Duration::from_millis(250);

type Answer<A> = Result<Arc<<A as Aggregate>::State>, Refusal>;

/// A command with what it carries.
pub(super) struct Do<A: Aggregate> {
    pub command: A::Command,
    pub context: Context,
}

impl<A: Aggregate> Message for Do<A> {
    type Result = Answer<A>;
}

/// The state as it is.
pub(super) struct Get<A>(PhantomData<fn() -> A>);

impl<A> Default for Get<A> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<A: Aggregate> Message for Get<A> {
    type Result = Result<Option<Arc<A::State>>, Refusal>;
}

/// Finish what you have and stop: you are out of the directory.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Leave;

enum Memory<S> {
    /// To be read before the next decision.
    Unknown,
    Known(Option<Arc<S>>),
}

/// One aggregate's actor.
pub struct Child<A: Aggregate> {
    id: Id,
    entities: Entities<A>,
    memory: Memory<A::State>,
    leaving: bool,
    _living: Living,
}

impl<A: Aggregate> Child<A> {
    /// `fresh`: the id was just made, there is no row to look for.
    pub(super) fn new(id: Id, entities: Entities<A>, living: Living, fresh: bool) -> Self {
        let memory = if fresh { Memory::Known(None) } else { Memory::Unknown };
        Self { id, entities, memory, leaving: false, _living: living }
    }

    /// Takes the memory out for one message; what a message that dies leaves behind is `Unknown`.
    fn desk(&mut self) -> Desk<A> {
        let memory = std::mem::replace(&mut self.memory, Memory::Unknown);
        Desk { id: self.id, entities: self.entities.clone(), memory, has_read: false }
    }
}

impl<A: Aggregate> Actor for Child<A> {
    type Context = ActixContext<Self>;
}

impl<A: Aggregate> Drop for Child<A> {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.leaving {
            self.entities.bury(self.id);
        }
    }
}

impl<A: Aggregate> Handler<Tracked<Do<A>>> for Child<A> {
    type Result = AtomicResponse<Self, Answer<A>>;

    fn handle(&mut self, message: Tracked<Do<A>>, _: &mut Self::Context) -> Self::Result {
        let Do { command, context } = message.take();
        let mut desk = self.desk();
        let work = async move {
            let answer = desk.execute(&command, &context).await;
            (desk, answer)
        };
        AtomicResponse::new(Box::pin(work.into_actor(self).map(|(desk, answer), this, _| {
            this.memory = desk.memory;
            answer
        })))
    }
}

impl<A: Aggregate> Handler<Tracked<Get<A>>> for Child<A> {
    type Result = AtomicResponse<Self, Result<Option<Arc<A::State>>, Refusal>>;

    fn handle(&mut self, message: Tracked<Get<A>>, _: &mut Self::Context) -> Self::Result {
        message.take();
        let mut desk = self.desk();
        let ticket = self.entities.ticket(self.id);
        let work = async move {
            let answer = desk.load().await;
            (desk, answer)
        };
        AtomicResponse::new(Box::pin(work.into_actor(self).map(move |(desk, answer), this, _| {
            if let Ok(Some(state)) = &answer {
                this.entities.remember(this.id, state, ticket);
            }
            this.memory = desk.memory;
            answer
        })))
    }
}

impl<A: Aggregate> Handler<Leave> for Child<A> {
    type Result = ();

    fn handle(&mut self, _: Leave, ctx: &mut Self::Context) {
        self.leaving = true;
        ctx.run_later(FAREWELL, |_, ctx| ctx.stop());
    }
}

/// The child's state while a message is worked on.
struct Desk<A: Aggregate> {
    id: Id,
    entities: Entities<A>,
    memory: Memory<A::State>,
    /// Whether this very message has read the memory.
    has_read: bool,
}

impl<A: Aggregate> Desk<A> {
    async fn load(&mut self) -> Result<Option<Arc<A::State>>, Refusal> {
        if let Memory::Known(state) = &self.memory {
            return Ok(state.clone());
        }
        let state = self.entities.parts().db.row::<A::State>(A::table(), self.id).await?.map(Arc::new);
        self.memory = Memory::Known(state.clone());
        self.has_read = true;
        Ok(state)
    }

    /// Whether another node may have committed since the memory was read, and before this message came.
    fn may_be_old(&self) -> bool {
        self.entities.parts().shared && !self.has_read
    }

    /// Decides and commits; decides again when somebody else was faster.
    async fn execute(&mut self, command: &A::Command, context: &Context) -> Answer<A> {
        let give_up = Instant::now() + self.entities.parts().limits.deadline;
        let mut losses = 0;
        loop {
            let state = self.load().await?;
            let version = state.as_deref().map_or(0, A::version);
            let now = self.entities.parts().clock.now();
            let decided = self.decide(state.as_deref(), version, command, context, now);
            // The commit's comparison finds out that a memory is old; here there will be none.
            if self.may_be_old() && decided.as_ref().map_or(true, Vec::is_empty) {
                self.memory = Memory::Unknown;
                continue;
            }
            let (unit, next) = self.unit(state.as_deref(), version, &decided?, context, now);
            if unit.writes.is_empty() {
                return next.map(Arc::new).ok_or_else(|| Refusal::new(Code::NotFound));
            }
            let asked = Instant::now();
            match self.entities.parts().journal.commit(unit).await {
                Ok(_) => return self.committed(next, asked),
                // The same key, committed a moment ago: the gateway reads that first answer.
                Err(Rejection::Stale(table)) if table == IDEMPOTENCY_KEYS.name => {
                    return Err(Refusal::new(Code::RequestInFlight));
                }
                Err(Rejection::Taken(ids)) => return Err(Refusal::duplicate(ids)),
                Err(Rejection::Stale(_)) => {
                    losses += 1;
                    self.look_again(version, losses, give_up).await?;
                }
                Err(Rejection::Duplicate(_)) if A::duplicate() != Code::Internal => {
                    return Err(Refusal::new(A::duplicate()));
                }
                Err(rejection) => {
                    self.memory = Memory::Unknown;
                    self.entities.forget(self.id);
                    return Err(rejection.into());
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
    ) -> Result<Vec<A::Event>, Refusal> {
        let events = A::decide(state, command, &context.caller, self.id, now)?;
        // After the decision (RFC 9110 §13.2.1): who may not see a record learns nothing of its version.
        context.check_version(version)?;
        Ok(events)
    }

    /// Reads what the aggregate has become since `version`, which lost.
    ///
    /// # Errors
    /// `unavailable` if it is still that: so a row has changed that came as a condition, and only who set it can
    /// decide anew. `overloaded` when it is time to give up.
    async fn look_again(&mut self, version: i64, losses: u32, give_up: Instant) -> Result<(), Refusal> {
        if losses > LOSSES_AT_ONCE {
            tokio::time::sleep(let_go_first()).await;
        }
        self.memory = Memory::Unknown;
        let state = self.load().await?;
        if state.as_deref().map_or(0, A::version) == version {
            return Err(Refusal::unavailable());
        }
        if Instant::now() < give_up { Ok(()) } else { Err(Refusal::overloaded()) }
    }

    /// State row, events and first answer of a decision, and the state after it.
    fn unit(
        &self,
        state: Option<&A::State>,
        version: i64,
        events: &[A::Event],
        context: &Context,
        now: Timestamp,
    ) -> (Unit, Option<A::State>) {
        let mut unit = Unit::default();
        let mut next = state.cloned();
        for event in events {
            let after = A::apply(next, event);
            if let Some(event) = A::logged(event) {
                unit.events.push(Event::new(event, self.id, A::version(&after), now, context));
            }
            next = Some(after);
        }
        if let Some(next) = next.as_ref().filter(|_| !events.is_empty()) {
            let row = A::row(next);
            unit.writes.push(Write::row(A::table(), self.id, row).expecting(version));
        }
        if !unit.writes.is_empty() {
            unit.join(context.with.clone());
        }
        if let (Some(claim), Some(next)) = (&context.claim, &next) {
            let answer = claim.answer(self.id, Some(A::version(next)), A::view(next), now);
            unit.writes.push(answer.write());
        }
        (unit, next)
    }

    fn committed(&mut self, next: Option<A::State>, asked: Instant) -> Answer<A> {
        let next = Arc::new(next.ok_or_else(|| Refusal::new(Code::Internal))?);
        self.memory = Memory::Known(Some(next.clone()));
        self.entities.committed(self.id, &next, asked);
        Ok(next)
    }
}

#[expect(clippy::disallowed_methods, reason = "nodes that lost together must not come back together")]
fn let_go_first() -> Duration {
    LET_GO_FIRST.mul_f64(rand::random())
}
