//! The circuit breaker's state machine (SPEC §7). Pure: the caller passes the time in, and nothing waits.

use std::collections::VecDeque;
use std::time::Duration;

use kernel::clock::Timestamp;

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
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(3),
            threshold: 50,
            window: Duration::from_secs(10),
            volume: 5,
            reset: Duration::from_secs(30),
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

/// How a call ended. An error of the caller (a 404) is a success of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    Success,
    Failure,
}

/// The most calls of the window that are kept: enough to compute a share.
const HISTORY: usize = 1_024;

/// The state machine of one breaker.
///
/// ```
/// use std::time::Duration;
/// use kernel::clock::Clock;
/// use kizuna_runtime::breaker::{Breaker, BreakerSettings, CallOutcome};
///
/// let (mut breaker, now) = (Breaker::new(BreakerSettings::default()), Clock::System.now());
/// for _ in 0..5 {
///     breaker.report(CallOutcome::Failure, now);
/// }
/// assert!(breaker.admit(now).is_err(), "open");
/// let later = now.plus(Duration::from_secs(30));
/// assert!(breaker.admit(later).is_ok(), "one probe");
/// breaker.report(CallOutcome::Success, later);
/// assert!(breaker.admit(later).is_ok(), "closed");
/// ```
#[derive(Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    state: State,
    calls: VecDeque<(Timestamp, CallOutcome)>,
}

impl Breaker {
    pub fn new(settings: BreakerSettings) -> Self {
        Self { settings, state: State::Closed, calls: VecDeque::new() }
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// The number of calls in the window that ends at `now`, and of failed ones.
    pub fn counts(&self, now: Timestamp) -> (usize, usize) {
        let recent = self.calls.iter().filter(|(at, _)| now.since(*at) < self.settings.window);
        let outcomes: Vec<_> = recent.map(|(_, outcome)| *outcome).collect();
        (outcomes.len(), outcomes.iter().filter(|outcome| **outcome == CallOutcome::Failure).count())
    }

    /// When the next probe may be sent; `None` if the breaker is closed.
    pub fn retry_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Closed => None,
            State::Open { until } => Some(until),
            State::HalfOpen { since } => Some(since.plus(self.settings.timeout)),
        }
    }

    /// Whether a call may be sent now.
    ///
    /// # Errors
    /// The time until the next probe.
    pub fn admit(&mut self, now: Timestamp) -> Result<(), Duration> {
        match self.state {
            State::Closed => Ok(()),
            State::Open { until } if now < until => Err(until.since(now)),
            State::Open { .. } => {
                self.state = State::HalfOpen { since: now };
                Ok(())
            }
            // A probe without an outcome (its caller died) must not keep the breaker half open for ever.
            State::HalfOpen { since } if now.since(since) > self.settings.timeout => {
                self.state = State::HalfOpen { since: now };
                Ok(())
            }
            State::HalfOpen { .. } => Err(self.settings.timeout),
        }
    }

    /// Records the outcome of a call.
    pub fn report(&mut self, outcome: CallOutcome, now: Timestamp) {
        match (self.state, outcome) {
            (State::HalfOpen { .. }, CallOutcome::Success) => {
                self.calls.clear();
                self.state = State::Closed;
            }
            (State::HalfOpen { .. }, CallOutcome::Failure) => self.open(now),
            // A call from before it opened says nothing about the present.
            (State::Open { .. }, _) => {}
            (State::Closed, _) => {
                self.remember(outcome, now);
                if self.is_tripped() {
                    self.open(now);
                }
            }
        }
    }

    /// Closes the breaker because a new node hosts the callee: the outcomes of earlier calls say nothing about it.
    pub fn host_appeared(&mut self) {
        self.calls.clear();
        self.state = State::Closed;
    }

    fn open(&mut self, now: Timestamp) {
        self.calls.clear();
        self.state = State::Open { until: now.plus(self.settings.reset) };
    }

    fn remember(&mut self, outcome: CallOutcome, now: Timestamp) {
        self.calls.push_back((now, outcome));
        let window = self.settings.window;
        while self.calls.front().is_some_and(|(at, _)| now.since(*at) >= window) || self.calls.len() > HISTORY
        {
            self.calls.pop_front();
        }
    }

    fn is_tripped(&self) -> bool {
        let failures = self.calls.iter().filter(|(_, outcome)| *outcome == CallOutcome::Failure).count();
        self.calls.len() >= self.settings.volume
            && failures * 100 >= self.settings.threshold as usize * self.calls.len()
    }
}

