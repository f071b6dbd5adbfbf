//! The client of the live feed: the gateway opens a socket's feed with it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix::dev::ToEnvelope;
use actix::{Actor, Handler, Message};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::actors::auth::client::AuthClient;
use crate::actors::live::cursor;
use crate::actors::live::hub::{GetPosition, HubActor, HubParts, Join};
use crate::actors::live::listener::SocketHandle;
use crate::actors::live::outbox::{Bounds, outbox};
use crate::actors::live::subscription::{Start, Subscription};
use crate::actors::live::topics::Topics;
use domain::user::messages::Principal;
use kernel::error::Error;
use runtime::supervisor::{Ref, Supervisor, Tracked};
use store::Db;

const DEADLINE: Duration = Duration::from_secs(5);

/// The bounds of sockets and of what may wait for each.
#[derive(Clone, Copy, Debug)]
pub struct LiveLimits {
    /// Sockets of this node, signed in or not.
    pub sockets: usize,
    /// Sockets of one user on this node.
    pub sockets_per_user: usize,
    /// Frames that may wait for a socket.
    pub queue: usize,
    /// Bytes of frames that may wait for a socket.
    pub queue_bytes: usize,
}

/// Opens live feeds on this node; clones share it.
#[derive(Clone)]
pub struct LiveClient {
    hub: Ref<HubActor>,
    pub(super) auth: AuthClient,
    pub(super) db: Db,
    limits: LiveLimits,
    sockets: Arc<Semaphore>,
    stopping: Arc<watch::Sender<bool>>,
}

/// The permission of a socket to be open on this node.
pub struct Admission {
    _permit: OwnedSemaphorePermit,
}

impl Drop for Admission {
    fn drop(&mut self) {
        metrics::gauge!("kizuna_live_sockets").decrement(1);
    }
}

impl LiveClient {
    /// Starts the hub.
    pub fn start(supervisor: &Supervisor, parts: HubParts, limits: LiveLimits) -> Self {
        let me = Arc::new(OnceLock::new());
        let (auth, db) = (parts.auth.clone(), parts.db.clone());
        let (arbiter, address) = (parts.arbiters.feeding(), me.clone());
        let hub = supervisor.spawn("live", &arbiter, move |liveness, stats| {
            HubActor::new(parts.clone(), address.clone(), liveness, stats)
        });
        // No socket can join before this client exists.
        let _ = me.set(hub.clone());
        let sockets = Arc::new(Semaphore::new(limits.sockets));
        Self { hub, auth, db, limits, sockets, stopping: Arc::new(watch::Sender::new(false)) }
    }

    /// Admits a socket, signed in or not.
    ///
    /// # Errors
    /// `overloaded` when the node is full, `unavailable` when it stops.
    pub fn admit(&self) -> Result<Admission, Error> {
        if self.is_stopping() {
            return Err(Error::unavailable().with_cause("this node is about to stop"));
        }
        let permit = self.sockets.clone().try_acquire_owned().map_err(|_| {
            Error::overloaded().with_cause("this node has as many live connections as it may")
        })?;
        metrics::gauge!("kizuna_live_sockets").increment(1);
        Ok(Admission { _permit: permit })
    }

    /// Opens the feed of a signed-in user; its first frame is the hello.
    ///
    /// # Errors
    /// `missing_scope`, `too_many_streams`, `unavailable`, `overloaded`.
    pub async fn open(
        &self,
        principal: &Principal,
        topics: Topics,
        start: Start<'_>,
    ) -> Result<Subscription, Error> {
        topics.check(principal.caller.scopes)?;
        let bounds = Bounds { frames: self.limits.queue, bytes: self.limits.queue_bytes };
        let (outbox, inbox) = outbox(topics, bounds);
        let (caller, expires_at) = (principal.caller, principal.expires_at);
        let user = caller.user_id;
        let socket = SocketHandle { outbox, caller, expires_at };
        let joined = self.ask(Join { user, topics, socket }).await??;
        // The listener missed the end of a session between authentication and joining.
        self.auth.check_valid(&caller).await?;
        let mut subscription =
            Subscription::new(self.clone(), principal, inbox, joined.position, joined.permit);
        subscription.begin(start).await?;
        Ok(subscription)
    }

    /// The cursor of the last event that this node has passed on. What is read from now on holds what came before.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn cursor(&self) -> Result<String, Error> {
        let position = self.ask(GetPosition { at_least: 0 }).await??;
        Ok(cursor::encode(position.log, position.number))
    }

    /// Ends every feed of this node; no new feed can begin.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Whether the node stops.
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits until the node stops.
    pub async fn stopping(&self) {
        let mut stopping = self.stopping.subscribe();
        // The sender lives in `self`.
        let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
    }

    pub(super) async fn ask<M>(&self, message: M) -> Result<M::Result, Error>
    where
        M: Message + Send + 'static,
        M::Result: Send,
        HubActor: Handler<Tracked<M>>,
        <HubActor as Actor>::Context: ToEnvelope<HubActor, Tracked<M>>,
    {
        self.hub.ask(message, DEADLINE).await
    }
}
