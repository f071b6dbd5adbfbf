//! The first answers to requests with an `Idempotency-Key` (SPEC §2): one request at a time has a key, and a key belongs
//! to one request.

use std::time::Duration;

use dashmap::DashSet;
use kernel::clock::Clock;
use kernel::context::IdempotencyClaim;
use kernel::error::{Error, ErrorCode};
use store::Db;
use store::idempotency;
pub use store::idempotency::FirstAnswer;

/// How long an answer is kept (SPEC §2).
pub const ANSWERS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The first answers of all nodes, and the keys whose first request is under way on this one.
pub struct FirstAnswers {
    db: Db,
    clock: Clock,
    in_flight: DashSet<String>,
}

impl FirstAnswers {
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, in_flight: DashSet::new() }
    }

    /// Takes a key for a request until the turn is dropped.
    ///
    /// # Errors
    /// `request_in_flight` while another request on this node has the key.
    pub fn take(&self, claim: IdempotencyClaim) -> Result<Turn<'_>, Error> {
        if self.in_flight.insert(claim.id.clone()) {
            Ok(Turn { answers: self, claim })
        } else {
            Err(Error::new(ErrorCode::RequestInFlight))
        }
    }
}

/// A request that has its key.
pub struct Turn<'a> {
    answers: &'a FirstAnswers,
    pub claim: IdempotencyClaim,
}

impl Turn<'_> {
    /// The first answer under the key, if there is one.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn find(&self) -> Result<Option<FirstAnswer>, Error> {
        let since = self.answers.clock.now().minus(ANSWERS_KEPT);
        Ok(idempotency::find(&self.answers.db, &self.claim.id, since).await?)
    }

    /// Checks that an answer was given to this very request.
    ///
    /// # Errors
    /// `idempotency_key_reused`.
    pub fn check(&self, first: &FirstAnswer) -> Result<(), Error> {
        let is_same = first.fingerprint == self.claim.fingerprint;
        if is_same { Ok(()) } else { Err(Error::new(ErrorCode::IdempotencyKeyReused)) }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.answers.in_flight.remove(&self.claim.id);
    }
}
