//! The topics that a socket may follow besides its user's notifications. Pure.

use kernel::error::Error;
use kernel::event::EventType;
use kernel::scopes::{Scope, Scopes};

use domain::api_key::event_scopes;
use domain::events::{EVENTS, EventRow};
use domain::topic::Topic;

/// A set of topics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Topics(u8);

impl FromIterator<Topic> for Topics {
    fn from_iter<I: IntoIterator<Item = Topic>>(topics: I) -> Self {
        Self(topics.into_iter().fold(0, |set, topic| set | 1 << topic as u8))
    }
}

impl Topics {
    pub fn contains(self, topic: Topic) -> bool {
        self.0 & (1 << topic as u8) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The topics of either set.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Checks that a reader with these scopes may follow every topic.
    ///
    /// # Errors
    /// `missing_scope`.
    pub fn check(self, scopes: Scopes) -> Result<(), Error> {
        let followed = Topic::ALL.into_iter().filter(|topic| self.contains(*topic));
        let needed: Vec<Scope> = followed.filter_map(event_scopes::of_topic).collect();
        scopes.check(Scopes::of(&needed))
    }

    /// The event types of these topics.
    pub fn event_types(self) -> impl Iterator<Item = EventType> {
        let wanted = move |row: &&EventRow| row.topic.is_some_and(|topic| self.contains(topic));
        EVENTS.iter().filter(wanted).map(|row| row.event_type)
    }

    /// The set as a number, for an atomic.
    pub(super) fn bits(self) -> u8 {
        self.0
    }

    pub(super) fn from_bits(bits: u8) -> Self {
        Self(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_names_the_types_of_its_topics_alone() {
        let topics: Topics = [Topic::Sagas].into_iter().collect();
        let types: Vec<_> = topics.event_types().map(EventType::name).collect();
        let of_sagas =
            ["saga.started", "saga.step_completed", "saga.completed", "saga.failed", "saga.undone"];
        assert_eq!(types, [&["import.committed", "import.undone"], &of_sagas[..]].concat());
        assert!(Topics::default().event_types().next().is_none());
    }
}
