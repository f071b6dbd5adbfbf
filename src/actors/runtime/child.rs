//! The actor of one aggregate: load, decide, commit, answer, one message after another.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, AtomicResponse, Context as ActixContext, Handler,
    Message, WrapFuture,
};

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

/// How often a child decides again after losing to another node before it gives up.
const ATTEMPTS: usize = 5;
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
        Desk { id: self.id, entities: self.entities.clone(), memory }
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
        let work = async move {
            let answer = desk.load().await;
            (desk, answer)
        };
        AtomicResponse::new(Box::pin(work.into_actor(self).map(|(desk, answer), this, _| {
            if let Ok(Some(state)) = &answer {
                this.entities.remember(this.id, state);
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
}

impl<A: Aggregate> Desk<A> {
    async fn load(&mut self) -> Result<Option<Arc<A::State>>, Refusal> {
        if let Memory::Known(state) = &self.memory {
            return Ok(state.clone());
        }
        let state = self.entities.parts().db.row::<A::State>(A::table(), self.id).await?.map(Arc::new);
        self.memory = Memory::Known(state.clone());
        Ok(state)
    }

    /// Decides and commits; decides again when somebody else was faster.
    async fn execute(&mut self, command: &A::Command, context: &Context) -> Answer<A> {
        for _ in 0..ATTEMPTS {
            let state = self.load().await?;
            let now = self.entities.parts().clock.now();
            let events = A::decide(state.as_deref(), command, &context.caller, self.id, now)?;
            let version = state.as_deref().map_or(0, A::version);
            // After the decision (RFC 9110 §13.2.1): who may not see a record learns nothing of its version.
            context.check_version(version)?;
            let (unit, next) = self.unit(state.as_deref(), version, &events, context, now);
            if unit.writes.is_empty() {
                return next.map(Arc::new).ok_or_else(|| Refusal::new(Code::NotFound));
            }
            match self.entities.parts().journal.commit(unit).await {
                Ok(_) => return self.committed(next),
                // The same key, committed a moment ago: the gateway reads that first answer.
                Err(Rejection::Stale(table)) if table == IDEMPOTENCY_KEYS.name => {
                    return Err(Refusal::new(Code::RequestInFlight));
                }
                Err(Rejection::Taken(ids)) => return Err(Refusal::duplicate(ids)),
                Err(Rejection::Stale(_)) => self.memory = Memory::Unknown,
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
        Err(Refusal::overloaded())
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

    fn committed(&mut self, next: Option<A::State>) -> Answer<A> {
        let next = Arc::new(next.ok_or_else(|| Refusal::new(Code::Internal))?);
        self.memory = Memory::Known(Some(next.clone()));
        self.entities.committed(self.id, &next);
        Ok(next)
    }
}
