//! Leases batches of a subscription to readers, and takes their acknowledgements. The rules are in
//! `domain::subscription::leases`; here a decision is stored by a compare-and-set, on whatever node it was made.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::api_key::needs::to_read_types;
use domain::subscription::leases;
use domain::subscription::leases::{Heads, NewLease, PartitionState};
use domain::subscription::messages::{AckLease, LeaseEvents, Leased};
use domain::subscription::record::Ack;
use domain::subscription::rules;
use kernel::error::{Error, ErrorCode};
use kernel::event::{EventType, LoggedEvent, raw};
use kernel::ids::new_id;
use store::idempotency::{FirstAnswer, unless_stale};
use store::unit_of_work::{CommitError, UnitOfWork, Write};
use store::{Db, StoreError, log};
use tokio::sync::Mutex as AsyncMutex;

use crate::actors::subscriptions::service::{ATTEMPTS, SubscriptionService};
use crate::persistence::subscriptions as queries;

/// Events of a partition that are looked at for one batch: those of other types are passed over.
const LOOKED_AT: i64 = 2_000;
/// When a reader looks again who lost to the readers of other nodes each time.
const AFTER_A_RACE: Duration = Duration::from_millis(100);

/// The readers of this node who ask at this moment, by subscription. They choose one after another.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<String, Arc<Turn>>>);

#[derive(Default)]
struct Turn {
    lock: AsyncMutex<()>,
}

/// A reader who asks.
struct Asking<'a> {
    turns: &'a Turns,
    name: &'a str,
    turn: Arc<Turn>,
}

impl Turns {
    fn enter<'a>(&'a self, name: &'a str) -> Asking<'a> {
        let turn =
            self.0.lock().expect("no panic under this lock").entry(name.to_owned()).or_default().clone();
        Asking { turns: self, name, turn }
    }
}

impl Asking<'_> {
    /// How many readers ask: this one, and those with another handle to the turn beside the map's.
    fn readers(&self) -> usize {
        Arc::strong_count(&self.turn).saturating_sub(1)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut turns = self.turns.0.lock().expect("no panic under this lock");
        // The map's handle and this one.
        if Arc::strong_count(&self.turn) <= 2 {
            turns.remove(self.name);
        }
    }
}

