//! The operations service: reads the node's actors and circuit breakers, and the progress of its consumers.

use runtime::consumer::ConsumerSpec;
use std::collections::BTreeMap;
use std::sync::Mutex;

use futures_util::future::try_join_all;

use crate::actors::operations::chain;
use crate::actors::operations::chain::ChainStep;
use crate::actors::operations::dead_letters;
use crate::actors::operations::history::HistoryReading;
use crate::actors::operations::messages::{
    CheckIntegrity, ClusterReading, ConsumerIntegrity, ConsumerLag, ConsumerReading, DeadLetter,
    EventReading, ForceBreaker, IntegrityReport, ListDeadLetters, NEWEST_FIRST, NodeReading,
    PartitionReading, ReadActors, ReadAuditLog, ReadBreakers, ReadChain, ReadCluster, ReadConsumers,
    ReadEvent, ReadHistory, ReadLag, RedisState, RedriveDeadLetter, may_audit, may_operate,
};
use crate::actors::operations::sampler::Recorder;
use domain::changes;
use kernel::clock::Clock;
use kernel::error::{Error, ErrorCode};
use kernel::event::{LoggedEvent, PARTITIONS, raw};
use kernel::ids::{Id, new_id};
use kernel::page::{Keyset, Page};
use kernel::service_id::ServiceId;
use runtime::breaker::{BreakerReading, Breakers, CircuitBreaker};
use runtime::cluster::members::Members;
use runtime::cluster::placement::Membership;
use runtime::journal::Journal;
use runtime::serve;
use runtime::stats::{ActorReading, ActorStatsRegistry};
use store::idempotency::FirstAnswer;
use store::progress as queries;
use store::progress::{Counted, Progress};
use store::redis::Redis;
use store::unit_of_work::{CommitError, UnitOfWork};
use store::{Db, cursors, log};

/// Among so many events before another one carries the record: few carry none.
const EARLIER_MAX: i64 = 10;

/// The logic of the service.
pub struct OperationsService {
    pub db: Db,
    pub journal: Journal,
    pub clock: Clock,
    pub actor_stats: ActorStatsRegistry,
    pub breakers: Breakers,
    /// Every consumer with the types that it reads.
    pub consumers: Vec<ConsumerSpec>,
    pub members: Members,
    /// The cluster's Redis.
    pub redis: Option<Redis>,
    pub counted: CountedEvents,
    pub recorder: Recorder,
}

/// What the log was found to have, so that a check of integrity does not count it all again.
#[derive(Default)]
pub struct CountedEvents(Mutex<Counted>);

impl CountedEvents {
    fn so_far(&self) -> Counted {
        self.0.lock().expect("no panic under this lock").clone()
    }

    fn keep(&self, counted: Counted) {
        *self.0.lock().expect("no panic under this lock") = counted;
    }
}

impl OperationsService {
    async fn consumers(&self) -> Result<Vec<ConsumerReading>, Error> {
        let mut readings = Vec::with_capacity(self.consumers.len());
        for ConsumerSpec { name, types, .. } in &self.consumers {
            let Progress { applied, pending, retrying, waiting, dead } =
                queries::progress(&self.db, name, types).await?;
            readings.push(ConsumerReading { name, types, applied, pending, retrying, waiting, dead });
        }
        Ok(readings)
    }

    async fn lag(&self) -> Vec<(&'static str, i64)> {
        let mut lags = Vec::with_capacity(self.consumers.len());
        for ConsumerSpec { name, types, .. } in &self.consumers {
            let Ok(lag) = cursors::lag(&self.db, name, types).await else { break };
            lags.push((*name, lag));
        }
        lags
    }

    async fn audit_log(&self, read: ReadAuditLog) -> Result<Page<LoggedEvent>, Error> {
        let ReadAuditLog { caller, filter, page } = read;
        may_audit(&caller)?;
        if filter.event_type.as_deref().is_some_and(|name| self.db.catalogue().find(name).is_none()) {
            return Err(Error::parameter("type", "invalid_choice"));
        }
        let before = page.after.map(|key| key.id);
        let found = log::audit(&self.db, &filter, before, page.limit + 1).await?;
        let total = if page.count { Some(log::audit_count(&self.db, &filter).await?) } else { None };
        let key = |event: &LoggedEvent| Keyset {
            sort: NEWEST_FIRST.into(),
            value: String::new(),
            id: event.event.id,
        };
        Ok(Page::cut(found, page.limit, key, total))
    }

    async fn event(&self, id: Id) -> Result<EventReading, Error> {
        let found = log::by_ids(&self.db, &[id]).await?.into_iter().next();
        let event = found.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
        let record = |of: &LoggedEvent| changes::record(&of.event.data, event.event.subject);
        let Some(after) = record(&event) else { return Ok(EventReading { event, changes: Vec::new() }) };
        let earlier = log::before(&self.db, event.event.subject, event.event.sequence, EARLIER_MAX).await?;
        let before = earlier.iter().find_map(record);
        let changes = changes::changes(before.as_ref(), &after);
        Ok(EventReading { event, changes })
    }

    async fn redrive(&self, redrive: RedriveDeadLetter) -> Result<DeadLetter, Error> {
        let RedriveDeadLetter { id, context } = redrive;
        may_operate(&context.caller)?;
        let commit = async |unit| self.journal.commit(unit).await;
        dead_letters::redrive(&self.db, id, context.claim.as_ref(), self.clock.now(), commit).await
    }

