//! Spans for an outside receiver of traces, in the terms of OpenTelemetry, without depending on it.
//!
//! A span begins with [`OpenSpan::root`] or [`OpenSpan::child`] and ends when it is dropped; then the process's
//! [`Collector`] gets it. Until [`collect`] has set one, no span is made, and asking for one costs a read of an atomic.
//! [`Trace`](crate::trace::Trace) carries the [`SpanContext`] to where the next span begins.
//!
//! A trace begins with a request. What no request has caused, directly or through an event, makes no spans.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

static COLLECTOR: OnceLock<Box<dyn Collector>> = OnceLock::new();

/// Where ended spans go. It must not block: it runs in the middle of requests.
pub trait Collector: Send + Sync + 'static {
    /// Whether a trace that begins here is recorded. `parent`: what the caller of the request has decided.
    fn samples(&self, parent: Option<SpanContext>, trace_id: u128) -> bool;

    /// Takes a span that has ended.
    fn ended(&self, span: EndedSpan);
}

/// Makes spans for this collector until the process ends. The first call counts: it returns whether this was it.
pub fn collect(collector: impl Collector) -> bool {
    COLLECTOR.set(Box::new(collector)).is_ok()
}

/// Whether spans are made at all.
pub fn are_collected() -> bool {
    COLLECTOR.get().is_some()
}

/// A span as others name it: W3C Trace Context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanContext {
    pub trace_id: u128,
    pub span_id: u64,
    pub is_sampled: bool,
}

impl SpanContext {
    /// Reads a `traceparent` (W3C Trace Context §3.2): `00-<32 hex>-<16 hex>-<2 hex>`, neither id all zeros.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut hex = |length: usize| {
            let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            parts.next().filter(|part| part.len() == length && part.bytes().all(is_hex))
        };
        let (version, trace, span, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
        let context = Self {
            trace_id: u128::from_str_radix(trace, 16).ok()?,
            span_id: u64::from_str_radix(span, 16).ok()?,
            is_sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1,
        };
        let is_valid = version != "ff" && context.trace_id != 0 && context.span_id != 0;
        (is_valid && parts.next().is_none()).then_some(context)
    }

    /// The context that a `traceparent` names, if spans are made.
    pub fn of(traceparent: Option<&str>) -> Option<Self> {
        if are_collected() { Self::parse(traceparent?) } else { None }
    }

    /// Writes it as a `traceparent`.
    pub fn traceparent(&self) -> Arc<str> {
        let Self { trace_id, span_id, is_sampled } = self;
        format!("00-{trace_id:032x}-{span_id:016x}-{:02x}", u8::from(*is_sampled)).into()
    }

    /// The trace's id as it is searched for.
    pub fn trace_id(&self) -> Arc<str> {
        format!("{:032x}", self.trace_id).into()
    }
}

/// How a span relates to its parent and children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Answers a request of another process.
    Server,
    /// Waits for another process.
    Client,
    /// Sends something that nobody waits for.
    Producer,
    /// Takes up what a producer sent.
    Consumer,
    Internal,
}

/// The value of an attribute. It never has what customers or users have entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(Cow<'static, str>),
    Number(i64),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// A span that has ended.
#[derive(Clone, Debug)]
pub struct EndedSpan {
    pub name: Cow<'static, str>,
    pub kind: Kind,
    pub context: SpanContext,
    pub parent: Option<SpanContext>,
    /// Whether the parent is a span of another process.
    pub is_parent_remote: bool,
    pub links: Vec<SpanContext>,
    pub began: SystemTime,
    pub took: Duration,
    pub attributes: Vec<(&'static str, Value)>,
    pub has_failed: bool,
}

/// A span under way. It ends when it is dropped.
#[must_use = "a span ends when it is dropped"]
#[derive(Debug)]
pub struct OpenSpan(Option<Box<Recording>>);

#[derive(Debug)]
struct Recording {
    began: Instant,
    span: EndedSpan,
}

impl OpenSpan {
    /// Begins the span of a request, whose caller may have sent a `parent`. The context is that of what the request
    /// causes, also when there is no span because the trace is not recorded.
    pub fn root(kind: Kind, parent: Option<SpanContext>) -> (Option<Self>, Option<SpanContext>) {
        let Some(collector) = COLLECTOR.get() else { return (None, None) };
        let trace_id = parent.map_or_else(random_trace_id, |parent| parent.trace_id);
        let is_sampled = collector.samples(parent, trace_id);
        let context = SpanContext { trace_id, span_id: random_span_id(), is_sampled };
        if is_sampled {
            let mut span = Self::begin(kind, context, parent);
            span.recording(|span| span.is_parent_remote = parent.is_some());
            (Some(span), Some(context))
        } else {
            // The caller's own context goes on, so that its spans have no gap.
            let unsampled = parent.map(|parent| SpanContext { is_sampled: false, ..parent });
            (None, Some(unsampled.unwrap_or(context)))
        }
    }

    /// Begins a span below `parent`, if that is recorded.
    pub fn child(kind: Kind, parent: Option<SpanContext>) -> Option<Self> {
        let parent = parent.filter(|parent| parent.is_sampled && are_collected())?;
        let context = SpanContext { span_id: random_span_id(), ..parent };
        Some(Self::begin(kind, context, Some(parent)))
    }

