//! One try of a message, through the endpoint's circuit breaker.

use tokio::time::Instant;

use crate::actors::webhooks::courier::{Courier, Message};
use domain::webhook::schedule::{Failure, Outcome, Tried};
use kernel::clock::Clock;
use kernel::error::Error;
use kernel::failpoint;
use runtime::breaker::CircuitBreaker;

/// Tries to send a message, if the breaker lets it through.
///
/// # Errors
/// The breaker's, if it does not.
pub async fn attempt(
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
