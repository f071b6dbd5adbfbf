//! Calls from one service to another: through a breaker actor, with a deadline, retried if they are
//! idempotent (SPEC §7).

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use crate::breaker::actor::{Admit, BreakerActor, Force, Permit, Read, Report};
use crate::breaker::machine::{CallOutcome, Forced};
use crate::breaker::reading::{BreakerReading, Counters, Event, Shared};
use crate::retry::Backoff;
use crate::supervisor::Ref;
use kernel::error::{Error, ErrorCode};
use kernel::service_id::ServiceId;

/// Retries of idempotent calls: 3 more within 5 s, exponentially spaced.
pub const CALL_RETRY: Backoff =
    Backoff { initial: Duration::from_millis(100), factor: 3.0, max: Duration::from_secs(2), times: 3 };
const CALL_BUDGET: Duration = Duration::from_secs(5);

/// How long the breaker's actor may take to answer.
const BREAKER_DEADLINE: Duration = Duration::from_secs(1);

/// Whether a call to a service can be sent at all.
pub type CanBeSent = Arc<dyn Fn() -> bool + Send + Sync>;

/// Calls to another service through its circuit breaker.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use kernel::{clock::{Clock, Timestamp}, error::{Error, ErrorCode}, service_id::ServiceId};
/// use kizuna_runtime::arbiters::Arbiters;
/// use kizuna_runtime::breaker::{BreakerActor, BreakerSettings, CircuitBreaker, Shared};
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
///     let shared = Shared::new("breaker.sales", settings.capacity);
///     let parts = shared.clone();
///     let actor = supervisor.spawn("breaker.sales", &arbiters.serving(), move |liveness, _| {
///         BreakerActor::new(parts.clone(), settings.clone(), Clock::System, hosts.clone(), liveness)
///     });
///     let breaker = CircuitBreaker::new(actor, shared, Duration::from_secs(3), Arc::new(|| true));
///     assert_eq!(breaker.call(async { Ok(7) }).await, Ok(7));
///     let _ = breaker.call(async { Err::<(), _>(Error::unavailable()) }).await;
///     // Half of two calls have failed: it is open, and the next call is not made.
///     let refused = breaker.call(async { Ok(7) }).await.unwrap_err();
///     assert_eq!((refused.code, breaker.counters().reject), (ErrorCode::Unavailable, 1));
///     supervisor.stop();
///     arbiters.stop();
/// });
/// ```
#[derive(Clone)]
pub struct CircuitBreaker {
    breaker: Ref<BreakerActor>,
    shared: Shared,
    timeout: Duration,
    can_be_sent: CanBeSent,
}

/// A call that may be made: it has a permit of the breaker and holds one of its places.
struct Admitted<'a> {
    permit: Permit,
    _place: SemaphorePermit<'a>,
}

impl CircuitBreaker {
    /// A call that can't be sent is refused without asking the breaker. A missing host says nothing about the service,
    /// so such a call neither counts as a failure nor uses up a probe.
    pub fn new(
        breaker: Ref<BreakerActor>,
        shared: Shared,
        timeout: Duration,
        can_be_sent: CanBeSent,
    ) -> Self {
        Self { breaker, shared, timeout, can_be_sent }
    }

    /// The name of the breaker.
    pub fn name(&self) -> &str {
        self.shared.name()
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

    /// What has happened since the node's start.
    pub fn counters(&self) -> Counters {
        self.shared.counters()
    }

    /// Keeps the breaker open or closed until `None` sets it free. Another node has a breaker of its own.
    ///
    /// # Errors
    /// `unavailable` while the breaker restarts.
    pub async fn force(&self, forced: Option<Forced>) -> Result<BreakerReading, Error> {
        self.breaker.ask(Force(forced), BREAKER_DEADLINE).await
    }

    /// Counts and logs that a caller answered from a copy, because the call failed for this `cause`.
    pub(crate) fn fell_back(&self, cause: &Error) {
        tracing::info!(breaker = self.name(), %cause, "a call failed; its caller answers from a copy");
        self.shared.count(Event::Fallback);
    }

    /// This breaker with nine tenths of its timeout, for a caller that must itself answer within the timeout.
    pub fn with_time_to_answer(&self) -> Self {
        Self { timeout: self.timeout * 9 / 10, ..self.clone() }
    }

    /// Makes one call.
    ///
    /// # Errors
    /// `unavailable` when no node hosts the callee, the breaker is open, the call timed out or the callee is away;
    /// `overloaded` when as many calls as its capacity are under way; else the callee's own.
    pub async fn call<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let admitted = self.admit().await?;
        self.attempt(admitted, call).await
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
        let begun = Instant::now();
        let mut retry = 0;
        loop {
            let admitted = self.admit().await?;
            let answer = self.attempt(admitted, call()).await;
            let passing = answer.as_ref().is_err_and(Error::is_passing);
            let wait = CALL_RETRY.jittered(retry);
            if !passing || !CALL_RETRY.allows(retry) || begun.elapsed() + wait >= CALL_BUDGET {
                return answer;
            }
            tokio::time::sleep(wait).await;
            retry += 1;
        }
    }

