//! The rules of customers. Pure.

use crate::customer::merge::MergeChoice;
use crate::customer::record::{Customer, CustomerPayload};
use crate::events as catalogue;
use crate::undo::revert::{check_revert, take_back};
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use serde_json::value::RawValue;

use crate::customer::record::{CustomerChanges, NewCustomer};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::ids::Id;
use kernel::text_schemas::{Line, Name, Notes, Phone};
use kernel::validation::{Checked, Rules, Validator, faults_of, set};

/// The commands of a customer.
#[derive(Debug)]
pub enum CustomerCommand {
    Create(Checked<NewCustomer>),
    Change(Checked<CustomerChanges>),
    /// With the saga that deletes the records which refer to it.
    Delete {
        saga_id: Id,
    },
    /// A deleted user's customer goes to the successor.
    HandOver {
        from: Id,
        to: Id,
    },
    /// Goes into another customer, with the saga that moves the records which refer to it.
    MergeInto {
        into: Id,
        saga_id: Id,
    },
    /// Becomes again what it was: `None` if it did not exist.
    Revert {
        to: Option<Box<Customer>>,
        /// The saga of what goes with it when it is deleted, merged or restored by this.
        saga_id: Id,
        /// The saga that a restoration undoes.
        undoes: Id,
    },
}

/// What happened to a customer, with the customer after it.
#[derive(Debug)]
pub enum CustomerEvent {
    Created(Customer),
    Updated { after: Customer, changed: Vec<&'static str>, previous_owner_id: Option<Id> },
    Deleted { after: Customer, saga_id: Id },
    Merged { after: Customer, into: Id, saga_id: Id, undoes: Option<Id> },
    Restored { after: Customer, saga_id: Id, undoes: Id },
}

/// The rules of the fields, for a new customer and for changes alike.
macro_rules! check_fields {
    ($body:expr) => {{
        let (mut validator, mut body) = (Validator::default(), $body);
        validator.required::<Name>("name", &mut body.name);
        validator.optional::<Line>("kana", &mut body.kana);
        validator.optional_email("email", &mut body.email);
        validator.optional::<Phone>("phone", &mut body.phone);
        validator.optional::<Line>("company", &mut body.company);
        validator.optional::<Notes>("notes", &mut body.notes);
        validator.ok(body)
    }};
}

/// Checks a new customer.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_new(new: NewCustomer) -> Result<Checked<NewCustomer>, Error> {
    check_fields!(new)
}

/// Checks changes of a customer.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_changes(changes: CustomerChanges) -> Result<Checked<CustomerChanges>, Error> {
    check_fields!(changes)
}

impl Rules for NewCustomer {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_new(self))
    }
}

impl Rules for CustomerChanges {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_changes(self))
    }
}

/// The events that a command leads to.
///
/// # Errors
/// `not_found` (also if the caller may not see it), `forbidden`.
pub fn decide(
    state: Option<&Customer>,
    command: &CustomerCommand,
    caller: &Caller,
    id: Id,
    now: Timestamp,
) -> Result<Vec<CustomerEvent>, Error> {
    if let (CustomerCommand::Create(new), None) = (command, state) {
        caller.may_set_owner(new.owner_id)?;
        return Ok(vec![CustomerEvent::Created(created(new, caller, id, now))]);
    }
    if let (CustomerCommand::Revert { to, saga_id, undoes }, Some(customer)) = (command, state) {
        return Ok(revert(customer, to.as_deref(), (*saga_id, *undoes), caller, now)?.into_iter().collect());
    }
    let customer = visible(state, caller)?;
    match command {
        CustomerCommand::Create(_) => Err(Error::internal("a second creation of one customer")),
        CustomerCommand::Change(changes) => {
            caller.may_set_owner(changes.owner_id)?;
            Ok(change(customer, changes, now).into_iter().collect())
        }
        CustomerCommand::Delete { saga_id } => {
            let after = Customer { deleted_at: Some(now), ..touched(customer, now) };
            Ok(vec![CustomerEvent::Deleted { after, saga_id: *saga_id }])
        }
        CustomerCommand::HandOver { from, to } => {
            let changes = CustomerChanges { owner_id: Some(*to), ..CustomerChanges::default() };
            let moved = (customer.owner_id == *from).then(|| change(customer, &changes, now));
            Ok(moved.flatten().into_iter().collect())
        }
        CustomerCommand::MergeInto { into, saga_id } => {
            Ok(vec![merged(customer, *into, (*saga_id, None), now)])
        }
        CustomerCommand::Revert { .. } => Err(Error::internal("a customer that there is was reverted above")),
    }
}

fn merged(
    customer: &Customer,
    into: Id,
    (saga_id, undoes): (Id, Option<Id>),
    now: Timestamp,
) -> CustomerEvent {
    let after = Customer { deleted_at: Some(now), merged_into: Some(into), ..touched(customer, now) };
    CustomerEvent::Merged { after, into, saga_id, undoes }
}

