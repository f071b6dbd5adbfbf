//! The hub: the node's subscriber of the registry for live feeds. It knows which users listen to what, and passes
//! events to their listeners.
//!
//! It passes events on in the order of the log, which is that of the commits of all nodes. What comes early waits a moment
//! for what is missing; then the hub reads the log. It reads the log once a second, too, because commits of other nodes
//! may come that way only.

use domain::events::topic_of;
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

use crate::actors::analytics::client::AnalyticsClient;
use crate::actors::auth::client::AuthClient;
use crate::actors::live::cursor::LogId;
use crate::actors::live::delivery::Delivery;
use crate::actors::live::listener;
use crate::actors::live::listener::{Attach, Deliver, Listener, Recheck, SocketHandle};
use crate::actors::live::topics::Topics;
use domain::audience::Audience;
use domain::events::{EVENTS, SeenBy};
use domain::topic::Topic;
use kernel::error::{Error, ErrorCode};
use kernel::event::LoggedEvent;
use kernel::ids::{Id, new_id};
use runtime::arbiters::Arbiters;
use runtime::log_order::LogOrder;
use runtime::registry::{Batch, Filter, Registry};
use runtime::stats::{ActorStats, ActorStatsRegistry};
use runtime::supervisor::{LivenessGuard, Ref, Tracked};
use store::{Db, StoreError, leases, log};

/// Commits that may wait for the hub; a slower hub reads the log.
const QUEUE: usize = 1_024;
/// Events read at a time where deliveries left a gap.
const PAGE: i64 = 256;
/// How long events wait for missing ones of other nodes, which come through Redis a moment after a node's own.
const GAP_WAIT: Duration = Duration::from_millis(20);
/// Events that may wait behind a gap; at more the log is read at once.
const WAITING_MAX: usize = 1_024;
/// How often the log is read without a delivery.
const POLL: Duration = Duration::from_secs(1);
/// The pause before subscribing again while the registry is away.
const SUBSCRIBE_RETRY: Duration = Duration::from_millis(100);
/// Messages of sockets that may wait for the hub.
const MAILBOX: usize = 1_024;

/// The parts of a node that the hub uses.
#[derive(Clone)]
pub struct HubParts {
    pub db: Db,
    pub registry: Registry,
    pub auth: AuthClient,
    pub analytics: AnalyticsClient,
    pub arbiters: Arbiters,
    pub actor_stats: ActorStatsRegistry,
    /// Sockets of a user, at most.
    pub sockets_per_user: usize,
}

/// A socket joins its user's listener. It receives every event after the position in the answer.
pub(super) struct Join {
    pub user: Id,
    pub topics: Topics,
    pub socket: SocketHandle,
}

impl Message for Join {
    type Result = Result<Joined, Error>;
}

/// An event's place.
#[derive(Clone, Copy)]
pub(super) struct Position {
    pub log: LogId,
    /// Its number in the log.
    pub number: i64,
}

/// The answer to [`Join`].
pub(super) struct Joined {
    /// The last event that was passed on.
    pub position: Position,
    /// Counts the socket against the limit of its user.
    pub permit: tokio::sync::OwnedSemaphorePermit,
}

/// Adds topics to those that the hub passes on to a user's listener.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct AddTopics {
    pub user: Id,
    pub topics: Topics,
}

/// Asks for the last event that the hub has passed on. If `at_least` is ahead of it, the hub reads the log
/// first.
pub(super) struct GetPosition {
    pub at_least: i64,
}

impl Message for GetPosition {
    type Result = Result<Position, Error>;
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
struct UserEntry {
    id: Id,
    listener: Addr<Listener>,
    topics: Topics,
    permits: Arc<Semaphore>,
    joined: u64,
    /// Events of the present delivery for this user.
    pending: Vec<Arc<Delivery>>,
}

/// The users who have sockets here, and the place in the log up to which events were passed on. Moved out of the actor
/// while the log is being read.
#[derive(Default)]
struct HubState {
    /// Set before sockets may join.
    log: LogId,
    order: LogOrder,
    users: HashMap<Id, UserEntry>,
    stats: Option<Arc<ActorStats>>,
}

impl HubState {
    fn position(&self) -> Position {
        Position { log: self.log, number: self.order.position() }
    }

