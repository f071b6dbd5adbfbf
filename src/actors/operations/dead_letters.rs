//! Dead letters: lists them with their events, and redrives them by a compare-and-set on their rows, so that any node
//! may do it, or the command beside a running server (SPEC §7).

use std::collections::HashMap;

use crate::actors::operations::messages::{DeadLetter, DeadLetterView};
use kernel::clock::Timestamp;
use kernel::context::IdempotencyClaim;
use kernel::error::{Error, ErrorCode};
use kernel::event::raw;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use runtime::consumer::parking;
use store::cursors::{PARKED, Parked};
use store::idempotency::{FirstAnswer, unless_stale};
use store::journal::Outcome;
use store::unit_of_work::UnitOfWork;
use store::{Db, StoreError, log, progress as queries};

/// How often a redrive is tried again after the row has changed.
const ATTEMPTS: usize = 5;

/// Dead letters, the latest first, of one consumer or of all.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: &Db,
    consumer: Option<&str>,
    page: &PageRequest,
) -> Result<Page<DeadLetter>, StoreError> {
    let Page { items, prev, next, total } = queries::dead_letters(db, consumer, page).await?;
    Ok(Page { items: with_events(db, items).await?, prev, next, total })
}

async fn with_events(db: &Db, parked: Vec<Parked>) -> Result<Vec<DeadLetter>, StoreError> {
    let ids: Vec<Id> = parked.iter().map(|parked| parked.event_id).collect();
    let events = log::by_ids(db, &ids).await?;
    let events: HashMap<Id, _> = events.into_iter().map(|event| (event.event.id, event)).collect();
    let whole = |parked: Parked| {
        let event = events.get(&parked.event_id).cloned();
        let lost = || StoreError::Failed(format!("the log has lost event {}", parked.event_id));
        Ok(DeadLetter { event: event.ok_or_else(lost)?, parked })
    };
    parked.into_iter().map(whole).collect()
}

/// Makes a dead letter due at `now`, and stores the answer for `claim` in the same unit of work. The consumer finds
/// it by itself.
///
/// # Errors
/// `not_found`, `not_a_dead_letter`, `request_in_flight`, `unavailable`.
pub async fn redrive(
    db: &Db,
    id: Id,
    claim: Option<&IdempotencyClaim>,
    now: Timestamp,
    commit: impl AsyncFn(UnitOfWork) -> Outcome,
) -> Result<DeadLetter, Error> {
    for _ in 0..ATTEMPTS {
        let parked: Option<Parked> = db.row(&PARKED, id).await?;
        let parked = parked.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
        let again = parking::redriven(&parked, now).ok_or_else(|| Error::new(ErrorCode::NotADeadLetter))?;
        let mut unit =
            UnitOfWork { writes: vec![parking::replacing(&parked, &again)], ..UnitOfWork::default() };
        let letter = with_events(db, vec![again]).await?.remove(0);
        if let Some(claim) = claim {
            let answer = FirstAnswer::new(claim, id, None, raw(&DeadLetterView::from(&letter)), now);
            unit.writes.push(answer.write());
        }
        if unless_stale(commit(unit).await)?.is_some() {
            return Ok(letter);
        }
    }
    Err(Error::overloaded().with_cause("the dead letter changed each time before it was redriven"))
}