/// Leases the next events to a reader, if some are free.
///
/// # Errors
/// `forbidden`, `missing_scope`, `not_found`, `unavailable`.
pub(super) async fn lease(service: &SubscriptionService, ask: LeaseEvents) -> Result<Leased, Error> {
    rules::may_read(&ask.caller)?;
    if !rules::is_name(&ask.name) {
        return Err(Error::new(ErrorCode::NotFound));
    }
    let asking = service.turns.enter(&ask.name);
    let _turn = asking.turn.lock.lock().await;
    for _ in 0..ATTEMPTS {
        let subscription = service.found(&ask.name).await?;
        let types = subscription.event_types();
        // Events that were left out would be skipped for every reader of the subscription.
        ask.caller.scopes.check(to_read_types(&types))?;
        if types.is_empty() && !subscription.types.is_empty() {
            return Ok(Leased { types, ..Leased::default() });
        }
        let states = queries::partitions(&service.db, &ask.name).await?;
        let heads: Heads = log::heads(&service.db).await?.into_iter().collect();
        let now = service.clock.now();
        let free = leases::free(&states, &heads, now);
        let most = leases::share(free.len(), asking.readers());
        let found = gather(&service.db, &free, &heads, &types, (ask.limit, most)).await?;
        let until = now.plus(ask.lease);
        let lease = NewLease { id: new_id(), until, size: found.chosen.len() as i64 };
        let writes = found.writes(&lease);
        let look_again =
            found.has_more.then_some(Duration::ZERO).or(leases::look_again(&states, &heads, now));
        if writes.is_empty() {
            return Ok(Leased { types, look_again, ..Leased::default() });
        }
        match service.journal.commit(UnitOfWork { writes, ..UnitOfWork::default() }).await {
            Ok(_) if found.chosen.is_empty() => {
                return Ok(Leased { types, look_again, ..Leased::default() });
            }
            Ok(_) => {
                let lease = Some((lease.id, until));
                return Ok(Leased { lease, events: found.events, types, look_again: None });
            }
            // A reader of another node was faster.
            Err(CommitError::Stale(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Leased { look_again: Some(AFTER_A_RACE), ..Leased::default() })
}

/// What was found in the free partitions.
#[derive(Default)]
struct Found<'a> {
    events: Vec<LoggedEvent>,
    /// The partitions of those events, each with the number up to which it was read.
    chosen: Vec<(&'a PartitionState, i64)>,
    /// Partitions without events of the types, likewise.
    passed: Vec<(&'a PartitionState, i64)>,
    /// Whether something was left unread in the latter.
    has_more: bool,
}

impl Found<'_> {
    fn writes(&self, lease: &NewLease) -> Vec<Write> {
        let leased =
            self.chosen.iter().map(|(state, upto)| queries::replace(state, &state.leased(lease, *upto)));
        let passed = self.passed.iter().filter_map(|(state, upto)| {
            let after = state.skipped(*upto)?;
            Some(queries::replace(state, &after))
        });
        leased.chain(passed).collect()
    }
}

/// Reads the free partitions, one after another, until there are so many events or so many partitions of them.
async fn gather<'a>(
    db: &Db,
    free: &[&'a PartitionState],
    heads: &Heads,
    types: &[EventType],
    (limit, most): (i64, usize),
) -> Result<Found<'a>, StoreError> {
    let mut found = Found::default();
    for state in free {
        let left = limit - found.events.len() as i64;
        if left <= 0 || found.chosen.len() >= most {
            break;
        }
        let head = heads.get(&state.partition).copied().unwrap_or_default();
        let upto = head.min(state.position + LOOKED_AT);
        let events = log::partition_window(db, state.partition, (state.position, upto), types, left).await?;
        match events.last() {
            None => {
                found.has_more |= upto < head;
                found.passed.push((state, upto));
            }
            Some(last) if events.len() as i64 == left => found.chosen.push((state, last.partition_seq)),
            Some(_) => found.chosen.push((state, upto)),
        }
        found.events.extend(events);
    }
    Ok(found)
}

/// Moves a subscription past a batch.
///
/// # Errors
/// `forbidden`, `not_found`, `lease_lost`, `request_in_flight`, `unavailable`.
pub(super) async fn acknowledge(service: &SubscriptionService, message: AckLease) -> Result<Ack, Error> {
    let AckLease { name, lease, context } = message;
    rules::may_read(&context.caller)?;
    for _ in 0..ATTEMPTS {
        let subscription = service.found(&name).await?;
        let states = queries::partitions(&service.db, &name).await?;
        // Read after the partitions: a lease that has left them meanwhile is noted by then.
        if let Some(ack) = queries::acknowledged(&service.db, &subscription.name, lease).await? {
            return Ok(ack);
        }
        let now = service.clock.now();
        let moved = leases::acknowledged(&states, lease, now)?;
        if moved.is_empty() {
            return Err(Error::new(ErrorCode::LeaseLost));
        }
        let ack = Ack::new(lease, now);
        let mut writes: Vec<Write> =
            moved.iter().map(|(before, after)| queries::replace(before, after)).collect();
        writes.push(queries::note(&name, &ack));
        if let Some(claim) = &context.claim {
            writes.push(FirstAnswer::new(claim, lease, None, raw(&ack), now).write());
        }
        let unit = UnitOfWork { writes, ..UnitOfWork::default() };
        if unless_stale(service.journal.commit(unit).await)?.is_some() {
            service.watch.lease_ended(&name);
            return Ok(ack);
        }
    }
    Err(Error::overloaded().with_cause("the lease changed each time before it was acknowledged"))
}
