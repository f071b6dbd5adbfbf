//! Pub-sub in the place of a broker: who asked for a type hears of it after its commit.
//!
//! Delivery here is a shortcut, never the record: a subscriber that is too slow loses deliveries, sees the
//! gap in the positions, and reads the log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Context, Handler, Message};
use tokio::sync::mpsc;

use super::stats::ActorStats;
use super::supervisor::{Life, Ref, Tracked};
use crate::actors::catalogue;
use crate::actors::event::LoggedEvent;
use crate::actors::refusal::Refusal;

const DEADLINE: Duration = Duration::from_secs(5);

/// A run of numbers of one slice, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub slice: i64,
    pub from: i64,
    pub to: i64,
}

/// On which node something was committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    #[default]
    Here,
    Elsewhere,
}

/// What one commit added to the log, or some that another node made.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub ranges: Arc<[Range]>,
    pub events: Vec<Arc<LoggedEvent>>,
    pub origin: Origin,
}

impl Batch {
    /// Events in the order of their slices' numbers, and which runs of numbers they are: one a slice for a commit,
    /// several where other nodes' commits lie between.
    pub fn of(events: Vec<Arc<LoggedEvent>>, origin: Origin) -> Self {
        let mut ranges: BTreeMap<i64, Vec<Range>> = BTreeMap::new();
        for LoggedEvent { slice, slice_seq: seq, .. } in events.iter().map(|event| &**event) {
            let of_slice = ranges.entry(*slice).or_default();
            match of_slice.last_mut() {
                Some(range) if range.to + 1 == *seq => range.to = *seq,
                _ => of_slice.push(Range { slice: *slice, from: *seq, to: *seq }),
            }
        }
        Self { ranges: ranges.into_values().flatten().collect(), events, origin }
    }
}

/// Which types a subscriber wants: `customer.created`, or `customer.` for all that begin so.
#[derive(Clone, Debug)]
pub struct Filter(pub Vec<String>);

impl Filter {
    /// Every type.
    pub fn all() -> Self {
        Self(catalogue::ALL.iter().map(|event_type| (*event_type).to_owned()).collect())
    }

    pub fn wants(&self, event_type: &str) -> bool {
        self.0
            .iter()
            .any(|wanted| wanted == event_type || (wanted.ends_with('.') && event_type.starts_with(wanted)))
    }
}

/// Publishes and subscribes; clones go to the same registry.
#[derive(Clone)]
pub struct Registry(Ref<RegistryActor>);

impl Registry {
    pub fn new(actor: Ref<RegistryActor>) -> Self {
        Self(actor)
    }

    /// Tells subscribers of a commit. Nothing is lost if the registry is away: the log has it.
    pub async fn publish(&self, batch: Batch) {
        if !batch.events.is_empty() {
            let _ = self.0.ask(Publish(batch), DEADLINE).await;
        }
    }

    /// Deliveries from now on, at most `capacity` of them waiting. Every delivery has the ranges of its
    /// commit, but only the events that `filter` wants. The channel ends when the registry restarts.
    ///
    /// # Errors
    /// `unavailable` while the registry restarts.
    pub async fn subscribe(&self, filter: Filter, capacity: usize) -> Result<mpsc::Receiver<Batch>, Refusal> {
        self.0.ask(Subscribe { filter, capacity }, DEADLINE).await
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Publish(Batch);

struct Subscribe {
    filter: Filter,
    capacity: usize,
}

impl Message for Subscribe {
    type Result = mpsc::Receiver<Batch>;
}

struct Subscriber {
    filter: Filter,
    queue: mpsc::Sender<Batch>,
}

/// Knows who wants what. Its state is its subscribers; they come back by themselves after a restart.
pub struct RegistryActor {
    subscribers: Vec<Subscriber>,
    _life: Life,
}

impl RegistryActor {
    pub fn new(life: Life, _: Arc<ActorStats>) -> Self {
        Self { subscribers: Vec::new(), _life: life }
    }
}

impl Actor for RegistryActor {
    type Context = Context<Self>;
}

impl Handler<Tracked<Publish>> for RegistryActor {
    type Result = ();

    fn handle(&mut self, message: Tracked<Publish>, _: &mut Self::Context) {
        let Publish(batch) = message.take();
        self.subscribers.retain(|subscriber| {
            let wanted = batch.events.iter().filter(|event| subscriber.filter.wants(event.event.event_type));
            let delivery = Batch {
                ranges: batch.ranges.clone(),
                events: wanted.cloned().collect(),
                origin: batch.origin,
            };
            match subscriber.queue.try_send(delivery) {
                Ok(()) => true,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    metrics::counter!("kizuna_registry_overflows_total").increment(1);
                    true
                }
                Err(mpsc::error::TrySendError::Closed(_)) => false,
            }
        });
    }
}

impl Handler<Tracked<Subscribe>> for RegistryActor {
    type Result = actix::MessageResult<Tracked<Subscribe>>;

    fn handle(&mut self, message: Tracked<Subscribe>, _: &mut Self::Context) -> Self::Result {
        let Subscribe { filter, capacity } = message.take();
        let (queue, deliveries) = mpsc::channel(capacity);
        self.subscribers.push(Subscriber { filter, queue });
        actix::MessageResult(deliveries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_takes_types_and_prefixes() {
        let filter = Filter(vec!["customer.".into(), "user.deleted".into()]);
        assert!(filter.wants("customer.created") && filter.wants("user.deleted"));
        assert!(!filter.wants("customers.reassigned") && !filter.wants("user.created"));
    }
}
