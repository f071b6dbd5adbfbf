//! The hub: the node's subscriber of the registry for live feeds. It knows which users listen to what, and passes
//! events to their listeners.
//!
//! Like a consumer, it takes deliveries that leave no gap, and reads the log where there is a gap and once a second,
//! because commits of other nodes may come that way only.

use crate::domain::events::topic_of;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, AtomicResponse, Context, Handler, Message, MessageResult,
    StreamHandler, WrapFuture,
};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::sync::{Semaphore, broadcast, mpsc};

use crate::actors::auth::client::AuthClient;
use crate::actors::live::delivery::Delivery;
use crate::actors::live::listener;
use crate::actors::live::listener::{Deliver, Listener, Recheck, Seat, Sit};
use crate::actors::live::topics::Topics;
use crate::domain::audience::Audience;
use crate::domain::events::{EVENTS, SeenBy};
use crate::domain::topic::Topic;
use kernel::error::{Error, ErrorCode};
use kernel::event::LoggedEvent;
use kernel::ids::{Id, new_id};
use runtime::arbiters::Arbiters;
use runtime::cluster::placement::PartitionSet;
use runtime::positions::Positions;
use runtime::registry::{Batch, Filter, Registry};
use runtime::stats::{ActorStats, ActorStatsRegistry};
use runtime::supervisor::{LivenessGuard, Ref, Tracked};
use store::{Db, StoreError, log};

/// Commits that may wait for the hub; a slower hub reads the log.
const QUEUE: usize = 1_024;
/// Events read at a time where deliveries left a gap.
const PAGE: i64 = 256;
/// How often the log is read without a delivery.
const POLL: Duration = Duration::from_secs(1);
/// The pause before subscribing again while the registry is away.
const AGAIN: Duration = Duration::from_millis(100);
/// Messages of sockets that may wait for the hub.
const MAILBOX: usize = 1_024;

/// The parts of a node that the hub uses.
#[derive(Clone)]
pub struct HubParts {
    pub db: Db,
    pub registry: Registry,
    pub auth: AuthClient,
    pub arbiters: Arbiters,
    pub actor_stats: ActorStatsRegistry,
    /// Sockets of a user, at most.
    pub sockets_per_user: usize,
}

/// A socket joins its user's listener. It receives every event after the positions in the answer.
pub(super) struct Join {
    pub user: Id,
    pub topics: Topics,
    pub seat: Seat,
}

impl Message for Join {
    type Result = Result<Joined, Error>;
}

/// The answer to [`Join`].
pub(super) struct Joined {
    pub positions: Positions,
    /// The socket's place among those of its user.
    pub permit: tokio::sync::OwnedSemaphorePermit,
}

/// A user's sockets want these topics, too.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Want {
    pub user: Id,
    pub topics: Topics,
}

/// Asks for the hub's positions; if `at_least` is ahead of them, the hub reads the log first.
pub(super) struct Where {
    pub at_least: Positions,
}

impl Message for Where {
    type Result = Result<Positions, Error>;
}

/// A listener has no sockets left. The answer is false if a socket is about to join.
#[derive(Message)]
#[rtype(result = "bool")]
pub(super) struct Retire {
    pub user: Id,
    /// The id of the listener: a user may have several, one after another.
    pub listener: Id,
    /// How many sockets have joined it.
    pub joined: u64,
}

/// A user with a listener on this node.
struct Place {
    id: Id,
    listener: Addr<Listener>,
    topics: Topics,
    permits: Arc<Semaphore>,
    joined: u64,
    /// Events of the present delivery for this user.
    tray: Vec<Arc<Delivery>>,
}

/// The users who listen, and the positions up to which events were passed on. Empty while the log is being read.
#[derive(Default)]
struct Hall {
    positions: Positions,
    places: HashMap<Id, Place>,
    stats: Option<Arc<ActorStats>>,
}

impl Hall {
    /// Passes events on, in order.
    fn pass(&mut self, events: Vec<Arc<LoggedEvent>>, mut progress: Positions) {
        for logged in events {
            progress.advance(logged.partition, logged.partition_seq);
            let topic = topic_of(logged.event.event_type);
            if !self.is_wanted(&logged, topic) {
                continue;
            }
            let delivery = Arc::new(Delivery::new(logged, progress));
            match &delivery.audience {
                Audience::Nobody => {}
                Audience::Only(reader) => {
                    let place = self.places.get_mut(reader);
                    place.into_iter().for_each(|place| place.tray.push(delivery.clone()));
                }
                Audience::Managers { .. } => {
                    let asking = self.places.values_mut().filter(|place| delivery.is_of(place.topics));
                    asking.for_each(|place| place.tray.push(delivery.clone()));
                }
            }
        }
        self.send();
    }

    /// Whether a user on this node could see it: most events end here on a node without such sockets.
    fn is_wanted(&self, logged: &LoggedEvent, topic: Option<Topic>) -> bool {
        match topic {
            Some(topic) => self.places.values().any(|place| place.topics.contains(topic)),
            None => self.places.contains_key(&logged.event.partition_key),
        }
    }

