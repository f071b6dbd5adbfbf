//! Starts an endpoint for each webhook, and ends it when the webhook is deleted. Without webhooks it reads one small table each
//! second, and nothing else of this runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::{Actor, ActorContext, ActorFutureExt, ArbiterHandle, AsyncContext, Context, WrapFuture};
use tokio::sync::watch;

use crate::actors::webhooks::endpoint::{Endpoint, EndpointActor, EndpointParts};
use crate::actors::webhooks::secrets;
use crate::persistence::webhooks as queries;
use crate::persistence::webhooks::SealedSecrets;
use domain::events::{WEBHOOK_CREATED, WEBHOOK_DELETED, WEBHOOK_DISABLED, WEBHOOK_UPDATED};
use domain::webhook::record::Webhook;
use kernel::event::EventType;
use kernel::ids::Id;
use kernel::service_id::ServiceId;
use runtime::breaker::{BreakerActor, BreakerSettings, Breakers, CircuitBreaker, Shared};
use runtime::cluster::members::Hosts;
use runtime::registry::Filter;
use runtime::stats::ActorStats;
use runtime::supervisor::{LivenessGuard, Ref, Supervisor};
use store::StoreError;
use store::unit_of_work::{CommitError, UnitOfWork};
use store::vault::Vault;

/// How often the webhooks are read without an event that says so.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Events that may wait for the dispatcher; it reads all webhooks anyway.
const EVENTS: usize = 16;
const CHANGES: [EventType; 4] = [WEBHOOK_CREATED, WEBHOOK_UPDATED, WEBHOOK_DISABLED, WEBHOOK_DELETED];

/// The name of endpoints' breakers in metrics, which have them together.
const LABEL: &str = "webhook";

/// The name of a webhook's breaker.
pub fn breaker_name(webhook: Id) -> String {
    format!("{LABEL}.{webhook}")
}

/// A webhook that has its actors.
struct Running {
    settings: watch::Sender<Arc<Endpoint>>,
    actor: Ref<EndpointActor>,
    breaker: Ref<BreakerActor>,
}

/// What the dispatcher needs.
#[derive(Clone)]
pub struct DispatcherParts {
    pub endpoints: EndpointParts,
    pub vault: Vault,
    pub breakers: Breakers,
    pub breaker_settings: BreakerSettings,
    pub supervisor: Supervisor,
    pub arbiter: ArbiterHandle,
    /// The webhooks that have their actors; these outlive a restart of the dispatcher.
    running: Arc<Mutex<BTreeMap<Id, Running>>>,
}

impl DispatcherParts {
    pub fn new(
        endpoints: EndpointParts,
        vault: Vault,
        breakers: Breakers,
        breaker_settings: BreakerSettings,
        supervisor: Supervisor,
        arbiter: ArbiterHandle,
    ) -> Self {
        Self { endpoints, vault, breakers, breaker_settings, supervisor, arbiter, running: Arc::default() }
    }
}

