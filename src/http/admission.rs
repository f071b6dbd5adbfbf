//! How many requests are worked on at once (SPEC §8.7). A further one is answered 503 before anything is done for it, so
//! that a node with too much to do is as quick for those that it lets in as at its capacity.
//!
//! A request that waits for its client, who has not sent all of the body, has no place meanwhile: slow clients must not
//! keep the others out.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{HttpMessage, HttpRequest};
use kernel::alarm::Alarm;
use kernel::error::Error;

use crate::http::state::gateway;

/// The places of requests. Clones share them.
#[derive(Clone)]
pub struct Admission(Arc<Shared>);

struct Shared {
    at_once: usize,
    taken: AtomicUsize,
    alarm: Mutex<Alarm>,
}

impl Admission {
    /// `at_once`: the most requests that are worked on at the same time.
    pub fn new(at_once: usize) -> Self {
        metrics::counter!("kizuna_http_refused_total").increment(0);
        Self(Arc::new(Shared { at_once, taken: AtomicUsize::new(0), alarm: Mutex::default() }))
    }

    /// Takes a place, unless all are taken.
    fn take(&self) -> Option<Place> {
        let Shared { at_once, taken, .. } = &*self.0;
        let more = |taken: usize| (taken < *at_once).then_some(taken + 1);
        taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Place(self.0.clone()))
    }

    /// Counts a refusal. The log has a line of it now and then: a line for each would cost more than the refusal.
    fn refuse(&self) -> Error {
        metrics::counter!("kizuna_http_refused_total").increment(1);
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

/// A place that is taken until this is dropped.
struct Place(Arc<Shared>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request that was let in, with its place.
struct Admitted(RefCell<Option<Place>>);

/// Lets a request in, until [`left`].
///
/// # Errors
/// `overloaded`.
pub fn enter(request: &ServiceRequest) -> Result<(), Error> {
    let admission = &gateway(request.request()).admission;
    let place = admission.take().ok_or_else(|| admission.refuse())?;
    request.extensions_mut().insert(Admitted(RefCell::new(Some(place))));
    Ok(())
}

/// The answer has been made, so that the request needs its place no more, however long its client takes to read.
pub fn left<B>(response: &ServiceResponse<B>) {
    response.request().extensions_mut().remove::<Admitted>();
}

/// Gives the request's place up while it waits for its client.
pub fn waits(request: &HttpRequest) {
    if let Some(admitted) = request.extensions().get::<Admitted>() {
        admitted.0.take();
    }
}

/// Takes a place again after [`waits`].
///
/// # Errors
/// `overloaded`.
pub fn goes_on(request: &HttpRequest) -> Result<(), Error> {
    if let Some(admitted) = request.extensions().get::<Admitted>() {
        let admission = &gateway(request).admission;
        admitted.0.replace(Some(admission.take().ok_or_else(|| admission.refuse())?));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_taken_until_it_is_dropped() {
        let admission = Admission::new(2);
        let held: Vec<_> = (0..2).map(|_| admission.take().expect("a place")).collect();
        assert!(admission.take().is_none());
        drop(held);
        assert!(admission.take().is_some());
        assert_eq!(admission.0.taken.load(Ordering::Relaxed), 0);
    }
}