/// What leads back to `to`.
///
/// # Errors
/// `not_found` if the caller may see neither what it is nor what it was; `forbidden` if it would get another owner.
fn revert(
    customer: &Customer,
    to: Option<&Customer>,
    (saga_id, undoes): (Id, Id),
    caller: &Caller,
    now: Timestamp,
) -> Result<Option<CustomerEvent>, Error> {
    check_revert(caller, customer.owner_id, to.map(|to| to.owner_id))?;
    let is_live = customer.deleted_at.is_none();
    Ok(match to {
        Some(to) if to.deleted_at.is_none() && is_live => {
            let mut after = touched(customer, now);
            let mut changed = Vec::new();
            take_back!(after, to, changed, [name, kana, email, phone, company, status, notes, owner_id]);
            let previous_owner_id = (after.owner_id != customer.owner_id).then_some(customer.owner_id);
            (!changed.is_empty()).then_some(CustomerEvent::Updated { after, changed, previous_owner_id })
        }
        Some(to) if to.deleted_at.is_none() => {
            let Customer { version, updated_at, .. } = touched(customer, now);
            let after = Customer { version, updated_at, ..to.clone() };
            Some(CustomerEvent::Restored { after, saga_id, undoes })
        }
        Some(Customer { merged_into: Some(into), .. }) if is_live => {
            Some(merged(customer, *into, (saga_id, Some(undoes)), now))
        }
        _ if is_live => {
            let after = Customer { deleted_at: Some(now), ..touched(customer, now) };
            Some(CustomerEvent::Deleted { after, saga_id })
        }
        _ => None,
    })
}

/// The customer after the fields that a merge takes from another one; `None` if it has them all.
pub fn merge_fields(
    customer: &Customer,
    other: &Customer,
    keep: &MergeChoice,
    now: Timestamp,
) -> Option<CustomerEvent> {
    change(customer, &keep.changes(customer, other), now)
}

/// The customer, if it is not deleted and the caller may see it.
///
/// # Errors
/// `not_found`; if it was merged, with the customer into which it has gone.
pub fn visible<'a>(state: Option<&'a Customer>, caller: &Caller) -> Result<&'a Customer, Error> {
    match state.filter(|customer| caller.sees(customer.owner_id)) {
        Some(customer) if customer.deleted_at.is_none() => Ok(customer),
        gone => {
            let merged_into = gone.and_then(|customer| customer.merged_into);
            Err(Error { merged_into, ..Error::new(ErrorCode::NotFound) })
        }
    }
}

/// A customer that is not made yet, to be compared with others.
pub fn sketch(new: NewCustomer, owner: Id) -> Customer {
    let caller = Caller { user_id: owner, ..Caller::system() };
    created(&new, &caller, Id::nil(), Timestamp::from_micros(0))
}

fn created(new: &NewCustomer, caller: &Caller, id: Id, now: Timestamp) -> Customer {
    Customer {
        id,
        version: 1,
        created_at: now,
        updated_at: now,
        name: new.name.clone(),
        kana: new.kana.clone(),
        email: new.email.clone(),
        phone: new.phone.clone(),
        company: new.company.clone(),
        status: new.status.unwrap_or_default(),
        notes: new.notes.clone(),
        owner_id: new.owner_id.unwrap_or(caller.user_id),
        deleted_at: None,
        merged_into: None,
    }
}

fn touched(customer: &Customer, now: Timestamp) -> Customer {
    Customer { version: customer.version + 1, updated_at: now, ..customer.clone() }
}

/// Returns `None` if every field has its wanted value already.
fn change(customer: &Customer, wanted: &CustomerChanges, now: Timestamp) -> Option<CustomerEvent> {
    let mut after = touched(customer, now);
    let mut changed = Vec::new();
    set(&mut after.name, wanted.name.clone(), "name", &mut changed);
    set(&mut after.kana, wanted.kana.clone(), "kana", &mut changed);
    set(&mut after.email, wanted.email.clone(), "email", &mut changed);
    set(&mut after.phone, wanted.phone.clone(), "phone", &mut changed);
    set(&mut after.company, wanted.company.clone(), "company", &mut changed);
    set(&mut after.status, wanted.status, "status", &mut changed);
    set(&mut after.notes, wanted.notes.clone(), "notes", &mut changed);
    set(&mut after.owner_id, wanted.owner_id, "owner_id", &mut changed);
    let previous_owner_id = (after.owner_id != customer.owner_id).then_some(customer.owner_id);
    (!changed.is_empty()).then_some(CustomerEvent::Updated { after, changed, previous_owner_id })
}

impl StateAfter for CustomerEvent {
    type State = Customer;

    fn after(&self) -> &Customer {
        match self {
            Self::Created(after)
            | Self::Updated { after, .. }
            | Self::Deleted { after, .. }
            | Self::Merged { after, .. }
            | Self::Restored { after, .. } => after,
        }
    }
}

impl DomainEvent for CustomerEvent {
    fn event_type(&self) -> EventType {
        match self {
            Self::Created(_) => catalogue::CUSTOMER_CREATED,
            Self::Updated { .. } => catalogue::CUSTOMER_UPDATED,
            Self::Deleted { .. } => catalogue::CUSTOMER_DELETED,
            Self::Merged { .. } => catalogue::CUSTOMER_MERGED,
            Self::Restored { .. } => catalogue::CUSTOMER_RESTORED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let payload = |customer: &Customer| CustomerPayload {
            customer: customer.clone(),
            changed: Vec::new(),
            previous_owner_id: None,
            saga_id: None,
            merged_into: None,
            undoes: None,
        };
        raw(&match self {
            Self::Created(after) => payload(after),
            Self::Deleted { after, saga_id } => CustomerPayload { saga_id: Some(*saga_id), ..payload(after) },
            Self::Merged { after, into, saga_id, undoes } => CustomerPayload {
                saga_id: Some(*saga_id),
                merged_into: Some(*into),
                undoes: *undoes,
                ..payload(after)
            },
            Self::Restored { after, saga_id, undoes } => {
                CustomerPayload { saga_id: Some(*saga_id), undoes: Some(*undoes), ..payload(after) }
            }
            Self::Updated { after, changed, previous_owner_id } => CustomerPayload {
                changed: changed.iter().map(|name| (*name).to_owned()).collect(),
                previous_owner_id: *previous_owner_id,
                ..payload(after)
            },
        })
    }
}
