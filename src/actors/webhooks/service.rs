//! The service of webhooks: what the API and the console ask. Every node has it.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::try_join_all;

use crate::actors::webhooks::aggregate::WebhookAggregate;
use crate::actors::webhooks::secrets;
use crate::persistence::webhook_deliveries as deliveries;
use crate::persistence::webhooks as queries;
use crate::persistence::webhooks::Position;
use domain::api_key::event_scopes::of_event;
use domain::webhook::address::AddressPolicy;
use domain::webhook::delivery::{Delivery, delivery_id};
use domain::webhook::messages::{
    Begun, ChangeWebhook, CountDeliveries, CreateWebhook, DeleteWebhook, DeliveryReading, FindWebhook,
    ListDeliveries, ListWebhooks, PingWebhook, Redeliver, ReplayWebhook, RotateSecret, WithSecret,
};
use domain::webhook::record::{Webhook, WebhookView};
use domain::webhook::rules::{
    WEBHOOKS_MAX, WebhookCommand, WebhookPinged, check_changes, check_new, may_manage,
};
use domain::webhook::wanted::may_send;
use kernel::clock::Clock;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::event::{Event, raw};
use kernel::ids::{Id, new_id};
use kernel::page::Page;
use runtime::entity::Entities;
use runtime::journal::Journal;
use runtime::prepared::Prepared;
use runtime::serve;
use store::idempotency::{FirstAnswer, unless_stale};
use store::unit_of_work::{CommitError, UnitOfWork};
use store::vault::Vault;
use store::{Db, log};

/// How often a change is decided again because a row changed meanwhile.
const ATTEMPTS: usize = 5;

/// The logic of the service.
pub struct WebhookService {
    pub db: Db,
    pub journal: Journal,
    pub clock: Clock,
    pub webhooks: Entities<WebhookAggregate>,
    pub vault: Vault,
    pub policy: AddressPolicy,
}

impl WebhookService {
    async fn create(&self, create: CreateWebhook) -> Result<WithSecret, Error> {
        may_manage(&create.context.caller)?;
        let new = check_new(create.new, self.policy)?;
        may_send(&create.context.caller, &new.event_types)?;
        let heads = log::heads(&self.db).await?;
        for _ in 0..WEBHOOKS_MAX {
            let (id, place) = (new_id(), self.free_place().await?);
            let (secret, sealed) = secrets::first(&self.vault, id);
            let mut prepared = Prepared::from(create.context.clone());
            prepared.with.writes.push(sealed.write());
            prepared.with.writes.extend(queries::begin(id, &heads));
            let command = WebhookCommand::Create { new: new.clone(), place };
            match self.webhooks.create(id, command, prepared).await {
                // Another one took the place.
                Err(error) if error.code == ErrorCode::TooManyWebhooks => {}
                Err(error) => return Err(error),
                Ok(made) => return Ok(WithSecret { webhook: (*made).clone(), secret: secret.text() }),
            }
        }
        Err(Error::overloaded())
    }

    async fn free_place(&self) -> Result<i64, Error> {
        let taken: Vec<i64> = queries::all(&self.db).await?.iter().map(|webhook| webhook.place).collect();
        let free = (0..WEBHOOKS_MAX).find(|place| !taken.contains(place));
        free.ok_or_else(|| Error::new(ErrorCode::TooManyWebhooks))
    }

    async fn change(&self, change: ChangeWebhook) -> Result<Webhook, Error> {
        may_manage(&change.context.caller)?;
        let changes = check_changes(change.changes, self.policy)?;
        let stored = self.find(change.id).await?;
        may_send(&change.context.caller, changes.event_types.as_ref().unwrap_or(&stored.event_types))?;
        for attempt in 1.. {
            let mut prepared = Prepared::from(change.context.clone());
            let before = self.webhooks.get(change.id).await?;
            let enables = changes.enabled == Some(true) && before.is_some_and(|it| !it.is_enabled());
            if enables {
                prepared.with.writes = self.to_the_heads(change.id).await?;
            }
            let command = WebhookCommand::Change(changes.clone());
            match self.webhooks.execute(change.id, command, prepared).await {
                // A lane that has not ended yet has moved a position.
                Err(error) if enables && error.is_passing() && attempt < ATTEMPTS => {}
                done => return done.map(|after| (*after).clone()),
            }
        }
        Err(Error::overloaded())
    }

