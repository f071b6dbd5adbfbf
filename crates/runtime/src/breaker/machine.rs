//! The circuit breaker's state machine (SPEC §7). Pure: the caller passes the time in, and nothing waits.

use std::time::Duration;

use kernel::clock::Timestamp;
use kernel::simulation::mutant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::breaker::window::Window;

/// When a breaker opens and closes. The defaults are those of SPEC §7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// A call that takes longer counts as failed.
    pub timeout: Duration,
    /// The share of failures, in percent, at which it opens.
    pub threshold: u32,
    /// The rolling window in which calls are counted.
    pub window: Duration,
    /// Calls in the window below which it does not open.
    pub volume: usize,
    /// How long it stays open before it half-opens.
    pub reset: Duration,
    /// The most calls at the same time; a further one is refused at once.
    pub capacity: usize,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(3),
            threshold: 50,
            window: Duration::from_secs(10),
            volume: 5,
            reset: Duration::from_secs(30),
            capacity: 1_024,
        }
    }
}

/// The state of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Closed,
    Open {
        until: Timestamp,
    },
    /// One probe has been under way since this time.
    HalfOpen {
        since: Timestamp,
    },
}

/// A state in which an operator keeps a breaker, whatever its calls do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Forced {
    Open,
    Closed,
}

/// How a call ended. An error of the caller (a 404) is a success of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    Success,
    Failure,
    /// No answer within the timeout: a failure, too.
    Timeout,
}

impl CallOutcome {
    pub fn is_failure(self) -> bool {
        self != Self::Success
    }
}

/// The permission for one call, to be handed back with its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The period between two changes of state in which the call was admitted.
    period: u64,
}

/// The state machine of one breaker.
///
/// ```
/// use std::time::Duration;
/// use kernel::clock::Clock;
/// use kizuna_runtime::breaker::{Breaker, BreakerSettings, CallOutcome};
///
/// let (mut breaker, now) = (Breaker::new(BreakerSettings::default()), Clock::System.now());
/// let took = Duration::from_millis(20);
/// for _ in 0..5 {
///     let ticket = breaker.admit(now).unwrap();
///     breaker.report(ticket, CallOutcome::Failure, took, now);
/// }
/// assert!(breaker.admit(now).is_err(), "open");
/// let later = now.plus(Duration::from_secs(30));
/// let probe = breaker.admit(later).unwrap();
/// assert!(breaker.admit(later).is_err(), "one probe only");
/// breaker.report(probe, CallOutcome::Success, took, later);
/// assert!(breaker.admit(later).is_ok(), "closed");
/// ```
#[derive(Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    state: State,
    forced: Option<Forced>,
    period: u64,
    window: Window,
}

impl Breaker {
    pub fn new(settings: BreakerSettings) -> Self {
        let window = Window::new(settings.window);
        Self { settings, state: State::Closed, forced: None, period: 0, window }
    }

    /// The state that its calls have brought it to; [`Breaker::forced`] goes before it.
    pub fn state(&self) -> State {
        self.state
    }

    /// The state in which an operator keeps it.
    pub fn forced(&self) -> Option<Forced> {
        self.forced
    }

    /// The calls of the last seconds.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// When the next probe may be sent; `None` if the breaker is closed, or an operator keeps it in a state.
    pub fn retry_at(&self) -> Option<Timestamp> {
        if self.forced.is_some() {
            return None;
        }
        match self.state {
            State::Closed => None,
            State::Open { until } => Some(until),
            State::HalfOpen { since } => Some(since.plus(self.settings.timeout)),
        }
    }

    /// Keeps it in a state until `None` sets it free; then it is closed and has forgotten earlier calls.
    pub fn force(&mut self, forced: Option<Forced>) {
        self.forced = forced;
        self.close();
    }

    /// Whether a call may be sent now.
    ///
    /// # Errors
    /// The time until the next probe.
    pub fn admit(&mut self, now: Timestamp) -> Result<Ticket, Duration> {
        match self.forced {
            Some(Forced::Open) => return Err(self.settings.reset),
            Some(Forced::Closed) => return Ok(self.ticket()),
            None => {}
        }
        match self.state {
            State::Closed => Ok(self.ticket()),
            State::Open { until } if now < until => Err(until.since(now)),
            // A probe without an outcome (its caller died) must not keep the breaker half open for ever.
            State::HalfOpen { since } if now.since(since) <= self.settings.timeout => {
                Err(self.settings.timeout)
            }
            State::Open { .. } | State::HalfOpen { .. } => {
                self.change(State::HalfOpen { since: now });
                Ok(self.ticket())
            }
        }
    }

    /// Records the outcome of a call that took `took`. A call that was admitted before the last change of state says
    /// nothing about the present and changes nothing.
    pub fn report(&mut self, ticket: Ticket, outcome: CallOutcome, took: Duration, now: Timestamp) {
        if ticket.period != self.period && !mutant("late-answers-counted") {
            return;
        }
        match self.state {
            State::HalfOpen { .. } if outcome.is_failure() => self.open(now),
            State::HalfOpen { .. } => self.close(),
            // No ticket is of a period in which it is open.
            State::Open { .. } => {}
            State::Closed => {
                self.window.add(now, outcome, took);
                if self.forced.is_none() && self.is_tripped() {
                    self.open(now);
                }
            }
        }
    }

    /// Takes note that the caller of a call gave up before its end. That says nothing about the callee; but after a probe,
    /// another may be sent at once.
    pub fn abandon(&mut self, ticket: Ticket, now: Timestamp) {
        if ticket.period == self.period && matches!(self.state, State::HalfOpen { .. }) {
            self.change(State::Open { until: now });
        }
    }

    /// Closes the breaker because a new node hosts the callee: the outcomes of earlier calls say nothing about it.
    pub fn host_appeared(&mut self) {
        self.close();
    }

    fn ticket(&self) -> Ticket {
        Ticket { period: self.period }
    }

    fn open(&mut self, now: Timestamp) {
        self.window.clear();
        self.change(State::Open { until: now.plus(self.settings.reset) });
    }

    fn close(&mut self) {
        self.window.clear();
        self.change(State::Closed);
    }

    fn change(&mut self, state: State) {
        self.period += 1;
        self.state = state;
    }

    fn is_tripped(&self) -> bool {
        let (calls, failures) = self.window.totals();
        calls >= self.settings.volume && failures * 100 >= self.settings.threshold as usize * calls
    }
}
