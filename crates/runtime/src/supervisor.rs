//! Supervision: an actor that dies is started again by its factory, which reads the state from the database.
//!
//! actix's own supervisor does not bring back an actor that panicked (the task is gone, the mailbox
//! closed) and restarts a stopped one with the same state object. Here each instance holds a [`LivenessGuard`];
//! when it is dropped, for whatever reason, the supervisor starts a new instance. After several deaths in a short time it
//! waits before that, longer after each death.
//!
//! An actor that hangs does not die. Every few seconds the supervisor checks the work of each actor (`progress.rs`). An
//! actor that has made no progress for [`STUCK_AFTER`] is ended, which drops the future that it awaits, and started again.
//! An actor that blocks its thread can't be ended: it is only logged and counted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use actix::dev::ToEnvelope;
use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, ArbiterHandle, AsyncContext, Context, Handler, MailboxError,
    Message, WrapFuture,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::progress;
use crate::retry::Backoff;
use crate::stats::{ActorStats, ActorStatsRegistry, LiveGauge, QueuedMessage};
use crate::trace::Trace;
use kernel::error::Error;

/// How long an actor's work may go on without progress. The longest waits are a statement of the database (30 s) and a
/// commit (30 s, and 5 s for a connection), so after four times that the work hangs.
pub const STUCK_AFTER: Duration = Duration::from_secs(120);
/// How often actors are checked; more often if the bound is shorter.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often an actor may die before its restarts are delayed, and by how much.
#[derive(Clone, Debug)]
pub struct Intensity {
    /// Deaths within `window` that are answered with an immediate restart.
    pub free: usize,
    pub window: Duration,
    pub backoff: Backoff,
}

impl Default for Intensity {
    fn default() -> Self {
        let backoff = Backoff {
            initial: Duration::from_millis(50),
            factor: 2.0,
            max: Duration::from_secs(10),
            times: u32::MAX,
        };
        Self { free: 3, window: Duration::from_secs(10), backoff }
    }
}

/// The recent deaths of an actor.
#[derive(Debug, Default)]
pub struct Deaths(VecDeque<Instant>);

impl Deaths {
    /// Counts a death at `now` and says how long to wait before the restart.
    pub fn record(&mut self, now: Instant, intensity: &Intensity) -> Duration {
        self.0.retain(|death| now.duration_since(*death) < intensity.window);
        self.0.push_back(now);
        match self.0.len().checked_sub(intensity.free + 1) {
            None => Duration::ZERO,
            Some(excess) => intensity.backoff.wait(u32::try_from(excess).unwrap_or(u32::MAX)),
        }
    }
}

/// A sign of liveness that an instance keeps; its drop is the death notice.
#[derive(Debug)]
pub struct LivenessGuard {
    deaths: mpsc::UnboundedSender<usize>,
    child: usize,
    _live: LiveGauge,
}

impl Drop for LivenessGuard {
    fn drop(&mut self) {
        // Unbounded, but one notice an instance; gone only when the supervisor is.
        let _ = self.deaths.send(self.child);
    }
}

/// A message under way, with its place in the mailbox count and the trace of its sender.
#[derive(Debug)]
pub struct Tracked<M> {
    message: M,
    queued: QueuedMessage,
    trace: Trace,
}

impl<M: Message> Message for Tracked<M> {
    type Result = M::Result;
}

impl<M> Tracked<M> {
    /// `message` on its way to the actor of these counters.
    pub fn new(message: M, stats: &Arc<ActorStats>) -> Self {
        Self { message, queued: stats.enqueue(), trace: Trace::current() }
    }

    /// Takes the message up: it no longer waits.
    pub fn take(self) -> M {
        self.queued.taken();
        self.message
    }

    /// The trace of the sender, for what is done about the message.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }
}

/// The lasting address of a supervised actor, whichever instance lives behind it.
pub struct Ref<A: Actor> {
    current: Arc<RwLock<Option<Addr<A>>>>,
    stats: Arc<ActorStats>,
    place: usize,
}

impl<A: Actor> Clone for Ref<A> {
    fn clone(&self) -> Self {
        Self { current: self.current.clone(), stats: self.stats.clone(), place: self.place }
    }
}

impl<A: Actor> Ref<A> {
    /// The actor's name in the metrics.
    pub fn name(&self) -> &str {
        self.stats.name()
    }

