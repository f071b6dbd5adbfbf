//! The trace of the current work: the spans of its log lines, and the request that it belongs to.
//!
//! A message to an actor, a spawned task and a call to another node leave the task, so each carries a [`Trace`]:
//! [`Tracked`](crate::supervisor::Tracked) carries it through a mailbox, a call carries the request's id to the other
//! node, and the receiver does its work in that trace.
//!
//! Spans are values of ours and not `tracing`'s: most requests write no log line, and a span of `tracing` is formatted
//! when it is opened, which cost a read of one record a seventh of its speed. The application's log format asks
//! [`each_span`] when it writes a line, so that every line has its request's id, whatever `RUST_LOG` is.
//!
//! The request's id is kept in the task and not in the messages, because reads carry no [`Context`].
//!
//! | span | fields | opened by |
//! |---|---|---|
//! | `request` | `request_id`, `trace_id`, `method`, `route`, `user` | the HTTP gateway |
//! | `call` | `request_id`, `service`, `call`, `traceparent` | the node that answers a call of another |
//! | `command` | `kind`, `id`, `correlation` | an aggregate's actor |
//! | `effect` | `consumer`, `partition`, `correlation` | a consumer's runner |
//!
//! The spans that a receiver of traces gets ([`spans`](crate::spans)) are others; a trace carries the one it is in.

use std::fmt;
use std::sync::{Arc, Mutex};

use kernel::context::Context;
use kernel::event::{Event, LoggedEvent};
use kernel::ids::Id;

use crate::spans::SpanContext;

tokio::task_local! {
    static CURRENT: Trace;
}

/// The value of a span's field.
#[derive(Clone, Debug)]
pub enum Value {
    Name(&'static str),
    Text(Arc<str>),
    Id(Id),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Text(text) => f.write_str(text),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// A field of a span.
pub type Field = (&'static str, Value);

/// A piece of work, as its log lines name it.
#[derive(Debug)]
pub struct Span {
    pub name: &'static str,
    fields: Mutex<Vec<Field>>,
    outer: Option<Arc<Span>>,
}

impl Span {
    /// A span outside every other.
    pub fn new(name: &'static str, fields: Vec<Field>) -> Self {
        Self { name, fields: Mutex::new(fields), outer: None }
    }

    /// Its fields, in the order in which they became known.
    pub fn fields(&self) -> Vec<Field> {
        self.fields.lock().expect("no panic under this lock").clone()
    }

    fn note(&self, name: &'static str, value: impl FnOnce() -> Option<Value>) {
        let mut fields = self.fields.lock().expect("no panic under this lock");
        if fields.iter().all(|(known, _)| *known != name) {
            fields.extend(value().map(|value| (name, value)));
        }
    }

    fn within(self, outer: Option<Arc<Self>>) -> Self {
        Self { outer, ..self }
    }
}

/// Adds a field to the span of the current work, unless the span has one of this name.
pub fn note(name: &'static str, value: impl FnOnce() -> Option<Value>) {
    let _ = CURRENT.try_with(|trace| trace.span.as_ref().map(|span| span.note(name, value)));
}

/// Passes the spans of the current work to `each`, the outermost first.
pub fn each_span(mut each: impl FnMut(&Span)) {
    let current = Trace::current();
    let mut spans = Vec::new();
    let mut next = current.span.as_ref();
    while let Some(span) = next {
        spans.push(span);
        next = span.outer.as_ref();
    }
    spans.into_iter().rev().for_each(|span| each(span));
}

/// The request that work belongs to, directly or through an event that the request caused.
#[derive(Clone, Debug)]
pub struct Origin {
    pub request_id: Arc<str>,
    /// W3C trace context.
    pub traceparent: Option<Arc<str>>,
}

/// The trace that moves with the work to another task.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    span: Option<Arc<Span>>,
    origin: Option<Origin>,
    /// The span of the present work, which becomes the parent of the next.
    context: Option<SpanContext>,
}

impl Trace {
    /// The trace of work for `origin`, with its log lines in `span`.
    pub fn new(span: Span, origin: Origin) -> Self {
        Self { span: Some(Arc::new(span)), origin: Some(origin), context: None }
    }

    /// The trace of the node's own work, outside every span.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// The trace of work that belongs to no request.
    pub(crate) fn without_origin(span: Span) -> Self {
        Self { span: Some(Arc::new(span)), origin: None, context: None }
    }

    /// The trace of the current task; empty if there is none.
    pub fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// The request that the work belongs to.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The span of the present work, if the trace is collected.
    pub fn context(&self) -> Option<SpanContext> {
        self.context
    }

    /// The trace of what is done below the span `context`, if there is one.
    pub fn under(self, context: Option<SpanContext>) -> Self {
        Self { context: context.or(self.context), ..self }
    }

    /// The trace without its span: for work that goes on long after the request.
    pub fn unrecorded(self) -> Self {
        Self { context: None, ..self }
    }

    /// The trace of a command to the aggregate `id`.
    pub(crate) fn of_command(&self, kind: &'static str, id: Id, context: &Context) -> Self {
        let correlation = Value::Text(context.correlation_id.clone());
        let fields = vec![("kind", Value::Name(kind)), ("id", Value::Id(id)), ("correlation", correlation)];
        let span = Span::new("command", fields).within(self.span.clone());
        Self { span: Some(Arc::new(span)), origin: self.origin.clone(), context: self.context }
    }

    /// The trace of a consumer's effect. Of several events it takes the request of the first.
    pub(crate) fn of_effect(consumer: &'static str, events: &[Arc<LoggedEvent>]) -> Self {
        let Some(first) = events.first() else { return Self::none() };
        let Event { correlation_id, traceparent, .. } = &first.event;
        let fields = vec![
            ("consumer", Value::Name(consumer)),
            ("partition", Value::Text(Partitions(events).to_string().into())),
            ("correlation", Value::Text(correlation_id.clone())),
        ];
        let origin = Origin { request_id: correlation_id.clone(), traceparent: traceparent.clone() };
        Self::new(Span::new("effect", fields), origin)
    }

    /// Runs a future in this trace.
    pub fn run<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }

    /// Runs a function in this trace.
    pub fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self.clone(), work)
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
        let trace = Trace::new(Span::new("request", Vec::new()), origin);
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

    #[tokio::test]
    async fn the_spans_of_the_current_work_are_told_from_outside_in_with_what_became_known_late() {
        let request = Span::new("request", vec![("request_id", Value::Name("r-1"))]);
        let command =
            Span::new("command", vec![("kind", Value::Name("bell"))]).within(Some(Arc::new(request)));
        let spans = || {
            let mut seen = Vec::new();
            each_span(|span| {
                let fields: Vec<_> =
                    span.fields().iter().map(|(name, value)| format!("{name}={value}")).collect();
                seen.push(format!("{}{{{}}}", span.name, fields.join(" ")));
            });
            seen
        };
        let inside = Trace::without_origin(command).run(async {
            note("user", || Some(Value::Id(Id::nil())));
            note("user", || Some(Value::Name("another")));
            spans()
        });
        let expected = ["request{request_id=r-1}", &format!("command{{kind=bell user={}}}", Id::nil())];
        assert_eq!(inside.await, expected);
        assert_eq!(spans(), Vec::<String>::new());
    }
}
