//! The first answers to requests with an `Idempotency-Key` (SPEC §2): one request at a time has a key, and a key belongs
//! to one request.

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashSet;
use domain::customer::record::Customer;
use kernel::clock::Clock;
use kernel::context::IdempotencyClaim;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use runtime::hot_state::Hot;
use serde::Deserialize;
use store::Db;
use store::idempotency;
pub use store::idempotency::FirstAnswer;

/// How long an answer is kept (SPEC §2).
pub const ANSWERS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The first answers of all nodes, and the keys whose first request is under way on this one.
pub struct FirstAnswers {
    db: Db,
    clock: Clock,
    /// The customers that nodes share outside the database.
    hot: Option<Arc<dyn Hot<Customer>>>,
    in_flight: DashSet<String>,
}

/// The record that an answer shows.
#[derive(Deserialize)]
struct Shown {
    id: Id,
}

impl FirstAnswers {
    pub fn new(db: Db, clock: Clock, hot: Option<Arc<dyn Hot<Customer>>>) -> Self {
        Self { db, clock, hot, in_flight: DashSet::new() }
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
    /// The first answer under the key, if there is one: once every node shows what it tells of, because the node that
    /// committed it may have died before it saw to that.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn find(&self) -> Result<Option<FirstAnswer>, Error> {
        let since = self.answers.clock.now().minus(ANSWERS_KEPT);
        let first = idempotency::find(&self.answers.db, &self.claim.id, since).await?;
        if let (Some(first), Some(hot)) = (&first, &self.answers.hot)
            && let Ok(Shown { id }) = serde_json::from_str(first.body.get())
        {
            hot.changed(id).await;
        }
        Ok(first)
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
