//! The service: makes, changes and removes subscriptions, and answers their readers.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use domain::subscription::leases::PartitionState;
use domain::subscription::messages::{
    AckLease, LeaseEvents, Leased, ListSubscriptions, LogPage, PutSubscription, ReadLog, ReadPending,
    ReadSubscription, RemoveSubscription,
};
use domain::subscription::record::{Ack, Beginning, Subscription, SubscriptionView};
use domain::subscription::rules;
use domain::subscription::rules::Replaced;
use kernel::clock::{Clock, Timestamp};
use kernel::error::{Error, ErrorCode};
use kernel::event::PARTITIONS;
use kernel::ids::new_id;
use runtime::journal::Journal;
use runtime::serve;
use store::idempotency::unless_stale;
use store::unit_of_work::{UnitOfWork, Write};
use store::{Db, StoreError, leases, log};
use tokio::sync::OnceCell;

use crate::actors::live::cursor::LogId;
use crate::actors::subscriptions::watch::LogWatch;
use crate::actors::subscriptions::{leasing, reading};
use crate::persistence::subscriptions as queries;

/// How often a change is decided again after another node's.
pub(super) const ATTEMPTS: usize = 5;

/// The logic of the service.
pub struct SubscriptionService {
    pub(super) db: Db,
    pub(super) journal: Journal,
    pub(super) clock: Clock,
    pub(super) watch: LogWatch,
    pub(super) turns: leasing::Turns,
    log_id: OnceCell<LogId>,
    /// The names that the metrics have.
    shown: Mutex<BTreeSet<String>>,
}

impl SubscriptionService {
    pub fn new(db: Db, journal: Journal, clock: Clock, watch: LogWatch) -> Self {
        let (turns, log_id, shown) = Default::default();
        Self { db, journal, clock, watch, turns, log_id, shown }
    }

    /// Which log this is; a restored database is another.
    pub(super) async fn log_id(&self) -> Result<LogId, StoreError> {
        self.log_id.get_or_try_init(async || leases::cluster(&self.db).await.map(LogId::from)).await.copied()
    }

    /// The subscription of this name.
    pub(super) async fn found(&self, name: &str) -> Result<Subscription, Error> {
        let found = if rules::is_name(name) { queries::find(&self.db, name).await? } else { None };
        found.ok_or_else(|| Error::new(ErrorCode::NotFound))
    }

    async fn view(&self, subscription: Subscription) -> Result<SubscriptionView, Error> {
        let types = subscription.event_types();
        // All of its types may be a newer program's.
        let pending = match types.is_empty() && !subscription.types.is_empty() {
            true => 0,
            false => queries::pending(&self.db, &subscription.name, &types).await?,
        };
        Ok(SubscriptionView::new(subscription, pending))
    }

    async fn list(&self) -> Result<Vec<SubscriptionView>, Error> {
        let mut views = Vec::new();
        for subscription in queries::all(&self.db).await? {
            views.push(self.view(subscription).await?);
        }
        Ok(views)
    }

    /// Answers with whether it was made.
    async fn put(&self, put: PutSubscription) -> Result<(SubscriptionView, bool), Error> {
        let PutSubscription { name, new, context } = put;
        rules::may_read(&context.caller)?;
        if !rules::is_name(&name) {
            return Err(Error::field("name", "invalid_name"));
        }
        rules::check_new(&new)?;
        for _ in 0..ATTEMPTS {
            let now = self.clock.now();
            let stored = queries::find(&self.db, &name).await?;
            let is_new = stored.is_none();
            let (subscription, writes) = match stored {
                None => {
                    // `If-Match` names a version of what is there.
                    if context.if_match.is_some() {
                        return Err(Error::new(ErrorCode::StaleVersion));
                    }
                    rules::check_beginning(new.from, now)?;
                    rules::check_room(queries::count(&self.db).await?)?;
                    let made = Subscription::new(name.clone(), new.clone(), new_id(), now);
                    let writes = self.beginning(&made).await?;
                    (made, writes)
                }
                Some(stored) => {
                    context.check_version(stored.version)?;
                    match stored.replaced(new.clone(), now) {
                        Replaced::Same => return Ok((self.view(stored).await?, false)),
                        Replaced::Retyped(after) => {
                            let states = queries::partitions(&self.db, &name).await?;
                            let released = |state| queries::replace(state, &state.released());
                            let mut writes: Vec<Write> = states.iter().map(released).collect();
                            writes.push(queries::store(&after, stored.version));
                            (after, writes)
                        }
                        Replaced::Moved(after) => {
                            rules::check_beginning(Some(after.from), now)?;
                            let writes = self.moving(&stored, &after).await?;
                            (after, writes)
                        }
                    }
                }
            };
            let unit = UnitOfWork { writes, ..UnitOfWork::default() };
            if unless_stale(self.journal.commit(unit).await)?.is_some() {
                self.watch.lease_ended(&name);
                return Ok((self.view(subscription).await?, is_new));
            }
        }
        Err(Error::overloaded().with_cause("the subscription changed each time before it was stored"))
    }

