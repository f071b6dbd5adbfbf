//! Calls from one service to another: through a breaker actor, with a deadline, retried if they are
//! idempotent (SPEC §7).

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, Message, MessageResult, StreamHandler};
use serde::Serialize;
use utoipa::ToSchema;

use crate::breaker::{Breaker, BreakerSettings, CallOutcome, State};
use crate::cluster::members::Hosts;
use crate::retry::Backoff;
use crate::supervisor::{LivenessGuard, Ref, Tracked};
use kernel::clock::{Clock, Timestamp};
use kernel::error::{Error, ErrorCode};
use kernel::service_id::ServiceId;

/// Retries of idempotent calls: 3 more within 5 s, exponentially spaced.
pub const CALL_RETRY: Backoff =
    Backoff { initial: Duration::from_millis(100), factor: 3.0, max: Duration::from_secs(2), times: 3 };
const CALL_BUDGET: Duration = Duration::from_secs(5);

/// How long the breaker's actor may take to answer.
const BREAKER_DEADLINE: Duration = Duration::from_secs(1);

/// The actor that holds the breaker of one callee.
pub struct BreakerActor {
    name: &'static str,
    breaker: Breaker,
    clock: Clock,
    hosts: Hosts,
    _liveness: LivenessGuard,
}

impl BreakerActor {
    /// `hosts`: the hosts of the callee.
    pub fn new(
        name: &'static str,
        settings: BreakerSettings,
        clock: Clock,
        hosts: Hosts,
        liveness: LivenessGuard,
    ) -> Self {
        Self { name, breaker: Breaker::new(settings), clock, hosts, _liveness: liveness }
    }

    /// Changes the breaker, and logs a change of its state.
    fn change(&mut self, change: impl FnOnce(&mut Breaker, Timestamp)) {
        let before = self.breaker.state();
        change(&mut self.breaker, self.clock.now());
        let after = self.breaker.state();
        if before != after {
            tracing::warn!(breaker = self.name, ?before, ?after, "a circuit breaker changed its state");
            let open = if matches!(after, State::Open { .. }) { 1.0 } else { 0.0 };
            metrics::gauge!("kizuna_breaker_open", "breaker" => self.name).set(open);
        }
    }
}

impl Actor for BreakerActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.add_stream(self.hosts.appearances());
    }
}

/// The callee has hosts again, all of them new.
impl StreamHandler<()> for BreakerActor {
    fn handle(&mut self, (): (), _: &mut Self::Context) {
        self.change(|breaker, _| breaker.host_appeared());
    }
}

#[derive(Message)]
#[rtype(result = "Result<(), Duration>")]
struct Admit;

#[derive(Message)]
#[rtype(result = "()")]
struct Report(CallOutcome);

impl Handler<Tracked<Admit>> for BreakerActor {
    type Result = MessageResult<Tracked<Admit>>;

    fn handle(&mut self, message: Tracked<Admit>, _: &mut Self::Context) -> Self::Result {
        let Admit = message.take();
        MessageResult(self.breaker.admit(self.clock.now()))
    }
}

impl Handler<Tracked<Report>> for BreakerActor {
    type Result = ();

    fn handle(&mut self, message: Tracked<Report>, _: &mut Self::Context) {
        let trace = message.trace().clone();
        let Report(outcome) = message.take();
        trace.in_scope(|| self.change(|breaker, now| breaker.report(outcome, now)));
    }
}

/// The figures of a breaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BreakerReading {
    #[schema(example = "breaker.customer")]
    pub name: &'static str,
    pub state: BreakerState,
    /// Calls in the rolling window.
    pub calls: usize,
    /// Failed calls in the rolling window.
    pub failures: usize,
    /// When the next probe may be sent; `None` while it is closed.
    #[schema(required)]
    pub retry_at: Option<Timestamp>,
}

/// What a breaker lets through: every call, none, or one probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    Closed,
    Open,
    HalfOpen,
}

impl From<State> for BreakerState {
    fn from(state: State) -> Self {
        match state {
            State::Closed => Self::Closed,
            State::Open { .. } => Self::Open,
            State::HalfOpen { .. } => Self::HalfOpen,
        }
    }
}

#[derive(Message)]
#[rtype(result = "BreakerReading")]
struct Read;