    /// Sends `message` and waits for its answer, at most `deadline`.
    ///
    /// # Errors
    /// `unavailable` while the actor restarts or when it died over this message, `overloaded` when the
    /// deadline passes.
    pub async fn ask<M>(&self, message: M, deadline: Duration) -> Result<M::Result, Error>
    where
        M: Message + Send + 'static,
        M::Result: Send,
        A: Handler<Tracked<M>>,
        A::Context: ToEnvelope<A, Tracked<M>>,
    {
        let address = self.current.read().expect("no panic under this lock").clone();
        let Some(address) = address else {
            return Err(self.failed(Error::unavailable(), "is being started again"));
        };
        let tracked = Tracked::new(message, &self.stats);
        let answer = tokio::time::timeout(deadline, address.send(tracked)).await;
        progress::made();
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(MailboxError::Closed)) => {
                Err(self.failed(Error::unavailable(), "died before it had answered"))
            }
            Ok(Err(MailboxError::Timeout)) | Err(_) => {
                Err(self.failed(Error::overloaded(), "did not answer within its deadline"))
            }
        }
    }

    fn failed(&self, error: Error, why: &str) -> Error {
        self.stats.failed();
        error.with_cause(format_args!("the actor {} {why}", self.stats.name()))
    }
}

/// Starts an instance; sending to the returned channel ends it.
type Start = Box<dyn Fn(LivenessGuard) -> oneshot::Sender<End> + Send>;

/// The supervisor's order to an instance that is stuck.
struct End;

struct Child {
    stats: Arc<ActorStats>,
    start: Start,
    clear: Box<dyn Fn() + Send>,
    /// Ends the instance; `None` after it was used.
    end: Option<oneshot::Sender<End>>,
    deaths: Deaths,
}

/// The supervised actors by their places. A place is never used again, so that a late death notice restarts nobody else.
#[derive(Default)]
struct Children {
    next: usize,
    by_place: BTreeMap<usize, Child>,
}

/// Owns the long-lived actors of a node: whoever dies or hangs is started again.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use actix::{Actor, Context, Handler, Message};
/// use kizuna_runtime::arbiters::Arbiters;
/// use kizuna_runtime::stats::ActorStatsRegistry;
/// use kizuna_runtime::supervisor::{Intensity, LivenessGuard, Supervisor, Tracked};
///
/// #[derive(Message)]
/// #[rtype(result = "u32")]
/// struct Divide(u32, u32);
///
/// struct Divider(#[expect(dead_code, reason = "its drop is the death notice")] LivenessGuard);
///
/// impl Actor for Divider {
///     type Context = Context<Self>;
/// }
///
/// impl Handler<Tracked<Divide>> for Divider {
///     type Result = u32;
///
///     fn handle(&mut self, message: Tracked<Divide>, _: &mut Self::Context) -> u32 {
///         let Divide(number, by) = message.take();
///         number / by
///     }
/// }
///
/// actix::System::new().block_on(async {
///     let supervisor = Supervisor::start(ActorStatsRegistry::default(), Intensity::default());
///     let arbiters = Arbiters::start(1);
///     let divider = supervisor.spawn("divider", &arbiters.serving(), |liveness, _| Divider(liveness));
///     let soon = Duration::from_secs(5);
///     assert_eq!(divider.ask(Divide(42, 6), soon).await, Ok(7));
///     // It panics: its caller gets an error, and the next instance answers.
///     assert!(divider.ask(Divide(1, 0), soon).await.is_err());
///     while divider.ask(Divide(42, 6), soon).await != Ok(7) {
///         tokio::time::sleep(Duration::from_millis(5)).await;
///     }
///     supervisor.stop();
///     arbiters.stop();
/// });
/// ```
#[derive(Clone)]
pub struct Supervisor {
    children: Arc<std::sync::Mutex<Children>>,
    notices: mpsc::UnboundedSender<usize>,
    actor_stats: ActorStatsRegistry,
    stopping: Arc<AtomicBool>,
    stuck_after: Duration,
}

impl Supervisor {
    /// Starts supervising on the runtime this is called from.
    pub fn start(actor_stats: ActorStatsRegistry, intensity: Intensity) -> Self {
        Self::watching(actor_stats, intensity, STUCK_AFTER)
    }

    /// Like [`Self::start`], but with another bound than [`STUCK_AFTER`].
    pub fn watching(actor_stats: ActorStatsRegistry, intensity: Intensity, stuck_after: Duration) -> Self {
        let (notices, inbox) = mpsc::unbounded_channel();
        let this = Self {
            children: Arc::default(),
            notices,
            actor_stats,
            stopping: Arc::new(AtomicBool::new(false)),
            stuck_after,
        };
        tokio::spawn(this.clone().watch(inbox, intensity));
        tokio::spawn(this.clone().look_for_stuck());
        this
    }

