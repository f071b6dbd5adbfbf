//! This node's lease, and its look at those of the others, every half second and whenever one of them runs out.
//!
//! Leases are kept in PostgreSQL by its clock: one way, whether Redis is there or not, and without the database nobody
//! could work on anything. A node that is gone is noticed after two seconds at most, when the others look at the moment
//! its lease runs out.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::cluster::members::Members;
use crate::stats::ActorStats;
use crate::supervisor::LivenessGuard;
use store::{Db, StoreError, leases as nodes};

/// How often the lease is renewed.
const RENEW_EVERY: Duration = Duration::from_millis(500);
/// How long it lasts: three renewals may be lost. Slices move so long after a node's death, and the time of a look.
const LASTS: Duration = Duration::from_secs(2);

/// How long a node that leaves waits for its lease to be given up.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MembershipState {
    Member,
    Leaving,
    Left,
}

/// Ends a node's membership; clones share it.
#[derive(Clone, Debug)]
pub struct MembershipHandle(Arc<watch::Sender<MembershipState>>);

impl Default for MembershipHandle {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(MembershipState::Member)))
    }
}

impl MembershipHandle {
    /// The node leaves for good: others take on its partitions, and no more calls are sent to it. Returns when the lease
    /// is given up, or after a second: then it runs out by itself.
    pub async fn leave(&self) {
        self.0.send_replace(MembershipState::Leaving);
        let mut stay = self.0.subscribe();
        let _ = tokio::time::timeout(LEAVE_WITHIN, stay.wait_for(|stay| *stay == MembershipState::Left)).await;
    }
}

/// Keeps the lease.
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
        tracing::warn!(%error, "nodes that are long gone stay on the list for now");
    }
    let mut stay = membership.0.subscribe();
    while *stay.borrow_and_update() == MembershipState::Member {
        stats.step();
        let begun = Instant::now();
        let wait = stats.progress().watch(look(&db, &members)).await.unwrap_or_else(|error| {
            stats.failed();
            tracing::warn!(%error, "the lease can't be renewed for the moment");
            RENEW_EVERY
        });
        let _ = tokio::time::timeout_at(begun + wait, stay.changed()).await;
    }
    members.set(Vec::new());
    if let Err(error) = nodes::release(&db, &members.node().member()).await {
        tracing::warn!(%error, "the lease could not be given up: it runs out");
    }
    membership.0.send_replace(MembershipState::Left);
}

/// Renews the lease and looks who lives; answers how long after its beginning to look again. While the database is away the
/// last look counts: nobody can do anything.
async fn look(db: &Db, members: &Members) -> Result<Duration, StoreError> {
    let begun = Instant::now();
    let me = members.node().member();
    if !nodes::renew(db, &me, LASTS).await? {
        metrics::counter!("kizuna_lease_refused_total").increment(1);
        tracing::warn!(node = me.id, "another process has this node's name: its lease must run out first");
    }
    let leases = nodes::leases(db).await?;
    let others = leases.iter().filter(|lease| lease.member.incarnation != me.incarnation);
    let first_over = others.map(|lease| begun.elapsed() + lease.left()).min();
    members.set(leases.into_iter().map(|lease| lease.member).collect());
    Ok(first_over.map_or(RENEW_EVERY, |over| over.min(RENEW_EVERY)))
}
