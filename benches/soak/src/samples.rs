//! What must stay flat: memory and file descriptors of the node that is never restarted, and how long requests take. The first
//! third of the run is compared with the last.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::table::Table;

/// How many times the first third the last may be. A node fills its caches in the first minutes; requests meet other faults
/// in each third.
const MEMORY_GROWS: f64 = 1.5;
const DESCRIPTORS_GROW: f64 = 1.5;
const LATENCY_GROWS: f64 = 1.5;
const PAGE_BYTES: u64 = 4096;
const MEMORY: &str = "memory, MiB";
const DESCRIPTORS: &str = "file descriptors";
/// A fixed piece of work of this process: when the machine has less time for all, it takes longer, and so may requests.
const MACHINE: &str = "the machine: a fixed piece of work, ms";
const PIECE: u64 = 100_000;

/// Measured values by what they are of.
pub struct Samples {
    begun: Instant,
    length: Duration,
    values: Mutex<BTreeMap<&'static str, Vec<(Instant, f64)>>>,
}

impl Samples {
    pub fn new(begun: Instant, until: Instant) -> Self {
        Self { begun, length: until - begun, values: Mutex::default() }
    }

    fn values(&self) -> MutexGuard<'_, BTreeMap<&'static str, Vec<(Instant, f64)>>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, what: &'static str, at: Instant, value: f64) {
        self.values().entry(what).or_default().push((at, value));
    }

    /// A request that was answered.
    pub fn request(&self, kind: &'static str, sent: Instant) {
        self.note(kind, sent, sent.elapsed().as_secs_f64() * 1_000.0);
    }

    /// A process as it is now.
    pub fn process(&self, pid: u32) {
        let now = Instant::now();
        let Ok(text) = fs::read_to_string(format!("/proc/{pid}/statm")) else { return };
        let pages: u64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
        self.note(MEMORY, now, (pages * PAGE_BYTES) as f64 / (1024.0 * 1024.0));
        if let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) {
            self.note(DESCRIPTORS, now, open.count() as f64);
        }
    }

    /// How fast the machine is now.
    pub fn machine(&self) {
        let begun = Instant::now();
        let sum = (0..PIECE).fold(0_u64, |sum, number| sum.rotate_left(5) ^ number);
        std::hint::black_box(sum);
        self.note(MACHINE, begun, begun.elapsed().as_secs_f64() * 1_000.0);
    }

    /// The rows of all that was measured.
    pub fn report(&self, table: &mut Table) {
        let values = self.values();
        let slower = values.get(MACHINE).map_or(1.0, |values| {
            let thirds = self.thirds(values).map(|third| median(&third));
            (thirds[2] / thirds[0]).max(1.0)
        });
        for (what, values) in values.iter() {
            let limit = match *what {
                MEMORY => MEMORY_GROWS,
                DESCRIPTORS => DESCRIPTORS_GROW,
                _ => LATENCY_GROWS * slower,
            };
            let thirds = self.thirds(values).map(|third| median(&third));
            let ratio = thirds[2] / thirds[0];
            let figure = format!("{:.1}, {:.1}, {:.1}: × {ratio:.2}", thirds[0], thirds[1], thirds[2]);
            let name = format!("{what}: medians of the thirds");
            if *what == MACHINE {
                table.figure(&name, figure);
                continue;
            }
            // Without a value in a third the ratio is no number, and does not hold.
            table.row(&name, figure, &format!("× {limit:.2} at most"), ratio <= limit);
        }
    }

    fn thirds(&self, values: &[(Instant, f64)]) -> [Vec<f64>; 3] {
        let mut thirds = [const { Vec::new() }; 3];
        for (at, value) in values {
            let part = at.saturating_duration_since(self.begun).as_secs_f64() / self.length.as_secs_f64();
            thirds[((part * 3.0) as usize).min(2)].push(*value);
        }
        thirds
    }
}

/// The middle value; no number of none.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(values: [f64; 3]) -> bool {
        let begun = Instant::now();
        let samples = Samples::new(begun, begun + Duration::from_secs(30));
        for (third, value) in values.into_iter().enumerate() {
            samples.note("a read, ms", begun + Duration::from_secs(10 * third as u64 + 5), value);
        }
        let mut table = Table::default();
        samples.report(&mut table);
        table.holds()
    }

    #[test]
    fn what_grows_between_the_first_and_the_last_third_does_not_hold() {
        assert!(reported([10.0, 90.0, 12.0]), "a bad middle passes");
        assert!(!reported([10.0, 10.0, 16.0]), "the last third took longer");
        assert!(!reported([f64::NAN, 1.0, 1.0]), "nothing to compare with");
    }

    #[test]
    fn requests_may_take_longer_as_far_as_the_machine_does() {
        let begun = Instant::now();
        for (last, holds) in [(25.0, true), (35.0, false)] {
            let samples = Samples::new(begun, begun + Duration::from_secs(30));
            for (what, first, last) in [("a read, ms", 10.0, last), (MACHINE, 1.0, 2.0)] {
                samples.note(what, begun, first);
                samples.note(what, begun + Duration::from_secs(29), last);
            }
            let mut table = Table::default();
            samples.report(&mut table);
            assert_eq!(table.holds(), holds, "{last}");
        }
    }

    #[test]
    fn this_process_has_memory_and_descriptors() {
        let begun = Instant::now();
        let samples = Samples::new(begun, begun + Duration::from_secs(1));
        samples.process(std::process::id());
        let values = samples.values();
        assert!(values["memory, MiB"][0].1 > 0.0 && values["file descriptors"][0].1 > 0.0);
    }
}