    async fn force(&self, message: ForceBreaker) -> Result<BreakerReading, Error> {
        let ForceBreaker { context, name, order } = message;
        may_operate(&context.caller)?;
        let breaker = self.breakers.named(&name).ok_or(Error::new(ErrorCode::NotFound))?;
        let reading = breaker.force(order.force.into()).await?;
        if let Some(claim) = &context.claim {
            let answer = FirstAnswer::new(claim, new_id(), None, raw(&reading), self.clock.now());
            self.keep(&answer).await?;
        }
        Ok(reading)
    }

    /// Keeps the first answer to a request whose effect is not in the database.
    async fn keep(&self, answer: &FirstAnswer) -> Result<(), Error> {
        let unit = UnitOfWork { writes: vec![answer.write()], ..UnitOfWork::default() };
        match self.journal.commit(unit).await {
            Ok(_) => Ok(()),
            // Another node was faster: the gateway reads its answer.
            Err(CommitError::Stale(_)) => Err(Error::new(ErrorCode::RequestInFlight)),
            Err(error) => Err(error.into()),
        }
    }

    async fn integrity(&self) -> Result<IntegrityReport, Error> {
        let mut counted = self.counted.so_far();
        // What is counted stays so when the caller gives up: with millions of events the next one goes on from there.
        while queries::count_further(&self.db, &mut counted, queries::COUNTED_AT_ONCE).await? {
            self.counted.keep(counted.clone());
        }
        let mut consumers = Vec::with_capacity(self.consumers.len());
        for ConsumerSpec { name, types, .. } in &self.consumers {
            let integrity = queries::integrity(&self.db, name, types, &mut counted).await?;
            let faults = integrity.lost + integrity.duplicated + integrity.out_of_order;
            metrics::gauge!("kizuna_integrity_faults", "consumer" => *name).set(faults as f64);
            consumers.push(ConsumerIntegrity { name, integrity });
        }
        self.counted.keep(counted);
        Ok(IntegrityReport { events: queries::events(&self.db).await?, consumers })
    }

    async fn cluster(&self) -> Result<ClusterReading, Error> {
        let mut lags = Vec::with_capacity(self.consumers.len());
        for ConsumerSpec { name, service, types } in &self.consumers {
            lags.push((*name, *service, cursors::lag(&self.db, name, types).await?));
        }
        let mut heads = log::heads(&self.db).await?;
        heads.sort_unstable();
        let redis = match &self.redis {
            None => None,
            Some(redis) if redis.answers().await => Some(RedisState::Connected),
            Some(_) => Some(RedisState::Away),
        };
        // Last: all of the above takes a while on a node that is busy, and whoever asks wants to know who lives now.
        let living = self.members.now();
        let lag = |(name, service, pending)| ConsumerLag { name, pending, nodes: shares(&living, service) };
        let partition = |(partition, last_seq)| PartitionReading {
            partition,
            last_seq,
            node: living.owner(None, partition).map(|member| member.id.clone()),
        };
        let me = self.members.node().incarnation;
        Ok(ClusterReading {
            nodes: living.0.iter().map(|member| NodeReading::new(member, me)).collect(),
            partitions: heads.into_iter().map(partition).collect(),
            consumers: lags.into_iter().map(lag).collect(),
            redis,
        })
    }
}

/// Which partitions each node works on for a consumer.
fn shares(living: &Membership, service: Option<ServiceId>) -> BTreeMap<String, Vec<i64>> {
    let mut shares: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for partition in 0..PARTITIONS {
        if let Some(owner) = living.owner(service, partition) {
            shares.entry(owner.id.clone()).or_default().push(partition);
        }
    }
    shares
}

serve!(OperationsService, {
    ReadAuditLog => |service, message| Page<LoggedEvent> { service.audit_log(message).await },
    ReadEvent => |service, message| EventReading {
        may_audit(&message.caller)?;
        service.event(message.id).await
    },
    ReadLag => |service, message| Vec<(&'static str, i64)> {
        may_operate(&message.caller)?;
        Ok(service.lag().await)
    },
    ReadChain => |service, message| Vec<ChainStep> {
        may_audit(&message.caller)?;
        chain::of(&service.db, message.id).await
    },
    ReadActors => |service, message| Vec<ActorReading> {
        may_operate(&message.caller)?;
        Ok(service.actor_stats.read())
    },
    ReadHistory => |service, message| HistoryReading {
        may_operate(&message.caller)?;
        Ok(service.recorder.read())
    },
    ReadBreakers => |service, message| Vec<BreakerReading> {
        may_operate(&message.caller)?;
        try_join_all(service.breakers.all().iter().map(CircuitBreaker::read)).await
    },
    ForceBreaker => |service, message| BreakerReading { service.force(message).await },
    ReadConsumers => |service, message| Vec<ConsumerReading> {
        may_operate(&message.caller)?;
        service.consumers().await
    },
    ListDeadLetters => |service, message| Page<DeadLetter> {
        may_operate(&message.caller)?;
        Ok(dead_letters::list(&service.db, message.consumer.as_deref(), &message.page).await?)
    },
    RedriveDeadLetter => |service, message| DeadLetter { service.redrive(message).await },
    CheckIntegrity => |service, message| IntegrityReport {
        may_operate(&message.caller)?;
        service.integrity().await
    },
    ReadCluster => |service, message| ClusterReading {
        may_operate(&message.caller)?;
        service.cluster().await
    },
});
