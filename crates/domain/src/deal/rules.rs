//! The rules of deals. Pure.

use serde_json::value::RawValue;

use crate::deal::record::{Deal, DealChanges, DealPayload, NewDeal};
use crate::deal::stage::DealStage;
use crate::deal::validation::reason_fault;
use crate::events as catalogue;
use crate::money::CURRENCY_DEFAULT;
use crate::undo::revert::{check_revert, take_back};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use kernel::ids::Id;
use kernel::validation::{Checked, set};

/// The reason of a deal that was lost because its customer was deleted. The console says it in the reader's language.
pub const CUSTOMER_DELETED: &str = "customer_deleted";

/// The commands of a deal.
#[derive(Debug)]
pub enum DealCommand {
    Create(Checked<NewDeal>),
    Change(Checked<DealChanges>),
    Delete,
    /// A deleted user's deal goes to the successor.
    HandOver {
        from: Id,
        to: Id,
    },
    /// Its customer was deleted: it is lost, if it is open and still that customer's.
    Close {
        customer_id: Id,
    },
    /// A merged customer's deal goes to the other customer.
    Move {
        from: Id,
        to: Id,
    },
    /// Becomes again what it was: `None` if it did not exist.
    Revert {
        to: Option<Box<Deal>>,
    },
}

/// What changed in a deal beside its state.
#[derive(Debug)]
pub struct Changed {
    pub fields: Vec<&'static str>,
    pub previous_owner_id: Option<Id>,
    pub previous_stage: Option<DealStage>,
}

/// What happened to a deal, with the deal after it.
#[derive(Debug)]
pub enum DealEvent {
    Created(Deal),
    Updated(Deal, Changed),
    /// The deal became WON; other fields may have changed with it.
    Won(Deal, Changed),
    /// The deal became LOST; other fields may have changed with it.
    Lost(Deal, Changed),
    Deleted(Deal),
    Restored(Deal),
}

/// The events that a command leads to.
///
/// # Errors
/// `not_found` (also if the caller may not see it), `forbidden`, `deal_closed`; `invalid_fields` for a reason that does not fit
/// the stage.
pub fn decide(
    state: Option<&Deal>,
    command: &DealCommand,
    caller: &Caller,
    id: Id,
    now: Timestamp,
) -> Result<Vec<DealEvent>, Error> {
    if let (DealCommand::Create(new), None) = (command, state) {
        caller.may_set_owner(new.owner_id)?;
        return create(new, caller, id, now);
    }
    if let (DealCommand::Revert { to }, Some(deal)) = (command, state) {
        return Ok(revert(deal, to.as_deref(), caller, now)?.into_iter().collect());
    }
    let deal = visible(state, caller)?;
    let event = match command {
        DealCommand::Create(_) => return Err(Error::internal("a second creation of one deal")),
        DealCommand::Change(changes) => {
            caller.may_set_owner(changes.owner_id)?;
            change(deal, changes, now)?
        }
        DealCommand::HandOver { from, to } if deal.owner_id == *from => {
            change(deal, &DealChanges { owner_id: Some(*to), ..DealChanges::default() }, now)?
        }
        DealCommand::Close { customer_id } if deal.stage.is_open() && deal.customer_id == *customer_id => {
            let lost_reason = Some(Some(CUSTOMER_DELETED.to_owned()));
            let stage = Some(DealStage::Lost);
            change(deal, &DealChanges { stage, lost_reason, ..DealChanges::default() }, now)?
        }
        DealCommand::Move { from, to } if deal.customer_id == *from => {
            change(deal, &DealChanges { customer_id: Some(*to), ..DealChanges::default() }, now)?
        }
        DealCommand::HandOver { .. } | DealCommand::Move { .. } | DealCommand::Close { .. } => None,
        DealCommand::Delete => Some(deleted(deal, now)),
        DealCommand::Revert { .. } => {
            return Err(Error::internal("a deal that there is was reverted above"));
        }
    };
    Ok(event.into_iter().collect())
}

fn deleted(deal: &Deal, now: Timestamp) -> DealEvent {
    DealEvent::Deleted(Deal { deleted_at: Some(now), ..touched(deal, now) })
}

/// What leads back to `to`, from whatever stage.
///
/// # Errors
/// `not_found` if the caller may see neither what it is nor what it was; `forbidden` if it would get another owner.
fn revert(
    deal: &Deal,
    to: Option<&Deal>,
    caller: &Caller,
    now: Timestamp,
) -> Result<Option<DealEvent>, Error> {
    check_revert(caller, deal.owner_id, to.map(|to| to.owner_id))?;
    let is_live = deal.deleted_at.is_none();
    let Some(to) = to.filter(|to| to.deleted_at.is_none()) else {
        return Ok(is_live.then(|| deleted(deal, now)));
    };
    let mut after = touched(deal, now);
    let mut fields = Vec::new();
    take_back!(
        after,
        to,
        fields,
        [
            customer_id,
            title,
            amount,
            currency,
            stage,
            probability,
            expected_on,
            lost_reason,
            closed_at,
            owner_id
        ]
    );
    if !is_live {
        return Ok(Some(DealEvent::Restored(Deal { deleted_at: None, ..after })));
    }
    Ok((!fields.is_empty()).then(|| moved(deal, after, fields)))
}

/// The deal, if it is not deleted and the caller may see it.
///
/// # Errors
/// `not_found`.
pub fn visible<'a>(state: Option<&'a Deal>, caller: &Caller) -> Result<&'a Deal, Error> {
    let seen = state.filter(|deal| deal.deleted_at.is_none() && caller.sees(deal.owner_id));
    seen.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

/// Whether changes open a deal again that was won or lost.
pub fn reopens(deal: &Deal, changes: &DealChanges) -> bool {
    !deal.stage.is_open() && changes.stage.is_some_and(DealStage::is_open)
}