    async fn admit(&self) -> Result<Admitted<'_>, Error> {
        let name = self.name();
        if !(self.can_be_sent)() {
            let cause =
                format!("{name}: no node hosts the service, or Redis has not answered since the start");
            return Err(Error::unavailable().with_cause(cause));
        }
        self.shared.count(Event::Fire);
        let Ok(place) = self.shared.places().try_acquire() else {
            self.shared.count(Event::Reject);
            let capacity = self.shared.capacity();
            let cause = format!("{name}: {capacity} calls are under way");
            return Err(Error::overloaded().with_cause(cause));
        };
        match self.breaker.ask(Admit, BREAKER_DEADLINE).await? {
            Ok(permit) => Ok(Admitted { permit, _place: place }),
            Err(wait) => {
                self.shared.count(Event::Reject);
                Err(Error::after(ErrorCode::Unavailable, wait)
                    .with_cause(format_args!("the circuit breaker {name} is open")))
            }
        }
    }

    async fn attempt<T>(
        &self,
        admitted: Admitted<'_>,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let begun = Instant::now();
        let (outcome, answer) = match tokio::time::timeout(self.timeout, call).await {
            Err(_) => {
                let (name, timeout) = (self.name(), self.timeout);
                let cause = format!("no answer within the {timeout:?} of {name}");
                (CallOutcome::Timeout, Err(Error::unavailable().with_cause(cause)))
            }
            Ok(Err(error)) if error.is_passing() => (CallOutcome::Failure, Err(error)),
            Ok(answer) => (CallOutcome::Success, answer),
        };
        self.count(outcome);
        let Admitted { permit, _place } = admitted;
        let report = Report { ticket: permit.used(), outcome, took: begun.elapsed() };
        self.breaker.ask(report, BREAKER_DEADLINE).await?;
        answer
    }

    fn count(&self, outcome: CallOutcome) {
        self.shared.count(if outcome.is_failure() { Event::Failure } else { Event::Success });
        if outcome == CallOutcome::Timeout {
            self.shared.count(Event::Timeout);
        }
    }
}

/// The circuit breakers of this node, one per callee, shared by all its callers (SPEC §7).
#[derive(Clone)]
pub struct Breakers {
    of_services: BTreeMap<ServiceId, CircuitBreaker>,
    /// Those of callees that come and go, by name.
    others: Arc<RwLock<BTreeMap<String, CircuitBreaker>>>,
}

impl FromIterator<(ServiceId, CircuitBreaker)> for Breakers {
    fn from_iter<I: IntoIterator<Item = (ServiceId, CircuitBreaker)>>(breakers: I) -> Self {
        Self { of_services: breakers.into_iter().collect(), others: Arc::default() }
    }
}

impl Breakers {
    /// The breaker of this service.
    ///
    /// # Panics
    /// If the service has no breaker. Each service gets one when the node is put together.
    pub fn of(&self, service: ServiceId) -> &CircuitBreaker {
        self.of_services.get(&service).expect("every service has a breaker")
    }

    /// The breaker of this name.
    pub fn named(&self, name: &str) -> Option<CircuitBreaker> {
        let of_service = self.of_services.values().find(|breaker| breaker.name() == name);
        of_service.cloned().or_else(|| self.others().get(name).cloned())
    }

    /// All breakers: those of services by the service's name, then the others by theirs.
    pub fn all(&self) -> Vec<CircuitBreaker> {
        self.of_services.values().chain(self.others().values()).cloned().collect()
    }

    /// Lists the breaker of a callee that is no service.
    pub fn add(&self, breaker: CircuitBreaker) {
        let name = breaker.name().to_owned();
        self.others.write().expect("no panic under this lock").insert(name, breaker);
    }

    /// Lists such a breaker no longer.
    pub fn remove(&self, name: &str) {
        self.others.write().expect("no panic under this lock").remove(name);
    }

    fn others(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, CircuitBreaker>> {
        self.others.read().expect("no panic under this lock")
    }
}
