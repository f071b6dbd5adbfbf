//! Entities: one child actor per aggregate and node, found by id, started at its first message, put to
//! rest when idle, bounded in number.
//!
//! A child handles its messages strictly one after another: load, decide, commit, answer. The database
//! fences (two nodes may each have a child for one aggregate), so that a loser reloads and decides again.
//!
//! Where other nodes commit, too ([`EntityParts::shared`]), nothing is answered from memory but what
//! [`Entities::recent`] says of itself.

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
use crate::child::{Child, Execute, Passivate, Read};
use crate::hot_state::Hot;
use crate::journal::Journal;
use crate::progress;
use crate::state_cache::{ReadStamp, StateCache};
use crate::stats::{ActorStats, ActorStatsRegistry};
use crate::supervisor::{Deaths, Intensity, Tracked};
use kernel::caller::Caller;
use kernel::clock::{Clock, Timestamp};
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::event::{DomainEvent, StateAfter, Versioned, raw};
use kernel::ids::Id;
use store::table::Table;
use store::unit_of_work::UnitOfWork;
use store::{Db, StoreError};

/// A kind of aggregate: its rules are pure, its row is its state.
///
/// `examples/counter/counter.rs` is a whole one. What counts is `decide`, which can be tested without anything else:
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
    /// `customer`: the name of its children among the actors.
    const KIND: &'static str;
    /// As it is stored and loaded.
    type State: Versioned + Clone + Serialize + DeserializeOwned + Send + Sync + Unpin + 'static;
    type Command: Send + Sync + 'static;
    type Event: DomainEvent + StateAfter<State = Self::State>;
    /// Where its state is stored.
    const TABLE: &'static Table;

    /// What a command leads to: no event means that nothing changes.
    fn decide(
        state: Option<&Self::State>,
        command: &Self::Command,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<Self::Event>, Error>;
    /// What of an event goes to the log; sessions rotate without one.
    fn logged(event: &Self::Event) -> Option<&Self::Event> {
        Some(event)
    }
    /// What a client sees of it: the body of a replayed answer.
    fn view(state: &Self::State) -> Box<RawValue> {
        raw(state)
    }
    /// The row to store; the state itself unless the table has columns for searching.
    fn row(state: &Self::State) -> String {
        serde_json::to_string(state).expect("states are plain structs")
    }
    /// What a violated unique index means.
    fn duplicate() -> ErrorCode {
        ErrorCode::Internal
    }
}

/// The context of a command, and what is committed together with its outcome if it changes anything.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub context: Context,
    pub with: UnitOfWork,
}

impl From<Context> for Prepared {
    fn from(context: Context) -> Self {
        Self { context, with: UnitOfWork::default() }
    }
}

/// The bounds of a directory.
#[derive(Clone, Debug)]
pub struct EntityLimits {
    /// Children of one kind that live at the same time.
    pub children: usize,
    /// A child without a message for this long is put to rest.
    pub idle: Duration,
    /// States of one kind kept in memory for reading.
    pub cached: u64,
    /// How long a command may take altogether.
    pub deadline: Duration,
}

impl Default for EntityLimits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { children: 10_000, idle: seconds(60), cached: 10_000, deadline: seconds(10) }
    }
}

/// How old [`Entities::recent`], or any proof of identity, may be. Whoever looks twice a second, too, acts within the second
/// of SPEC §8.6, with a fifth of it left for the way.
pub const RECENT: Duration = Duration::from_millis(300);

/// Committed states that a listener of [`Entities::changes`] may be behind.
const CHANGES: usize = 256;

/// What children need.
#[derive(Clone)]
pub struct EntityParts {
    pub db: Db,
    pub journal: Journal,
    pub clock: Clock,
    pub arbiters: Arbiters,
    pub actor_stats: ActorStatsRegistry,
    pub limits: EntityLimits,
    pub intensity: Intensity,
    /// Other nodes commit to the same database: what is in memory here may be old.
    pub shared: bool,
}

struct Inner<A: Aggregate> {
    parts: EntityParts,
    stats: Arc<ActorStats>,
    directory: DashMap<Id, Resident<A>>,
    /// Ids in the order of their start: who is asked to leave first when the directory is full.
    order: Mutex<VecDeque<Id>>,
    /// Aggregates whose child died: when they may come back.
    deaths: DashMap<Id, (Deaths, Instant)>,
    kept: StateCache<A::State>,
    /// Where all nodes keep hot states together.
    hot: Option<Arc<dyn Hot<A::State>>>,
    /// What was committed on this node, for who must act on it at once.
    changes: broadcast::Sender<Arc<A::State>>,
}

struct Resident<A: Aggregate> {
    address: Addr<Child<A>>,
    /// Seconds since the directory was made.
    used: Arc<AtomicI64>,
}

