//! The event registry: publish-subscribe within a node. Subscribers of a type of event receive its events after their
//! commit.
//!
//! A delivery may be lost: a subscriber that is too slow misses deliveries, sees the gap in the positions, and reads
//! the log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ArbiterHandle, Context, Handler, Message};
use tokio::sync::mpsc;

use crate::stats::ActorStats;
use crate::supervisor::{LivenessGuard, Ref, Supervisor, Tracked};
use kernel::error::Error;
use kernel::event::{EventType, LoggedEvent};

const DEADLINE: Duration = Duration::from_secs(5);

/// A range of sequence numbers of one partition, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub partition: i64,
    pub from: i64,
    pub to: i64,
}

/// A range of sequence numbers of the whole log, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: i64,
    pub to: i64,
}

/// Which node committed a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    #[default]
    Local,
    Remote,
}

/// The events of one commit of this node, or of some commits of another node.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub ranges: Arc<[Range]>,
    /// The numbers of its events in the whole log: one span for each commit.
    pub spans: Arc<[Span]>,
    pub events: Vec<Arc<LoggedEvent>>,
    pub origin: Origin,
}

impl Batch {
    /// Makes a batch of events that are in the order of their sequence numbers, and computes their ranges (one per
    /// partition for a commit, several if commits of other nodes lie between) and their spans.
    pub fn of(events: Vec<Arc<LoggedEvent>>, origin: Origin) -> Self {
        let mut ranges: BTreeMap<i64, Vec<Range>> = BTreeMap::new();
        for LoggedEvent { partition, partition_seq: seq, .. } in events.iter().map(|event| &**event) {
            let of_partition = ranges.entry(*partition).or_default();
            match of_partition.last_mut() {
                Some(range) if range.to + 1 == *seq => range.to = *seq,
                _ => of_partition.push(Range { partition: *partition, from: *seq, to: *seq }),
            }
        }
        Self { ranges: ranges.into_values().flatten().collect(), spans: spans(&events), events, origin }
    }
}

/// The numbers of these events in the whole log, without a gap in each span.
fn spans(events: &[Arc<LoggedEvent>]) -> Arc<[Span]> {
    let mut numbers: Vec<i64> = events.iter().filter_map(|event| event.log_seq).collect();
    numbers.sort_unstable();
    let mut spans: Vec<Span> = Vec::new();
    for number in numbers {
        match spans.last_mut() {
            Some(span) if span.to + 1 == number => span.to = number,
            _ => spans.push(Span { from: number, to: number }),
        }
    }
    spans.into()
}

/// The types of event that a subscriber receives.
#[derive(Clone, Debug)]
pub enum Filter {
    All,
    Types(Arc<[EventType]>),
}

impl Filter {
    /// Whether events of this type pass.
    pub fn wants(&self, event_type: EventType) -> bool {
        match self {
            Self::All => true,
            Self::Types(types) => types.contains(&event_type),
        }
    }
}

/// The handle to the registry; clones share it.
///
/// ```
/// use kizuna_runtime::arbiters::Arbiters;
/// use kizuna_runtime::registry::{Batch, Filter, Origin, Registry};
/// use kizuna_runtime::stats::ActorStatsRegistry;
/// use kizuna_runtime::supervisor::{Intensity, Supervisor};
///
/// # use std::sync::Arc;
/// # use kernel::{clock::Clock, context::Context, ids::new_id};
/// # use kernel::event::{DomainEvent, Event, EventType, LoggedEvent, raw};
/// # const RANG: EventType = EventType::new("bell.rang", "/services/bell");
/// # struct Rang;
/// # impl DomainEvent for Rang {
/// #     fn event_type(&self) -> EventType { RANG }
/// #     fn data(&self) -> Box<serde_json::value::RawValue> { raw(&()) }
/// # }
/// # let event = Event::new(&Rang, new_id(), 1, Clock::System.now(), &Context::system());
/// # let logged = Arc::new(LoggedEvent { partition: 3, partition_seq: 1, log_seq: Some(1), event });
/// actix::System::new().block_on(async move {
///     let supervisor = Supervisor::start(ActorStatsRegistry::default(), Intensity::default());
///     let arbiters = Arbiters::start(1);
///     let registry = Registry::start(&supervisor, &arbiters.feeding());
///     let mut bells = registry.subscribe(Filter::Types([RANG].into()), 16).await?;
///     // The journal does this after each commit.
///     registry.publish(Batch::of(vec![logged], Origin::Local)).await;
///     let delivery = bells.recv().await.expect("a delivery");
///     assert_eq!((delivery.events.len(), delivery.ranges[0].to), (1, 1));
///     supervisor.stop();
///     arbiters.stop();
///     Ok::<(), kernel::error::Error>(())
/// }).unwrap();
/// ```
#[derive(Clone)]
pub struct Registry(Ref<RegistryActor>);

impl Registry {
    pub fn new(actor: Ref<RegistryActor>) -> Self {
        Self(actor)
    }

    /// Starts the registry's actor under supervision.
    pub fn start(supervisor: &Supervisor, arbiter: &ArbiterHandle) -> Self {
        Self(supervisor.spawn("registry", arbiter, RegistryActor::new))
    }

    /// Sends a batch to the subscribers. If the registry restarts meanwhile, they read the events from the log.
    pub async fn publish(&self, batch: Batch) {
        if !batch.events.is_empty() {
            let _ = self.0.ask(Publish(batch), DEADLINE).await;
        }
    }

    /// Subscribes: at most `capacity` deliveries wait in the channel. Every delivery has the ranges of its commit, but
    /// only the events that pass `filter`. The channel closes when the registry restarts.
    ///
    /// # Errors
    /// `unavailable` while the registry restarts.
    pub async fn subscribe(&self, filter: Filter, capacity: usize) -> Result<mpsc::Receiver<Batch>, Error> {
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

/// The registry's actor. Its only state is its subscribers, which subscribe again after a restart.
pub struct RegistryActor {
    subscribers: Vec<Subscriber>,
    _liveness: LivenessGuard,
}

impl RegistryActor {
    pub fn new(liveness: LivenessGuard, _: Arc<ActorStats>) -> Self {
        Self { subscribers: Vec::new(), _liveness: liveness }
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
                spans: batch.spans.clone(),
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
