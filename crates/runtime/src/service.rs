//! A service: a supervised actor in front of a shared struct that holds its logic.
//!
//! Each message becomes a task, so that one does not wait for another; commands to one aggregate are ordered by its
//! child. The actor bounds how many tasks are under way, and a task that panics ends the actor, which its supervisor
//! starts again: the caller gets `unavailable`, and the other tasks go on.
//!
//! A service that every node runs is reached by [`Local`]. One that `--services` may place on other nodes is reached by
//! [`Service`], which hides where it is; other services reach it by [`Peer`], through its circuit breaker.

use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, ArbiterHandle, AsyncContext, Handler, Message, ResponseFuture};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use kernel::context::Context;
use kernel::error::Error;
use kernel::scoped::Scoped;
use kernel::service_id::ServiceId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use crate::breaker::CircuitBreaker;
use crate::remote::caller::Remote;
use crate::spans::{Kind, OpenSpan, Work, type_name};
use crate::stats::ActorStats;
use crate::supervisor::{LivenessGuard, Ref, Supervisor, Tracked};
use crate::trace::Trace;

/// The most messages that wait for a service's actor; further senders wait until their deadline.
const MAILBOX: usize = 1_024;
/// The most messages that a service handles at the same time; further ones are answered `overloaded` at once.
pub const WORK_MAX: usize = 1_024;

/// A message to the service `S`, and how `S` answers it; the macro [`serve`](crate::serve) implements this. Before that, the
/// service checks the scopes of the message's caller.
pub trait Handle<S>: Scoped + Send + 'static {
    type Answer: Send + 'static;

    fn handle(self, service: Arc<S>) -> impl Future<Output = Result<Self::Answer, Error>> + 'static;
}

/// A message that may come from another node, as JSON.
pub trait Call<S>: Handle<S, Answer: Serialize + DeserializeOwned> + Serialize + DeserializeOwned {
    /// The name of the message, unique within the service.
    const NAME: &'static str;
    /// Whether it may be repeated when no answer came: true for reads, false for commands.
    const IDEMPOTENT: bool;

    /// The context of a command; `None` for a read.
    fn context(&self) -> Option<&Context>;
}

/// A service that other nodes may call; the macro [`serve`](crate::serve) implements this.
pub trait Hosted: Send + Sync + Sized + 'static {
    const SERVICE: ServiceId;
    /// The names of its messages.
    const CALLS: &'static [&'static str];

    /// Answers a message, both as JSON; `None` if there is no message of this name.
    fn answer(
        service: Local<Self>,
        name: &str,
        payload: &str,
    ) -> Option<LocalBoxFuture<'static, Result<String, Error>>>;
}

/// A message on its way to the actor of `S`.
struct Ask<S, M> {
    message: M,
    to: PhantomData<fn() -> S>,
}

impl<S: 'static, M: Handle<S>> Message for Ask<S, M> {
    type Result = Result<M::Answer, Error>;
}

/// Sent when a task has panicked: the actor ends, and its supervisor starts another.
#[derive(Message)]
#[rtype(result = "()")]
struct Panicked(Trace);

/// The actor in front of a service `S`.
pub struct ServiceActor<S: 'static> {
    service: Arc<S>,
    places: Arc<Semaphore>,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl<S: Send + Sync + 'static> Actor for ServiceActor<S> {
    type Context = actix::Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

impl<S: Send + Sync + 'static, M: Handle<S>> Handler<Tracked<Ask<S, M>>> for ServiceActor<S> {
    type Result = ResponseFuture<Result<M::Answer, Error>>;

    fn handle(&mut self, message: Tracked<Ask<S, M>>, ctx: &mut Self::Context) -> Self::Result {
        let mut span = message_span::<M>(self.stats.name(), message.trace());
        let trace = message.trace().clone().under(span.as_ref().and_then(OpenSpan::context));
        let Ask { message, .. } = message.take();
        if let Err(refused) = message.check_scopes() {
            return Box::pin(async { Err(refused) });
        }
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            self.stats.failed();
            let cause = format!("the service {} has {WORK_MAX} messages under way", self.stats.name());
            return Box::pin(async { Err(Error::overloaded().with_cause(cause)) });
        };
        let (service, stats, actor) = (self.service.clone(), self.stats.clone(), ctx.address());
        Box::pin(async move {
            let work = AssertUnwindSafe(async move { message.handle(service).await });
            let outcome = trace.clone().run(work.catch_unwind()).await;
            drop(place);
            let outcome = outcome.unwrap_or_else(|_| {
                stats.failed();
                // Fails only if the actor is ending already.
                let _ = actor.try_send(Panicked(trace));
                let cause = format!("a task of the service {} panicked", stats.name());
                Err(Error::unavailable().with_cause(cause))
            });
            if let (Some(span), Err(error)) = (&mut span, &outcome) {
                span.fail(error.code.as_str(), error.code.status() >= 500);
            }
            outcome
        })
    }
}