    /// What happened while a webhook was disabled is passed over.
    async fn to_the_heads(&self, id: Id) -> Result<Vec<store::unit_of_work::Write>, Error> {
        let heads: HashMap<i64, i64> = log::heads(&self.db).await?.into_iter().collect();
        let positions = queries::positions(&self.db, id).await?;
        let moved = |it: &Position| it.moved(heads.get(&it.partition).copied().unwrap_or(it.position));
        Ok(positions.iter().map(|position| moved(position).write()).collect())
    }

    async fn rotate(&self, rotate: RotateSecret) -> Result<WithSecret, Error> {
        may_manage(&rotate.context.caller)?;
        for _ in 0..ATTEMPTS {
            let sealed = queries::secrets(&self.db, rotate.id).await?;
            let sealed = sealed.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
            let (secret, row) = secrets::rotated(&self.vault, &sealed, self.clock.now());
            let mut prepared = Prepared::from(rotate.context.clone());
            prepared.with.writes.push(row.write());
            match self.webhooks.execute(rotate.id, WebhookCommand::RotateSecret, prepared).await {
                Err(error) if error.is_passing() => {}
                Err(error) => return Err(error),
                Ok(webhook) => return Ok(WithSecret { webhook: (*webhook).clone(), secret: secret.text() }),
            }
        }
        Err(Error::overloaded().with_cause("the webhook changed each time before its secret was replaced"))
    }

    async fn remove(&self, delete: DeleteWebhook) -> Result<(), Error> {
        may_manage(&delete.context.caller)?;
        self.webhooks.execute(delete.id, WebhookCommand::Delete, delete.context).await.map(drop)
    }

    async fn find(&self, id: Id) -> Result<Webhook, Error> {
        let found = self.webhooks.get(id).await?.filter(|webhook| webhook.deleted_at.is_none());
        found.map(|webhook| (*webhook).clone()).ok_or_else(|| Error::new(ErrorCode::NotFound))
    }

    async fn find_enabled(&self, id: Id) -> Result<Webhook, Error> {
        let webhook = self.find(id).await?;
        if webhook.is_enabled() { Ok(webhook) } else { Err(Error::new(ErrorCode::WebhookDisabled)) }
    }

    async fn ping(&self, ping: PingWebhook) -> Result<Begun, Error> {
        may_manage(&ping.context.caller)?;
        let (webhook, now) = (self.find_enabled(ping.id).await?, self.clock.now());
        let event = Event::new(&WebhookPinged(&webhook), new_id(), 1, now, &ping.context);
        let begun = Begun { id: webhook.id, delivery_id: Some(delivery_id(webhook.id, event.id)) };
        let mut unit = UnitOfWork { events: vec![event], ..UnitOfWork::default() };
        self.answer_first(&mut unit, &ping.context, webhook.id, &begun);
        match self.journal.commit(unit).await {
            Ok(_) => Ok(begun),
            Err(CommitError::Stale(_)) => Err(Error::new(ErrorCode::RequestInFlight)),
            Err(error) => Err(error.into()),
        }
    }

    /// Stores the first answer under an `Idempotency-Key` with what it answers.
    fn answer_first(&self, unit: &mut UnitOfWork, context: &Context, id: Id, answer: &impl serde::Serialize) {
        if let Some(claim) = &context.claim {
            unit.writes.push(FirstAnswer::new(claim, id, None, raw(answer), self.clock.now()).write());
        }
    }

