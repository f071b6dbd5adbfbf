//! What a socket may ask for besides its user's notifications. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actors::catalogue;

/// A part of the event log that can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    Customers,
    Meetings,
    Tasks,
    Approvals,
    Sagas,
}

impl Topic {
    pub const ALL: [Self; 5] = [Self::Customers, Self::Meetings, Self::Tasks, Self::Approvals, Self::Sagas];

    /// As a client writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Meetings => "meetings",
            Self::Tasks => "tasks",
            Self::Approvals => "approvals",
            Self::Sagas => "sagas",
        }
    }

    /// The topic of an event's type, singular (`customer.created`) or plural (`customers.reassigned`).
    pub fn of(event_type: &str) -> Option<Self> {
        let noun = event_type.split('.').next()?;
        Self::ALL.into_iter().find(|topic| topic.as_str().trim_end_matches('s') == noun.trim_end_matches('s'))
    }
}

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

    /// Those of either set.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The event types of these topics.
    pub fn event_types(self) -> impl Iterator<Item = &'static str> {
        let wanted = move |event_type: &&str| Topic::of(event_type).is_some_and(|topic| self.contains(topic));
        catalogue::ALL.iter().copied().filter(wanted)
    }

    /// As a number, for an atomic.
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
    fn singular_and_plural_types_are_of_one_topic() {
        for (event_type, topic) in [
            ("customer.created", Some(Topic::Customers)),
            ("customers.reassigned", Some(Topic::Customers)),
            ("meetings.deleted", Some(Topic::Meetings)),
            ("task.due_soon", Some(Topic::Tasks)),
            ("approval.requested", Some(Topic::Approvals)),
            ("saga.failed", Some(Topic::Sagas)),
            ("notification.created", None),
            ("user.login", None),
        ] {
            assert_eq!(Topic::of(event_type), topic, "{event_type}");
        }
    }

    #[test]
    fn a_set_names_the_types_of_its_topics_alone() {
        let topics: Topics = [Topic::Sagas].into_iter().collect();
        let types: Vec<_> = topics.event_types().collect();
        assert_eq!(types, ["saga.started", "saga.step_completed", "saga.completed", "saga.failed"]);
        assert!(Topics::default().event_types().next().is_none());
    }
}
