//! Sends calls to the services of other nodes, and receives the replies.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use dashmap::DashMap;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout};

use crate::breaker::CircuitBreaker;
use crate::cluster::members::{Hosts, Members};
use crate::remote::calls::{Message, Question, Reply, Request};
use crate::remote::dedup::DEADLINE_MAX;
use crate::remote::mailbox::{Mailbox, post};
use crate::service::{Call, Hosted};
use crate::spans::{Kind, OpenSpan};
use crate::stats::ActorStats;
use crate::supervisor::LivenessGuard;
use crate::trace::Trace;
use kernel::error::Error;
use kernel::ids::{Id, new_id};
use kernel::service_id::ServiceId;
use kernel::simulation::mutant;
use store::redis::Redis;

/// The most calls of this node that wait for a reply.
const WAITING: usize = 4_096;
/// A node that has not replied for this long is avoided…
const SILENT: Duration = Duration::from_secs(1);
/// …for this long, if other nodes host the service: until its lease would have expired.
const PASSED_OVER: Duration = Duration::from_secs(2);

/// The pending calls of this node; clones share them.
#[derive(Clone)]
pub struct Calls(Arc<Inner>);

struct Inner {
    redis: Redis,
    members: Members,
    /// Whether Redis has answered since the start.
    reached: Arc<AtomicBool>,
    waiting: DashMap<Id, oneshot::Sender<Reply>>,
    places: Semaphore,
    turn: AtomicUsize,
    /// The nodes that did not answer, and when that was noticed.
    silent: Mutex<HashMap<Id, Instant>>,
}

impl Calls {
    pub fn new(redis: Redis, members: Members) -> Self {
        Self(Arc::new(Inner {
            redis,
            members,
            reached: Arc::default(),
            waiting: DashMap::new(),
            places: Semaphore::new(WAITING),
            turn: AtomicUsize::new(0),
            silent: Mutex::default(),
        }))
    }

    /// Calls one node that hosts the service, and waits for its reply for at most `within`.
    ///
    /// # Errors
    /// The errors of the service; `unavailable` if no node hosts it, Redis is away, or no reply came; `overloaded`.
    async fn ask(&self, service: ServiceId, question: Question, within: Duration) -> Result<String, Error> {
        let this = &self.0;
        let _place = this.places.try_acquire().map_err(|_| {
            Error::overloaded().with_cause(format_args!("{WAITING} calls to other nodes are under way"))
        })?;
        let away =
            |why: &dyn Display| Error::unavailable().with_cause(format_args!("the service {service}: {why}"));
        let host = self.host_of(service).ok_or_else(|| away(&"no node hosts it"))?;
        if !this.reached.load(Ordering::Relaxed) {
            return Err(away(&"Redis has not answered since the start"));
        }
        let now = this.members.clock().now();
        let now = now.ok_or_else(|| away(&"PostgreSQL has not told its time since the start"))?;
        let within = within.min(DEADLINE_MAX);
        let reply_to = this.members.node().incarnation;
        let request = Request { id: new_id(), deadline: now.plus(within), reply_to, question };
        let (sender, reply) = oneshot::channel();
        let mut waiting =
            PendingCall { calls: this, id: request.id, host, begun: Instant::now(), is_over: false };
        this.waiting.insert(request.id, sender);
        let asked = async {
            let key = this.redis.calls(host);
            let sent = post(&this.redis, &key, &request.fields()).await;
            sent.map_err(|error| away(&format_args!("a call can't be sent: {error}")))?;
            reply.await.map_err(|_| away(&"the call was given up"))
        };
        let silent = |_| Err(away(&format_args!("the node {host} has not answered within {within:?}")));
        let answer = timeout(within, asked).await.unwrap_or_else(silent);
        waiting.is_over = answer.is_ok();
        answer?.outcome
    }

    /// Whether a call to the service can be sent: a node hosts it, Redis has answered, and the cluster's time, by which
    /// deadlines are set, is known. A node that has just started knows nothing of this.
    pub fn can_be_sent(&self, service: ServiceId) -> bool {
        let Inner { members, reached, .. } = &*self.0;
        let can_send = reached.load(Ordering::Relaxed) && members.clock().now().is_some();
        can_send && Hosts::new(members.clone(), service).exist()
    }

    /// The next node to call, in turn.
    fn host_of(&self, service: ServiceId) -> Option<Id> {
        let hosts: Vec<Id> = self.0.members.hosts(service).iter().map(|member| member.incarnation).collect();
        let mut silent = self.0.silent.lock().expect("no panic under this lock");
        silent.retain(|_, since| since.elapsed() < PASSED_OVER);
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        next_host(&hosts, |host| silent.contains_key(&host), turn)
    }

    /// Handles a reply. Its caller may have stopped waiting.
    fn replied(&self, message: &Message) {
        let Some(reply) = Reply::read(|field| message.text(field)) else {
            return tracing::warn!("ignoring a malformed reply");
        };
        if let Some((_, sender)) = self.0.waiting.remove(&reply.id) {
            let _ = sender.send(reply);
        }
    }
}

/// The next node in turn, skipping silent ones unless all are silent.
fn next_host(hosts: &[Id], is_silent: impl Fn(Id) -> bool, turn: usize) -> Option<Id> {
    let answering: Vec<Id> = hosts.iter().copied().filter(|host| !is_silent(*host)).collect();
    let hosts = if answering.is_empty() { hosts } else { &answering };
    hosts.get(turn.checked_rem(hosts.len())?).copied()
}