    async fn redeliver(&self, redeliver: Redeliver) -> Result<Begun, Error> {
        may_manage(&redeliver.context.caller)?;
        self.find(redeliver.webhook).await?;
        for _ in 0..ATTEMPTS {
            let found = deliveries::find(&self.db, redeliver.webhook, redeliver.id).await?;
            let found = found.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
            let again = found.again(self.clock.now());
            let positions = queries::positions(&self.db, redeliver.webhook).await?;
            let position = positions.iter().find(|it| it.partition == found.partition);
            let position = position.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
            // A new revision tells the node that sends.
            let writes = vec![deliveries::replace(&again), position.moved(position.position).write()];
            let mut unit = UnitOfWork { writes, ..UnitOfWork::default() };
            let begun = Begun { id: redeliver.webhook, delivery_id: Some(again.id) };
            self.answer_first(&mut unit, &redeliver.context, begun.id, &begun);
            if unless_stale(self.journal.commit(unit).await)?.is_some() {
                return Ok(begun);
            }
        }
        Err(Error::overloaded().with_cause("the delivery changed each time before it was sent again"))
    }

    async fn replay(&self, replay: ReplayWebhook) -> Result<Begun, Error> {
        may_manage(&replay.context.caller)?;
        self.find_enabled(replay.id).await?;
        let begun = Begun { id: replay.id, delivery_id: None };
        for _ in 0..ATTEMPTS {
            let positions = queries::positions(&self.db, replay.id).await?;
            let back = positions.into_iter().map(async |position| {
                let (partition, head) = (position.partition, position.position);
                let before = log::position_before(&self.db, partition, head, replay.order.from).await?;
                let from = position.replay_from.map_or(replay.order.from, |from| from.min(replay.order.from));
                // Those that are not replayed are passed over by their time.
                Ok::<_, Error>(Position {
                    position: before,
                    replay_from: Some(from),
                    revision: position.revision + 1,
                    ..position
                })
            });
            let back = try_join_all(back).await?;
            let writes = back.iter().map(Position::write).collect();
            let mut unit = UnitOfWork { writes, ..UnitOfWork::default() };
            self.answer_first(&mut unit, &replay.context, replay.id, &begun);
            if unless_stale(self.journal.commit(unit).await)?.is_some() {
                return Ok(begun);
            }
        }
        Err(Error::overloaded().with_cause("the webhook moved on each time before it was replayed"))
    }

    async fn list_deliveries(&self, list: ListDeliveries) -> Result<Page<DeliveryReading>, Error> {
        may_manage(&list.caller)?;
        self.find(list.webhook).await?;
        let Page { items, prev, next, total } =
            deliveries::list(&self.db, list.webhook, list.state, &list.page).await?;
        let ids: Vec<Id> = items.iter().map(|delivery| delivery.event_id).collect();
        let events = log::by_ids(&self.db, &ids).await?;
        let events: HashMap<Id, _> = events.into_iter().map(|event| (event.event.id, event)).collect();
        let whole = |delivery: Delivery| {
            let event = events.get(&delivery.event_id).cloned();
            let lost = || Error::internal("the log has lost a delivery's event");
            Ok(DeliveryReading { event: event.ok_or_else(lost)?, delivery })
        };
        let mut items = items.into_iter().map(whole).collect::<Result<Vec<_>, Error>>()?;
        // A delivery shows the event that was sent.
        items.retain(|reading| list.caller.scopes.covers(of_event(&reading.event)));
        Ok(Page { items, prev, next, total })
    }
}

serve!(WebhookService, {
    CreateWebhook => |service, message| WithSecret { service.create(message).await },
    ChangeWebhook => |service, message| Webhook { service.change(message).await },
    RotateSecret => |service, message| WithSecret { service.rotate(message).await },
    DeleteWebhook => |service, message| () { service.remove(message).await },
    FindWebhook => |service, message| Webhook {
        may_manage(&message.caller)?;
        service.find(message.id).await
    },
    ListWebhooks => |service, message| Page<WebhookView> {
        may_manage(&message.caller)?;
        let page = queries::list(&service.db, &message.page).await?;
        Ok(page.view(WebhookView::from))
    },
    ListDeliveries => |service, message| Page<DeliveryReading> { service.list_deliveries(message).await },
    PingWebhook => |service, message| Begun { service.ping(message).await },
    Redeliver => |service, message| Begun { service.redeliver(message).await },
    ReplayWebhook => |service, message| Begun { service.replay(message).await },
    CountDeliveries => |service, message| BTreeMap<Id, (i64, i64)> {
        may_manage(&message.caller)?;
        Ok(deliveries::counts(&service.db).await?)
    },
});
