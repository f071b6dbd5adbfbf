//! The progress of deals, folded from their events: what the funnel and the age of stages are made of.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::persistence::deal_reports::{DEAL_PROGRESS, progress};
use domain::deal::progress::DealProgress;
use domain::deal::record::DealPayload;
use domain::events::{DEAL_CREATED, DEAL_LOST, DEAL_UPDATED, DEAL_WON};
use domain::service_name::ServiceName;
use kernel::event::{EventType, LoggedEvent};
use kernel::ids::Id;
use kernel::service_id::ServiceId;
use runtime::consumer::{Consumer, EffectError};
use store::Db;
use store::unit_of_work::{UnitOfWork, Write};

/// The consumer that keeps the progress.
pub struct DealProgressConsumer;

impl Consumer for DealProgressConsumer {
    const SERVICE: Option<ServiceId> = Some(ServiceName::Opportunity.id());
    const NAME: &'static str = "opportunity.progress";
    const TYPES: &'static [EventType] = &[DEAL_CREATED, DEAL_UPDATED, DEAL_WON, DEAL_LOST];

    async fn effect(&self, db: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let ids: BTreeSet<Id> = events.iter().map(|event| event.event.subject).collect();
        let mut known = progress(db, &ids.into_iter().collect::<Vec<_>>()).await?;
        for event in events {
            let payload: DealPayload = event.payload()?;
            let before = known.remove(&payload.deal.id);
            let after = DealProgress::after(before, &payload, event.event.time);
            known.insert(after.id, after);
        }
        let writes =
            known.values().map(|progress| Write::put(&DEAL_PROGRESS, progress.id, progress)).collect();
        Ok(UnitOfWork { writes, ..UnitOfWork::default() })
    }
}
