//! How readers share a subscription: each partition of the log is leased to one reader at a time, up to the last event
//! of its batch, so that the events of a key are never with two readers. Pure.
//!
//! A lease is a set of partitions. To acknowledge it moves the position of each; when it expires, the events after the
//! positions go to whoever asks next. Each change of a partition counts its version up, and is stored only if the version
//! is still the one it was decided on: an old lease can move nothing.

use std::collections::HashMap;
use std::time::Duration;

use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use serde::{Deserialize, Serialize};

/// How long a batch is leased, if its reader does not say.
pub const LEASE: Duration = Duration::from_secs(30);
/// How long it may be leased at most.
pub const LEASE_MAX: Duration = Duration::from_secs(600);
/// So many events that are of no interest are worth a write, which moves the position past them.
const SKIP_WORTH_STORING: i64 = 500;
/// How soon a reader looks again for events behind another reader's batch, on whatever node that one acknowledges it.
const BEHIND_A_LEASE: Duration = Duration::from_secs(1);

/// The state of a subscription in a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionState {
    /// `key/partition`.
    pub id: String,
    pub subscription: String,
    #[serde(rename = "slice")]
    pub partition: i64,
    pub version: i64,
    /// Up to here events are acknowledged.
    pub position: i64,
    /// The lease of the events after it.
    pub lease: Option<Id>,
    /// How many partitions the lease has.
    pub lease_size: i64,
    /// The last event of the lease.
    pub leased_to: i64,
    /// When the last lease ends, or would have ended. Partitions take turns by it.
    pub leased_until: Option<Timestamp>,
}

impl PartitionState {
    /// A partition that begins after this position.
    pub fn beginning(subscription: &str, key: Id, partition: i64, position: i64) -> Self {
        Self {
            id: format!("{key}/{partition}"),
            subscription: subscription.to_owned(),
            partition,
            version: 1,
            position,
            lease: None,
            lease_size: 0,
            leased_to: position,
            leased_until: None,
        }
    }

    fn is_leased(&self, now: Timestamp) -> bool {
        self.lease.is_some() && self.leased_until.is_some_and(|until| until > now)
    }

    /// Its events up to `upto` are a reader's until this moment.
    pub fn leased(&self, lease: &NewLease, upto: i64) -> Self {
        Self {
            version: self.version + 1,
            lease: Some(lease.id),
            lease_size: lease.size,
            leased_to: upto,
            leased_until: Some(lease.until),
            ..self.clone()
        }
    }

    /// The position moves past events that are of no interest, if they are worth it.
    pub fn skipped(&self, upto: i64) -> Option<Self> {
        (upto - self.position >= SKIP_WORTH_STORING).then(|| self.moved(upto))
    }

    /// It goes on after another position; its lease ends.
    pub fn moved(&self, position: i64) -> Self {
        Self {
            version: self.version + 1,
            position,
            lease: None,
            lease_size: 0,
            leased_to: position,
            ..self.clone()
        }
    }

    /// Its lease ends, and its position stays.
    pub fn released(&self) -> Self {
        self.moved(self.position)
    }
}

/// A lease that is about to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewLease {
    pub id: Id,
    pub until: Timestamp,
    /// How many partitions it has.
    pub size: i64,
}

/// The last number of each partition of the log.
pub type Heads = HashMap<i64, i64>;

fn head(heads: &Heads, partition: i64) -> i64 {
    heads.get(&partition).copied().unwrap_or_default()
}

/// The partitions that have events and no reader: those first that have waited longest since their last lease.
pub fn free<'a>(states: &'a [PartitionState], heads: &Heads, now: Timestamp) -> Vec<&'a PartitionState> {
    let is_free =
        |state: &&PartitionState| !state.is_leased(now) && head(heads, state.partition) > state.position;
    let mut free: Vec<_> = states.iter().filter(is_free).collect();
    free.sort_by_key(|state| (state.leased_until, state.partition));
    free
}

/// How many of the free partitions a reader may lease, so that something is left for the others who ask.
pub fn share(free: usize, readers: usize) -> usize {
    free.div_ceil(readers.max(1))
}

/// When a reader who got nothing should look again, without having heard of a commit: when a lease expires, and sooner
/// where events wait behind one.
pub fn look_again(states: &[PartitionState], heads: &Heads, now: Timestamp) -> Option<Duration> {
    let leased = states.iter().filter(|state| state.is_leased(now));
    let waits = leased.filter_map(|state| {
        let left = state.leased_until?.since(now);
        let has_more = head(heads, state.partition) > state.leased_to;
        Some(if has_more { left.min(BEHIND_A_LEASE) } else { left })
    });
    waits.min()
}

/// The partitions of a lease after it was acknowledged; none if the subscription has no such lease.
///
/// # Errors
/// `lease_lost` if it has expired, or another reader has a part of it.
pub fn acknowledged(
    states: &[PartitionState],
    lease: Id,
    now: Timestamp,
) -> Result<Vec<(&PartitionState, PartitionState)>, Error> {
    let held: Vec<_> = states.iter().filter(|state| state.lease == Some(lease)).collect();
    let is_whole = held.iter().all(|state| state.lease_size == held.len() as i64 && state.is_leased(now));
    if !is_whole {
        return Err(Error::new(ErrorCode::LeaseLost));
    }
    Ok(held.into_iter().map(|state| (state, state.moved(state.leased_to))).collect())
}

#[cfg(test)]
mod tests;
