//! Answers the calls that other nodes send to this one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use futures_util::future::LocalBoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument;

use crate::remote::calls::{Question, RedisTime, Reply, Request};
use crate::remote::dedup::{Seen, Verdict};
use crate::remote::mailbox::{Mailbox, RedisClock, post};
use crate::service::{Hosted, Local};
use crate::stats::ActorStats;
use crate::supervisor::LivenessGuard;
use kernel::error::Error;
use kernel::ids::Id;
use store::redis::Redis;
use store::streams::Entry;

/// Calls carried out at the same time.
const AT_ONCE: usize = 512;

type Answer = LocalBoxFuture<'static, Result<String, Error>>;
type Answerer = Box<dyn Fn(&str, &str) -> Option<Answer> + Send + Sync>;

/// The services that this node answers for, and what it has answered; clones share it.
#[derive(Clone)]
pub struct Responder(Arc<Inner>);

struct Inner {
    redis: Redis,
    incarnation: Id,
    clock: RedisClock,
    hosted: HashMap<&'static str, Answerer>,
    /// Outlives the actor: what it has begun to carry out must not begin again.
    seen: Mutex<Seen>,
    places: Arc<Semaphore>,
}

/// The services of a node, as they are put together.
#[derive(Default)]
pub struct HostedServices(HashMap<&'static str, Answerer>);

impl HostedServices {
    /// Other nodes may ask this service.
    pub fn add<S: Hosted>(&mut self, service: &Local<S>) {
        let service = service.clone();
        let answer: Answerer = Box::new(move |name, payload| S::answer(service.clone(), name, payload));
        self.0.insert(S::SERVICE.0, answer);
    }
}

impl Responder {
    /// `incarnation`: that of this node's process.
    pub fn new(redis: Redis, incarnation: Id, hosted: HostedServices) -> Self {
        Self(Arc::new(Inner {
            redis,
            incarnation,
            clock: RedisClock::default(),
            hosted: hosted.0,
            seen: Mutex::default(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }))
    }

    /// Waits until no call is under way, at most `patience`: for a node that leaves, and is no longer asked.
    pub async fn rest(&self, patience: Duration) {
        let all = self.0.places.acquire_many(AT_ONCE as u32);
        let _ = tokio::time::timeout(patience, all).await;
    }

    fn take(&self, entry: &Entry) {
        let Some(request) = Request::read(|field| entry.text(field)) else {
            return tracing::warn!(entry = entry.id, "an entry of the calls is none");
        };
        // It is read on every connection before the first entry is.
        let Some(now) = self.0.clock.now() else { return };
        let verdict = {
            let mut seen = self.0.seen.lock().expect("no panic under this lock");
            seen.admit(request.id, request.deadline, now)
        };
        match verdict {
            Verdict::Repeated => {}
            Verdict::Late => metrics::counter!("kizuna_remote_calls_late_total").increment(1),
            Verdict::Full => self.refuse(request),
            Verdict::New => match self.0.places.clone().try_acquire_owned() {
                Ok(place) => self.begin(request, now, place),
                Err(_) => self.refuse(request),
            },
        }
    }

    fn refuse(&self, request: Request) {
        let this = self.clone();
        actix::spawn(async move { this.reply(&request, Err(Error::overloaded())).await });
    }

    /// Carries a call out beside the others, even if the actor dies meanwhile.
    fn begin(&self, request: Request, now: RedisTime, place: OwnedSemaphorePermit) {
        let Question { service, name, correlation_id, traceparent, .. } = &request.question;
        let span = tracing::info_span!("remote call", %service, name, correlation_id, traceparent);
        let this = self.clone();
        let work = async move {
            let answer = this.answer(&request.question);
            // Without an answer in time there is nobody left to tell.
            if let Ok(outcome) = tokio::time::timeout(now.until(request.deadline), answer).await {
                this.reply(&request, outcome).await;
            }
            drop(place);
        };
        actix::spawn(work.instrument(span));
    }

    async fn answer(&self, question: &Question) -> Result<String, Error> {
        let Question { service, name, payload, .. } = question;
        let service = self.0.hosted.get(service.as_str());
        let Some(answer) = service.and_then(|service| service(name, payload)) else {
            tracing::warn!("a call for a service or of a name that this node does not know");
            return Err(Error::unavailable());
        };
        answer.await
    }

    async fn reply(&self, request: &Request, outcome: Result<String, Error>) {
        let reply = Reply { id: request.id, outcome };
        let key = self.0.redis.replies(request.reply_to);
        if let Err(error) = post(&self.0.redis, &key, &reply.fields()).await {
            tracing::warn!(%error, "an answer can't be sent");
        }
    }
}

/// Reads the calls to this node.
pub struct ResponderActor {
    responder: Responder,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl ResponderActor {
    pub fn new(responder: Responder, liveness: LivenessGuard, stats: Arc<ActorStats>) -> Self {
        Self { responder, stats, _liveness: liveness }
    }
}

impl Actor for ResponderActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let responder = self.responder.clone();
        let Inner { redis, incarnation, clock, .. } = &*responder.0;
        let mailbox = Mailbox { redis: redis.clone(), key: redis.calls(*incarnation), clock: clock.clone() };
        let read = mailbox.read_on(self.stats.clone(), move |entry| responder.take(entry));
        ctx.spawn(read.into_actor(self));
    }
}
