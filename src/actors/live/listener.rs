//! The listener of a user: the actor between the hub and the user's sockets. It lives while the user has sockets.

use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, AtomicResponse, Context, Handler, Message, WrapFuture,
};

use crate::actors::analytics::client::AnalyticsClient;
use crate::actors::auth::client::AuthClient;
use crate::actors::live::delivery::Delivery;
use crate::actors::live::frames::Frame;
use crate::actors::live::hub::{HubActor, Retire};
use crate::actors::live::outbox::{Ended, Outbox, Queued};
use domain::user::record::UserState;
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::error::Error;
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

/// The queue of a socket, and the session or API key by which it was opened.
pub struct SocketHandle {
    pub outbox: Outbox,
    pub caller: Caller,
    /// When its token expires.
    pub expires_at: Timestamp,
}

impl SocketHandle {
    /// The role in which it reads.
    fn role(&self, user: &UserState) -> Role {
        role_of(&self.caller, user)
    }
}

/// The role in which a caller reads the live feed: the user's present one, and no higher than a key allows.
pub(super) fn role_of(caller: &Caller, user: &UserState) -> Role {
    let role = user.user.role;
    if caller.api_key_id().is_some() { caller.role.lower(role) } else { role }
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
            let follows = |socket: &&SocketHandle| {
                delivery.is_of(socket.outbox.topics()) && delivery.is_within(socket.caller.scopes)
            };
            // Most users' sockets have one role.
            let mut made: Option<(Role, Option<Frame>)> = None;
            for socket in self.sockets.iter().filter(follows) {
                let role = socket.role(user);
                let kept = made.take().filter(|(of, _)| *of == role);
                let (_, frame) =
                    made.insert(kept.unwrap_or_else(|| (role, delivery.frame_for(user, role, unread))));
                if let Some(frame) = frame.clone() {
                    delivery.sent();
                    socket.outbox.push(Queued { number: delivery.number(), frame });
                }
            }
        }
    }

    /// Ends the sockets whose token has expired; finds the sessions and keys that have ended.
    fn check(&self) -> impl Future<Output = Vec<Id>> + 'static {
        let now = self.auth.clock.now();
        let expired = self.sockets.iter().filter(|socket| socket.expires_at <= now);
        expired.for_each(|socket| socket.outbox.end(Ended::SessionEnded));
        let mut callers: Vec<Caller> = self.sockets.iter().map(|socket| socket.caller).collect();
        callers.sort_unstable_by_key(|caller| caller.session_id);
        callers.dedup_by_key(|caller| caller.session_id);
        let auth = self.auth.clone();
        async move {
            let mut ended = Vec::new();
            for caller in callers {
                // If auth can't answer now, it is asked again soon.
                let answer = auth.check_valid(&caller).await;
                if answer.is_err_and(|error: Error| error.code.status() == 401) {
                    ended.push(caller.session_id);
                }
            }
            ended
        }
    }

    fn end_sessions(&mut self, ended: &[Id]) {
        let sockets = self.sockets.iter().filter(|socket| ended.contains(&socket.caller.session_id));
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
