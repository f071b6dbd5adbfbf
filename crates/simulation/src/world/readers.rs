//! Subscribers of a node: one checks that what is published is in the log, the other reads the log live, as sockets do.

use runtime::log_order::LogOrder;
use runtime::registry::{Filter, Registry};
use store::cursors::{Parked, parked};
use store::{Db, log};

use crate::ledger::consumers::CONSUMERS;
use crate::model::{Model, broken};
use crate::world::run::World;

/// Deliveries that may wait.
const CAPACITY: usize = 4;
/// Events that are read at once.
const PAGE: i64 = 50;

/// Starts both for a node.
pub fn start(world: &World, registry: &Registry, db: &Db) {
    actix::spawn(watch(world.model.clone(), registry.clone()));
    actix::spawn(read(world.model.clone(), registry.clone(), db.clone()));
}

async fn watch(model: Model, registry: Registry) {
    let Ok(mut deliveries) = registry.subscribe(Filter::All, CAPACITY).await else { return };
    while let Some(batch) = deliveries.recv().await {
        batch.events.iter().for_each(|event| model.published(event));
    }
}

/// Reads from the beginning on: what waits behind a gap comes when the gap was read from the log.
async fn read(model: Model, registry: Registry, db: Db) {
    let Ok(mut deliveries) = registry.subscribe(Filter::All, CAPACITY).await else { return };
    let (mut order, mut last) = (LogOrder::after(0), 0);
    while let Some(batch) = deliveries.recv().await {
        let mut next = order.take(&batch);
        while order.has_gap() {
            take(&model, &mut last, std::mem::take(&mut next).iter().map(|event| event.log_seq));
            let Ok(missed) = log::since(&db, order.position(), PAGE).await else { break };
            take(&model, &mut last, missed.iter().map(|event| event.log_seq));
            next = match missed.last().and_then(|event| event.log_seq) {
                Some(number) => order.advance(number),
                None => break,
            };
        }
        take(&model, &mut last, next.iter().map(|event| event.log_seq));
    }
}

fn take(model: &Model, last: &mut i64, numbers: impl Iterator<Item = Option<i64>>) {
    for number in numbers.flatten() {
        if number != *last + 1 {
            let what = format!("{number} comes after {last}");
            model.expect(broken("live readers see every event in order", what));
        }
        *last = number;
    }
}

/// What consumers have given up, and what still waits.
pub async fn all_parked(db: &Db) -> Vec<Parked> {
    let mut all = Vec::new();
    for (consumer, _) in CONSUMERS {
        all.extend(parked(db, consumer, PAGE).await.unwrap_or_default());
    }
    all
}
