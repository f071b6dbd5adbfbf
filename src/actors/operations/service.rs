//! The operations service: reads the node's actors and breakers, and what the database says of its consumers.

use std::sync::Arc;

use futures_util::future::try_join_all;

use super::dead_letters;
use super::messages::{
    CheckIntegrity, ClusterReading, ConsumerIntegrity, ConsumerLag, ConsumerReading, DeadLetter,
    IntegrityReport, ListDeadLetters, NodeReading, ReadActors, ReadBreakers, ReadCluster, ReadConsumers,
    RedriveDeadLetter, SliceReading,
};
use super::node::{Node, SERVICES};
use crate::actors::context::{Caller, Role};
use crate::actors::page::Page;
use crate::actors::refusal::Refusal;
use crate::actors::runtime::call::{BreakerReading, Guard};
use crate::actors::runtime::journal::Journal;
use crate::actors::runtime::service::serve;
use crate::actors::runtime::stats::{ActorReading, Board};
use crate::clock::Clock;
use crate::persistence::operations::{self as store, Progress};
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
    pub node: Arc<Node>,
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

    /// One node is the whole cluster: it hosts every service and works on every slice.
    async fn cluster(&self) -> Result<ClusterReading, Refusal> {
        let node = NodeReading {
            id: self.node.id.clone(),
            address: self.node.address().map(|address| address.to_string()),
            services: SERVICES.to_vec(),
            started_at: self.node.started_at,
            version: env!("CARGO_PKG_VERSION"),
            is_self: true,
        };
        let mut heads = log::heads(&self.db).await?;
        heads.sort_unstable();
        let slice = |(slice, last_seq)| SliceReading { slice, last_seq, node: self.node.id.clone() };
        let slices = heads.into_iter().map(slice).collect();
        let mut consumers = Vec::with_capacity(self.consumers.len());
        for (name, types) in &self.consumers {
            let pending = cursors::lag(&self.db, name, types).await?;
            consumers.push(ConsumerLag { name, pending });
        }
        Ok(ClusterReading { nodes: vec![node], slices, consumers })
    }
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