/// The directory of one kind; clones share it.
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

    /// The same with a place where all nodes keep hot states together, which only counts where they are shared.
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

    /// Makes an aggregate under a fresh `id`: no row is looked for.
    ///
    /// # Errors
    /// What `decide` refuses, `unavailable`, `overloaded`.
    pub async fn create(
        &self,
        id: Id,
        command: A::Command,
        context: impl Into<Prepared>,
    ) -> Result<Arc<A::State>, Error> {
        self.send(id, Execute::<A> { command, prepared: context.into() }, true).await
    }

    /// Hands a command to the aggregate.
    ///
    /// # Errors
    /// What `decide` refuses, `stale_version`, `unavailable`, `overloaded`.
    pub async fn execute(
        &self,
        id: Id,
        command: A::Command,
        context: impl Into<Prepared>,
    ) -> Result<Arc<A::State>, Error> {
        let state = self.send(id, Execute::<A> { command, prepared: context.into() }, false).await?;
        // Here and not in the child, which may go on meanwhile. Also where nothing changed: this may acknowledge
        // what a node committed that died before it answered.
        if let Some(hot) = &self.0.hot {
            hot.changed(id).await;
        }
        Ok(state)
    }

    /// The aggregate as last committed, if memory can tell: never where other nodes commit, too.
    pub fn cached(&self, id: Id) -> Option<Arc<A::State>> {
        if self.0.parts.shared { None } else { self.0.kept.last(id) }
    }

    /// The aggregate as last committed by any node: from memory, or by its child from the database; where other
    /// nodes commit, too, from the database or what all nodes keep of it.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn get(&self, id: Id) -> Result<Option<Arc<A::State>>, Error> {
        if self.0.parts.shared {
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

    /// As [`Self::get`], for a caller who may see only some: `visible` is the rule.
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

    /// The aggregate as this node committed it last, or as any node did less than half a second ago. For proofs of
    /// identity alone (SPEC §8.6).
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

    /// The aggregate as the database has it, which is kept for [`Self::recent`].
    async fn stored(&self, id: Id) -> Result<Option<Arc<A::State>>, StoreError> {
        let read_stamp = self.0.kept.read_stamp(id);
        let state = self.0.parts.db.row::<A::State>(A::TABLE, id).await?.map(Arc::new);
        if let Some(state) = &state {
            self.0.kept.was_read(id, state, read_stamp);
        }
        Ok(state)
    }

    /// The states that are committed on this node from now on. A receiver that falls behind gets an error; a
    /// state kept for reading is there before its listeners hear of it.
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

    /// The live child of `id`, or a new one.
    fn child(&self, id: Id, fresh: bool) -> Result<Addr<Child<A>>, Error> {
        let now = self.uptime();
        if let Some(resident) = self.0.directory.get(&id) {
            resident.used.store(now, Ordering::Relaxed);
            return Ok(resident.address.clone());
        }
        self.check_quarantine(id)?;
        // CachedState until the child has its place: two threads must not take the last one. Whoever asks both locks
        // takes this one first.
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

    /// Refuses an aggregate whose child keeps dying until its wait is over.
    fn check_quarantine(&self, id: Id) -> Result<(), Error> {
        let Some(entry) = self.0.deaths.get(&id) else { return Ok(()) };
        let wait = entry.1.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            return Ok(());
        }
        let cause = format!("the actor of {} {id} keeps dying and waits before it starts again", A::KIND);
        Err(Error::after(ErrorCode::Unavailable, wait).with_cause(cause))
    }

    /// Asks the longest-live child that rests to leave, when the directory is full.
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

    /// Puts children to rest that had no message for a while. Called every few seconds.
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

    /// A child died over a message: out of the directory, and counted.
    pub(super) fn on_crash(&self, id: Id) {
        self.0.directory.remove(&id);
        self.0.kept.forget(id);
        self.0.stats.restarted();
        let now = Instant::now();
        let mut entry = self.0.deaths.entry(id).or_insert_with(|| (Deaths::default(), now));
        let wait = entry.0.record(now.into_std(), &self.0.parts.intensity);
        entry.1 = now + wait;
        tracing::error!(kind = A::KIND, %id, ?wait, "an aggregate's actor died; its next message starts it anew");
    }

    /// A state was committed: it is kept for reading, and its listeners hear of it. `asked` is from before the
    /// commit.
    pub(super) fn committed(&self, id: Id, state: &Arc<A::State>, asked: Instant) {
        self.0.kept.was_committed(id, state, asked);
        // Nobody listens to most kinds.
        let _ = self.0.changes.send(state.clone());
    }

    /// To be taken before the database is asked for what [`Self::remember`] then keeps.
    pub(super) fn read_stamp(&self, id: Id) -> ReadStamp {
        self.0.kept.read_stamp(id)
    }

    /// Keeps a state that was read.
    pub(super) fn remember(&self, id: Id, state: &Arc<A::State>, read_stamp: ReadStamp) {
        self.0.kept.was_read(id, state, read_stamp);
    }

    /// What is in memory may be wrong: the next reader asks the database.
    pub(super) fn forget(&self, id: Id) {
        self.0.kept.forget(id);
    }

    pub(super) fn parts(&self) -> &EntityParts {
        &self.0.parts
    }
}
