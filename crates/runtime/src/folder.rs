//! Adds up, in batches beside the journal, the rows that transactions only append.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use futures_util::future::BoxFuture;

use crate::stats::ActorStats;
use crate::supervisor::LivenessGuard;
use store::folds::Folded;
use store::{Db, StoreError};

/// The pause between two rounds, while little is appended and while much is.
const EVERY: Duration = Duration::from_secs(1);
const EVERY_UNDER_LOAD: Duration = Duration::from_millis(100);

/// What is folded: the value of `of` in the metric `kizuna_unfolded_rows`, and the work of a batch.
#[derive(Clone, Copy)]
pub struct Fold {
    pub name: &'static str,
    pub batch: fn(Db) -> BoxFuture<'static, Result<Folded, StoreError>>,
}

/// Works off what was appended. Every node has one; of several that try at the same time, one folds.
pub struct FolderActor {
    db: Db,
    folds: Vec<Fold>,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl FolderActor {
    pub fn new(db: Db, folds: Vec<Fold>, liveness: LivenessGuard, stats: Arc<ActorStats>) -> Self {
        Self { db, folds, stats, _liveness: liveness }
    }
}

impl Actor for FolderActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (db, folds, stats) = (self.db.clone(), self.folds.clone(), self.stats.clone());
        let work = async move {
            let mut failed = vec![false; folds.len()];
            let mut pause = EVERY;
            loop {
                tokio::time::sleep(pause).await;
                stats.step();
                let mut is_loaded = false;
                for (fold, failed) in folds.iter().zip(&mut failed) {
                    match stats.progress().watch(round(&db, *fold)).await {
                        Ok(folded) => {
                            *failed = false;
                            is_loaded |= folded;
                        }
                        // Answers stay right, and become slower: said once, until it works again.
                        Err(error) if !*failed => {
                            *failed = true;
                            let fold = fold.name;
                            tracing::warn!(fold, %error, "appended rows are not added up; trying again every second");
                        }
                        Err(_) => {}
                    }
                }
                pause = if is_loaded { EVERY_UNDER_LOAD } else { EVERY };
            }
        };
        ctx.spawn(work.into_actor(self));
    }
}

/// Folds batches until few rows are left; returns whether there was one.
async fn round(db: &Db, fold: Fold) -> Result<bool, StoreError> {
    let mut is_first = true;
    loop {
        let done = (fold.batch)(db.clone()).await?;
        metrics::gauge!("kizuna_unfolded_rows", "of" => fold.name).set((done.waiting - done.folded) as f64);
        if !done.is_behind() {
            return Ok(done.folded > 0 || !is_first);
        }
        crate::progress::made();
        is_first = false;
    }
}
