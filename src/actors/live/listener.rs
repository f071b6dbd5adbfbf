//! The listener of a user: the actor between the hub and the user's sockets. It lives while the user has sockets.

use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, AtomicResponse, Context, Handler, Message, WrapFuture,
};

use crate::actors::analytics::client::AnalyticsClient;
use crate::actors::auth::client::AuthClient;
use crate::actors::live::delivery::Delivery;
use crate::actors::live::hub::{HubActor, Retire};
use crate::actors::live::outbox::{Ended, Outbox, Queued};
use domain::user::record::UserState;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use runtime::stats::{ActorStats, LiveGauge};
use runtime::supervisor::{Ref, Tracked};

/// The name of its kind of actor in metrics.
pub const KIND: &str = "analytics.listener";

/// Deliveries that may wait for a listener. When its mailbox is full, the hub ends it.
const MAILBOX: usize = 1_024;
/// How often sessions are checked: SPEC §8.6 allows a second.
const CHECK_EVERY: Duration = Duration::from_millis(500);
const RETIRE_DEADLINE: Duration = Duration::from_secs(5);

/// The queue of a socket and the session by which it was opened.
pub struct SocketHandle {
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
pub(super) struct Attach(pub SocketHandle);

/// The user or a session of theirs has changed.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Recheck;

/// The listener's actor.
pub(super) struct Listener {
    user: Id,
    id: Id,
    auth: AuthClient,
    analytics: AnalyticsClient,
    hub: Ref<HubActor>,
    stats: Arc<ActorStats>,
    sockets: Vec<SocketHandle>,
    /// How many sockets have joined so far. The hub compares it with its own count: a difference means that a socket
    /// is about to join.
    joined: u64,
    _live: LiveGauge,
}

impl Listener {
    pub fn new(
        user: Id,
        id: Id,
        (auth, analytics): (AuthClient, AnalyticsClient),
        hub: Ref<HubActor>,
        stats: Arc<ActorStats>,
    ) -> Self {
        let _live = stats.live_gauge();
        Self { user, id, auth, analytics, hub, stats, sockets: Vec::new(), joined: 0, _live }
    }

    fn end_all(&mut self, why: Ended) {
        self.sockets.drain(..).for_each(|socket| socket.outbox.end(why));
    }

    /// Passes events on to the sockets that follow them.
    fn pass(&self, user: &UserState, deliveries: &[Arc<Delivery>], unread: Option<i64>) {
        for delivery in deliveries {
            let followers = self.sockets.iter().filter(|socket| delivery.is_of(socket.outbox.topics()));
            let mut followers = followers.peekable();
            if followers.peek().is_none() {
                continue;
            }
            let Some(frame) = delivery.frame_for(user, unread) else { continue };
            for socket in followers {
                delivery.sent();
                socket.outbox.push(Queued { number: delivery.number(), frame: frame.clone() });
            }
        }
    }

    /// Ends the sockets whose token has expired or whose session has ended.
    fn check(&self) -> impl Future<Output = Vec<Id>> + 'static {
        let now = self.auth.clock.now();
        let expired = self.sockets.iter().filter(|socket| socket.expires_at <= now);
        expired.for_each(|socket| socket.outbox.end(Ended::SessionEnded));
        let mut sessions: Vec<Id> = self.sockets.iter().map(|socket| socket.session_id).collect();
        sessions.sort_unstable();
        sessions.dedup();
        let (auth, user) = (self.auth.clone(), self.user);
        async move {
            let mut ended = Vec::new();
            for session in sessions {
                // If auth can't answer now, it is asked again soon.
                let answer = auth.valid_user_of(session, user).await;
                if answer.is_err_and(|error: Error| error.code == ErrorCode::SessionEnded) {
                    ended.push(session);
                }
            }
            ended
        }
    }

    fn end_sessions(&mut self, ended: &[Id]) {
        let sockets = self.sockets.iter().filter(|socket| ended.contains(&socket.session_id));
        sockets.for_each(|socket| socket.outbox.end(Ended::SessionEnded));
        self.sockets.retain(|socket| !socket.outbox.is_over());
    }

    /// When to check again: in half a second, or when the next token expires.
    fn until_next_check(&self) -> Duration {
        let now = self.auth.clock.now();
        let first = self.sockets.iter().map(|socket| socket.expires_at.since(now)).min();
        first.map_or(CHECK_EVERY, |wait| wait.clamp(Duration::from_millis(1), CHECK_EVERY))
    }

    fn check_later(&mut self, ctx: &mut Context<Self>) {
        ctx.run_later(self.until_next_check(), |this, ctx| {
            // The hub has stopped or dropped this listener, so events may be lost: its sockets must end.
            if !ctx.connected() {
                return ctx.stop();
            }
            ctx.wait(this.check().into_actor(this).map(|ended, this, ctx| {
                this.end_sessions(&ended);
                if this.sockets.is_empty() { this.retire(ctx) } else { this.check_later(ctx) }
            }));
        });
    }

    /// Stops, unless a socket is about to join.
    fn retire(&self, ctx: &mut Context<Self>) {
        let retire = Retire { user: self.user, listener: self.id, joined: self.joined };
        let hub = self.hub.clone();
        let asked = async move { hub.ask(retire, RETIRE_DEADLINE).await };
        ctx.spawn(asked.into_actor(self).map(|answer, this, ctx| match answer {
            Ok(false) => this.check_later(ctx),
            Ok(true) | Err(_) => ctx.stop(),
        }));
    }
}

impl Actor for Listener {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        self.check_later(ctx);
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

impl Handler<Tracked<Attach>> for Listener {
    type Result = ();

    fn handle(&mut self, message: Tracked<Attach>, _: &mut Self::Context) {
        let Attach(socket) = message.take();
        self.joined += 1;
        self.sockets.push(socket);
    }
}

impl Handler<Tracked<Deliver>> for Listener {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, message: Tracked<Deliver>, _: &mut Self::Context) -> Self::Result {
        let Deliver(deliveries) = message.take();
        let (auth, analytics, user) = (self.auth.clone(), self.analytics.clone(), self.user);
        let has_state = deliveries.iter().any(|delivery| delivery.is_state());
        let known = async move {
            let user = auth.user(user).await;
            let unread = match &user {
                Ok(Some(user)) if has_state => analytics.unread(&user.user).await.ok(),
                _ => None,
            };
            (user, unread)
        };
        AtomicResponse::new(Box::pin(known.into_actor(self).map(move |(user, unread), this, _| match user {
            Ok(Some(user)) => this.pass(&user, &deliveries, unread),
            // The role is unknown, so nothing may be shown, and no event may be left out either.
            _ => this.end_all(Ended::Lost),
        })))
    }
}

impl Handler<Tracked<Recheck>> for Listener {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, message: Tracked<Recheck>, _: &mut Self::Context) -> Self::Result {
        message.take();
        let ended = self.check().into_actor(self);
        AtomicResponse::new(Box::pin(ended.map(|ended, this, _| this.end_sessions(&ended))))
    }
}
