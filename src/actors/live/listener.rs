//! The listener of a user: the actor between the hub and the user's sockets. It lives while the user has sockets.

use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, AtomicResponse, Context, Handler, Message, WrapFuture,
};

use crate::actors::auth::client::AuthClient;
use crate::actors::live::delivery::Delivery;
use crate::actors::live::hub::{HubActor, Retire};
use crate::actors::live::outbox::{Ended, Outbox, Queued};
use crate::domain::user::record::UserState;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use runtime::stats::{ActorStats, LiveGauge};
use runtime::supervisor::{Ref, Tracked};

/// Its name among the actors.
pub const KIND: &str = "analytics.listener";

/// Deliveries that may wait for a listener; when it is full, the hub gives up the listener.
const MAILBOX: usize = 1_024;
/// How often sessions are checked: SPEC §8.6 allows a second.
const CHECK_EVERY: Duration = Duration::from_millis(500);
const RETIRE_DEADLINE: Duration = Duration::from_secs(5);

/// A socket and its session.
pub struct Seat {
    pub outbox: Outbox,
    pub session_id: Id,
    /// When its token expires.
    pub expires_at: Timestamp,
}

/// Events for this user, in the order of the log.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Deliver(pub Vec<Arc<Delivery>>);

/// A socket joins.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Sit(pub Seat);

/// The user or a session of theirs has changed.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Recheck;

/// The listener's actor.
pub(super) struct Listener {
    user: Id,
    id: Id,
    auth: AuthClient,
    hub: Ref<HubActor>,
    stats: Arc<ActorStats>,
    seats: Vec<Seat>,
    /// How many sockets have joined so far: the hub knows by it whether a socket is about to join.
    joined: u64,
    _live: LiveGauge,
}

impl Listener {
    pub fn new(user: Id, id: Id, auth: AuthClient, hub: Ref<HubActor>, stats: Arc<ActorStats>) -> Self {
        let _live = stats.live_gauge();
        Self { user, id, auth, hub, stats, seats: Vec::new(), joined: 0, _live }
    }

    fn end_all(&mut self, why: Ended) {
        self.seats.drain(..).for_each(|seat| seat.outbox.end(why));
    }

    /// Passes events on to the sockets that follow them.
    fn pass(&self, user: &UserState, deliveries: &[Arc<Delivery>]) {
        for delivery in deliveries {
            let wanting = self.seats.iter().filter(|seat| delivery.is_of(seat.outbox.topics()));
            let mut wanting = wanting.peekable();
            if wanting.peek().is_none() {
                continue;
            }
            let Some(frame) = delivery.frame_for(user) else { continue };
            for seat in wanting {
                let (partition, partition_seq) = (delivery.logged.partition, delivery.logged.partition_seq);
                seat.outbox.push(Queued { partition, partition_seq, frame: frame.clone() });
            }
        }
    }

    /// Ends the sockets whose token has expired or whose session has ended.
    fn check(&self) -> impl Future<Output = Vec<Id>> + 'static {
        let now = self.auth.clock.now();
        let expired = self.seats.iter().filter(|seat| seat.expires_at <= now);
        expired.for_each(|seat| seat.outbox.end(Ended::SessionEnded));
        let mut sessions: Vec<Id> = self.seats.iter().map(|seat| seat.session_id).collect();
        sessions.sort_unstable();
        sessions.dedup();
        let (auth, user) = (self.auth.clone(), self.user);
        async move {
            let mut over = Vec::new();
            for session in sessions {
                // If auth can't answer now, it is asked again soon.
                let answer = auth.valid_user_of(session, user).await;
                if answer.is_err_and(|error: Error| error.code == ErrorCode::SessionEnded) {
                    over.push(session);
                }
            }
            over
        }
    }

    fn end_sessions(&mut self, over: &[Id]) {
        let seats = self.seats.iter().filter(|seat| over.contains(&seat.session_id));
        seats.for_each(|seat| seat.outbox.end(Ended::SessionEnded));
        self.seats.retain(|seat| !seat.outbox.is_over());
    }

    /// When to check again: in half a second, or when the next token expires.
    fn until_next_look(&self) -> Duration {
        let now = self.auth.clock.now();
        let first = self.seats.iter().map(|seat| seat.expires_at.since(now)).min();
        first.map_or(CHECK_EVERY, |wait| wait.clamp(Duration::from_millis(1), CHECK_EVERY))
    }

    fn look_again(&mut self, ctx: &mut Context<Self>) {
        ctx.run_later(self.until_next_look(), |this, ctx| {
            // The hub is gone or has given up this listener: silence must not look as if there were no events.
            if !ctx.connected() {
                return ctx.stop();
            }
            ctx.wait(this.check().into_actor(this).map(|over, this, ctx| {
                this.end_sessions(&over);
                if this.seats.is_empty() { this.retire(ctx) } else { this.look_again(ctx) }
            }));
        });
    }

    /// Stops, unless a socket is about to join.
    fn retire(&self, ctx: &mut Context<Self>) {
        let retire = Retire { user: self.user, listener: self.id, joined: self.joined };
        let hub = self.hub.clone();
        let asked = async move { hub.ask(retire, RETIRE_DEADLINE).await };
        ctx.spawn(asked.into_actor(self).map(|answer, this, ctx| match answer {
            Ok(false) => this.look_again(ctx),
            Ok(true) | Err(_) => ctx.stop(),
        }));
    }
}

impl Actor for Listener {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        self.look_again(ctx);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.stats.restarted();
            tracing::error!(user = %self.user, "a listener died: ending its sockets");
        }
    }
}

impl Handler<Tracked<Sit>> for Listener {
    type Result = ();

    fn handle(&mut self, message: Tracked<Sit>, _: &mut Self::Context) {
        let Sit(seat) = message.take();
        self.joined += 1;
        self.seats.push(seat);
    }
}

impl Handler<Tracked<Deliver>> for Listener {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, message: Tracked<Deliver>, _: &mut Self::Context) -> Self::Result {
        let Deliver(deliveries) = message.take();
        let (auth, user) = (self.auth.clone(), self.user);
        let known = async move { auth.user(user).await };
        AtomicResponse::new(Box::pin(known.into_actor(self).map(move |user, this, _| match user {
            Ok(Some(user)) => this.pass(&user, &deliveries),
            // Without the present role nothing may be shown, and nothing may be left out.
            _ => this.end_all(Ended::Lost),
        })))
    }
}

impl Handler<Tracked<Recheck>> for Listener {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, message: Tracked<Recheck>, _: &mut Self::Context) -> Self::Result {
        message.take();
        let over = self.check().into_actor(self);
        AtomicResponse::new(Box::pin(over.map(|over, this, _| this.end_sessions(&over))))
    }
}
