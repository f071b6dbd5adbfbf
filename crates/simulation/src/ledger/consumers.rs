//! What follows from the ledger's events.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex};

use kernel::context::Context;
use kernel::event::{EventType, LoggedEvent};
use kernel::ids::Id;
use kernel::service_id::ServiceId;
use runtime::consumer::{Consumer, EffectError};
use runtime::entity::Entities;
use serde::{Deserialize, Serialize};
use store::Db;
use store::unit_of_work::{UnitOfWork, Write};

use crate::ledger::account::{Account, AccountCommand, AccountData};
use crate::ledger::service::LEDGER;
use crate::ledger::tables::{EFFECTS, TALLIES};
use crate::ledger::transfer::{Transfer, TransferCommand, TransferState};
use crate::ledger::{ADDED, BEGUN, ENDED, ERASED, GIVEN, OPENED, REFUSED, TAKEN, WRITTEN};

/// The consumers with their types, for the model.
pub const CONSUMERS: [(&str, &[EventType]); 3] =
    [(Movements::NAME, Movements::TYPES), (Tally::NAME, Tally::TYPES), (Copies::NAME, Copies::TYPES)];

#[derive(Serialize)]
struct Effect<'a> {
    id: String,
    consumer: &'a str,
    event_id: Id,
    subject: Id,
    sequence: i64,
    count: i64,
}

/// The write that says that an event took effect.
fn effect(consumer: &str, event: &LoggedEvent) -> Write {
    let event = &event.event;
    let id = format!("{consumer}/{}", event.id);
    let row = Effect {
        id: id.clone(),
        consumer,
        event_id: event.id,
        subject: event.subject,
        sequence: event.sequence,
        count: 1,
    };
    Write::put(&EFFECTS, id, &row)
}

fn effects(consumer: &str, events: &[Arc<LoggedEvent>]) -> UnitOfWork {
    let writes = events.iter().map(|event| effect(consumer, event)).collect();
    UnitOfWork { writes, ..UnitOfWork::default() }
}

/// Carries transfers on: each event leads to the next command, which does no harm if it comes again.
pub struct Movements {
    pub accounts: Entities<Account>,
    pub transfers: Entities<Transfer>,
}

impl Movements {
    async fn carry_on(&self, event: &LoggedEvent) -> Result<(), EffectError> {
        let context = Context::caused_by(&event.event);
        let event_type = event.event.event_type;
        if event_type == BEGUN {
            let Transfer { id, source, amount, .. } = event.payload()?;
            self.accounts.execute(source, AccountCommand::Take { amount, transfer: id }, context).await?;
            return Ok(());
        }
        let AccountData { amount, transfer, .. } = event.payload()?;
        let transfer = transfer.ok_or_else(|| EffectError::Event("no transfer".to_owned()))?;
        if event_type == TAKEN {
            let of = self.transfers.get(transfer).await?;
            let target = of.ok_or_else(|| EffectError::Event("no transfer".to_owned()))?.target;
            self.accounts.execute(target, AccountCommand::Give { amount, transfer }, context).await?;
            return Ok(());
        }
        let state = if event_type == GIVEN { TransferState::Done } else { TransferState::Refused };
        self.transfers.execute(transfer, TransferCommand::End(state), context).await?;
        Ok(())
    }
}

impl Consumer for Movements {
    const SERVICE: Option<ServiceId> = Some(LEDGER);
    const NAME: &'static str = "ledger.movements";
    const TYPES: &'static [EventType] = &[BEGUN, TAKEN, GIVEN, REFUSED];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        for event in events {
            self.carry_on(event).await?;
        }
        Ok(effects(Self::NAME, events))
    }
}

/// By event: how often its effect still fails.
pub type Stubborn = Arc<Mutex<BTreeMap<Id, u32>>>;

/// Adds up what was added to each account. Some events fail for a while.
pub struct Tally {
    /// One in so many events is stubborn; none if it is 0.
    pub one_in: u64,
    pub stubborn: Stubborn,
}

#[derive(Serialize, Deserialize)]
struct TallyRow {
    id: Id,
    version: i64,
    sum: i64,
}

impl Tally {
    /// Whether the effect of an event fails this time. How often it does follows from the event's id.
    fn fails(&self, event: Id) -> bool {
        if self.one_in == 0 || !(event.bits() as u64).is_multiple_of(self.one_in) {
            return false;
        }
        let mut stubborn = self.stubborn.lock().expect("no panic under this lock");
        let left = stubborn.entry(event).or_insert_with(|| (event.bits() >> 32) as u32 % 8 + 1);
        if *left == 0 {
            return false;
        }
        *left -= 1;
        true
    }
}

impl Consumer for Tally {
    const SERVICE: Option<ServiceId> = Some(LEDGER);
    const NAME: &'static str = "ledger.tally";
    const TYPES: &'static [EventType] = &[OPENED, ADDED, TAKEN, GIVEN];

    async fn effect(&self, db: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = effects(Self::NAME, events);
        let mut rows: BTreeMap<Id, (i64, TallyRow)> = BTreeMap::new();
        for event in events {
            if self.fails(event.event.id) {
                return Err(EffectError::Event("stubborn".to_owned()));
            }
            let id = event.event.subject;
            let amount = event.payload::<AccountData>()?.amount;
            let (_, row) = match rows.entry(id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => {
                    let row = db.row(&TALLIES, id).await?.unwrap_or(TallyRow { id, version: 0, sum: 0 });
                    place.insert((row.version, row))
                }
            };
            row.version += 1;
            row.sum += if event.event.event_type == TAKEN { -amount } else { amount };
        }
        let writes = rows.values().map(|(before, row)| Write::put(&TALLIES, row.id, row).expecting(*before));
        unit.writes.extend(writes);
        Ok(unit)
    }
}

/// Copies everything, at every node's own share of the log.
pub struct Copies;

impl Consumer for Copies {
    const SERVICE: Option<ServiceId> = None;
    const NAME: &'static str = "ledger.copies";
    const TYPES: &'static [EventType] =
        &[OPENED, ADDED, TAKEN, GIVEN, REFUSED, BEGUN, ENDED, WRITTEN, ERASED];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        Ok(effects(Self::NAME, events))
    }
}
