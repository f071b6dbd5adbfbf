//! A service: a supervised actor before a desk. Each message becomes a task on the shared desk, so that the
//! service stays responsive; order within one aggregate is its child's business.
//!
//! The sagas and the operations run on every node and are [`Local`]. The five services of SPEC §1 stand where
//! `--services` says: who holds a [`Service`] asks it without seeing where it is.

use std::sync::Arc;
use std::time::Duration;

use actix::dev::ToEnvelope;
use actix::{Actor, ArbiterHandle, Handler, Message};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::remote::caller::Remote;
use super::supervisor::{Life, Ref, Supervisor, Tracked};
use crate::actors::context::Context;
use crate::actors::refusal::Refusal;
use crate::actors::service_name::ServiceName;

/// Messages that may wait for a service's actor; senders of more wait until their deadline.
const MAILBOX: usize = 1_024;

/// The actor before a desk `D`; the macro `serve` gives it its handlers.
pub struct ServiceActor<D> {
    pub(in crate::actors) desk: Arc<D>,
    _life: Life,
}

impl<D: Send + Sync + 'static> Actor for ServiceActor<D> {
    type Context = actix::Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

/// The way to a service of this node.
pub struct Local<D: Send + Sync + 'static> {
    actor: Ref<ServiceActor<D>>,
    deadline: Duration,
}

impl<D: Send + Sync + 'static> Clone for Local<D> {
    fn clone(&self) -> Self {
        Self { actor: self.actor.clone(), deadline: self.deadline }
    }
}

impl<D: Send + Sync + 'static> Local<D> {
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

/// A message to the desk `D`, wherever that is.
pub trait Call<D>:
    Message<Result = Result<<Self as Call<D>>::Answer, Refusal>> + Serialize + DeserializeOwned + Send + 'static
{
    type Answer: Serialize + DeserializeOwned + Send + 'static;
    /// Unlike that of every other message to the desk.
    const NAME: &'static str;
    /// Whether it may be asked again when no answer came: reads may, commands may not.
    const IDEMPOTENT: bool;

    /// What a command carries; reads carry none.
    fn context(&self) -> Option<&Context>;
}

/// A desk that other nodes may ask; the macro `serve` makes it one.
pub trait Hosted: Send + Sync + Sized + 'static {
    const SERVICE: ServiceName;
    /// The names of its messages.
    const CALLS: &'static [&'static str];

    /// The answer, as JSON, to the message of this name whose JSON this is; none if there is no such message.
    fn answer(
        service: Local<Self>,
        name: &str,
        payload: &str,
    ) -> Option<LocalBoxFuture<'static, Result<String, Refusal>>>;
}

/// Asks a service of this node in the words of another.
pub(in crate::actors) fn answer<D, M>(
    service: Local<D>,
    payload: &str,
) -> LocalBoxFuture<'static, Result<String, Refusal>>
where
    D: Hosted,
    M: Call<D>,
    ServiceActor<D>: Handler<Tracked<M>>,
    <ServiceActor<D> as Actor>::Context: ToEnvelope<ServiceActor<D>, Tracked<M>>,
{
    let message = serde_json::from_str::<M>(payload);
    Box::pin(async move {
        let strange = |error: serde_json::Error| {
            tracing::warn!(service = %D::SERVICE, call = M::NAME, %error, "a call that this program can't read");
            Refusal::unavailable()
        };
        let answer = service.ask(message.map_err(strange)?).await?;
        serde_json::to_string(&answer).map_err(strange)
    })
}

/// The way to a service, here or on other nodes.
pub enum Service<D: Hosted> {
    Here(Local<D>),
    Elsewhere(Remote),
}

impl<D: Hosted> Clone for Service<D> {
    fn clone(&self) -> Self {
        match self {
            Self::Here(local) => Self::Here(local.clone()),
            Self::Elsewhere(remote) => Self::Elsewhere(remote.clone()),
        }
    }
}

impl<D: Hosted> Service<D> {
    /// Asks the service; on other nodes through its breaker, again if the message is idempotent.
    ///
    /// # Errors
    /// The service's, `unavailable`, `overloaded`. Whether a command on another node was carried out is not known
    /// after these two.
    pub async fn ask<M>(&self, message: M) -> Result<M::Answer, Refusal>
    where
        M: Call<D>,
        ServiceActor<D>: Handler<Tracked<M>>,
        <ServiceActor<D> as Actor>::Context: ToEnvelope<ServiceActor<D>, Tracked<M>>,
    {
        match self {
            Self::Here(local) => local.ask(message).await,
            Self::Elsewhere(remote) => remote.ask::<D, M>(&message).await,
        }
    }

    /// The same for who has a [`Guard`](super::call::Guard) about it: no call passes a breaker twice.
    ///
    /// # Errors
    /// As [`Service::ask`].
    pub async fn ask_once<M>(&self, message: M) -> Result<M::Answer, Refusal>
    where
        M: Call<D>,
        ServiceActor<D>: Handler<Tracked<M>>,
        <ServiceActor<D> as Actor>::Context: ToEnvelope<ServiceActor<D>, Tracked<M>>,
    {
        match self {
            Self::Here(local) => local.ask(message).await,
            Self::Elsewhere(remote) => remote.ask_once::<D, M>(&message).await,
        }
    }

    /// How many commands this node has sent to the service on other nodes that are over; none where it is here.
    pub fn commands(&self) -> u64 {
        match self {
            Self::Here(_) => 0,
            Self::Elsewhere(remote) => remote.commands(),
        }
    }
}

/// The messages a desk answers, and how. A desk that may be on another node says `as` which service it is, and of each
/// message whether it is a `read` or a `command`; a command has a `context`.
macro_rules! serve {
    ($desk:ty, { $($message:ident => |$d:ident, $m:ident| $answer:ty $body:block),* $(,)? }) => {
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
    ($desk:ty as $service:ident, {
        $($message:ident $kind:ident => |$d:ident, $m:ident| $answer:ty $body:block),* $(,)?
    }) => {
        $crate::actors::runtime::service::serve!($desk, { $($message => |$d, $m| $answer $body),* });

        $(impl $crate::actors::runtime::service::Call<$desk> for $message {
            type Answer = $answer;
            const NAME: &'static str = stringify!($message);
            const IDEMPOTENT: bool = $crate::actors::runtime::service::serve!(@is_idempotent $kind);

            fn context(&self) -> Option<&$crate::actors::context::Context> {
                $crate::actors::runtime::service::serve!(@context $kind self)
            }
        })*

        impl $crate::actors::runtime::service::Hosted for $desk {
            const SERVICE: $crate::actors::service_name::ServiceName =
                $crate::actors::service_name::ServiceName::$service;
            const CALLS: &'static [&'static str] = &[$(stringify!($message)),*];

            fn answer(
                service: $crate::actors::runtime::service::Local<Self>,
                name: &str,
                payload: &str,
            ) -> Option<futures_util::future::LocalBoxFuture<'static, Result<String, $crate::actors::refusal::Refusal>>>
            {
                match name {
                    $(stringify!($message) => {
                        Some($crate::actors::runtime::service::answer::<Self, $message>(service, payload))
                    })*
                    _ => None,
                }
            }
        }
    };
    (@is_idempotent read) => { true };
    (@is_idempotent command) => { false };
    (@context read $message:ident) => { None };
    (@context command $message:ident) => { Some(&$message.context) };
}
pub(crate) use serve;