/// Starts and ends the endpoints of this node.
pub struct DispatcherActor {
    parts: DispatcherParts,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl DispatcherActor {
    pub fn new(parts: DispatcherParts, liveness: LivenessGuard, stats: Arc<ActorStats>) -> Self {
        Self { parts, stats, _liveness: liveness }
    }
}

impl Actor for DispatcherActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let run = run(self.parts.clone(), self.stats.clone());
        ctx.spawn(run.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

/// Ends when the registry has: then the supervisor starts it again.
async fn run(parts: DispatcherParts, stats: Arc<ActorStats>) {
    let Ok(mut changes) = parts.endpoints.registry.subscribe(Filter::Types(CHANGES.into()), EVENTS).await
    else {
        return tokio::time::sleep(LOOK_EVERY).await;
    };
    let mut has_failed = false;
    loop {
        match stats.progress().watch(parts.look()).await {
            Ok(()) => has_failed = false,
            // Said once, until it works again.
            Err(error) => {
                if !has_failed {
                    tracing::warn!(%error, "webhooks could not be read; trying again every second");
                }
                has_failed = true;
            }
        }
        let next = tokio::time::Instant::now() + LOOK_EVERY;
        loop {
            match tokio::time::timeout_at(next, changes.recv()).await {
                Err(_) => break,
                Ok(None) => return,
                Ok(Some(batch)) if batch.events.is_empty() => {}
                Ok(Some(_)) => break,
            }
        }
        stats.step();
    }
}

impl DispatcherParts {
    /// Reads all webhooks, and starts, changes and ends endpoints accordingly.
    async fn look(&self) -> Result<(), StoreError> {
        let db = &self.endpoints.db;
        let webhooks = queries::all(db).await?;
        let has_none = webhooks.is_empty() && self.running().is_empty();
        let sealed = if has_none { Vec::new() } else { queries::all_secrets(db).await? };
        let mut sealed: BTreeMap<Id, SealedSecrets> = sealed.into_iter().map(|it| (it.id, it)).collect();
        let ids: Vec<Id> = webhooks.iter().map(|webhook| webhook.id).collect();
        for webhook in webhooks {
            // Without them it was deleted between the two queries.
            let Some(sealed) = sealed.remove(&webhook.id) else { continue };
            self.keep_sealed(&sealed).await;
            self.show(webhook, &sealed);
        }
        let gone: Vec<Id> = self.running().keys().copied().filter(|id| !ids.contains(id)).collect();
        gone.into_iter().for_each(|id| self.end(id));
        Ok(())
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<Id, Running>> {
        self.running.lock().expect("no panic under this lock")
    }

    /// Encrypts secrets again that an older secret of the server has encrypted.
    async fn keep_sealed(&self, sealed: &SealedSecrets) {
        let Some(again) = secrets::sealed_again(&self.vault, sealed) else { return };
        let unit = UnitOfWork { writes: vec![again.write()], ..UnitOfWork::default() };
        match self.endpoints.journal.commit(unit).await {
            // Another node was faster.
            Ok(_) | Err(CommitError::Stale(_)) => {}
            Err(error) => tracing::warn!(%error, "a webhook's secret could not be encrypted again"),
        }
    }

    /// Starts the endpoint of a webhook, or shows it what has changed.
    fn show(&self, webhook: Webhook, sealed: &SealedSecrets) {
        let id = webhook.id;
        let secrets = secrets::opened(&self.vault, sealed);
        let is_unreadable = secrets.is_none();
        let endpoint = Arc::new(Endpoint { webhook, secrets });
        let mut running = self.running();
        let is_news = match running.get(&id) {
            Some(known) => known.settings.send_if_modified(|before| {
                let is_news = *before != endpoint;
                *before = endpoint.clone();
                is_news
            }),
            None => {
                running.insert(id, self.start(endpoint));
                true
            }
        };
        if is_news && is_unreadable {
            tracing::error!(webhook = %id, "a webhook's secret was encrypted with a secret of the server that is not \
                in force; nothing is sent to it until it is given a new secret, or --jwt-secret-accepted names the old one");
        }
    }

    fn start(&self, endpoint: Arc<Endpoint>) -> Running {
        let id = endpoint.webhook.id;
        let (name, settings) = (breaker_name(id), self.breaker_settings.clone());
        let (timeout, clock) = (settings.timeout, self.endpoints.clock.clone());
        // No node hosts an endpoint, so none ever appears.
        let hosts = Hosts::new(self.endpoints.members.clone(), ServiceId(LABEL));
        let shared = Shared::one_of(LABEL, &name, settings.capacity);
        let of_actor = shared.clone();
        let breaker = self.supervisor.spawn(&name, &self.arbiter, move |liveness, _| {
            BreakerActor::new(of_actor.clone(), settings.clone(), clock.clone(), hosts.clone(), liveness)
        });
        let circuit = CircuitBreaker::new(breaker.clone(), shared, timeout, Arc::new(|| true));
        self.breakers.add(circuit.clone());
        let (settings, watched) = watch::channel(endpoint);
        let parts = self.endpoints.clone();
        let actor = self.supervisor.spawn(
            &format!("webhooks.endpoint.{id}"),
            &self.arbiter,
            move |liveness, stats| {
                EndpointActor::new(parts.clone(), watched.clone(), circuit.clone(), liveness, stats)
            },
        );
        Running { settings, actor, breaker }
    }

    fn end(&self, id: Id) {
        let Some(running) = self.running().remove(&id) else { return };
        self.breakers.remove(&breaker_name(id));
        self.supervisor.end(&running.actor);
        self.supervisor.end(&running.breaker);
    }
}