/// The span of a message to a service, below that of its sender.
fn message_span<M>(service: &str, sender: &Trace) -> Option<OpenSpan> {
    let span = OpenSpan::child(Kind::Internal, sender.context())?;
    let message = type_name::<M>();
    let mut span = span.named(Work::Message, format!("{message} {service}"));
    span.set("messaging.system", "kizuna");
    span.set("messaging.operation.type", "process");
    span.set("messaging.operation.name", message);
    span.set("messaging.destination.name", service.to_owned());
    Some(span)
}

impl<S: Send + Sync + 'static> Handler<Panicked> for ServiceActor<S> {
    type Result = ();

    fn handle(&mut self, Panicked(trace): Panicked, ctx: &mut Self::Context) {
        let service = self.stats.name();
        trace.in_scope(|| {
            tracing::error!(service, "a task of a service panicked; its actor is started again");
        });
        ctx.terminate();
    }
}

/// The handle to a service of this node.
pub struct Local<S: Send + Sync + 'static> {
    actor: Ref<ServiceActor<S>>,
    deadline: Duration,
}

impl<S: Send + Sync + 'static> Clone for Local<S> {
    fn clone(&self) -> Self {
        Self { actor: self.actor.clone(), deadline: self.deadline }
    }
}

impl<S: Send + Sync + 'static> Local<S> {
    /// Starts the service's actor under supervision; an answer may take up to `deadline`.
    pub fn start(
        supervisor: &Supervisor,
        name: &str,
        arbiter: &ArbiterHandle,
        deadline: Duration,
        service: Arc<S>,
    ) -> Self {
        let places = Arc::new(Semaphore::new(WORK_MAX));
        let actor = supervisor.spawn(name, arbiter, move |liveness, stats| ServiceActor {
            service: service.clone(),
            places: places.clone(),
            stats,
            _liveness: liveness,
        });
        Self { actor, deadline }
    }

    /// Asks the service.
    ///
    /// # Errors
    /// The errors of the service; `unavailable` if its actor dies; `overloaded` if too many messages are under way, or
    /// no answer came by the deadline.
    pub async fn ask<M: Handle<S>>(&self, message: M) -> Result<M::Answer, Error> {
        let message = Ask { message, to: PhantomData };
        self.actor.ask(message, self.deadline).await?
    }
}

/// Answers a message that came from another node as JSON.
#[doc(hidden)]
pub fn answer<S: Hosted, M: Call<S>>(
    service: Local<S>,
    payload: &str,
) -> LocalBoxFuture<'static, Result<String, Error>> {
    let message = serde_json::from_str::<M>(payload);
    Box::pin(async move {
        let unreadable = |error: serde_json::Error| {
            let (service, line, column) = (S::SERVICE, error.line(), error.column());
            // The position of the error, not the text: it may have a password.
            Error::unavailable().with_cause(format_args!(
                "{service} can't read the call {} at {line}:{column}: its node runs another version",
                M::NAME
            ))
        };
        let answer = service.ask(message.map_err(unreadable)?).await?;
        serde_json::to_string(&answer).map_err(unreadable)
    })
}

/// The handle to a service, on this node or on others.
pub enum Service<S: Hosted> {
    Local(Local<S>),
    Remote(Remote),
}

impl<S: Hosted> Clone for Service<S> {
    fn clone(&self) -> Self {
        match self {
            Self::Local(local) => Self::Local(local.clone()),
            Self::Remote(remote) => Self::Remote(remote.clone()),
        }
    }
}

impl<S: Hosted> Service<S> {
    /// Asks the service. A service of other nodes is asked through its breaker, repeatedly if the message is
    /// idempotent.
    ///
    /// # Errors
    /// The errors of the service, `unavailable`, `overloaded`. After the last two it is not known whether a command on
    /// another node was carried out.
    pub async fn ask<M: Call<S>>(&self, message: M) -> Result<M::Answer, Error> {
        match self {
            Self::Local(local) => local.ask(message).await,
            Self::Remote(remote) => {
                // The other node checks this, too, unless its version knows no scopes.
                message.check_scopes()?;
                remote.ask::<S, M>(&message).await
            }
        }
    }

    /// How many commands to the service on other nodes have ended; 0 if the service is local.
    pub fn commands(&self) -> u64 {
        match self {
            Self::Local(_) => 0,
            Self::Remote(remote) => remote.commands(),
        }
    }
}

/// The handle of one service to another: every call passes the callee's circuit breaker, on this node or another. The asking
/// service has checked the scopes of what it does for its caller, who needs no others for what that takes.
pub struct Peer<S: Hosted> {
    service: Service<S>,
    breaker: CircuitBreaker,
}

impl<S: Hosted> Clone for Peer<S> {
    fn clone(&self) -> Self {
        Self { service: self.service.clone(), breaker: self.breaker.clone() }
    }
}