    /// Passes events on, in order.
    fn pass(&mut self, events: impl IntoIterator<Item = Arc<LoggedEvent>>) {
        for logged in events {
            let topic = topic_of(logged.event.event_type);
            if !self.is_wanted(&logged, topic) {
                continue;
            }
            let delivery = Arc::new(Delivery::new(self.log, logged).traced());
            match &delivery.audience {
                Audience::Nobody => {}
                Audience::Only(reader) => {
                    let entry = self.users.get_mut(reader);
                    entry.into_iter().for_each(|entry| entry.pending.push(delivery.clone()));
                }
                Audience::Managers { .. } => {
                    let followers = self.users.values_mut().filter(|entry| delivery.is_of(entry.topics));
                    followers.for_each(|entry| entry.pending.push(delivery.clone()));
                }
            }
        }
        self.send();
    }

    /// Whether a user on this node could see the event. On a node without such sockets most events end here.
    fn is_wanted(&self, logged: &LoggedEvent, topic: Option<Topic>) -> bool {
        match topic {
            Some(topic) => self.users.values().any(|entry| entry.topics.contains(topic)),
            None => self.users.contains_key(&logged.event.partition_key),
        }
    }

    fn send(&mut self) {
        let Some(stats) = &self.stats else { return };
        self.users.retain(|user, entry| {
            if entry.pending.is_empty() {
                return true;
            }
            let deliver = Deliver(std::mem::take(&mut entry.pending));
            let is_sent = entry.listener.try_send(Tracked::new(deliver, stats)).is_ok();
            if !is_sent {
                // Without its address here the listener ends its sockets and stops; the sockets come back.
                stats.failed();
                tracing::warn!(%user, "a listener is gone or too slow: ending its sockets");
            }
            is_sent
        });
    }

    /// Reads the log beyond the position, page by page.
    async fn catch_up(&mut self, db: &Db) -> Result<(), StoreError> {
        let head = log::head(db).await?;
        while self.order.position() < head {
            let events = log::since(db, self.order.position(), PAGE).await?;
            let Some(last) = events.last().and_then(|last| last.log_seq) else { break };
            let behind = self.order.advance(last);
            self.pass(events.into_iter().map(Arc::new).chain(behind));
        }
        Ok(())
    }
}

/// The items of the streams that the hub reads.
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
    state: HubState,
    /// Whether the head of the log was read, so that sockets may join.
    has_begun: bool,
    /// Whether the gap before the waiting events will be looked at soon.
    minds_gap: bool,
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
        let state = HubState { stats: Some(listeners.clone()), ..HubState::default() };
        Self { parts, me, state, has_begun: false, minds_gap: false, listeners, stats, _liveness: liveness }
    }

    /// Reads the log; other messages wait meanwhile.
    fn catch_up(&mut self, ctx: &mut Context<Self>) {
        let (mut state, db) = (std::mem::take(&mut self.state), self.parts.db.clone());
        let read = async move {
            let done = state.catch_up(&db).await;
            (state, done)
        };
        ctx.wait(read.into_actor(self).map(|(state, done), this, _| {
            this.state = state;
            if let Err(error) = done {
                tracing::warn!(%error, "the live hub can't read the log; trying again in a second");
            }
        }));
    }

    /// Reads the log, if events wait behind a gap that no delivery fills in time.
    fn mind_gap(&mut self, ctx: &mut Context<Self>) {
        if self.state.order.waiting() > WAITING_MAX {
            self.catch_up(ctx);
        } else if self.state.order.has_gap() && !std::mem::replace(&mut self.minds_gap, true) {
            ctx.run_later(GAP_WAIT, |this, ctx| {
                this.minds_gap = false;
                if this.state.order.has_gap() {
                    this.catch_up(ctx);
                }
            });
        }
    }

    /// Subscribes first and then reads the head of the log, so that no commit in between is missed.
    fn listen(&mut self, ctx: &mut Context<Self>) {
        let parts = self.parts.clone();
        let begun = async move {
            let deliveries = parts.registry.subscribe(filter(), QUEUE).await?;
            let log = leases::cluster(&parts.db).await?;
            let head = log::head(&parts.db).await?;
            Ok::<_, Error>((deliveries, log, head))
        };
        ctx.wait(begun.into_actor(self).map(|begun, this, ctx| match begun {
            Ok((deliveries, log, head)) => {
                ctx.add_stream(committed(deliveries));
                if !std::mem::replace(&mut this.has_begun, true) {
                    this.state.log = log.into();
                    this.state.order = LogOrder::after(head);
                }
                this.catch_up(ctx);
            }
            Err(error) => {
                tracing::warn!(%error, "the live hub can't subscribe to commits; trying again");
                ctx.run_later(SUBSCRIBE_RETRY, |this, ctx| this.listen(ctx));
            }
        }));
    }

    /// The entry of a user. It starts a listener if the user has none.
    fn entry_of(&mut self, user: Id) -> &mut UserEntry {
        if self.state.users.get(&user).is_some_and(|entry| !entry.listener.connected()) {
            self.state.users.remove(&user);
        }
        self.state.users.entry(user).or_insert_with(|| {
            let me = self.me.get().expect("set before anybody joins").clone();
            let id = new_id();
            let (auth, analytics) = (self.parts.auth.clone(), self.parts.analytics.clone());
            let actor = Listener::new(user, id, (auth, analytics), me, self.listeners.clone());
            // On the hub's thread: a message on the same thread costs next to nothing.
            let listener = Listener::start_in_arbiter(&self.parts.arbiters.feeding(), move |_| actor);
            UserEntry {
                id,
                listener,
                topics: Topics::default(),
                permits: Arc::new(Semaphore::new(self.parts.sockets_per_user)),
                joined: 0,
                pending: Vec::new(),
            }
        })
    }

    fn recheck(&self, user: Id) {
        if let Some(entry) = self.state.users.get(&user) {
            // A listener with a full mailbox checks by itself within half a second.
            let _ = entry.listener.try_send(Tracked::new(Recheck, &self.listeners));
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
        // If auth is remote there are no such messages, and listeners check twice a second.
        if let Some(accounts) = self.parts.auth.accounts() {
            ctx.add_stream(changed(accounts.users.changes(), |user| user.user.id));
            ctx.add_stream(changed(accounts.sessions.changes(), |session| session.user_id));
            ctx.add_stream(changed(accounts.api_keys.changes(), |key| key.user_id));
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
                let next = self.state.order.take(&batch);
                self.state.pass(next);
                self.mind_gap(ctx);
            }
            Signal::Changed(user) => self.recheck(user),
            Signal::AnyChanged => self.state.users.keys().for_each(|user| self.recheck(*user)),
            Signal::RegistryGone => self.listen(ctx),
        }
    }

    // The end of one stream does not end the actor.
    fn finished(&mut self, _: &mut Self::Context) {}
}

