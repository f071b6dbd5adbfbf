//! Entities: one child actor per aggregate and node, found by its id, started at its first message, passivated when
//! idle, bounded in number.
//!
//! A child handles its messages strictly one after another: load, decide, commit, answer. Two nodes may each have a
//! child for one aggregate. The database then rejects the second commit by a fence, and that child reloads and decides
//! again.
//!
//! Where other nodes commit, too ([`EntityParts::shared`]), only [`Entities::recent`] answers from memory.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::dev::ToEnvelope;
use actix::{Actor, Addr, Handler, Message};
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::arbiters::Arbiters;
use crate::child::{Child, Execute, Forget, Passivate, Read};
use crate::hot_state::{Hot, tells_of_the_state};
use crate::journal::Journal;
use crate::prepared::Prepared;
use crate::progress;
use crate::state_cache::{ReadStamp, StateCache};
use crate::stats::{ActorStats, ActorStatsRegistry};
use crate::supervisor::{Deaths, Intensity, Tracked};
use kernel::caller::Caller;
use kernel::clock::{Clock, Timestamp};
use kernel::error::{Error, ErrorCode};
use kernel::event::{DomainEvent, StateAfter, Versioned, raw};
use kernel::ids::Id;
use kernel::simulation::mutant;
use store::table::Table;
use store::unit_of_work::Write;
use store::{Db, StoreError};

/// A kind of aggregate: its rules are pure, its row is its state.
///
/// `examples/counter/counter.rs` is a complete one. Its rules are in `decide`, which can be tested by itself:
///
/// ```
/// # use kernel::{caller::Caller, clock::{Clock, Timestamp}, error::Error, ids::{Id, new_id}};
/// # use kernel::event::{DomainEvent, EventType, StateAfter, Versioned, raw};
/// # use kizuna_runtime::entity::Aggregate;
/// # use serde::{Deserialize, Serialize};
/// # use store::table::{Kind, OnConflict, Table};
/// # #[derive(Clone, Serialize, Deserialize)]
/// # struct Light { version: i64, on: bool }
/// # impl Versioned for Light { fn version(&self) -> i64 { self.version } }
/// # struct Switched(Light);
/// # impl StateAfter for Switched { type State = Light; fn after(&self) -> &Light { &self.0 } }
/// # impl DomainEvent for Switched {
/// #     fn event_type(&self) -> EventType { EventType::new("light.switched", "/services/light") }
/// #     fn data(&self) -> Box<serde_json::value::RawValue> { raw(&self.0) }
/// # }
/// # static LIGHTS: Table = Table {
/// #     name: "lights", columns: &[("id", Kind::Id), ("version", Kind::Int), ("on", Kind::Int)],
/// #     on_conflict: OnConflict::Replace, fence: "version",
/// # };
/// enum Command { Switch(bool) }
///
/// impl Aggregate for Light {
/// #     const KIND: &'static str = "light";
/// #     const TABLE: &'static Table = &LIGHTS;
///     type State = Light;
///     type Command = Command;
///     type Event = Switched;
///
///     fn decide(now: Option<&Light>, command: &Command, _: &Caller, _: Id, _: Timestamp) -> Result<Vec<Switched>, Error> {
///         let Command::Switch(on) = command;
///         let (version, was_on) = now.map_or((0, false), |light| (light.version, light.on));
///         // No event: nothing changes, and nothing is committed.
///         Ok(if *on == was_on { vec![] } else { vec![Switched(Light { version: version + 1, on: *on })] })
///     }
/// }
///
/// let events = Light::decide(None, &Command::Switch(true), &Caller::system(), new_id(), Clock::System.now()).unwrap();
/// assert!(events[0].after().on);
/// ```
pub trait Aggregate: Send + Sync + 'static {
    /// The name of its children in metrics, for example `customer`.
    const KIND: &'static str;
    /// The state, as it is stored and loaded.
    type State: Versioned + Clone + Serialize + DeserializeOwned + Send + Sync + Unpin + 'static;
    type Command: Send + Sync + 'static;
    type Event: DomainEvent + StateAfter<State = Self::State>;
    /// Where its state is stored.
    const TABLE: &'static Table;

    /// Decides on a command. No event means that nothing changes.
    fn decide(
        state: Option<&Self::State>,
        command: &Self::Command,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<Self::Event>, Error>;
    /// The event to log; `None` if this change is not logged, as the rotation of a session's token.
    fn logged(event: &Self::Event) -> Option<&Self::Event> {
        Some(event)
    }
    /// The state as a client sees it: the body of a replayed answer.
    fn view(state: &Self::State) -> Box<RawValue> {
        raw(state)
    }
    /// The record that a client has made by a command: what the `Location` of a replayed answer names.
    fn made(_: &Self::State, id: Id) -> Id {
        id
    }
    /// The row to store: the state itself, unless the table has more columns for searching.
    fn row(state: &Self::State) -> String {
        serde_json::to_string(state).expect("states are plain structs")
    }
    /// Whether the row of this state is kept. If not, it is deleted, and a later command finds nothing.
    fn is_kept(_state: &Self::State) -> bool {
        true
    }
    /// Writes that are committed with an event: to rows of other tables that go with the aggregate.
    fn beside(_event: &Self::Event, _id: Id) -> Vec<Write> {
        Vec::new()
    }
    /// The error of a violated unique index.
    fn duplicate() -> ErrorCode {
        ErrorCode::Internal
    }
}

