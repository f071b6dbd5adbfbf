//! Requests that wait for events: `?wait=20s`.

use std::ops::RangeInclusive;
use std::time::Duration;

use actix_web::HttpRequest;
use serde::{Deserialize, Deserializer, de};
use tokio::time::{Instant, sleep_until};

use crate::actors::subscriptions::watch::Wanted;
use crate::http::admission;
use crate::http::extract::{Authenticated, bearer};
use crate::http::state::Gateway;
use kernel::caller::Caller;
use kernel::duration::duration;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::event::EventType;

/// How long a request may wait.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A duration of a query: `20s`.
#[derive(Clone, Copy, Debug)]
pub struct Span(pub Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        duration(&text).map(Self).map_err(|_| de::Error::custom("not a duration"))
    }
}

/// Checks that a duration is within bounds, of which people are told as `1s to 30s`.
///
/// # Errors
/// `invalid_parameter`.
pub fn within(
    name: &str,
    span: Option<Span>,
    (bounds, allowed): (RangeInclusive<Duration>, &str),
) -> Result<Option<Duration>, Error> {
    match span {
        Some(Span(span)) if !bounds.contains(&span) => Err(Error {
            fields: vec![FieldError::new(name, "invalid_value").allowing(allowed)],
            ..Error::new(ErrorCode::InvalidParameter)
        }),
        span => Ok(span.map(|Span(span)| span)),
    }
}

/// How long to wait.
///
/// # Errors
/// `invalid_parameter`.
pub fn wait(span: Option<Span>) -> Result<Option<Duration>, Error> {
    within("wait", span, (Duration::ZERO..=WAIT_MAX, "1s to 30s"))
}

/// What a look for events has found.
pub enum Found {
    Something,
    /// Nothing.
    Nothing {
        /// Look again after this time, also if no commit comes.
        again: Option<Duration>,
        /// Only events of these types are of interest; none stands for every type.
        types: Vec<EventType>,
    },
}

/// Looks for events until there are some, the time is over or the node stops; returns what the last look found. While it
/// waits it holds neither a connection of the database nor the place of a request.
///
/// # Errors
/// Those of `look`; `too_many_waiting`, `overloaded`, and those of a session that has ended meanwhile.
pub async fn until_found<T>(
    gateway: &Gateway,
    request: &HttpRequest,
    auth: &Authenticated,
    (wait, wanted): (Option<Duration>, Wanted),
    look: impl AsyncFn(Caller) -> Result<T, Error>,
    found: impl Fn(&T) -> Found,
) -> Result<T, Error> {
    let Some(wait) = wait else { return look(auth.caller).await };
    let deadline = Instant::now() + wait;
    // Before the first look, so that no commit falls between.
    let waiter = gateway.events.watch.wait_for(wanted)?;
    let (mut caller, mut turn) = (auth.caller, None);
    loop {
        let seen = look(caller).await?;
        drop(turn);
        let Found::Nothing { again, types } = found(&seen) else { return Ok(seen) };
        waiter.wants(types);
        let now = Instant::now();
        if now >= deadline || gateway.live.is_stopping() {
            return Ok(seen);
        }
        let next = again.map_or(deadline, |again| deadline.min(now + again));
        let had_place = admission::waits(request);
        tokio::select! {
            () = waiter.woken() => {}
            () = sleep_until(next) => {}
            () = gateway.live.stopping() => {}
        }
        turn = waiter.turn().await;
        if had_place {
            admission::goes_on(request).await?;
        }
        // Who may read may have changed meanwhile.
        caller = gateway.auth.authenticate(bearer(request)?).await?.caller;
    }
}