/// A call under way; dropping it ends the waiting.
struct PendingCall<'a> {
    calls: &'a Inner,
    id: Id,
    host: Id,
    begun: Instant,
    is_over: bool,
}

impl Drop for PendingCall<'_> {
    fn drop(&mut self) {
        self.calls.waiting.remove(&self.id);
        let mut silent = self.calls.silent.lock().expect("no panic under this lock");
        if self.is_over {
            silent.remove(&self.host);
        } else if self.begun.elapsed() >= SILENT {
            silent.insert(self.host, Instant::now());
        }
    }
}

/// The actor that reads the replies to this node.
pub struct RepliesActor {
    calls: Calls,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl RepliesActor {
    pub fn new(calls: Calls, liveness: LivenessGuard, stats: Arc<ActorStats>) -> Self {
        Self { calls, stats, _liveness: liveness }
    }
}

impl Actor for RepliesActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let calls = self.calls.clone();
        let Inner { redis, members, reached, .. } = &*calls.0;
        let key = redis.replies(members.node().incarnation);
        let mailbox = Mailbox { redis: redis.clone(), key, reached: reached.clone() };
        let read = mailbox.read_on(self.stats.clone(), move |message| calls.replied(message));
        ctx.spawn(read.into_actor(self));
    }
}

/// The handle to a service that other nodes host; clones share it.
#[derive(Clone)]
pub struct Remote {
    calls: Calls,
    breaker: CircuitBreaker,
    commands: Arc<AtomicU64>,
}

impl Remote {
    pub fn new(calls: Calls, breaker: CircuitBreaker) -> Self {
        Self { calls, breaker, commands: Arc::default() }
    }

    /// How many commands that this node sent to the service have ended, with any outcome. A cached answer from before
    /// the last one may be out of date.
    pub fn commands(&self) -> u64 {
        self.commands.load(Ordering::SeqCst)
    }

    /// Calls the service through the breaker, repeatedly if the message is idempotent.
    ///
    /// # Errors
    /// The errors of [`Service::ask`](crate::service::Service::ask).
    pub async fn ask<S: Hosted, M: Call<S>>(&self, message: &M) -> Result<M::Answer, Error> {
        if M::IDEMPOTENT || mutant("command-retried") {
            self.breaker.call_idempotent(|| self.ask_once::<S, M>(message)).await
        } else {
            self.breaker.call(self.ask_once::<S, M>(message)).await
        }
    }

    /// Calls the service for a caller that has passed the breaker already.
    ///
    /// # Errors
    /// The errors of [`Service::ask`](crate::service::Service::ask).
    pub async fn ask_once<S: Hosted, M: Call<S>>(&self, message: &M) -> Result<M::Answer, Error> {
        let _sent = (!M::IDEMPOTENT).then(|| Sent(&self.commands));
        let mut question = question::<S, M>(message)?;
        let mut span = question.span(Kind::Client, Trace::current().context());
        if let Some(context) = span.as_ref().and_then(OpenSpan::context) {
            question.traceparent = Some(context.traceparent().to_string());
        }
        let answer = self.calls.ask(S::SERVICE, question, self.breaker.timeout()).await;
        if let (Some(span), Err(error)) = (&mut span, &answer) {
            span.fail(error.code.as_str(), error.code.status() >= 500);
        }
        let answer = answer?;
        serde_json::from_str(&answer).map_err(|error| {
            let (service, line, column) = (S::SERVICE, error.line(), error.column());
            // The position of the error, not the text: it may have personal data.
            Error::unavailable().with_cause(format_args!(
                "the answer of {service} to {} can't be read at {line}:{column}: its node runs another version",
                M::NAME
            ))
        })
    }
}

fn question<S: Hosted, M: Call<S>>(message: &M) -> Result<Question, Error> {
    let payload = serde_json::to_string(message).map_err(|error| {
        Error::internal(format_args!(
            "the message {} to {} can't be written down: {error}",
            M::NAME,
            S::SERVICE
        ))
    })?;
    // A read has no context: it belongs to the current request, if there is one.
    let (trace, context) = (Trace::current(), message.context());
    let origin = trace.origin();
    let request_id =
        context.map(|context| &context.correlation_id).or(origin.map(|origin| &origin.request_id));
    let traceparent = context.map_or(origin.and_then(|origin| origin.traceparent.as_ref()), |context| {
        context.traceparent.as_ref()
    });
    Ok(Question {
        service: S::SERVICE.to_string(),
        name: M::NAME.to_owned(),
        payload,
        correlation_id: request_id.map(ToString::to_string),
        traceparent: traceparent.map(ToString::to_string),
    })
}

/// A command under way; it has ended when this is dropped.
struct Sent<'a>(&'a AtomicU64);

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_take_turns_and_silent_ones_are_passed_over() {
        let [a, b, c] = [new_id(), new_id(), new_id()];
        let round = |silent: &[Id]| -> Vec<Id> {
            (0..4).filter_map(|turn| next_host(&[a, b, c], |host| silent.contains(&host), turn)).collect()
        };
        assert_eq!(round(&[]), [a, b, c, a]);
        assert_eq!(round(&[b]), [a, c, a, c]);
        assert_eq!(round(&[a, b, c]), [a, b, c, a], "all of them: any may be back");
        assert_eq!(next_host(&[], |_| false, 7), None);
    }
}
