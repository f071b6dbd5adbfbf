//! A service: a supervised actor before a desk. Each message becomes a task on the shared desk, so that the
//! service stays responsive; order within one aggregate is its child's business.

use std::sync::Arc;
use std::time::Duration;

use actix::dev::ToEnvelope;
use actix::{Actor, ArbiterHandle, Context, Handler, Message};

use super::supervisor::{Life, Ref, Supervisor, Tracked};
use crate::actors::refusal::Refusal;

/// Messages that may wait for a service's actor; senders of more wait until their deadline.
const MAILBOX: usize = 1_024;

/// The actor before a desk `D`; the macro `serve` gives it its handlers.
pub struct ServiceActor<D> {
    pub(in crate::actors) desk: Arc<D>,
    _life: Life,
}

impl<D: Send + Sync + 'static> Actor for ServiceActor<D> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

/// The way to a service.
pub struct Service<D: Send + Sync + 'static> {
    actor: Ref<ServiceActor<D>>,
    deadline: Duration,
}

impl<D: Send + Sync + 'static> Clone for Service<D> {
    fn clone(&self) -> Self {
        Self { actor: self.actor.clone(), deadline: self.deadline }
    }
}

impl<D: Send + Sync + 'static> Service<D> {
    /// Starts the service's actor and keeps it alive.
    pub fn start(
        supervisor: &Supervisor,
        name: &str,
        arbiter: &ArbiterHandle,
        deadline: Duration,
        desk: Arc<D>,
    ) -> Self {
        let actor =
            supervisor.spawn(name, arbiter, move |life, _| ServiceActor { desk: desk.clone(), _life: life });
        Self { actor, deadline }
    }

    /// Asks the service.
    ///
    /// # Errors
    /// The service's, `unavailable`, `overloaded`.
    pub async fn ask<M, T>(&self, message: M) -> Result<T, Refusal>
    where
        M: Message<Result = Result<T, Refusal>> + Send + 'static,
        T: Send + 'static,
        ServiceActor<D>: Handler<Tracked<M>>,
        <ServiceActor<D> as Actor>::Context: ToEnvelope<ServiceActor<D>, Tracked<M>>,
    {
        self.actor.ask(message, self.deadline).await?
    }
}

/// The messages a desk answers, and how.
macro_rules! serve {
    ($desk:ty, { $($message:ty => |$d:ident, $m:ident| $answer:ty $body:block),* $(,)? }) => {
        $(impl actix::Handler<$crate::actors::runtime::supervisor::Tracked<$message>>
            for $crate::actors::runtime::service::ServiceActor<$desk>
        {
            type Result = actix::ResponseFuture<Result<$answer, $crate::actors::refusal::Refusal>>;

            fn handle(
                &mut self,
                message: $crate::actors::runtime::supervisor::Tracked<$message>,
                _: &mut Self::Context,
            ) -> Self::Result {
                let $m = message.take();
                let $d = self.desk.clone();
                Box::pin(async move { $body })
            }
        })*
    };
}
pub(crate) use serve;