impl<S: Hosted> Peer<S> {
    /// `breaker`: the breaker of the callee, shared by all its callers on this node.
    pub fn new(service: Service<S>, breaker: CircuitBreaker) -> Self {
        Self { service, breaker }
    }

    /// Asks the service through its breaker, repeatedly if the message is idempotent and the failure is temporary. A
    /// command to a service of this node does not pass the breaker: it has the service's deadline.
    ///
    /// # Errors
    /// The errors of [`Service::ask`]; `unavailable` at once while the breaker is open.
    pub async fn ask<M: Call<S> + Clone>(&self, message: M) -> Result<M::Answer, Error> {
        let message = message.by_peer();
        match &self.service {
            Service::Remote(remote) => remote.ask::<S, M>(&message).await,
            Service::Local(local) if M::IDEMPOTENT => {
                self.breaker.call_idempotent(|| local.ask(message.clone())).await
            }
            // A command is not cut off, because its outcome would be unknown. It is not counted either: it may fail
            // because its conditions no longer hold, which is not a failure of the service.
            Service::Local(local) => local.ask(message).await,
        }
    }

    /// Says that the caller answered from a copy, because asking failed for this `cause`.
    pub fn fell_back(&self, cause: &Error) {
        metrics::counter!("kizuna_fallbacks_total", "callee" => S::SERVICE.as_str()).increment(1);
        self.breaker.fell_back(cause);
    }

    /// Asks the service once, within nine tenths of the breaker's timeout, for a caller that must itself answer within
    /// that timeout.
    ///
    /// # Errors
    /// The errors of [`Peer::ask`].
    pub async fn ask_in_time<M: Call<S>>(&self, message: M) -> Result<M::Answer, Error> {
        let (breaker, message) = (self.breaker.with_time_to_answer(), message.by_peer());
        match &self.service {
            Service::Local(local) => breaker.call(local.ask(message)).await,
            Service::Remote(remote) => breaker.call(remote.ask_once::<S, M>(&message)).await,
        }
    }
}

/// Declares the messages of a service and its answers.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use kizuna_runtime::arbiters::Arbiters;
/// use kizuna_runtime::serve;
/// use kizuna_runtime::service::Local;
/// use kizuna_runtime::stats::ActorStatsRegistry;
/// use kizuna_runtime::supervisor::{Intensity, Supervisor};
///
/// struct Greeter { greeting: &'static str }
/// struct Greet(&'static str);
///
/// kernel::needs! { Greet: nobody []; }
///
/// serve!(Greeter, {
///     Greet => |service, message| String { Ok(format!("{}, {}", service.greeting, message.0)) },
/// });
///
/// actix::System::new().block_on(async {
///     let supervisor = Supervisor::start(ActorStatsRegistry::default(), Intensity::default());
///     let arbiters = Arbiters::start(1);
///     let greeter = Arc::new(Greeter { greeting: "Good morning" });
///     let deadline = Duration::from_secs(5);
///     let service = Local::start(&supervisor, "greeter", &arbiters.serving(), deadline, greeter);
///     assert_eq!(service.ask(Greet("Sato")).await, Ok("Good morning, Sato".to_owned()));
///     supervisor.stop();
///     arbiters.stop();
/// });
/// ```
/// For a service that may be on another node, `as` gives its id, and each message is a `read` or a `command`; a command
/// has a `context`.
#[macro_export]
macro_rules! serve {
    ($service:ty, { $($message:ident => |$s:ident, $m:ident| $answer:ty $body:block),* $(,)? }) => {
        $(impl $crate::service::Handle<$service> for $message {
            type Answer = $answer;

            async fn handle(
                self,
                $s: std::sync::Arc<$service>,
            ) -> Result<$answer, $crate::kernel::error::Error> {
                let $m = self;
                $body
            }
        })*
    };
    ($service:ty as $name:expr, {
        $($message:ident $kind:ident => |$s:ident, $m:ident| $answer:ty $body:block),* $(,)?
    }) => {
        $crate::serve!($service, { $($message => |$s, $m| $answer $body),* });

        $(impl $crate::service::Call<$service> for $message {
            const NAME: &'static str = stringify!($message);
            const IDEMPOTENT: bool = $crate::serve!(@is_idempotent $kind);

            fn context(&self) -> Option<&$crate::kernel::context::Context> {
                $crate::serve!(@context $kind self)
            }
        })*

        impl $crate::service::Hosted for $service {
            const SERVICE: $crate::kernel::service_id::ServiceId = $name.id();
            const CALLS: &'static [&'static str] = &[$(stringify!($message)),*];

            fn answer(
                service: $crate::service::Local<Self>,
                name: &str,
                payload: &str,
            ) -> Option<$crate::LocalBoxFuture<'static, Result<String, $crate::kernel::error::Error>>> {
                match name {
                    $(stringify!($message) => {
                        Some($crate::service::answer::<Self, $message>(service, payload))
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