#[cfg(test)]
mod tests {
    use super::CallOutcome::{Failure, Success};
    use super::*;
    use proptest::prelude::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1_000)
    }

    #[test]
    fn it_shows_the_calls_of_its_window_and_when_it_opens_again() {
        let mut breaker = Breaker::new(BreakerSettings::default());
        breaker.report(Failure, at(0));
        breaker.report(Success, at(6_000));
        assert_eq!((breaker.counts(at(6_000)), breaker.retry_at()), ((2, 1), None));
        assert_eq!(breaker.counts(at(10_000)), (1, 0), "the first has left the window");
        let mut open = tripped();
        assert_eq!((open.counts(at(5)), open.retry_at()), ((0, 0), Some(at(30_004))));
        open.admit(at(40_000)).unwrap();
        assert_eq!(open.retry_at(), Some(at(43_000)), "a probe has so long");
    }

    fn tripped() -> Breaker {
        let mut breaker = Breaker::new(BreakerSettings::default());
        for n in 0..5 {
            breaker.report(Failure, at(n));
        }
        breaker
    }

    #[test]
    fn it_opens_at_half_failures_but_not_below_five_calls() {
        let mut breaker = Breaker::new(BreakerSettings::default());
        for (n, outcome) in [Failure, Failure, Failure, Failure].into_iter().enumerate() {
            breaker.report(outcome, at(n as i64));
            assert_eq!(breaker.state(), State::Closed);
        }
        breaker.report(Success, at(4));
        assert_eq!(breaker.state(), State::Open { until: at(30_004) });
    }

    #[test]
    fn failures_leave_the_window_after_ten_seconds() {
        let mut breaker = Breaker::new(BreakerSettings::default());
        for n in 0..4 {
            breaker.report(Failure, at(n));
        }
        for n in 0..4 {
            breaker.report(Success, at(10_010 + n));
        }
        breaker.report(Failure, at(10_020));
        assert_eq!(breaker.state(), State::Closed);
    }

    #[test]
    fn one_probe_goes_out_after_the_reset_and_decides() {
        let mut breaker = tripped();
        assert_eq!(breaker.admit(at(5)), Err(Duration::from_millis(29_999)));
        assert!(breaker.admit(at(30_004)).is_ok());
        assert!(breaker.admit(at(30_005)).is_err(), "a second probe");
        breaker.report(Failure, at(30_006));
        assert!(breaker.admit(at(30_007)).is_err(), "it failed: open again");
        assert!(breaker.admit(at(60_006)).is_ok());
        breaker.report(Success, at(60_007));
        assert_eq!(breaker.state(), State::Closed);
    }

    #[test]
    fn a_probe_that_never_answers_is_followed_by_another() {
        let mut breaker = tripped();
        assert!(breaker.admit(at(30_004)).is_ok());
        assert!(breaker.admit(at(33_005)).is_ok());
    }

    #[test]
    fn it_closes_when_a_host_appears_and_forgets_the_calls_of_before() {
        let mut open = tripped();
        open.host_appeared();
        assert_eq!((open.state(), open.admit(at(5))), (State::Closed, Ok(())));
        let mut probed = tripped();
        probed.admit(at(30_004)).unwrap();
        probed.host_appeared();
        assert_eq!((probed.state(), probed.retry_at()), (State::Closed, None));
        let mut closed = Breaker::new(BreakerSettings::default());
        for n in 0..4 {
            closed.report(Failure, at(n));
        }
        closed.host_appeared();
        closed.report(Failure, at(5));
        assert_eq!((closed.state(), closed.counts(at(5))), (State::Closed, (1, 1)));
    }

    proptest! {
        #[test]
        fn it_never_opens_without_volume_and_share_and_always_lets_a_probe_through(
            steps in proptest::collection::vec((0_i64..2_000, any::<bool>()), 1..200)
        ) {
            let settings = BreakerSettings::default();
            let mut breaker = Breaker::new(settings.clone());
            let mut now = 0;
            let mut calls: Vec<(i64, bool)> = Vec::new();
            for (pause, ok) in steps {
                now += pause;
                if breaker.admit(at(now)).is_err() {
                    prop_assert!(breaker.state() != State::Closed);
                    continue;
                }
                let was_probe = matches!(breaker.state(), State::HalfOpen { .. });
                breaker.report(if ok { Success } else { Failure }, at(now));
                if was_probe {
                    calls.clear();
                    prop_assert_eq!(matches!(breaker.state(), State::Closed), ok);
                    continue;
                }
                calls.push((now, ok));
                calls.retain(|(when, _)| now - when < 10_000);
                let failed = calls.iter().filter(|(_, ok)| !ok).count();
                let trips = calls.len() >= settings.volume && failed * 2 >= calls.len();
                prop_assert_eq!(matches!(breaker.state(), State::Open { .. }), trips);
                if trips {
                    calls.clear();
                }
            }
            prop_assert!(breaker.admit(at(now + 40_000)).is_ok());
        }
    }
}
