//! One try of a message, through the endpoint's circuit breaker, and its span.

use tokio::time::Instant;

use crate::actors::webhooks::courier::{Courier, Message};
use domain::webhook::schedule::{Failure, Outcome, Tried};
use kernel::clock::Clock;
use kernel::error::Error;
use kernel::event::LoggedEvent;
use kernel::failpoint;
use runtime::breaker::CircuitBreaker;
use runtime::spans::{Kind, OpenSpan, SpanContext, Work};

/// Tries to send a message about `event`, if the breaker lets it through.
///
/// # Errors
/// The breaker's, if it does not.
pub async fn attempt(
    courier: &Courier,
    clock: &Clock,
    breaker: &CircuitBreaker,
    message: &Message,
    event: &LoggedEvent,
) -> Result<Tried, Error> {
    let span = begin_span(event);
    let outcome = try_once(courier, clock, breaker, message).await;
    if let Some(span) = span {
        end_span(span, &outcome);
    }
    outcome
}

/// Begins the span of a try, below the commit of its event.
fn begin_span(event: &LoggedEvent) -> Option<OpenSpan> {
    let parent = SpanContext::of(event.event.traceparent.as_deref());
    let mut span = OpenSpan::child(Kind::Client, parent)?.named(Work::Delivery, "deliver webhook");
    span.set("messaging.system", "kizuna");
    span.set("messaging.operation.type", "send");
    span.set("messaging.operation.name", "deliver");
    span.set("messaging.destination.name", "webhook");
    span.set("http.request.method", "POST");
    span.set("kizuna.event_type", event.event.event_type.name());
    Some(span)
}

fn end_span(mut span: OpenSpan, outcome: &Result<Tried, Error>) {
    let Ok(tried) = outcome else {
        // The breaker let nothing through: there was no try.
        span.discard();
        return;
    };
    if let Some(status) = tried.status {
        span.set("http.response.status_code", i64::from(status));
    }
    match tried.outcome {
        Outcome::Delivered => {}
        Outcome::Failed(failure) => span.fail(failure.as_str(), true),
        Outcome::Gone => span.fail("gone", false),
    }
}

async fn try_once(
    courier: &Courier,
    clock: &Clock,
    breaker: &CircuitBreaker,
    message: &Message,
) -> Result<Tried, Error> {
    let (began_at, begun) = (clock.now(), Instant::now());
    let (mut has_begun, mut tried) = (false, None);
    let called = breaker.call(async {
        has_begun = true;
        failpoint::hit("webhook.before_send");
        let one = courier.send(message).await;
        failpoint::hit("webhook.after_send");
        let is_fault = one.is_endpoint_s_fault();
        tried = Some(one);
        if is_fault { Err(Error::unavailable().with_cause("the endpoint is at fault")) } else { Ok(()) }
    });
    match (called.await, has_begun) {
        (Err(error), false) => Err(error),
        // Cut off by the breaker's timeout.
        _ => Ok(tried.unwrap_or_else(|| Tried {
            began_at,
            took: begun.elapsed(),
            outcome: Outcome::Failed(Failure::Timeout),
            signature: message.signature.clone(),
            status: None,
            answer: None,
            hold: None,
        })),
    }
}
