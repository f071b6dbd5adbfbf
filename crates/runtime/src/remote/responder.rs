//! Answers the calls that other nodes send to this one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use futures_util::future::LocalBoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::cluster::clock::ClusterTime;
use crate::cluster::members::Members;
use crate::remote::calls::{Message, Question, Reply, Request};
use crate::remote::dedup::{Seen, Verdict};
use crate::remote::mailbox::{Mailbox, post};
use crate::service::{Hosted, Local};
use crate::spans::{Kind, OpenSpan, SpanContext};
use crate::stats::ActorStats;
use crate::supervisor::LivenessGuard;
use crate::trace::{Origin, Span, Trace, Value};
use kernel::error::Error;
use store::redis::Redis;

/// The most calls that are carried out at the same time.
const AT_ONCE: usize = 512;

type Answer = LocalBoxFuture<'static, Result<String, Error>>;
type Answerer = Box<dyn Fn(&str, &str) -> Option<Answer> + Send + Sync>;

/// The services that this node answers for, and the calls that it has answered; clones share them.
#[derive(Clone)]
pub struct Responder(Arc<Inner>);

struct Inner {
    redis: Redis,
    members: Members,
    hosted: HashMap<&'static str, Answerer>,
    /// Outlives the actor, so that a call that was begun is not begun again.
    seen: Mutex<Seen>,
    places: Arc<Semaphore>,
}

/// Collects the services of a node at its start.
#[derive(Default)]
pub struct HostedServices(HashMap<&'static str, Answerer>);

impl HostedServices {
    /// Lets other nodes call this service.
    pub fn add<S: Hosted>(&mut self, service: &Local<S>) {
        let service = service.clone();
        let answer: Answerer = Box::new(move |name, payload| S::answer(service.clone(), name, payload));
        self.0.insert(S::SERVICE.0, answer);
    }
}

impl Responder {
    pub fn new(redis: Redis, members: Members, hosted: HostedServices) -> Self {
        Self(Arc::new(Inner {
            redis,
            members,
            hosted: hosted.0,
            seen: Mutex::default(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }))
    }

    /// Waits until no call is under way, at most `patience`. For a leaving node, which receives no more calls.
    pub async fn rest(&self, patience: Duration) {
        let all = self.0.places.acquire_many(AT_ONCE as u32);
        let _ = tokio::time::timeout(patience, all).await;
    }

    fn take(&self, message: &Message) {
        let Some(request) = Request::read(|field| message.text(field)) else {
            return tracing::warn!("ignoring a malformed call");
        };
        // No other node knows of this one before its lease, and it reads the time before that.
        let Some(now) = self.0.members.clock().now() else { return };
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
        let error =
            Error::overloaded().with_cause("the node that hosts the service has too many calls under way");
        actix::spawn(trace(&request.question).run(async move { this.reply(&request, Err(error)).await }));
    }

    /// Carries out a call as a task of its own, which survives the death of the actor.
    fn begin(&self, request: Request, now: ClusterTime, place: OwnedSemaphorePermit) {
        let (this, trace) = (self.clone(), trace(&request.question));
        let mut span = call_span(&request.question, &trace);
        let trace = trace.under(span.as_ref().and_then(OpenSpan::context));
        let work = async move {
            let answer = this.answer(&request.question);
            // After the deadline no caller waits for the answer.
            if let Ok(outcome) = tokio::time::timeout(now.until(request.deadline), answer).await {
                let code = outcome.as_ref().err().map(|error| error.code.as_str());
                tracing::debug!(code, "answered a call of another node");
                if let (Some(span), Err(error)) = (&mut span, &outcome) {
                    span.fail(error.code.as_str(), error.code.status() >= 500);
                }
                drop(span);
                this.reply(&request, outcome).await;
            }
            drop(place);
        };
        actix::spawn(trace.run(work));
    }

    async fn answer(&self, question: &Question) -> Result<String, Error> {
        let Question { service, name, payload, .. } = question;
        let hosted = self.0.hosted.get(service.as_str());
        let Some(answer) = hosted.and_then(|service| service(name, payload)) else {
            let cause = format!("the node that was asked knows no call {name} of the service {service}");
            return Err(Error::unavailable().with_cause(cause));
        };
        answer.await
    }

    async fn reply(&self, request: &Request, outcome: Result<String, Error>) {
        let reply = Reply { id: request.id, outcome };
        let key = self.0.redis.replies(request.reply_to);
        if let Err(error) = post(&self.0.redis, &key, &reply.fields()).await {
            tracing::warn!(%error, "can't send the answer to a call");
        }
    }
}

/// The service's side of a call, for the span.
fn trace(question: &Question) -> Trace {
    let Question { service, name, correlation_id, traceparent, .. } = question;
    let text = |text: &str| Value::Text(text.into());
    let mut fields = Vec::with_capacity(4);
    fields.extend(correlation_id.as_deref().map(|id| ("request_id", text(id))));
    // Not `name`: the JSON format uses that field for the span itself.
    fields.extend([("service", text(service)), ("call", text(name))]);
    fields.extend(traceparent.as_deref().map(|parent| ("traceparent", text(parent))));
    let span = Span::new("call", fields);
    let trace = match correlation_id {
        Some(id) => Trace::new(
            span,
            Origin { request_id: id.as_str().into(), traceparent: traceparent.as_deref().map(Into::into) },
        ),
        None => Trace::without_origin(span),
    };
    trace.under(SpanContext::of(traceparent.as_deref()))
}

/// The span of a call on this node, below that of the calling node.
fn call_span(question: &Question, trace: &Trace) -> Option<OpenSpan> {
    let mut span = question.span(Kind::Server, trace.context())?;
    span.parent_is_remote();
    Some(span)
}

/// The actor that reads the calls to this node.
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
        let Inner { redis, members, .. } = &*responder.0;
        let key = redis.calls(members.node().incarnation);
        let mailbox = Mailbox { redis: redis.clone(), key, reached: Arc::default() };
        let read = mailbox.read_on(self.stats.clone(), move |message| responder.take(message));
        ctx.spawn(read.into_actor(self));
    }
}