impl Handler<Tracked<Read>> for BreakerActor {
    type Result = MessageResult<Tracked<Read>>;

    fn handle(&mut self, message: Tracked<Read>, _: &mut Self::Context) -> Self::Result {
        let Read = message.take();
        let (calls, failures) = self.breaker.counts(self.clock.now());
        MessageResult(BreakerReading {
            name: self.name,
            state: self.breaker.state().into(),
            calls,
            failures,
            retry_at: self.breaker.retry_at(),
        })
    }
}

/// Whether a call to a service can be sent at all.
pub type CanBeSent = Arc<dyn Fn() -> bool + Send + Sync>;

/// Calls to another service through its circuit breaker.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use kernel::{clock::{Clock, Timestamp}, error::{Error, ErrorCode}, service_id::ServiceId};
/// use kizuna_runtime::arbiters::Arbiters;
/// use kizuna_runtime::breaker::BreakerSettings;
/// use kizuna_runtime::circuit_breaker::{BreakerActor, CircuitBreaker};
/// use kizuna_runtime::cluster::{members::{Hosts, Members}, node::Node};
/// use kizuna_runtime::stats::ActorStatsRegistry;
/// use kizuna_runtime::supervisor::{Intensity, Supervisor};
///
/// actix::System::new().block_on(async {
///     let supervisor = Supervisor::start(ActorStatsRegistry::default(), Intensity::default());
///     let arbiters = Arbiters::start(1);
///     let settings = BreakerSettings { volume: 2, ..BreakerSettings::default() };
///     let sales = ServiceId("sales");
///     let node = Node::new(None, &[sales], Timestamp::from_micros(0));
///     let hosts = Hosts::new(Members::alone(Arc::new(node)), sales);
///     let actor = supervisor.spawn("breaker.sales", &arbiters.serving(), move |liveness, _| {
///         BreakerActor::new("breaker.sales", settings.clone(), Clock::System, hosts.clone(), liveness)
///     });
///     let breaker = CircuitBreaker::new(actor, Duration::from_secs(3), Arc::new(|| true));
///     assert_eq!(breaker.call(async { Ok(7) }).await, Ok(7));
///     let _ = breaker.call(async { Err::<(), _>(Error::unavailable()) }).await;
///     // Half of two calls have failed: it is open, and the next call is not made.
///     let refused = breaker.call(async { Ok(7) }).await.unwrap_err();
///     assert_eq!(refused.code, ErrorCode::Unavailable);
///     supervisor.stop();
///     arbiters.stop();
/// });
/// ```
#[derive(Clone)]
pub struct CircuitBreaker {
    breaker: Ref<BreakerActor>,
    timeout: Duration,
    can_be_sent: CanBeSent,
}

impl CircuitBreaker {
    /// A call that can't be sent is refused without asking the breaker. A missing host says nothing about the service,
    /// so such a call neither counts as a failure nor uses up a probe.
    pub fn new(breaker: Ref<BreakerActor>, timeout: Duration, can_be_sent: CanBeSent) -> Self {
        Self { breaker, timeout, can_be_sent }
    }

    /// How long a call may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The breaker's figures.
    ///
    /// # Errors
    /// `unavailable` while the breaker restarts.
    pub async fn read(&self) -> Result<BreakerReading, Error> {
        self.breaker.ask(Read, BREAKER_DEADLINE).await
    }

    /// This breaker with nine tenths of its timeout, for a caller that must itself answer within the timeout.
    pub fn with_time_to_answer(&self) -> Self {
        Self { timeout: self.timeout * 9 / 10, ..self.clone() }
    }

