//! How many requests are worked on at once (SPEC §8.7): what is beyond is answered 503 before anything is done for it, so
//! that a node with too much to do is as quick for those that it lets in as at its capacity.
//!
//! Requests come in bursts, and a commit that waits for the disk makes one. So a request waits for a place. But
//! when one was refused a moment ago, the queue is no burst: waiting longer would make everybody late, so the wait is short
//! until no request has been refused for a second. Servers do as much with the controlled delay of CoDel (RFC 8289):
//! <https://queue.acm.org/detail.cfm?id=2839461>.
//!
//! A request that waits for its client, who has not sent all of the body, has no place meanwhile: slow clients must not
//! keep the others out.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{HttpMessage, HttpRequest};
use kernel::alarm::Alarm;
use kernel::error::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::state::gateway;

/// After so long without a refusal the overload is over.
const CALM: Duration = Duration::from_secs(1);
/// How long a request waits for a place in a burst, and in an overload.
const WAIT: Duration = Duration::from_secs(2);
const WAIT_OVERLOADED: Duration = Duration::from_millis(5);
/// The most requests that wait, for each place.
const WAITING_PER_PLACE: usize = 2;

/// The places of requests. Clones share them.
#[derive(Clone)]
pub struct Admission(Arc<Shared>);

struct Shared {
    at_once: usize,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    begun: tokio::time::Instant,
    /// When a request was refused last, by [`Shared::now`].
    last_refusal: AtomicU64,
    alarm: Mutex<Alarm>,
}

impl Admission {
    /// `at_once`: the most requests that are worked on at the same time.
    pub fn new(at_once: usize) -> Self {
        metrics::counter!("kizuna_http_refused_total").increment(0);
        Self(Arc::new(Shared {
            at_once,
            places: Arc::new(Semaphore::new(at_once)),
            waiting: AtomicUsize::new(0),
            begun: tokio::time::Instant::now(),
            last_refusal: AtomicU64::new(0),
            alarm: Mutex::default(),
        }))
    }

    /// Takes a place; waits for one if all are taken.
    ///
    /// # Errors
    /// `overloaded`.
    async fn take(&self) -> Result<OwnedSemaphorePermit, Error> {
        let Shared { at_once, places, waiting, .. } = &*self.0;
        if let Ok(place) = places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let _waiting = Waiting::begin(waiting, at_once * WAITING_PER_PLACE).ok_or_else(|| self.refuse())?;
        match tokio::time::timeout(self.0.patience(), places.clone().acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(self.refuse()),
        }
    }

    /// Counts a refusal. The log has a line of it now and then: a line for each would cost more than the refusal.
    fn refuse(&self) -> Error {
        metrics::counter!("kizuna_http_refused_total").increment(1);
        self.0.last_refusal.store(self.0.now(), Ordering::Relaxed);
        let due = self.0.alarm.lock().unwrap_or_else(PoisonError::into_inner).due(Instant::now());
        if let Some(refused) = due {
            let at_once = self.0.at_once;
            tracing::warn!(
                refused,
                at_once,
                "refused requests, because as many as are allowed were under way"
            );
        }
        Error::overloaded().with_cause("as many requests as are allowed are under way")
    }
}

impl Shared {
    fn patience(&self) -> Duration {
        let calm = self.now().saturating_sub(self.last_refusal.load(Ordering::Relaxed));
        if u128::from(calm) < CALM.as_millis() { WAIT_OVERLOADED } else { WAIT }
    }

    /// Milliseconds; a node begins in calm.
    fn now(&self) -> u64 {
        (CALM + self.begun.elapsed()).as_millis() as u64
    }
}

/// A request that waits for a place.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        let this = Self(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < most).then_some(this)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request that was let in, with its place.
struct Admitted(RefCell<Option<OwnedSemaphorePermit>>);

/// Lets a request in, until [`left`].
///
/// # Errors
/// `overloaded`.
pub async fn enter(request: &ServiceRequest) -> Result<(), Error> {
    let place = gateway(request.request()).admission.take().await?;
    request.extensions_mut().insert(Admitted(RefCell::new(Some(place))));
    Ok(())
}

/// The answer has been made, so that the request needs its place no more, however long its client takes to read.
pub fn left<B>(response: &ServiceResponse<B>) {
    response.request().extensions_mut().remove::<Admitted>();
}

/// Gives the request's place up while it waits for its client. Returns whether it had one.
pub fn waits(request: &HttpRequest) -> bool {
    request.extensions().get::<Admitted>().is_some_and(|admitted| admitted.0.take().is_some())
}

/// Takes a place again after [`waits`].
///
/// # Errors
/// `overloaded`.
pub async fn goes_on(request: &HttpRequest) -> Result<(), Error> {
    let place = gateway(request).admission.take().await?;
    if let Some(admitted) = request.extensions().get::<Admitted>() {
        admitted.0.replace(Some(place));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long a request waits in vain.
    async fn refused_after(admission: &Admission) -> Duration {
        let begun = tokio::time::Instant::now();
        assert!(admission.take().await.is_err());
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_waits_and_in_an_overload_the_wait_is_short() {
        let admission = Admission::new(1);
        let held = admission.take().await.expect("a place");
        assert!(refused_after(&admission).await >= WAIT);
        for _ in 0..3 {
            assert!(refused_after(&admission).await < WAIT / 2);
        }
        tokio::time::sleep(CALM).await;
        assert!(refused_after(&admission).await >= WAIT, "it is over");
        let (taken, ()) = tokio::join!(admission.take(), async { drop(held) });
        assert!(taken.is_ok(), "a place that comes free");
        assert_eq!(admission.0.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_those_that_wait_is_bounded() {
        let admission = Admission::new(1);
        let _held = admission.take().await.expect("a place");
        let begun = tokio::time::Instant::now();
        let waits = (0..2 * WAITING_PER_PLACE).map(|_| async {
            assert!(admission.take().await.is_err());
            begun.elapsed()
        });
        let waited = futures_util::future::join_all(waits).await;
        let at_once = waited.iter().filter(|wait| wait.is_zero()).count();
        assert_eq!(at_once, WAITING_PER_PLACE);
    }
}
