//! The trace of the current work: the span of its log lines, and the request that it belongs to.
//!
//! `tracing` has a current span per task. A message to an actor, a spawned task and a call to another node leave the
//! task, so each carries a [`Trace`]: [`Tracked`](crate::supervisor::Tracked) carries it through a mailbox, a call
//! carries the request's id to the other node, and the receiver does its work in that trace.
//!
//! The request's id is kept beside the span, because the fields of a span can't be read back. It is kept in the task
//! and not in the messages, because reads carry no [`Context`].
//!
//! | span | fields | opened by |
//! |---|---|---|
//! | `request` | `request_id`, `method`, `route`, `user` | the HTTP gateway |
//! | `call` | `request_id`, `service`, `call`, `traceparent` | the node that answers a call of another |
//! | `command` | `kind`, `id`, `correlation` | an aggregate's actor |
//! | `effect` | `consumer`, `partition`, `correlation` | a consumer's runner |
//!
//! All spans have the level `error`, so that every log line has its request's id, whatever `RUST_LOG` is.

use std::fmt;
use std::sync::Arc;

use kernel::context::Context;
use kernel::event::{Event, LoggedEvent};
use kernel::ids::Id;
use tracing::{Instrument, Span};

tokio::task_local! {
    static ORIGIN: Option<Origin>;
}

/// The request that work belongs to, directly or through an event that the request caused.
#[derive(Clone, Debug)]
pub struct Origin {
    pub request_id: Arc<str>,
    /// W3C trace context.
    pub traceparent: Option<Arc<str>>,
}

/// The trace that moves with the work to another task.
#[derive(Clone, Debug)]
pub struct Trace {
    span: Span,
    origin: Option<Origin>,
}

impl Trace {
    /// The trace of work for `origin`, with its log lines in `span`.
    pub fn new(span: Span, origin: Origin) -> Self {
        Self { span, origin: Some(origin) }
    }

    /// The trace of the node's own work, outside every span.
    pub(crate) fn none() -> Self {
        Self::without_origin(Span::none())
    }

    /// The trace of work that belongs to no request.
    pub(crate) fn without_origin(span: Span) -> Self {
        Self { span, origin: None }
    }

    /// The trace of the current task; empty if there is none.
    pub fn current() -> Self {
        Self { span: Span::current(), origin: ORIGIN.try_with(Option::clone).ok().flatten() }
    }

    /// The request that the work belongs to.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The trace of a command to the aggregate `id`.
    pub(crate) fn of_command(&self, kind: &'static str, id: Id, context: &Context) -> Self {
        let correlation = &*context.correlation_id;
        let span = tracing::error_span!(parent: &self.span, "command", kind, %id, correlation);
        Self { span, origin: self.origin.clone() }
    }

    /// The trace of a consumer's effect. Of several events it takes the request of the first.
    pub(crate) fn of_effect(consumer: &'static str, events: &[Arc<LoggedEvent>]) -> Self {
        let Some(first) = events.first() else { return Self::none() };
        let Event { correlation_id, traceparent, .. } = &first.event;
        let partition = tracing::field::display(Partitions(events));
        let correlation = &**correlation_id;
        let span = tracing::error_span!("effect", consumer, partition, correlation);
        let origin = Origin { request_id: correlation_id.clone(), traceparent: traceparent.clone() };
        Self::new(span, origin)
    }

    /// Runs a future in this trace.
    pub fn run<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        ORIGIN.scope(self.origin, work.instrument(self.span))
    }

    /// Runs a function in this trace.
    pub fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        ORIGIN.sync_scope(self.origin.clone(), || self.span.in_scope(work))
    }
}

/// The distinct partitions of some events, as `0,3`.
struct Partitions<'a>(&'a [Arc<LoggedEvent>]);

impl fmt::Display for Partitions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, event) in self.0.iter().enumerate() {
            let is_new = self.0[..place].iter().all(|before| before.partition != event.partition);
            if is_new {
                write!(f, "{}{}", if place == 0 { "" } else { "," }, event.partition)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_origin_of_a_trace_is_that_of_the_work_it_runs_and_of_nothing_else() {
        let id = |trace: &Trace| trace.origin().map(|origin| origin.request_id.to_string());
        let origin = Origin { request_id: "r-1".into(), traceparent: None };
        let trace = Trace::new(Span::none(), origin);
        let inside = trace.clone().run(async { Trace::current() }).await;
        assert_eq!(id(&inside).as_deref(), Some("r-1"));
        assert_eq!(id(&trace.in_scope(Trace::current)).as_deref(), Some("r-1"));
        assert_eq!(id(&Trace::current()), None);
        // A new task has no trace, unless it is given one.
        let spawned = trace.run(async {
            let alone = tokio::spawn(async { Trace::current() });
            let along = tokio::spawn(Trace::current().run(async { Trace::current() }));
            (alone.await.expect("no panic"), along.await.expect("no panic"))
        });
        let (alone, along) = spawned.await;
        assert_eq!((id(&alone), id(&along)), (None, Some("r-1".to_owned())));
    }
}