impl Handler<Tracked<Join>> for HubActor {
    type Result = MessageResult<Tracked<Join>>;

    fn handle(&mut self, message: Tracked<Join>, _: &mut Self::Context) -> Self::Result {
        let Join { user, topics, socket } = message.take();
        if !self.has_begun {
            return MessageResult(Err(
                Error::unavailable().with_cause("the live hub has not read the log yet")
            ));
        }
        let position = self.state.position();
        let stats = self.listeners.clone();
        let entry = self.entry_of(user);
        let Ok(permit) = entry.permits.clone().try_acquire_owned() else {
            return MessageResult(Err(Error::after(ErrorCode::TooManyStreams, Duration::from_secs(1))));
        };
        if entry.listener.try_send(Tracked::new(Attach(socket), &stats)).is_err() {
            return MessageResult(Err(
                Error::overloaded().with_cause("the user's listener has a full mailbox")
            ));
        }
        entry.joined += 1;
        entry.topics = entry.topics.and(topics);
        MessageResult(Ok(Joined { position, permit }))
    }
}

impl Handler<Tracked<AddTopics>> for HubActor {
    type Result = ();

    fn handle(&mut self, message: Tracked<AddTopics>, _: &mut Self::Context) {
        let AddTopics { user, topics } = message.take();
        if let Some(entry) = self.state.users.get_mut(&user) {
            entry.topics = entry.topics.and(topics);
        }
    }
}

impl Handler<Tracked<GetPosition>> for HubActor {
    type Result = AtomicResponse<Self, Result<Position, Error>>;

    fn handle(&mut self, message: Tracked<GetPosition>, _: &mut Self::Context) -> Self::Result {
        let GetPosition { at_least } = message.take();
        let (mut state, db) = (std::mem::take(&mut self.state), self.parts.db.clone());
        let position = async move {
            let is_there = at_least <= state.order.position();
            let done = if is_there { Ok(()) } else { state.catch_up(&db).await };
            (state, done)
        };
        AtomicResponse::new(Box::pin(position.into_actor(self).map(|(state, done), this, _| {
            this.state = state;
            done.map_err(Error::from).map(|()| this.state.position())
        })))
    }
}

impl Handler<Tracked<Retire>> for HubActor {
    type Result = bool;

    fn handle(&mut self, message: Tracked<Retire>, _: &mut Self::Context) -> bool {
        let Retire { user, listener, joined } = message.take();
        match self.state.users.get(&user) {
            Some(entry) if entry.id == listener && entry.joined != joined => false,
            Some(entry) if entry.id == listener => self.state.users.remove(&user).is_some(),
            _ => true,
        }
    }
}
