//! The calls of a circuit breaker in its rolling window: how many failed, and how long they took. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use kernel::clock::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::breaker::machine::CallOutcome;

/// The most calls that are kept: enough to compute a share and percentiles.
const HISTORY: usize = 1_024;

#[derive(Clone, Copy, Debug)]
struct Ended {
    at: Timestamp,
    is_failure: bool,
    took: Duration,
}

/// The calls that ended within the window, the latest 1,024 at most.
#[derive(Debug)]
pub struct Window {
    length: Duration,
    calls: VecDeque<Ended>,
}

/// How long the calls of the window took, in milliseconds; all 0 without calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Latencies {
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
}

impl Window {
    pub(crate) fn new(length: Duration) -> Self {
        Self { length, calls: VecDeque::new() }
    }

    pub(crate) fn add(&mut self, at: Timestamp, outcome: CallOutcome, took: Duration) {
        self.calls.push_back(Ended { at, is_failure: outcome.is_failure(), took });
        let length = self.length;
        while self.calls.len() > HISTORY || self.calls.front().is_some_and(|call| at.since(call.at) >= length)
        {
            self.calls.pop_front();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.calls.clear();
    }

    /// The number of calls, and of failed ones, when the last call was added.
    pub(crate) fn totals(&self) -> (usize, usize) {
        (self.calls.len(), self.calls.iter().filter(|call| call.is_failure).count())
    }

    fn recent(&self, now: Timestamp) -> impl Iterator<Item = &Ended> {
        self.calls.iter().filter(move |call| now.since(call.at) < self.length)
    }

    /// The number of calls in the window that ends at `now`, and of failed ones.
    pub fn counts(&self, now: Timestamp) -> (usize, usize) {
        (self.recent(now).count(), self.recent(now).filter(|call| call.is_failure).count())
    }

    /// How long the calls in the window that ends at `now` took.
    pub fn latencies(&self, now: Timestamp) -> Latencies {
        let mut took: Vec<f64> = self.recent(now).map(|call| call.took.as_secs_f64() * 1_000.0).collect();
        if took.is_empty() {
            return Latencies::default();
        }
        took.sort_by(f64::total_cmp);
        // The smallest value that so many percent of the calls did not exceed.
        let percentile = |percent: usize| took[(took.len() * percent).div_ceil(100) - 1];
        Latencies {
            mean: took.iter().sum::<f64>() / took.len() as f64,
            p50: percentile(50),
            p90: percentile(90),
            p99: percentile(99),
            max: percentile(100),
        }
    }
}
