//! What operators see of a circuit breaker.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use kernel::clock::Timestamp;
use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use crate::breaker::machine::{Forced, State};
use crate::breaker::window::Latencies;

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

impl From<Forced> for BreakerState {
    fn from(forced: Forced) -> Self {
        match forced {
            Forced::Open => Self::Open,
            Forced::Closed => Self::Closed,
        }
    }
}

/// The figures of a breaker.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct BreakerReading {
    #[schema(value_type = String, example = "breaker.customer")]
    pub name: Arc<str>,
    pub state: BreakerState,
    /// The state in which an operator keeps it; null if its calls decide.
    #[schema(required)]
    pub forced: Option<Forced>,
    /// Calls in the rolling window.
    pub calls: usize,
    /// Failed calls in the rolling window.
    pub failures: usize,
    /// How long the calls in the rolling window took.
    pub latency_ms: Latencies,
    /// When the next probe may be sent; null while it is closed or forced.
    #[schema(required)]
    pub retry_at: Option<Timestamp>,
    /// Calls that wait for an answer now.
    pub under_way: usize,
    /// The most calls at the same time.
    pub capacity: usize,
    /// What has happened since the node's start.
    pub counters: Counters,
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident => $event:ident),* $(,)?) => {
        /// How often each event of a breaker has happened since the node's start.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// An event of a breaker, also the label `event` of the metric `kizuna_breaker_events_total`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event {
            $($(#[$doc])* $event,)*
        }

        impl Event {
            const ALL: [Self; [$(stringify!($name)),*].len()] = [$(Self::$event),*];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$event => stringify!($name),)*
                }
            }
        }

        impl Totals {
            fn counters(&self) -> Counters {
                Counters { $($name: self.0[Event::$event as usize].load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Calls that somebody wanted to make; a retry is a call of its own.
    fire => Fire,
    success => Success,
    /// Calls that failed, timeouts included.
    failure => Failure,
    timeout => Timeout,
    /// Calls that were not made: the breaker was open, or as many as its capacity were under way.
    reject => Reject,
    /// Answers that the caller gave from a copy instead.
    fallback => Fallback,
    /// How often it opened.
    open => Open,
    /// How often it let a probe through.
    half_open => HalfOpen,
    /// How often it closed.
    close => Close,
}

#[derive(Default)]
struct Totals([AtomicU64; Event::ALL.len()]);

/// What outlives a restart of the breaker's actor: the counters, a forced state, and the places for calls.
#[derive(Clone)]
pub struct Shared(Arc<Parts>);

struct Parts {
    name: Arc<str>,
    /// Its name in metrics.
    label: &'static str,
    totals: Totals,
    is_open: AtomicBool,
    forced: Mutex<Option<Forced>>,
    capacity: usize,
    places: Arc<Semaphore>,
}

impl Parts {
    /// Changes how many breakers of its label are open.
    fn change_gauge(&self, by: f64) {
        metrics::gauge!("kizuna_breaker_open", "breaker" => self.label).increment(by);
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if *self.is_open.get_mut() {
            self.change_gauge(-1.0);
        }
    }
}

impl Shared {
    pub fn new(name: &'static str, capacity: usize) -> Self {
        Self::one_of(name, name, capacity)
    }

    /// A breaker of many that come and go: metrics have them together, under `label`.
    pub fn one_of(label: &'static str, name: &str, capacity: usize) -> Self {
        Self(Arc::new(Parts {
            name: name.into(),
            label,
            totals: Totals::default(),
            is_open: AtomicBool::new(false),
            forced: Mutex::default(),
            capacity,
            places: Arc::new(Semaphore::new(capacity)),
        }))
    }

    pub fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    /// Shows in the metrics whether it is open.
    pub(super) fn show(&self, is_open: bool) {
        let was_open = self.0.is_open.swap(is_open, Ordering::Relaxed);
        self.0.change_gauge(f64::from(u8::from(is_open)) - f64::from(u8::from(was_open)));
    }

    pub fn count(&self, event: Event) {
        self.0.totals.0[event as usize].fetch_add(1, Ordering::Relaxed);
        metrics::counter!("kizuna_breaker_events_total", "breaker" => self.0.label, "event" => event.word())
            .increment(1);
    }

    pub fn counters(&self) -> Counters {
        self.0.totals.counters()
    }

    pub fn capacity(&self) -> usize {
        self.0.capacity
    }

    pub fn under_way(&self) -> usize {
        self.0.capacity - self.0.places.available_permits()
    }

    pub(super) fn places(&self) -> &Semaphore {
        &self.0.places
    }

    pub(super) fn forced(&self) -> Option<Forced> {
        *self.0.forced.lock().expect("no panic under this lock")
    }

    pub(super) fn force(&self, forced: Option<Forced>) {
        *self.0.forced.lock().expect("no panic under this lock") = forced;
    }
}
