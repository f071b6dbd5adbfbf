//! Renews this node's lease and reads the leases of the others, every half second and whenever a lease expires.
//!
//! Leases are stored in PostgreSQL and expire by its clock. So they do not depend on Redis, and without the database no
//! node could work anyway. A node that is gone is noticed after at most two seconds, because the others read the leases
//! when its lease expires.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use tokio::time::Instant;

use crate::cluster::clock::ClusterTime;
use crate::cluster::members::Members;
use crate::cluster::watched::Watched;
use crate::stats::ActorStats;
use crate::supervisor::LivenessGuard;
use store::{Db, StoreError, leases as nodes};

/// How often the lease is renewed.
const RENEW_EVERY: Duration = Duration::from_millis(500);
/// How long a lease lasts: three renewals may be lost. After a node's death its partitions move when its lease has
/// expired and the others have read that.
const LASTS: Duration = Duration::from_secs(2);

/// How long a leaving node waits for the deletion of its lease.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MembershipState {
    Member,
    Leaving,
    Left,
}

/// Ends a node's membership; clones share it.
#[derive(Clone, Debug)]
pub struct MembershipHandle(Watched<MembershipState>);

impl Default for MembershipHandle {
    fn default() -> Self {
        Self(Watched::new(MembershipState::Member))
    }
}

impl MembershipHandle {
    /// Ends the membership for good: other nodes take over its partitions, and no more calls are sent to it. Returns
    /// when the lease is deleted, or after a second; then the lease expires.
    pub async fn leave(&self) {
        let mut stay = self.0.watch();
        self.0.set(MembershipState::Leaving);
        let left = async {
            while stay.get() != MembershipState::Left {
                stay.changed().await;
            }
        };
        let _ = tokio::time::timeout(LEAVE_WITHIN, left).await;
    }
}

/// The actor that keeps the lease.
pub struct LeaseActor {
    db: Db,
    members: Members,
    membership: MembershipHandle,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl LeaseActor {
    pub fn new(
        db: Db,
        members: Members,
        membership: MembershipHandle,
        liveness: LivenessGuard,
        stats: Arc<ActorStats>,
    ) -> Self {
        Self { db, members, membership, stats, _liveness: liveness }
    }
}

impl Actor for LeaseActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let keep = keep(self.db.clone(), self.members.clone(), self.membership.clone(), self.stats.clone());
        ctx.spawn(keep.into_actor(self));
    }
}

async fn keep(db: Db, members: Members, membership: MembershipHandle, stats: Arc<ActorStats>) {
    if let Err(error) = nodes::forget_gone(&db).await {
        tracing::warn!(%error, "can't delete the rows of nodes that are long gone; trying again later");
    }
    let mut stay = membership.0.watch();
    while stay.get() == MembershipState::Member {
        stats.step();
        let begun = Instant::now();
        let wait = stats.progress().watch(look(&db, &members)).await.unwrap_or_else(|error| {
            stats.failed();
            tracing::warn!(%error, "can't renew the lease; trying again");
            RENEW_EVERY
        });
        let _ = tokio::time::timeout_at(begun + wait, stay.changed()).await;
    }
    members.set(Vec::new());
    if let Err(error) = nodes::release(&db, &members.node().member()).await {
        tracing::warn!(%error, "can't delete the lease; it will expire");
    }
    membership.0.set(MembershipState::Left);
}

/// Renews the lease and reads which nodes are alive; returns the interval until the next read. While the database is
/// away the last result stays valid, because no node can work.
async fn look(db: &Db, members: &Members) -> Result<Duration, StoreError> {
    let begun = Instant::now();
    if members.clock().now().is_none() {
        // Other nodes call this one as soon as they see its lease, and a call has a deadline.
        let asked = Instant::now();
        members.clock().learn(ClusterTime(nodes::time(db).await?), asked);
    }
    let me = members.node().member();
    if !nodes::renew(db, &me, LASTS).await? {
        metrics::counter!("kizuna_lease_refused_total").increment(1);
        tracing::warn!(
            node = me.id,
            "another process has the lease of this node id; waiting until it expires"
        );
    }
    let asked = Instant::now();
    let leases = nodes::leases(db).await?;
    if let Some(lease) = leases.first() {
        members.clock().learn(ClusterTime(lease.read_at), asked);
    }
    let others = leases.iter().filter(|lease| lease.member.incarnation != me.incarnation);
    let first_over = others.map(|lease| begun.elapsed() + lease.left()).min();
    members.set(leases.into_iter().map(|lease| lease.member).collect());
    Ok(first_over.map_or(RENEW_EVERY, |over| over.min(RENEW_EVERY)))
}
