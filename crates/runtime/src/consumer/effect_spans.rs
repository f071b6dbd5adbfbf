//! The spans of an effect: one in the trace of each request that has caused its events.

use std::sync::Arc;

use kernel::event::LoggedEvent;

use crate::spans::{Kind, OpenSpan, SpanContext, Work, are_collected, joined};

/// The most traces that one effect has a span in. A batch of more events than this is seldom: a reader who is behind.
const TRACES_MAX: usize = 32;

/// The spans of an effect under way. What it commits stands below the first; the others link to that.
pub(super) struct EffectSpans(Vec<OpenSpan>);

impl EffectSpans {
    /// Begins them, below the commits of the events.
    pub fn begin(consumer: &'static str, events: &[Arc<LoggedEvent>]) -> Self {
        let mut spans = Self(Vec::new());
        if !are_collected() {
            return spans;
        }
        let mut parents: Vec<SpanContext> = Vec::new();
        for parent in events.iter().filter_map(cause).filter(|cause| cause.is_sampled) {
            if parents.len() < TRACES_MAX && parents.iter().all(|known| known.trace_id != parent.trace_id) {
                parents.push(parent);
            }
        }
        for parent in parents {
            let Some(span) = OpenSpan::child(Kind::Consumer, Some(parent)) else { continue };
            let mut span = span.named(Work::Effect, format!("apply {consumer}"));
            let in_trace = events
                .iter()
                .filter(|event| cause(event).is_some_and(|cause| cause.trace_id == parent.trace_id));
            span.set("messaging.system", "kizuna");
            span.set("messaging.operation.type", "process");
            span.set("messaging.operation.name", "apply");
            span.set("messaging.consumer.group.name", consumer);
            span.set("messaging.batch.message_count", events.len() as i64);
            let types = joined(in_trace.map(|logged| logged.event.event_type.name()));
            span.set("messaging.destination.name", types);
            if let Some(first) = spans.context() {
                span.link(first);
            }
            spans.0.push(span);
        }
        spans
    }

    /// The span below which the effect is committed.
    pub fn context(&self) -> Option<SpanContext> {
        self.0.first().and_then(OpenSpan::context)
    }

    /// Ends them. `failure`: the code, and whether it is a fault.
    pub fn end(self, failure: Option<(&'static str, bool)>) {
        for mut span in self.0 {
            if let Some((code, is_fault)) = failure {
                span.fail(code, is_fault);
            }
        }
    }
}

/// The span in which an event was committed.
fn cause(event: &Arc<LoggedEvent>) -> Option<SpanContext> {
    event.event.traceparent.as_deref().and_then(SpanContext::parse)
}
