//! The world's time: the paused clock of its runtime. The clock of each node differs from it, and may jump.

use std::cell::{Cell, RefCell};

use kernel::clock::{Clock, Timestamp};
use tokio::time::Instant;

/// The time at which each world begins, in microseconds since 1970.
const BEGIN: i64 = 1_790_000_000_000_000;

thread_local! {
    static BEGUN: Cell<Option<Instant>> = const { Cell::new(None) };
    /// By how many microseconds the clock of each node is wrong.
    static WRONG: RefCell<Vec<i64>> = const { RefCell::new(Vec::new()) };
}

/// The world of this thread begins now.
pub fn begin() {
    BEGUN.set(Some(Instant::now()));
    WRONG.with_borrow_mut(Vec::clear);
}

/// Microseconds since the world's begin.
pub fn elapsed() -> i64 {
    BEGUN.get().map_or(0, |begun| i64::try_from(begun.elapsed().as_micros()).unwrap_or(i64::MAX))
}

/// The right time, which the database has, in microseconds since 1970.
pub fn now() -> i64 {
    BEGIN + elapsed()
}

/// The clock of a node.
pub fn clock_of(node: usize) -> Clock {
    Clock::Simulated(read, node as u64)
}

/// Makes the clock of a node wrong.
pub fn set_wrong(node: usize, micros: i64) {
    WRONG.with_borrow_mut(|wrong| {
        if wrong.len() <= node {
            wrong.resize(node + 1, 0);
        }
        wrong[node] = micros;
    });
}

fn read(node: u64) -> Timestamp {
    let wrong = WRONG.with_borrow(|wrong| wrong.get(node as usize).copied().unwrap_or(0));
    Timestamp::from_micros(now() + wrong)
}