/// The bounds of a directory.
#[derive(Clone, Debug)]
pub struct EntityLimits {
    /// The most children of one kind at the same time.
    pub children: usize,
    /// How long a child without messages stays before it is passivated.
    pub idle: Duration,
    /// The most states of one kind cached for reading.
    pub cached: u64,
    /// How long a command may take, retries included.
    pub deadline: Duration,
}

impl Default for EntityLimits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { children: 10_000, idle: seconds(60), cached: 10_000, deadline: seconds(10) }
    }
}

/// How old a state of [`Entities::recent`] may be. 300 ms here and a poll every 500 ms are 800 ms: under the limit of 1
/// s (SPEC §8.6), with 200 ms left for delivery.
pub const RECENT: Duration = Duration::from_millis(300);

/// How many committed states a listener of [`Entities::changes`] may lag behind.
const CHANGES: usize = 256;

/// The parts of a node that children use.
#[derive(Clone)]
pub struct EntityParts {
    pub db: Db,
    pub journal: Journal,
    pub clock: Clock,
    pub arbiters: Arbiters,
    pub actor_stats: ActorStatsRegistry,
    pub limits: EntityLimits,
    pub intensity: Intensity,
    /// Whether other nodes commit to the same database, so that states in memory may be old.
    pub shared: bool,
}

struct Inner<A: Aggregate> {
    parts: EntityParts,
    stats: Arc<ActorStats>,
    directory: DashMap<Id, Resident<A>>,
    /// Ids in the order of their start: the first ones are passivated when the directory is full.
    order: Mutex<VecDeque<Id>>,
    /// Aggregates whose child died, and when the child may start again.
    deaths: DashMap<Id, (Deaths, Instant)>,
    kept: StateCache<A::State>,
    /// The hot states that all nodes share.
    hot: Option<Arc<dyn Hot<A::State>>>,
    /// The states committed on this node, for listeners that must act on them at once.
    changes: broadcast::Sender<Arc<A::State>>,
}

struct Resident<A: Aggregate> {
    address: Addr<Child<A>>,
    /// Seconds since the directory was made.
    used: Arc<AtomicI64>,
}

