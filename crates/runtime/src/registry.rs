//! Pub-sub in the place of a broker: who asked for a type hears of it after its commit.
//!
//! Delivery here is a shortcut, never the record: a subscriber that is too slow loses deliveries, sees the
//! gap in the positions, and reads the log.

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

/// A run of numbers of one partition, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub partition: i64,
    pub from: i64,
    pub to: i64,
}

/// On which node something was committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    #[default]
    Local,
    Remote,
}

/// What one commit added to the log, or some that another node made.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub ranges: Arc<[Range]>,
    pub events: Vec<Arc<LoggedEvent>>,
    pub origin: Origin,
}

impl Batch {
    /// Events in the order of their partitions' numbers, and which runs of numbers they are: one per partition for a commit,
    /// several where other nodes' commits lie between.
    pub fn of(events: Vec<Arc<LoggedEvent>>, origin: Origin) -> Self {
        let mut ranges: BTreeMap<i64, Vec<Range>> = BTreeMap::new();
        for LoggedEvent { partition, partition_seq: seq, .. } in events.iter().map(|event| &**event) {
            let of_partition = ranges.entry(*partition).or_default();
            match of_partition.last_mut() {
                Some(range) if range.to + 1 == *seq => range.to = *seq,
                _ => of_partition.push(Range { partition: *partition, from: *seq, to: *seq }),
            }
        }
        Self { ranges: ranges.into_values().flatten().collect(), events, origin }
    }
}

/// Which types of event a subscriber wants.
#[derive(Clone, Debug)]
pub enum Filter {
    All,
    Types(Arc<[EventType]>),
}

impl Filter {
    /// Whether the subscriber wants events of this type.
    pub fn wants(&self, event_type: EventType) -> bool {
        match self {
            Self::All => true,
            Self::Types(types) => types.contains(&event_type),
        }
    }
}

/// Publishes and subscribes; clones go to the same registry.
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
/// # let logged = Arc::new(LoggedEvent { partition: 3, partition_seq: 1, event });
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

    /// Starts the registry's actor and keeps it alive.
    pub fn start(supervisor: &Supervisor, arbiter: &ArbiterHandle) -> Self {
        Self(supervisor.spawn("registry", arbiter, RegistryActor::new))
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

/// Knows who wants what. Its state is its subscribers; they come back by themselves after a restart.
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