/// A deal that is created as WON or LOST emits created and what it became, so that its history and the figures have it.
fn create(new: &NewDeal, caller: &Caller, id: Id, now: Timestamp) -> Result<Vec<DealEvent>, Error> {
    let wanted = new.stage.unwrap_or(DealStage::Qualify);
    let stage = if wanted.is_open() { wanted } else { DealStage::Qualify };
    let given = new.probability.filter(|_| wanted == stage).map(|probability| probability.0);
    let deal = Deal {
        id,
        version: 1,
        created_at: now,
        updated_at: now,
        customer_id: new.customer_id,
        title: new.title.clone(),
        amount: new.amount.0,
        currency: new.currency.clone().unwrap_or_else(|| CURRENCY_DEFAULT.to_owned()),
        stage,
        probability: given.unwrap_or(stage.probability()),
        expected_on: new.expected_on,
        lost_reason: None,
        closed_at: None,
        owner_id: new.owner_id.unwrap_or(caller.user_id),
        deleted_at: None,
    };
    let closing = DealChanges {
        stage: Some(wanted),
        probability: new.probability,
        lost_reason: new.lost_reason.clone().map(Some),
        ..DealChanges::default()
    };
    let closed = change(&deal, &closing, now)?;
    Ok([DealEvent::Created(deal)].into_iter().chain(closed).collect())
}

fn touched(deal: &Deal, now: Timestamp) -> Deal {
    Deal { version: deal.version + 1, updated_at: now, ..deal.clone() }
}

/// Returns `None` if every field has its wanted value already.
fn change(deal: &Deal, wanted: &DealChanges, now: Timestamp) -> Result<Option<DealEvent>, Error> {
    let stage = wanted.stage.unwrap_or(deal.stage);
    deal.stage.check_move(stage)?;
    let is_moved = stage != deal.stage;
    let mut after = touched(deal, now);
    let mut fields = Vec::new();
    set(&mut after.customer_id, wanted.customer_id, "customer_id", &mut fields);
    set(&mut after.title, wanted.title.clone(), "title", &mut fields);
    set(&mut after.amount, wanted.amount.map(|amount| amount.0), "amount", &mut fields);
    set(&mut after.currency, wanted.currency.clone(), "currency", &mut fields);
    set(&mut after.stage, wanted.stage, "stage", &mut fields);
    let probability = wanted.probability.map(|probability| probability.0);
    let probability = probability.or_else(|| is_moved.then(|| stage.probability()));
    set(&mut after.probability, probability, "probability", &mut fields);
    set(&mut after.expected_on, wanted.expected_on, "expected_on", &mut fields);
    set(&mut after.lost_reason, Some(reason(deal, stage, wanted)?), "lost_reason", &mut fields);
    let closed_at = is_moved.then(|| (!stage.is_open()).then_some(now));
    set(&mut after.closed_at, closed_at, "closed_at", &mut fields);
    set(&mut after.owner_id, wanted.owner_id, "owner_id", &mut fields);
    Ok((!fields.is_empty()).then(|| moved(deal, after, fields)))
}

/// The event of these changed fields, by the stage to which the deal has moved, if it has.
fn moved(deal: &Deal, after: Deal, fields: Vec<&'static str>) -> DealEvent {
    let is_moved = after.stage != deal.stage;
    let changed = Changed {
        fields,
        previous_owner_id: (after.owner_id != deal.owner_id).then_some(deal.owner_id),
        previous_stage: is_moved.then_some(deal.stage),
    };
    match after.stage {
        DealStage::Won if is_moved => DealEvent::Won(after, changed),
        DealStage::Lost if is_moved => DealEvent::Lost(after, changed),
        _ => DealEvent::Updated(after, changed),
    }
}

/// The reason that the deal has after these changes. A move away from LOST takes it away.
fn reason(deal: &Deal, stage: DealStage, wanted: &DealChanges) -> Result<Option<String>, Error> {
    let kept = || deal.lost_reason.clone().filter(|_| stage == DealStage::Lost);
    let reason = wanted.lost_reason.clone().unwrap_or_else(kept);
    match reason_fault(stage, reason.as_deref()) {
        Some(code) => Err(Error::field("lost_reason", code)),
        None => Ok(reason),
    }
}

impl StateAfter for DealEvent {
    type State = Deal;

    fn after(&self) -> &Deal {
        match self {
            Self::Created(after)
            | Self::Updated(after, _)
            | Self::Won(after, _)
            | Self::Lost(after, _)
            | Self::Deleted(after)
            | Self::Restored(after) => after,
        }
    }
}

impl DomainEvent for DealEvent {
    fn event_type(&self) -> EventType {
        match self {
            Self::Created(_) => catalogue::DEAL_CREATED,
            Self::Updated(..) => catalogue::DEAL_UPDATED,
            Self::Won(..) => catalogue::DEAL_WON,
            Self::Lost(..) => catalogue::DEAL_LOST,
            Self::Deleted(_) => catalogue::DEAL_DELETED,
            Self::Restored(_) => catalogue::DEAL_RESTORED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let (deal, changed) = match self {
            Self::Created(after) | Self::Deleted(after) | Self::Restored(after) => (after, None),
            Self::Updated(after, changed) | Self::Won(after, changed) | Self::Lost(after, changed) => {
                (after, Some(changed))
            }
        };
        let fields = changed.map(|changed| changed.fields.iter().map(|name| (*name).to_owned()).collect());
        raw(&DealPayload {
            deal: deal.clone(),
            changed: fields.unwrap_or_default(),
            previous_owner_id: changed.and_then(|changed| changed.previous_owner_id),
            previous_stage: changed.and_then(|changed| changed.previous_stage),
        })
    }
}