    /// Makes one call.
    ///
    /// # Errors
    /// `unavailable` when no node hosts the callee, the breaker is open, the call timed out or the callee is away; else
    /// the callee's own.
    pub async fn call<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.admit().await?;
        self.attempt(call).await
    }

    /// Makes an idempotent call, and repeats it after a temporary failure: up to 3 times within 5 s, unless the breaker
    /// opens or no node hosts the callee.
    ///
    /// # Errors
    /// The error of the last attempt, or of the breaker.
    pub async fn call_idempotent<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let begun = tokio::time::Instant::now();
        let mut retry = 0;
        loop {
            self.admit().await?;
            let answer = self.attempt(call()).await;
            let passing = answer.as_ref().is_err_and(Error::is_passing);
            let wait = CALL_RETRY.jittered(retry);
            if !passing || !CALL_RETRY.allows(retry) || begun.elapsed() + wait >= CALL_BUDGET {
                return answer;
            }
            tokio::time::sleep(wait).await;
            retry += 1;
        }
    }

    async fn admit(&self) -> Result<(), Error> {
        if !(self.can_be_sent)() {
            let breaker = self.breaker.name();
            let cause =
                format!("{breaker}: no node hosts the service, or Redis has not answered since the start");
            return Err(Error::unavailable().with_cause(cause));
        }
        let admitted = self.breaker.ask(Admit, BREAKER_DEADLINE).await?;
        admitted.map_err(|wait| {
            let breaker = self.breaker.name();
            Error::after(ErrorCode::Unavailable, wait)
                .with_cause(format_args!("the circuit breaker {breaker} is open"))
        })
    }

    async fn attempt<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let answer = tokio::time::timeout(self.timeout, call).await.unwrap_or_else(|_| {
            let (breaker, timeout) = (self.breaker.name(), self.timeout);
            Err(Error::unavailable()
                .with_cause(format_args!("no answer within the {timeout:?} of {breaker}")))
        });
        let failed = answer.as_ref().is_err_and(Error::is_passing);
        let outcome = if failed { CallOutcome::Failure } else { CallOutcome::Success };
        self.breaker.ask(Report(outcome), BREAKER_DEADLINE).await?;
        answer
    }
}

/// The circuit breakers of this node, one per callee, shared by all its callers (SPEC §7).
#[derive(Clone)]
pub struct Breakers(BTreeMap<ServiceId, CircuitBreaker>);

impl FromIterator<(ServiceId, CircuitBreaker)> for Breakers {
    fn from_iter<I: IntoIterator<Item = (ServiceId, CircuitBreaker)>>(breakers: I) -> Self {
        Self(breakers.into_iter().collect())
    }
}

impl Breakers {
    /// The breaker of this service.
    ///
    /// # Panics
    /// If the service has no breaker. Each service gets one when the node is put together.
    pub fn of(&self, service: ServiceId) -> &CircuitBreaker {
        self.0.get(&service).expect("every service has a breaker")
    }

    /// All breakers by the service's name.
    pub fn all(&self) -> Vec<CircuitBreaker> {
        self.0.values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use actix::System;

    use super::*;
    use crate::cluster::members::Members;
    use crate::cluster::node::Node;
    use crate::stats::ActorStatsRegistry;
    use crate::supervisor::{Intensity, Supervisor};

    #[test]
    fn a_call_that_cannot_be_sent_is_refused_at_once_and_not_counted() {
        System::new().block_on(async {
            let supervisor = Supervisor::start(ActorStatsRegistry::default(), Intensity::default());
            let node = Node::new(None, &[], Timestamp::from_micros(0));
            let hosts = Hosts::new(Members::joining(Arc::new(node)), ServiceId("sales"));
            let breaker = supervisor.spawn(
                "breaker.sales",
                &System::current().arbiter().clone(),
                move |liveness, _| {
                    let clock = Clock::manual(Timestamp::from_micros(0));
                    BreakerActor::new(
                        "breaker.sales",
                        BreakerSettings::default(),
                        clock,
                        hosts.clone(),
                        liveness,
                    )
                },
            );
            let (hosted, made) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
            let can_be_sent = hosted.clone();
            let can_be_sent = Arc::new(move || can_be_sent.load(Ordering::SeqCst));
            let breaker = CircuitBreaker::new(breaker, Duration::from_secs(3), can_be_sent);
            let call = || {
                made.fetch_add(1, Ordering::SeqCst);
                std::future::ready(Ok(()))
            };
            for _ in 0..20 {
                assert_eq!(breaker.call_idempotent(call).await, Err(Error::unavailable()));
            }
            let reading = breaker.read().await.unwrap();
            assert_eq!(
                (made.load(Ordering::SeqCst), reading.state, reading.calls),
                (0, BreakerState::Closed, 0)
            );
            hosted.store(true, Ordering::SeqCst);
            assert_eq!(breaker.call_idempotent(call).await, Ok(()));
            assert_eq!((made.load(Ordering::SeqCst), breaker.read().await.unwrap().calls), (1, 1));
        });
    }
}