/// The directory of one kind of aggregate; clones share it.
///
/// ```no_run
/// use kernel::{context::Context, error::Error, ids::Id};
/// use kizuna_runtime::entity::{Aggregate, Entities};
///
/// /// Hands a command to the aggregate's actor and reads what came of it.
/// async fn change<A: Aggregate>(all: &Entities<A>, id: Id, command: A::Command) -> Result<(), Error> {
///     let _after = all.execute(id, command, Context::system()).await?;
///     assert!(all.get(id).await?.is_some());
///     Ok(())
/// }
/// ```
pub struct Entities<A: Aggregate>(Arc<Inner<A>>);

impl<A: Aggregate> Clone for Entities<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A: Aggregate> Entities<A> {
    pub fn new(parts: EntityParts) -> Self {
        Self::beside(parts, None)
    }

    /// A directory whose hot states are shared by all nodes. Without effect on a single node.
    pub fn beside(parts: EntityParts, hot: Option<Arc<dyn Hot<A::State>>>) -> Self {
        Self(Arc::new(Inner {
            stats: parts.actor_stats.stats(A::KIND),
            directory: DashMap::new(),
            order: Mutex::default(),
            deaths: DashMap::new(),
            kept: StateCache::new(parts.limits.cached, A::State::version),
            hot: hot.filter(|_| parts.shared),
            changes: broadcast::Sender::new(CHANGES),
            parts,
        }))
    }

    /// Creates an aggregate with a new `id`, without looking for its row.
    ///
    /// # Errors
    /// The errors of `decide`, `unavailable`, `overloaded`.
    pub async fn create(
        &self,
        id: Id,
        command: A::Command,
        context: impl Into<Prepared>,
    ) -> Result<Arc<A::State>, Error> {
        self.send(id, Execute::<A> { command, prepared: context.into() }, true).await
    }

    /// Sends a command to the aggregate and returns the state after it.
    ///
    /// # Errors
    /// The errors of `decide`, `stale_version`, `unavailable`, `overloaded`.
    pub async fn execute(
        &self,
        id: Id,
        command: A::Command,
        context: impl Into<Prepared>,
    ) -> Result<Arc<A::State>, Error> {
        let answer = self.send(id, Execute::<A> { command, prepared: context.into() }, false).await;
        // Done here and not in the child, which can go on with its next message. Needed also if nothing changed, and
        // for a refusal: each may tell of a commit of a node that died before it answered.
        if let Some(hot) = self.0.hot.as_ref().filter(|_| tells_of_the_state(&answer)) {
            hot.changed(id).await;
        }
        answer
    }

    /// The last committed state from memory; `None` if it is not there, or if other nodes commit, too.
    pub fn cached(&self, id: Id) -> Option<Arc<A::State>> {
        if self.0.parts.shared { None } else { self.0.kept.last(id) }
    }

