//! The units that wait for a commit. Pure.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use store::unit_of_work::UnitOfWork;
use tokio::time::Instant;

/// Something that waits with a unit of work.
pub(super) trait Waits {
    fn unit(&self) -> &UnitOfWork;
}

/// Units in the order of their arrival: those that somebody waits for, and those that may be gathered.
pub(super) struct Queue<W> {
    prompt: VecDeque<W>,
    gathered: VecDeque<W>,
    /// When one of those that are gathered has waited long enough.
    due: Option<Instant>,
}

impl<W> Default for Queue<W> {
    fn default() -> Self {
        Self { prompt: VecDeque::new(), gathered: VecDeque::new(), due: None }
    }
}

impl<W: Waits> Queue<W> {
    pub(super) fn len(&self) -> usize {
        self.prompt.len() + self.gathered.len()
    }

    /// Adds a unit for the next commit.
    pub(super) fn push(&mut self, waiter: W) {
        self.prompt.push_back(waiter);
    }

    /// Adds a unit for the first commit after `at`, or for an earlier one with others of this kind.
    pub(super) fn gather(&mut self, waiter: W, at: Instant) {
        self.gathered.push_back(waiter);
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// How long until there is something to commit; `None` if nothing waits.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        match self.prompt.is_empty() {
            false => Some(Duration::ZERO),
            true => self.due.map(|due| due.saturating_duration_since(now)),
        }
    }

    /// Takes the units of the next commit, `most` of them, until two would write the same row. Once a gathered unit has
    /// waited long enough, all of them go, and before the others, of which there may be no end.
    pub(super) fn next_group(&mut self, most: usize, now: Instant) -> Vec<W> {
        let mut group = Group { most, units: Vec::new(), touched: HashSet::new() };
        if self.due.is_some_and(|due| due <= now) {
            while let Some(next) = self.gathered.front() {
                if !group.has_room_for(next) {
                    return group.units;
                }
                group.units.extend(self.gathered.pop_front());
            }
            self.due = None;
        }
        while let Some(next) = self.prompt.front() {
            if !group.has_room_for(next) {
                break;
            }
            group.units.extend(self.prompt.pop_front());
        }
        group.units
    }
}

struct Group<W> {
    most: usize,
    units: Vec<W>,
    /// The rows that they write.
    touched: HashSet<(&'static str, String)>,
}

impl<W: Waits> Group<W> {
    /// Whether a unit fits in; then its rows are taken.
    fn has_room_for(&mut self, waiter: &W) -> bool {
        let keys: Vec<_> = waiter.unit().keys().map(|(name, key)| (name, key.into_owned())).collect();
        let fits = self.units.len() < self.most && !keys.iter().any(|key| self.touched.contains(key));
        if fits {
            self.touched.extend(keys);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::table::{Kind, OnConflict, Table};
    use store::unit_of_work::Write;

    static ROWS: Table = Table {
        name: "rows",
        columns: &[("id", Kind::Text), ("version", Kind::Int)],
        on_conflict: OnConflict::Replace,
        fence: "version",
    };

    struct Named(&'static str, UnitOfWork);

    impl Waits for Named {
        fn unit(&self) -> &UnitOfWork {
            &self.1
        }
    }

    fn named(name: &'static str, row: &str) -> Named {
        let writes = vec![Write::put(&ROWS, row, &serde_json::json!({"id": row, "version": 1}))];
        Named(name, UnitOfWork { writes, ..UnitOfWork::default() })
    }

    fn names(group: &[Named]) -> Vec<&'static str> {
        group.iter().map(|named| named.0).collect()
    }

    const LATER: Duration = Duration::from_millis(5);

    #[test]
    fn prompt_units_go_at_once_and_in_their_order() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        assert_eq!(queue.wait(now), None);
        for (name, row) in [("a", "1"), ("b", "2"), ("c", "1"), ("d", "3")] {
            queue.push(named(name, row));
        }
        assert_eq!(queue.wait(now), Some(Duration::ZERO));
        assert_eq!(names(&queue.next_group(64, now)), ["a", "b"], "until two write one row");
        assert_eq!(names(&queue.next_group(1, now)), ["c"], "as many as may go");
        assert_eq!(names(&queue.next_group(64, now)), ["d"]);
        assert_eq!((queue.len(), queue.wait(now)), (0, None));
    }

    #[test]
    fn gathered_units_wait_for_each_other_and_then_go_together_and_first() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.gather(named("x", "1"), now + LATER);
        queue.gather(named("y", "2"), now + 2 * LATER);
        assert_eq!(queue.wait(now), Some(LATER));
        queue.push(named("a", "3"));
        assert_eq!(names(&queue.next_group(64, now)), ["a"]);
        queue.push(named("b", "4"));
        queue.push(named("c", "2"));
        assert_eq!(names(&queue.next_group(64, now + LATER)), ["x", "y", "b"]);
        assert_eq!(names(&queue.next_group(64, now + LATER)), ["c"]);
    }

    #[test]
    fn one_that_is_due_takes_the_others_with_it() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.gather(named("x", "1"), now + LATER);
        queue.gather(named("y", "2"), now);
        assert_eq!(queue.wait(now), Some(Duration::ZERO));
        assert_eq!(names(&queue.next_group(64, now)), ["x", "y"]);
    }

    #[test]
    fn gathered_units_that_have_no_room_are_due_at_once() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.gather(named("x", "1"), now);
        queue.gather(named("y", "1"), now);
        assert_eq!(names(&queue.next_group(64, now)), ["x"]);
        assert_eq!(queue.wait(now), Some(Duration::ZERO));
        assert_eq!(names(&queue.next_group(64, now)), ["y"]);
    }
}
