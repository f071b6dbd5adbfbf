//! Draws of the world.

use std::time::Duration;

use kernel::simulation::drawn;

/// A number less than `end`, which is not 0.
pub fn below(end: u64) -> u64 {
    drawn().expect("a world has begun") % end
}

/// A number of this range, both ends included.
pub fn between(least: u64, most: u64) -> u64 {
    least + below(most - least + 1)
}

/// Whether something happens that happens so many times in ten thousand.
pub fn happens(in_ten_thousand: u64) -> bool {
    in_ten_thousand > 0 && below(10_000) < in_ten_thousand
}

/// One of these.
pub fn one_of<T: Clone>(all: &[T]) -> T {
    all[below(all.len() as u64) as usize].clone()
}

/// A duration of this range of milliseconds.
pub fn millis(least: u64, most: u64) -> Duration {
    Duration::from_millis(between(least, most))
}