    fn send(&mut self) {
        let Some(stats) = &self.stats else { return };
        self.places.retain(|user, place| {
            if place.tray.is_empty() {
                return true;
            }
            let deliver = Deliver(std::mem::take(&mut place.tray));
            let told = place.listener.try_send(Tracked::new(deliver, stats)).is_ok();
            if !told {
                // Without its address here the listener ends its sockets and stops; the sockets come back.
                stats.failed();
                tracing::warn!(%user, "a listener is gone or too slow: ending its sockets");
            }
            told
        });
    }

    /// Reads the log beyond the positions, page by page.
    async fn catch_up(&mut self, db: &Db) -> Result<(), StoreError> {
        for (partition, head) in log::heads(db).await? {
            while self.positions.at(partition) < head {
                let events = log::after(db, partition, self.positions.at(partition), PAGE).await?;
                let Some(last) = events.last() else { break };
                let before = self.positions;
                self.positions.advance(partition, last.partition_seq);
                self.pass(events.into_iter().map(Arc::new).collect(), before);
            }
        }
        Ok(())
    }
}

/// What streams bring to the hub.
enum Signal {
    Committed(Batch),
    Changed(Id),
    /// Changes were missed: any user may have changed.
    AnyChanged,
    RegistryGone,
}

/// The hub's actor. Its listeners end with it, and their sockets come back to the next one.
pub struct HubActor {
    parts: HubParts,
    me: Arc<std::sync::OnceLock<Ref<HubActor>>>,
    hall: Hall,
    /// Whether it knows the heads of the log when it began.
    has_begun: bool,
    listeners: Arc<ActorStats>,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl HubActor {
    /// `me`: its own supervised address, set as soon as it exists.
    pub fn new(
        parts: HubParts,
        me: Arc<std::sync::OnceLock<Ref<HubActor>>>,
        liveness: LivenessGuard,
        stats: Arc<ActorStats>,
    ) -> Self {
        let listeners = parts.actor_stats.stats(listener::KIND);
        let hall = Hall { stats: Some(listeners.clone()), ..Hall::default() };
        Self { parts, me, hall, has_begun: false, listeners, stats, _liveness: liveness }
    }

    /// Reads the log; other messages wait meanwhile.
    fn catch_up(&mut self, ctx: &mut Context<Self>) {
        let (mut hall, db) = (std::mem::take(&mut self.hall), self.parts.db.clone());
        let read = async move {
            let done = hall.catch_up(&db).await;
            (hall, done)
        };
        ctx.wait(read.into_actor(self).map(|(hall, done), this, _| {
            this.hall = hall;
            if let Err(error) = done {
                tracing::warn!(%error, "the live hub can't read the log; trying again in a second");
            }
        }));
    }

    /// Subscribes first and then reads the heads of the log, so that no commit in between is missed.
    fn listen(&mut self, ctx: &mut Context<Self>) {
        let parts = self.parts.clone();
        let begun = async move {
            let deliveries = parts.registry.subscribe(filter(), QUEUE).await?;
            let heads = log::heads(&parts.db).await?;
            Ok::<_, Error>((deliveries, heads))
        };
        ctx.wait(begun.into_actor(self).map(|begun, this, ctx| match begun {
            Ok((deliveries, heads)) => {
                ctx.add_stream(committed(deliveries));
                if !std::mem::replace(&mut this.has_begun, true) {
                    this.hall.positions = heads.into_iter().collect();
                }
                this.catch_up(ctx);
            }
            Err(error) => {
                tracing::warn!(%error, "the live hub can't subscribe to commits; trying again");
                ctx.run_later(AGAIN, |this, ctx| this.listen(ctx));
            }
        }));
    }

    /// The listener of a user, or a new one.
    fn place(&mut self, user: Id) -> &mut Place {
        if self.hall.places.get(&user).is_some_and(|place| !place.listener.connected()) {
            self.hall.places.remove(&user);
        }
        self.hall.places.entry(user).or_insert_with(|| {
            let me = self.me.get().expect("set before anybody joins").clone();
            let id = new_id();
            let actor = Listener::new(user, id, self.parts.auth.clone(), me, self.listeners.clone());
            // On the hub's thread: a message on the same thread costs next to nothing.
            let listener = Listener::start_in_arbiter(&self.parts.arbiters.feeding(), move |_| actor);
            Place {
                id,
                listener,
                topics: Topics::default(),
                permits: Arc::new(Semaphore::new(self.parts.sockets_per_user)),
                joined: 0,
                tray: Vec::new(),
            }
        })
    }

    fn recheck(&self, user: Id) {
        if let Some(place) = self.hall.places.get(&user) {
            // A listener with a full mailbox checks by itself within half a second.
            let _ = place.listener.try_send(Tracked::new(Recheck, &self.listeners));
        }
    }
}

/// The types of events that belong to the live feed.
fn filter() -> Filter {
    Filter::Types(
        EVENTS.iter().filter(|row| row.seen_by != SeenBy::Nobody).map(|row| row.event_type).collect(),
    )
}

fn committed(deliveries: mpsc::Receiver<Batch>) -> BoxStream<'static, Signal> {
    let batches = stream::unfold(deliveries, async |mut deliveries| {
        deliveries.recv().await.map(|batch| (Signal::Committed(batch), deliveries))
    });
    batches.chain(stream::once(async { Signal::RegistryGone })).boxed()
}

