//! Remembers the ids of calls, so that no call is carried out twice. Pure. An id is remembered until some time after the
//! deadline of its call. After that, calls with this deadline or an earlier one are late, whatever the clock says: if the
//! clock goes back, an old call that somebody sends again stays refused.

use std::collections::{BTreeSet, HashSet};

use crate::cluster::clock::ClusterTime;
use kernel::ids::Id;
use kernel::simulation::mutant;

/// Whether a call is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    New,
    /// A call with this id has arrived before.
    Repeated,
    /// Its deadline has passed, or is later than any caller would set.
    Late,
    /// No more ids can be remembered.
    Full,
}

/// The ids of recent calls.
#[derive(Debug, Default)]
pub struct Seen {
    ids: HashSet<Id>,
    /// The ids in the order of their deadlines.
    deadlines: BTreeSet<(ClusterTime, Id)>,
    /// The latest deadline of an id that was forgotten.
    forgotten: Option<ClusterTime>,
}

impl Seen {
    /// Decides on the call `id` with this deadline at `now`, and remembers a new one.
    pub fn admit(&mut self, id: Id, deadline: ClusterTime, now: ClusterTime) -> Verdict {
        self.forget(now);
        if deadline <= now || now.plus(DEADLINE_MAX) < deadline || Some(deadline) <= self.forgotten {
            return Verdict::Late;
        }
        if self.ids.contains(&id) && !mutant("call-repeated") {
            return Verdict::Repeated;
        }
        if self.ids.len() >= CALL_IDS_MAX {
            return Verdict::Full;
        }
        self.ids.insert(id);
        self.deadlines.insert((deadline, id));
        Verdict::New
    }

    fn forget(&mut self, now: ClusterTime) {
        while let Some((deadline, id)) = self.deadlines.first().copied() {
            if deadline.plus(MARGIN) >= now {
                break;
            }
            self.deadlines.pop_first();
            self.ids.remove(&id);
            self.forgotten = Some(deadline);
        }
    }
}

/// The latest deadline. Settings allow longer ones, but no caller waits that long.
pub const DEADLINE_MAX: std::time::Duration = std::time::Duration::from_secs(60);
/// How much two nodes' readings of the cluster's clock may differ.
const MARGIN: std::time::Duration = std::time::Duration::from_secs(5);
/// Call ids remembered: enough for 30,000 calls per second with deadlines of 3 s. 16 MB.
const CALL_IDS_MAX: usize = 262_144;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use kernel::ids::new_id;

    fn at(millis: i64) -> ClusterTime {
        ClusterTime(millis * 1_000)
    }

    #[test]
    fn a_call_is_new_once_as_long_as_anybody_waits_for_it() {
        let (mut seen, id) = (Seen::default(), new_id());
        assert_eq!(seen.admit(id, at(3_000), at(0)), Verdict::New);
        for now in [0, 1, 2_999] {
            assert_eq!(seen.admit(id, at(3_000), at(now)), Verdict::Repeated);
        }
        for now in [3_000, 3_001, 100_000] {
            assert_eq!(seen.admit(id, at(3_000), at(now)), Verdict::Late);
        }
        assert!(seen.ids.is_empty() && seen.deadlines.is_empty(), "it is forgotten");
        assert_eq!(
            seen.admit(new_id(), at(0).plus(DEADLINE_MAX).plus(Duration::from_micros(1)), at(0)),
            Verdict::Late
        );
    }

    #[test]
    fn a_clock_read_a_little_differently_repeats_nothing() {
        let (mut seen, id) = (Seen::default(), new_id());
        assert_eq!(seen.admit(id, at(3_000), at(0)), Verdict::New);
        seen.forget(at(7_000));
        assert_eq!(seen.admit(id, at(3_000), at(2_500)), Verdict::Repeated);
    }

    #[test]
    fn a_clock_that_goes_back_brings_no_old_call_back_and_new_ones_go_on() {
        let (mut seen, id) = (Seen::default(), new_id());
        assert_eq!(seen.admit(id, at(3_000), at(0)), Verdict::New);
        assert_eq!(seen.admit(new_id(), at(63_000), at(60_000)), Verdict::New, "the first one is forgotten");
        for now in [0, 1_000, 2_999] {
            assert_eq!(seen.admit(id, at(3_000), at(now)), Verdict::Late);
        }
        assert_eq!(seen.admit(new_id(), at(4_000), at(1_000)), Verdict::New);
    }

    #[test]
    fn more_than_can_be_kept_is_refused_and_nothing_is_forgotten_for_it() {
        let mut seen = Seen::default();
        let first = new_id();
        assert_eq!(seen.admit(first, at(3_000), at(0)), Verdict::New);
        for _ in 1..CALL_IDS_MAX {
            assert_eq!(seen.admit(new_id(), at(3_000), at(0)), Verdict::New);
        }
        assert_eq!(seen.admit(new_id(), at(3_000), at(0)), Verdict::Full);
        assert_eq!(seen.admit(first, at(3_000), at(0)), Verdict::Repeated);
        assert_eq!(seen.admit(new_id(), at(20_000), at(10_000)), Verdict::New, "room again");
    }
}
