//! When API keys were last used: told to the service at most once a minute for each key, never once a request.

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use kernel::clock::Timestamp;
use kernel::ids::Id;

/// How exact the time of the last use is.
const EVERY: Duration = Duration::from_secs(60);
/// Keys whose last use is remembered; as many again are told about sooner.
const KEPT: usize = 10_000;

/// What this node has told of the use of keys. Clones share it.
#[derive(Clone, Default)]
pub struct KeyUses(Arc<DashMap<Id, Timestamp>>);

impl KeyUses {
    /// Whether this use is to be told; from then on none is for a minute.
    pub fn is_due(&self, key: Id, now: Timestamp) -> bool {
        if self.0.len() >= KEPT {
            self.0.clear();
        }
        match self.0.entry(key) {
            Entry::Occupied(told) if now.since(*told.get()) < EVERY => false,
            Entry::Occupied(mut told) => {
                told.insert(now);
                true
            }
            Entry::Vacant(place) => {
                place.insert(now);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    #[test]
    fn a_key_is_told_about_once_a_minute_however_often_it_is_used() {
        let (uses, key) = (KeyUses::default(), new_id());
        let at = |seconds: i64| Timestamp::from_micros(1_000_000_000 + seconds * 1_000_000);
        let told = (0..180).filter(|second| uses.is_due(key, at(*second))).count();
        assert_eq!(told, 3);
        assert!(uses.is_due(new_id(), at(0)), "another key");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let uses = KeyUses::default();
        for _ in 0..KEPT + 10 {
            uses.is_due(new_id(), Timestamp::from_micros(0));
        }
        assert!(uses.0.len() <= KEPT);
    }
}
