//! The messages of the service of subscriptions, which is on every node.

use std::time::Duration;

use crate::subscription::record::NewSubscription;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::event::{EventType, LoggedEvent};
use kernel::ids::Id;

/// Where a reader of the whole log goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// From the first event on.
    Start,
    /// From the next event that is committed on.
    Now,
    /// After the event of this cursor.
    Cursor(String),
}

/// The next events of the log, oldest first.
pub struct ReadLog {
    pub caller: Caller,
    pub after: After,
    /// Events of these types; none stands for every type.
    pub types: Vec<EventType>,
    pub limit: i64,
}

/// The next events of the log, and from where to go on.
#[derive(Clone, Debug)]
pub struct LogPage {
    pub events: Vec<LoggedEvent>,
    pub cursor: String,
    /// Whether there may be more already.
    pub has_more: bool,
}

/// Makes a subscription, or replaces what a client sets of it.
#[derive(Clone)]
pub struct PutSubscription {
    pub name: String,
    pub new: NewSubscription,
    pub context: Context,
}

/// Every subscription, by name.
pub struct ListSubscriptions {
    pub caller: Caller,
}

/// A subscription.
pub struct ReadSubscription {
    pub caller: Caller,
    pub name: String,
}

/// Removes a subscription and its positions.
pub struct RemoveSubscription {
    pub name: String,
    pub context: Context,
}

/// Leases the next batch to a reader.
pub struct LeaseEvents {
    pub caller: Caller,
    pub name: String,
    pub limit: i64,
    /// How long it is leased.
    pub lease: Duration,
}

/// A batch of events, which is its reader's until the lease expires.
#[derive(Clone, Debug, Default)]
pub struct Leased {
    /// None for an empty batch.
    pub lease: Option<(Id, Timestamp)>,
    pub events: Vec<LoggedEvent>,
    /// The types of the subscription; none stands for every type.
    pub types: Vec<EventType>,
    /// When to look again, if the batch is empty: also without a commit.
    pub look_again: Option<Duration>,
}

/// Acknowledges a batch.
pub struct AckLease {
    pub name: String,
    pub lease: Id,
    pub context: Context,
}

/// How many events wait for the readers of each subscription, by its name.
pub struct ReadPending {
    pub caller: Caller,
}
