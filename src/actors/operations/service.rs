//! The operations service: reads the node's actors and breakers, and what the database says of its consumers.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::dead_letters;
use super::messages::{
    CheckIntegrity, ClusterReading, ConsumerIntegrity, ConsumerLag, ConsumerReading, DeadLetter,
    IntegrityReport, ListDeadLetters, NodeReading, ReadActors, ReadBreakers, ReadCluster, ReadConsumers,
    RedisState, RedriveDeadLetter, SliceReading,
};
use crate::actors::context::{Caller, Role};
use crate::actors::event::SLICES;
use crate::actors::page::Page;
use crate::actors::refusal::Refusal;
use crate::actors::runtime::call::{BreakerReading, Guard};
use crate::actors::runtime::cluster::members::Members;
use crate::actors::runtime::cluster::placement::Membership;
use crate::actors::runtime::journal::Journal;
use crate::actors::runtime::service::serve;
use crate::actors::runtime::stats::{ActorReading, Board};
use crate::actors::service_name::ServiceName;
use crate::clock::Clock;
use crate::persistence::operations::{self as store, Progress};
use crate::persistence::redis::Redis;
use crate::persistence::{Db, cursors, log};

/// What the service works with.
pub struct OperationsDesk {
    pub db: Db,
    pub journal: Journal,
    pub clock: Clock,
    pub board: Board,
    pub breakers: Vec<Guard>,
    /// Every consumer with the types it takes.
    pub consumers: Vec<(&'static str, &'static [&'static str])>,
    pub members: Members,
    /// Where the nodes of a cluster meet.
    pub redis: Option<Redis>,
}

/// SPEC §1: `/api/admin/*` is for ADMIN.
fn operator(caller: &Caller) -> Result<(), Refusal> {
    caller.require(&[Role::Admin])
}

impl OperationsDesk {
    async fn consumers(&self) -> Result<Vec<ConsumerReading>, Refusal> {
        let mut readings = Vec::with_capacity(self.consumers.len());
        for (name, types) in &self.consumers {
            let Progress { applied, pending, retrying, waiting, dead } =
                store::progress(&self.db, name, types).await?;
            readings.push(ConsumerReading { name, types, applied, pending, retrying, waiting, dead });
        }
        Ok(readings)
    }

    async fn redrive(&self, redrive: RedriveDeadLetter) -> Result<DeadLetter, Refusal> {
        let RedriveDeadLetter { id, context } = redrive;
        operator(&context.caller)?;
        let commit = async |unit| self.journal.commit(unit).await;
        dead_letters::redrive(&self.db, id, context.claim.as_ref(), self.clock.now(), commit).await
    }

    async fn integrity(&self) -> Result<IntegrityReport, Refusal> {
        let mut consumers = Vec::with_capacity(self.consumers.len());
        for (name, types) in &self.consumers {
            let integrity = store::integrity(&self.db, name, types).await?;
            consumers.push(ConsumerIntegrity { name, integrity });
        }
        Ok(IntegrityReport { events: store::events(&self.db).await?, consumers })
    }

    async fn cluster(&self) -> Result<ClusterReading, Refusal> {
        let living = self.members.now();
        let mut consumers = Vec::with_capacity(self.consumers.len());
        for (name, types) in &self.consumers {
            let pending = cursors::lag(&self.db, name, types).await?;
            consumers.push(ConsumerLag { name, pending, nodes: shares(&living, name) });
        }
        let mut heads = log::heads(&self.db).await?;
        heads.sort_unstable();
        let slice = |(slice, last_seq)| SliceReading {
            slice,
            last_seq,
            node: living.owner(None, slice).map(|member| member.id.clone()),
        };
        let me = self.members.node().incarnation;
        Ok(ClusterReading {
            nodes: living.0.iter().map(|member| NodeReading::new(member, me)).collect(),
            slices: heads.into_iter().map(slice).collect(),
            consumers,
            redis: match &self.redis {
                None => None,
                Some(redis) if redis.answers().await => Some(RedisState::Connected),
                Some(_) => Some(RedisState::Away),
            },
        })
    }
}

/// Which slices each node works on for a consumer.
fn shares(living: &Membership, consumer: &str) -> BTreeMap<String, Vec<i64>> {
    let service = ServiceName::of_consumer(consumer);
    let mut shares: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for slice in 0..SLICES {
        if let Some(owner) = living.owner(service, slice) {
            shares.entry(owner.id.clone()).or_default().push(slice);
        }
    }
    shares
}

serve!(OperationsDesk, {
    ReadActors => |desk, message| Vec<ActorReading> {
        operator(&message.caller)?;
        Ok(desk.board.read())
    },
    ReadBreakers => |desk, message| Vec<BreakerReading> {
        operator(&message.caller)?;
        try_join_all(desk.breakers.iter().map(Guard::read)).await
    },
    ReadConsumers => |desk, message| Vec<ConsumerReading> {
        operator(&message.caller)?;
        desk.consumers().await
    },
    ListDeadLetters => |desk, message| Page<DeadLetter> {
        operator(&message.caller)?;
        Ok(dead_letters::list(&desk.db, message.consumer.as_deref(), &message.page).await?)
    },
    RedriveDeadLetter => |desk, message| DeadLetter { desk.redrive(message).await },
    CheckIntegrity => |desk, message| IntegrityReport {
        operator(&message.caller)?;
        desk.integrity().await
    },
    ReadCluster => |desk, message| ClusterReading {
        operator(&message.caller)?;
        desk.cluster().await
    },
});