    /// The last committed state: from memory or, by its child, from the database. Where other nodes commit, too: from
    /// the database or the shared hot states.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn get(&self, id: Id) -> Result<Option<Arc<A::State>>, Error> {
        if self.0.parts.shared && !mutant("memory-answers") {
            let stored = Box::pin(self.stored(id));
            return Ok(match &self.0.hot {
                Some(hot) => hot.read(id, stored).await?,
                None => stored.await?,
            });
        }
        match self.0.kept.last(id) {
            Some(state) => Ok(Some(state)),
            None => self.send(id, Read::<A>::default(), false).await,
        }
    }

    /// As [`Self::get`], for a caller who may see only some states: `visible` is the rule.
    ///
    /// # Errors
    /// What `visible` refuses, `not_found`, `unavailable`, `overloaded`.
    pub async fn visible(
        &self,
        id: Id,
        visible: impl FnOnce(Option<&A::State>) -> Result<&A::State, Error>,
    ) -> Result<Arc<A::State>, Error> {
        let state = self.get(id).await?;
        visible(state.as_deref())?;
        state.ok_or_else(|| Error::new(ErrorCode::NotFound))
    }

    /// The last state committed by this node, or a state that was the last one of any node less than 300 ms ago. Only
    /// for authentication (SPEC §8.6).
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn recent(&self, id: Id) -> Result<Option<Arc<A::State>>, Error> {
        if !self.0.parts.shared {
            return self.get(id).await;
        }
        match self.0.kept.within(id, RECENT) {
            Some(state) => Ok(Some(state)),
            None => Ok(self.stored(id).await?),
        }
    }

    /// Whether there is such an aggregate, found without starting its child: for ids that anybody may make up.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn exists(&self, id: Id) -> Result<bool, Error> {
        Ok(self.0.kept.last(id).is_some() || self.stored(id).await?.is_some())
    }

    /// Reads the state from the database and caches it for [`Self::recent`].
    async fn stored(&self, id: Id) -> Result<Option<Arc<A::State>>, StoreError> {
        let read_stamp = self.0.kept.read_stamp(id);
        let state = self.0.parts.db.row::<A::State>(A::TABLE, id).await?.map(Arc::new);
        if let Some(state) = &state {
            self.0.kept.was_read(id, state, read_stamp);
        }
        Ok(state)
    }

    /// Drops what this node has in memory of an aggregate that a unit of another one has changed: its next reader, and its
    /// next command, see the database.
    pub async fn changed_beside(&self, id: Id) {
        let resident = self.0.directory.get(&id).map(|resident| resident.address.clone());
        if let Some(address) = resident {
            // A child that is gone has nothing to forget.
            let _ = address.send(Forget).await;
        }
        self.0.kept.forget(id);
        if let Some(hot) = &self.0.hot {
            hot.changed(id).await;
        }
    }

    /// The states that this node commits from now on. A receiver that lags behind gets an error. The cache is updated
    /// before the listeners are notified.
    pub fn changes(&self) -> broadcast::Receiver<Arc<A::State>> {
        self.0.changes.subscribe()
    }

    async fn send<M, T>(&self, id: Id, message: M, fresh: bool) -> Result<T, Error>
    where
        M: Message<Result = Result<T, Error>> + Send + 'static,
        T: Send + 'static,
        Child<A>: Handler<Tracked<M>>,
        <Child<A> as Actor>::Context: ToEnvelope<Child<A>, Tracked<M>>,
    {
        let address = self.child(id, fresh)?;
        let tracked = Tracked::new(message, &self.0.stats);
        let answer = tokio::time::timeout(self.0.parts.limits.deadline, address.send(tracked)).await;
        progress::made();
        match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(self.failed(Error::unavailable(), id, "died before it had answered")),
            Err(_) => Err(self.failed(Error::overloaded(), id, "did not answer within its deadline")),
        }
    }

    fn failed(&self, error: Error, id: Id, why: &str) -> Error {
        self.0.stats.failed();
        error.with_cause(format_args!("the actor of {} {id} {why}", A::KIND))
    }

    /// The child of `id`, which is started if there is none.
    fn child(&self, id: Id, fresh: bool) -> Result<Addr<Child<A>>, Error> {
        let now = self.uptime();
        if let Some(resident) = self.0.directory.get(&id) {
            resident.used.store(now, Ordering::Relaxed);
            return Ok(resident.address.clone());
        }
        self.check_quarantine(id)?;
        // This lock is held until the child is in the directory, so that two threads do not both take the last free
        // place. Code that needs both locks takes this one first.
        let mut order = self.0.order.lock().expect("no panic under this lock");
        self.make_room(&mut order)?;
        let address = match self.0.directory.entry(id) {
            Entry::Occupied(resident) => return Ok(resident.get().address.clone()),
            Entry::Vacant(place) => {
                let arbiter = self.0.parts.arbiters.of_aggregate(id.bits() as u64);
                let child = Child::new(id, self.clone(), self.0.stats.live_gauge(), fresh);
                let address = Child::start_in_arbiter(&arbiter, move |_| child);
                place.insert(Resident { address: address.clone(), used: Arc::new(AtomicI64::new(now)) });
                address
            }
        };
        order.push_back(id);
        Ok(address)
    }

    /// Fails while an aggregate whose child keeps dying must wait for its restart.
    fn check_quarantine(&self, id: Id) -> Result<(), Error> {
        let Some(entry) = self.0.deaths.get(&id) else { return Ok(()) };
        let wait = entry.1.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            return Ok(());
        }
        let cause = format!("the actor of {} {id} keeps dying and waits before it starts again", A::KIND);
        Err(Error::after(ErrorCode::Unavailable, wait).with_cause(cause))
    }

    /// Passivates the oldest idle child if the directory is full.
    fn make_room(&self, order: &mut VecDeque<Id>) -> Result<(), Error> {
        if self.0.directory.len() < self.0.parts.limits.children {
            return Ok(());
        }
        for _ in 0..16 {
            let Some(oldest) = order.pop_front() else { break };
            let Some(resident) = self.0.directory.get(&oldest) else { continue };
            let rests = self.uptime() - resident.used.load(Ordering::Relaxed) >= 1 || order.len() > 64;
            if rests && resident.address.try_send(Passivate).is_ok() {
                drop(resident);
                self.0.directory.remove(&oldest);
                return Ok(());
            }
            drop(resident);
            order.push_back(oldest);
        }
        Err(Error::overloaded().with_cause(format_args!("all actors of {} are busy", A::KIND)))
    }

    /// Passivates children that had no message for some time. Called every few seconds.
    pub fn sweep(&self) {
        let idle = i64::try_from(self.0.parts.limits.idle.as_secs()).unwrap_or(i64::MAX);
        let now = self.uptime();
        self.0.directory.retain(|_, resident| {
            let busy = now - resident.used.load(Ordering::Relaxed) < idle;
            busy || resident.address.try_send(Passivate).is_err()
        });
        let mut order = self.0.order.lock().expect("no panic under this lock");
        order.retain(|id| self.0.directory.contains_key(id));
        let window = self.0.parts.intensity.window;
        self.0.deaths.retain(|_, (_, until)| until.elapsed() < window);
    }

    fn uptime(&self) -> i64 {
        self.0.parts.clock.now().seconds()
    }

    /// Removes a child that died while handling a message, and counts its death.
    pub(super) fn on_crash(&self, id: Id) {
        self.0.directory.remove(&id);
        self.0.kept.forget(id);
        self.0.stats.restarted();
        let now = Instant::now();
        let mut entry = self.0.deaths.entry(id).or_insert_with(|| (Deaths::default(), now));
        let wait = entry.0.record(now, &self.0.parts.intensity);
        entry.1 = now + wait;
        tracing::error!(kind = A::KIND, %id, ?wait, "an aggregate's actor died; its next message starts it again");
    }

    /// Caches a committed state and notifies the listeners. `asked` is a stamp from before the commit.
    pub(super) fn committed(&self, id: Id, state: &Arc<A::State>, asked: Instant) {
        self.0.kept.was_committed(id, state, asked);
        // Most kinds have no listener.
        let _ = self.0.changes.send(state.clone());
    }

    /// A stamp to take before reading from the database a state for [`Self::remember`].
    pub(super) fn read_stamp(&self, id: Id) -> ReadStamp {
        self.0.kept.read_stamp(id)
    }

    /// Caches a state that was read.
    pub(super) fn remember(&self, id: Id, state: &Arc<A::State>, read_stamp: ReadStamp) {
        self.0.kept.was_read(id, state, read_stamp);
    }

    /// Drops the state from memory, because it may be wrong: the next reader asks the database.
    pub(super) fn forget(&self, id: Id) {
        self.0.kept.forget(id);
    }

    pub(super) fn parts(&self) -> &EntityParts {
        &self.0.parts
    }
}
