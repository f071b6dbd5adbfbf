//! The actor of a webhook on this node: it runs a lane while the webhook is enabled and this node has partitions.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, WrapFuture};
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;

use crate::actors::webhooks::aggregate::WebhookAggregate;
use crate::actors::webhooks::courier::Courier;
use crate::actors::webhooks::lane::{Lane, Next, Woken};
use crate::actors::webhooks::secrets::SigningSecrets;
use domain::webhook::record::Webhook;
use domain::webhook::signature::Secret;
use kernel::clock::{Clock, Timestamp};
use runtime::breaker::CircuitBreaker;
use runtime::cluster::members::Members;
use runtime::cluster::placement::{Membership, PartitionSet};
use runtime::cluster::watched::Watcher;
use runtime::entity::Entities;
use runtime::journal::Journal;
use runtime::registry::{Batch, Filter, Registry};
use runtime::retry::Backoff;
use runtime::stats::ActorStats;
use runtime::supervisor::LivenessGuard;
use store::{Db, StoreError};

/// Commits whose events may wait for a lane; if there are more, it reads the log.
const DELIVERIES: usize = 256;

/// The pauses before a lane begins again after a failure.
const RESTART_BACKOFF: Backoff =
    Backoff { initial: Duration::from_millis(50), factor: 2.0, max: Duration::from_secs(5), times: u32::MAX };

/// What all endpoints share.
#[derive(Clone)]
pub struct EndpointParts {
    pub db: Db,
    pub journal: Journal,
    pub registry: Registry,
    pub members: Members,
    pub clock: Clock,
    /// The retries that every outbound call has, before the slow ones.
    pub retry: Backoff,
    pub courier: Courier,
    pub webhooks: Entities<WebhookAggregate>,
}

/// A webhook and what signs its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub webhook: Webhook,
    /// `None`: this server can't open them; nothing is sent until they are replaced.
    pub secrets: Option<SigningSecrets>,
}

impl Endpoint {
    /// The secrets that sign at `now`.
    pub fn secrets_at(&self, now: Timestamp) -> Vec<Secret> {
        self.secrets.as_ref().map(|secrets| secrets.at(now)).unwrap_or_default()
    }

    fn may_send(&self) -> bool {
        self.webhook.is_enabled() && self.secrets.is_some()
    }

    fn filter(&self) -> Filter {
        self.webhook.types().map_or(Filter::All, |types| Filter::Types(types.into()))
    }
}

/// The webhook as it is now; closed when it is deleted.
pub type Settings = watch::Receiver<Arc<Endpoint>>;

/// The actor of a webhook on this node.
pub struct EndpointActor {
    parts: EndpointParts,
    settings: Settings,
    breaker: CircuitBreaker,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl EndpointActor {
    pub fn new(
        parts: EndpointParts,
        settings: Settings,
        breaker: CircuitBreaker,
        liveness: LivenessGuard,
        stats: Arc<ActorStats>,
    ) -> Self {
        Self { parts, settings, breaker, stats, _liveness: liveness }
    }
}

impl Actor for EndpointActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let run = run(self.parts.clone(), self.settings.clone(), self.breaker.clone(), self.stats.clone());
        ctx.spawn(run.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

/// Runs lanes, one after another.
async fn run(parts: EndpointParts, mut settings: Settings, breaker: CircuitBreaker, stats: Arc<ActorStats>) {
    let mut members = parts.members.watch();
    let mut failures = 0;
    loop {
        let endpoint = settings.borrow_and_update().clone();
        let partitions = partitions_of(&parts, &mut members);
        if !endpoint.may_send() || partitions.is_empty() {
            tokio::select! {
                changed = settings.changed() => if changed.is_err() { return },
                _ = members.changed() => {}
            }
            continue;
        }
        let webhook = endpoint.webhook.id;
        let load = Lane::load(parts.clone(), endpoint.clone(), breaker.clone(), partitions);
        let worked = match stats.progress().watch(load).await {
            Ok(mut lane) => work(&parts, &mut lane, &mut settings, &mut members, partitions, &stats).await,
            Err(error) => Err(error),
        };
        match worked {
            Ok(()) => failures = 0,
            Err(error) => {
                stats.failed();
                tracing::warn!(%webhook, %error, "sending to a webhook was interrupted and begins again");
                tokio::time::sleep(RESTART_BACKOFF.jittered(failures)).await;
                failures = failures.saturating_add(1);
            }
        }
        if settings.has_changed().is_err() {
            return;
        }
    }
}

/// The partitions that this node works on now.
fn partitions_of(parts: &EndpointParts, members: &mut Watcher<Arc<Membership>>) -> PartitionSet {
    members.get().partitions_of(parts.members.node().incarnation, None)
}

/// Runs a lane until the webhook, its rows or the partitions change.
async fn work(
    parts: &EndpointParts,
    lane: &mut Lane,
    settings: &mut Settings,
    members: &mut Watcher<Arc<Membership>>,
    partitions: PartitionSet,
    stats: &ActorStats,
) -> Result<(), StoreError> {
    let filter = settings.borrow().filter();
    let subscribed = parts.registry.subscribe(filter, DELIVERIES).await;
    let mut deliveries = subscribed.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let mut woken = Some(Woken::Time);
    while let Some(now) = woken.take() {
        stats.step();
        if stats.progress().watch(lane.round(now, &mut deliveries)).await? == Next::Reload {
            break;
        }
        woken = wait(parts, lane, settings, members, partitions, &mut deliveries).await?;
    }
    // What is under way is not cut off: it would be sent again.
    stats.progress().watch(lane.drain()).await
}

/// Waits for something to do; `None` if the lane must begin again.
async fn wait(
    parts: &EndpointParts,
    lane: &mut Lane,
    settings: &mut Settings,
    members: &mut Watcher<Arc<Membership>>,
    partitions: PartitionSet,
    deliveries: &mut Receiver<Batch>,
) -> Result<Option<Woken>, StoreError> {
    loop {
        let pause = lane.pause();
        return Ok(tokio::select! {
            _ = settings.changed() => None,
            _ = members.changed() => {
                if partitions_of(parts, members) == partitions {
                    continue;
                }
                None
            }
            batch = deliveries.recv() => batch.map(Woken::Delivered),
            Some(sent) = lane.sends.join_next() => {
                let sent = sent.map_err(|error| StoreError::Unavailable(error.to_string()))?;
                Some(Woken::Sent(Box::new(sent)))
            }
            () = tokio::time::sleep(pause) => Some(Woken::Time),
        });
    }
}