/// The users whose records or sessions change on this node.
fn changed<T: Clone + Send + 'static>(
    changes: broadcast::Receiver<T>,
    user: impl Fn(&T) -> Id + Copy + Send + Sync + 'static,
) -> BoxStream<'static, Signal> {
    stream::unfold(changes, move |mut changes| async move {
        let signal = match changes.recv().await {
            Ok(state) => Signal::Changed(user(&state)),
            Err(broadcast::error::RecvError::Lagged(_)) => Signal::AnyChanged,
            Err(broadcast::error::RecvError::Closed) => return None,
        };
        Some((signal, changes))
    })
    .boxed()
}

impl Actor for HubActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        // Where auth is remote there are no such messages, and listeners check twice a second.
        if let Some(accounts) = self.parts.auth.accounts() {
            ctx.add_stream(changed(accounts.users.changes(), |user| user.user.id));
            ctx.add_stream(changed(accounts.sessions.changes(), |session| session.user_id));
        }
        self.listen(ctx);
        ctx.run_interval(POLL, |this, ctx| {
            if this.has_begun {
                this.catch_up(ctx);
            }
        });
    }
}

impl StreamHandler<Signal> for HubActor {
    fn handle(&mut self, signal: Signal, ctx: &mut Self::Context) {
        match signal {
            Signal::Committed(batch) => {
                self.stats.step();
                let before = self.hall.positions;
                let taken = self.hall.positions.take(&batch, PartitionSet::ALL);
                self.hall.pass(taken.fresh, before);
                if taken.gap {
                    self.catch_up(ctx);
                }
            }
            Signal::Changed(user) => self.recheck(user),
            Signal::AnyChanged => self.hall.places.keys().for_each(|user| self.recheck(*user)),
            Signal::RegistryGone => self.listen(ctx),
        }
    }

    // The end of one stream does not end the actor.
    fn finished(&mut self, _: &mut Self::Context) {}
}

impl Handler<Tracked<Join>> for HubActor {
    type Result = MessageResult<Tracked<Join>>;

    fn handle(&mut self, message: Tracked<Join>, _: &mut Self::Context) -> Self::Result {
        let Join { user, topics, seat } = message.take();
        if !self.has_begun {
            return MessageResult(Err(
                Error::unavailable().with_cause("the live hub has not read the log yet")
            ));
        }
        let positions = self.hall.positions;
        let stats = self.listeners.clone();
        let place = self.place(user);
        let Ok(permit) = place.permits.clone().try_acquire_owned() else {
            return MessageResult(Err(Error::after(ErrorCode::TooManyStreams, Duration::from_secs(1))));
        };
        if place.listener.try_send(Tracked::new(Sit(seat), &stats)).is_err() {
            return MessageResult(Err(
                Error::overloaded().with_cause("the user's listener has a full mailbox")
            ));
        }
        place.joined += 1;
        place.topics = place.topics.and(topics);
        MessageResult(Ok(Joined { positions, permit }))
    }
}

impl Handler<Tracked<Want>> for HubActor {
    type Result = ();

    fn handle(&mut self, message: Tracked<Want>, _: &mut Self::Context) {
        let Want { user, topics } = message.take();
        if let Some(place) = self.hall.places.get_mut(&user) {
            place.topics = place.topics.and(topics);
        }
    }
}

impl Handler<Tracked<Where>> for HubActor {
    type Result = AtomicResponse<Self, Result<Positions, Error>>;

    fn handle(&mut self, message: Tracked<Where>, _: &mut Self::Context) -> Self::Result {
        let Where { at_least } = message.take();
        let (mut hall, db) = (std::mem::take(&mut self.hall), self.parts.db.clone());
        let look = async move {
            let done = if at_least.is_within(&hall.positions) { Ok(()) } else { hall.catch_up(&db).await };
            (hall, done)
        };
        AtomicResponse::new(Box::pin(look.into_actor(self).map(|(hall, done), this, _| {
            this.hall = hall;
            done.map_err(Error::from).map(|()| this.hall.positions)
        })))
    }
}

impl Handler<Tracked<Retire>> for HubActor {
    type Result = bool;

    fn handle(&mut self, message: Tracked<Retire>, _: &mut Self::Context) -> bool {
        let Retire { user, listener, joined } = message.take();
        match self.hall.places.get(&user) {
            Some(place) if place.id == listener && place.joined != joined => false,
            Some(place) if place.id == listener => self.hall.places.remove(&user).is_some(),
            _ => true,
        }
    }
}