    fn begin(kind: Kind, context: SpanContext, parent: Option<SpanContext>) -> Self {
        let span = EndedSpan {
            name: Cow::Borrowed(""),
            kind,
            context,
            parent,
            is_parent_remote: false,
            links: Vec::new(),
            began: wall_clock(),
            took: Duration::ZERO,
            attributes: Vec::with_capacity(8),
            has_failed: false,
        };
        Self(Some(Box::new(Recording { began: Instant::now(), span })))
    }

    fn recording(&mut self, change: impl FnOnce(&mut EndedSpan)) {
        if let Some(recording) = &mut self.0 {
            change(&mut recording.span);
        }
    }

    pub fn context(&self) -> Option<SpanContext> {
        self.0.as_ref().map(|recording| recording.span.context)
    }

    /// Names it, by words of which there are few.
    pub fn set_name(&mut self, name: impl Into<Cow<'static, str>>) {
        self.recording(|span| span.name = name.into());
    }

    /// Says of which [`Work`] it is, as `kizuna.work`.
    pub fn named(mut self, work: Work, name: impl Into<Cow<'static, str>>) -> Self {
        self.set_name(name);
        self.set("kizuna.work", work.name());
        self
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.recording(|span| span.attributes.push((name, value.into())));
    }

    /// Adds a span of another trace that it also belongs to.
    pub fn link(&mut self, other: SpanContext) {
        self.recording(|span| span.links.push(other));
    }

    /// The parent is a span of another process.
    pub fn parent_is_remote(&mut self) {
        self.recording(|span| span.is_parent_remote = true);
    }

    /// Says with which code the work failed; `is_fault`: it was not the caller's mistake.
    pub fn fail(&mut self, code: impl Into<Value>, is_fault: bool) {
        self.set("error.type", code);
        self.recording(|span| span.has_failed = is_fault);
    }

    /// Ends it without a trace of it.
    pub fn discard(mut self) {
        self.0 = None;
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        let (Some(recording), Some(collector)) = (self.0.take(), COLLECTOR.get()) else { return };
        let Recording { began, span } = *recording;
        collector.ended(EndedSpan { took: began.elapsed(), ..span });
    }
}

/// The kinds of work that have spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Request,
    Message,
    /// A message to a service of another node; it has a span on each of the two.
    Call,
    Commit,
    Effect,
    Delivery,
}

impl Work {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Message => "message",
            Self::Call => "call",
            Self::Commit => "commit",
            Self::Effect => "effect",
            Self::Delivery => "delivery",
        }
    }
}

/// The last part of a type's name: that of the message, without its modules and parameters.
pub(crate) fn type_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}

/// Some names with commas in between, each once.
pub(crate) fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = Vec::new();
    let mut text = String::new();
    for name in names {
        if !known.contains(&name) {
            let comma = if known.is_empty() { "" } else { "," };
            // Writing to a string never fails.
            let _ = write!(text, "{comma}{name}");
            known.push(name);
        }
    }
    text
}

#[expect(
    clippy::disallowed_methods,
    reason = "a trace's id is random (W3C Trace Context §4), and no test repeats it"
)]
fn random_trace_id() -> u128 {
    rand::random::<u128>().max(1)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a span's id is random (W3C Trace Context §4), and no test repeats it"
)]
fn random_span_id() -> u64 {
    rand::random::<u64>().max(1)
}

#[expect(clippy::disallowed_methods, reason = "a receiver compares it with the clocks of other processes")]
fn wall_clock() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read_and_written() {
        let context = SpanContext::parse(PARENT).expect("the example of the specification");
        assert_eq!((context.span_id, context.is_sampled), (0x00f0_67aa_0ba9_02b7, true));
        assert_eq!(&*context.traceparent(), PARENT);
        assert_eq!(&*context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let unsampled = PARENT.replace("-01", "-00");
        assert_eq!(SpanContext::parse(&unsampled), Some(SpanContext { is_sampled: false, ..context }));
    }

    #[test]
    fn what_is_no_traceparent_is_no_context() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        for text in [
            String::new(),
            format!("00-{trace}-{span}"),
            format!("00-{trace}-{span}-01-00"),
            format!("ff-{trace}-{span}-01"),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{}-{span}-01", trace.to_uppercase()),
            format!("00-+{}-{span}-01", &trace[1..]),
        ] {
            assert_eq!(SpanContext::parse(&text), None, "{text}");
        }
    }

    #[test]
    fn without_a_collector_there_is_no_span() {
        let context = SpanContext::parse(PARENT);
        assert!(OpenSpan::child(Kind::Internal, context).is_none());
        let (span, goes_on) = OpenSpan::root(Kind::Server, context);
        assert!(span.is_none() && goes_on.is_none() && SpanContext::of(Some(PARENT)).is_none());
    }

    #[test]
    fn messages_are_named_without_modules_and_parameters() {
        assert_eq!((type_name::<OpenSpan>(), type_name::<Option<Vec<u8>>>()), ("OpenSpan", "Option"));
        assert_eq!(joined(["a", "b", "a"].into_iter()), "a,b");
    }
}