    async fn beginning(&self, made: &Subscription) -> Result<Vec<Write>, StoreError> {
        let mut writes = vec![queries::store(made, 0)];
        for (partition, position) in self.positions(made.from).await? {
            let state = PartitionState::beginning(&made.name, made.key, partition, position);
            writes.push(queries::begin(&state));
        }
        Ok(writes)
    }

    async fn moving(&self, stored: &Subscription, after: &Subscription) -> Result<Vec<Write>, StoreError> {
        let mut writes = vec![queries::store(after, stored.version)];
        let positions: HashMap<i64, i64> = self.positions(after.from).await?.into_iter().collect();
        for state in queries::partitions(&self.db, &stored.name).await? {
            let position = positions.get(&state.partition).copied().unwrap_or(state.position);
            writes.push(queries::replace(&state, &state.moved(position)));
        }
        Ok(writes)
    }

    /// The position in each partition from which a subscription goes on.
    async fn positions(&self, from: Beginning) -> Result<Vec<(i64, i64)>, StoreError> {
        match from {
            Beginning::Start => Ok((0..PARTITIONS).map(|partition| (partition, 0)).collect()),
            Beginning::Now => log::heads(&self.db).await,
            Beginning::At(time) => self.positions_at(time).await,
        }
    }

    async fn positions_at(&self, time: Timestamp) -> Result<Vec<(i64, i64)>, StoreError> {
        let mut positions = Vec::new();
        for (partition, head) in log::heads(&self.db).await? {
            positions.push((partition, log::position_before(&self.db, partition, head, time).await?));
        }
        Ok(positions)
    }

    async fn remove(&self, remove: RemoveSubscription) -> Result<(), Error> {
        let RemoveSubscription { name, context } = remove;
        rules::may_read(&context.caller)?;
        for _ in 0..ATTEMPTS {
            let stored = self.found(&name).await?;
            context.check_version(stored.version)?;
            let states = queries::partitions(&self.db, &name).await?;
            let mut writes: Vec<Write> = states.iter().map(queries::end).collect();
            writes.push(queries::remove(&stored));
            let unit = UnitOfWork { writes, ..UnitOfWork::default() };
            if unless_stale(self.journal.commit(unit).await)?.is_some() {
                self.watch.lease_ended(&name);
                return Ok(());
            }
        }
        Err(Error::overloaded().with_cause("the subscription changed each time before it was removed"))
    }

    /// Events that wait, by the subscription's name. A name that is gone since the last time has none.
    async fn pending(&self) -> Result<Vec<(String, i64)>, Error> {
        let views = self.list().await?;
        let mut pending: Vec<_> = views.into_iter().map(|view| (view.name, view.pending)).collect();
        let names = pending.iter().map(|(name, _)| name.clone()).collect();
        let before = std::mem::replace(&mut *self.shown.lock().expect("no panic under this lock"), names);
        let gone = before.into_iter().filter(|name| !pending.iter().any(|(known, _)| known == name));
        let gone: Vec<_> = gone.map(|name| (name, 0)).collect();
        pending.extend(gone);
        Ok(pending)
    }
}

serve!(SubscriptionService, {
    ReadLog => |service, message| LogPage { reading::page(&service, message).await },
    PutSubscription => |service, message| (SubscriptionView, bool) { service.put(message).await },
    ListSubscriptions => |service, message| Vec<SubscriptionView> {
        rules::may_read(&message.caller)?;
        service.list().await
    },
    ReadSubscription => |service, message| SubscriptionView {
        rules::may_read(&message.caller)?;
        let found = service.found(&message.name).await?;
        service.view(found).await
    },
    RemoveSubscription => |service, message| () { service.remove(message).await },
    LeaseEvents => |service, message| Leased { leasing::lease(&service, message).await },
    AckLease => |service, message| Ack { leasing::acknowledge(&service, message).await },
    ReadPending => |service, message| Vec<(String, i64)> {
        rules::may_read(&message.caller)?;
        service.pending().await
    },
});