    /// Starts an actor on `arbiter` and keeps it alive. `factory` makes each instance from scratch.
    pub fn spawn<A, F>(&self, name: &str, arbiter: &ArbiterHandle, factory: F) -> Ref<A>
    where
        A: Actor<Context = Context<A>>,
        F: Fn(LivenessGuard, Arc<ActorStats>) -> A + Send + Sync + 'static,
    {
        let stats = self.actor_stats.stats(name);
        let current = Arc::new(RwLock::new(None));
        let factory = Arc::new(factory);
        let (arbiter, cell, counters) = (arbiter.clone(), current.clone(), stats.clone());
        let start: Start = Box::new(move |liveness| {
            let (factory, stats) = (factory.clone(), counters.clone());
            let (end, ends) = oneshot::channel::<End>();
            let address = A::start_in_arbiter(&arbiter, move |ctx: &mut Context<A>| {
                let actor = factory(liveness, stats);
                let ended = ends.into_actor(&actor).map(|end, _, ctx: &mut Context<A>| {
                    if end.is_ok() {
                        ctx.terminate();
                    }
                });
                ctx.spawn(ended);
                actor
            });
            *cell.write().expect("no panic under this lock") = Some(address);
            end
        });
        let cleared = current.clone();
        let clear = Box::new(move || *cleared.write().expect("no panic under this lock") = None);
        let mut children = self.children.lock().expect("no panic under this lock");
        let place = children.next;
        children.next += 1;
        let reference = Ref { current, stats: stats.clone(), place };
        let end = Some(start(self.liveness(place, &stats)));
        children.by_place.insert(place, Child { stats, start, clear, end, deaths: Deaths::default() });
        reference
    }

    /// Ends an actor for good, and forgets its counters: what it was for is gone.
    pub fn end<A: Actor>(&self, actor: &Ref<A>) {
        let mut children = self.children.lock().expect("no panic under this lock");
        let Some(child) = children.by_place.remove(&actor.place) else { return };
        (child.clear)();
        if let Some(end) = child.end {
            // Fails if the actor is stopping already.
            let _ = end.send(End);
        }
        self.actor_stats.forget(child.stats.name());
    }

    /// Stops restarting actors.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    fn liveness(&self, child: usize, stats: &Arc<ActorStats>) -> LivenessGuard {
        LivenessGuard { deaths: self.notices.clone(), child, _live: stats.live_gauge() }
    }

    async fn watch(self, mut inbox: mpsc::UnboundedReceiver<usize>, intensity: Intensity) {
        while let Some(place) = inbox.recv().await {
            if self.stopping.load(Ordering::SeqCst) {
                return;
            }
            let wait = {
                let mut children = self.children.lock().expect("no panic under this lock");
                // `None`: it was ended for good.
                let Some(child) = children.by_place.get_mut(&place) else { continue };
                (child.clear)();
                let wait = child.deaths.record(Instant::now(), &intensity);
                tracing::error!(actor = child.stats.name(), ?wait, "an actor died and is started again");
                wait
            };
            // A task per restart, so that the delay of one actor does not hold up the others.
            let this = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                this.restart(place);
            });
        }
    }

    fn restart(&self, place: usize) {
        if self.stopping.load(Ordering::SeqCst) {
            return;
        }
        let mut children = self.children.lock().expect("no panic under this lock");
        let Some(child) = children.by_place.get_mut(&place) else { return };
        child.stats.restarted();
        child.end = Some((child.start)(self.liveness(place, &child.stats)));
    }

    async fn look_for_stuck(self) {
        let pause = LOOK_EVERY.min(self.stuck_after / 4);
        while !self.stopping.load(Ordering::SeqCst) {
            let before = Instant::now();
            tokio::time::sleep(pause).await;
            // If this loop is late, the whole process was suspended, and the actors need time to continue.
            if before.elapsed() < 2 * pause {
                self.end_stuck();
            }
        }
    }

    /// Ends every actor that has made no progress for too long. Its death then makes `watch` restart it.
    fn end_stuck(&self) {
        let mut children = self.children.lock().expect("no panic under this lock");
        for child in children.by_place.values_mut() {
            let Some(stalled) = child.stats.progress().stalled_for() else { continue };
            if stalled < self.stuck_after {
                continue;
            }
            // `None`: it was ended before and is still stopping.
            let Some(end) = child.end.take() else { continue };
            let actor = child.stats.name();
            tracing::error!(actor, ?stalled, "an actor is stuck and is started again");
            metrics::counter!("kizuna_actor_stuck_total", "actor" => actor.to_owned()).increment(1);
            child.stats.failed();
            // Fails if the actor is stopping already.
            let _ = end.send(End);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_are_free_at_first_and_then_spaced_out() {
        let intensity = Intensity::default();
        let mut deaths = Deaths::default();
        let start = Instant::now();
        let waits: Vec<u128> =
            (0..6).map(|n| deaths.record(start + Duration::from_millis(n), &intensity).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 50, 100, 200]);
    }

    #[test]
    fn old_deaths_are_forgotten() {
        let intensity = Intensity::default();
        let mut deaths = Deaths::default();
        let start = Instant::now();
        for _ in 0..20 {
            deaths.record(start, &intensity);
        }
        assert_eq!(deaths.record(start + intensity.window, &intensity), Duration::ZERO);
    }
}
