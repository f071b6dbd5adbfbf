//! The rules of customers. Pure.

use crate::domain::customer::record::{Customer, CustomerPayload, CustomerStatus};
use crate::domain::events as catalogue;
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use serde_json::value::RawValue;

use crate::domain::customer::messages::{CustomerChanges, NewCustomer};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kernel::validation::{Validator, set};

pub const NAME_MAX: usize = 200;
pub const PHONE_MAX: usize = 50;
pub const NOTES_MAX: usize = 10_000;

/// The commands of a customer.
#[derive(Debug)]
pub enum CustomerCommand {
    Create(CustomerDraft),
    Change(CustomerEdit),
    /// With the saga that deletes the records which refer to it.
    Delete {
        saga_id: Id,
    },
    /// A deleted user's customer goes to the successor.
    HandOver {
        from: Id,
        to: Id,
    },
}

/// A new customer, checked.
#[derive(Debug)]
pub struct CustomerDraft {
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub company: Option<String>,
    pub status: CustomerStatus,
    pub notes: Option<String>,
    pub owner_id: Option<Id>,
}

/// Changes of a customer, checked.
#[derive(Debug, Default)]
pub struct CustomerEdit {
    pub name: Option<String>,
    pub email: Option<Option<String>>,
    pub phone: Option<Option<String>>,
    pub company: Option<Option<String>>,
    pub status: Option<CustomerStatus>,
    pub notes: Option<Option<String>>,
    pub owner_id: Option<Id>,
}

/// What happened to a customer, with the customer after it.
#[derive(Debug)]
pub enum CustomerEvent {
    Created(Customer),
    Updated { after: Customer, changed: Vec<&'static str>, previous_owner_id: Option<Id> },
    Deleted { after: Customer, saga_id: Id },
}

/// Checks a new customer.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_new(new: NewCustomer) -> Result<CustomerDraft, Error> {
    let mut validator = Validator::default();
    let draft = CustomerDraft {
        name: validator.required("name", &new.name, NAME_MAX),
        email: check_email(&mut validator, new.email.as_deref()),
        phone: validator.optional("phone", new.phone.as_deref(), PHONE_MAX),
        company: validator.optional("company", new.company.as_deref(), NAME_MAX),
        status: new.status.unwrap_or_default(),
        notes: validator.optional("notes", new.notes.as_deref(), NOTES_MAX),
        owner_id: new.owner_id,
    };
    validator.ok(draft)
}

/// Checks changes of a customer.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_changes(changes: CustomerChanges) -> Result<CustomerEdit, Error> {
    let mut validator = Validator::default();
    let edit = CustomerEdit {
        name: changes.name.map(|name| validator.required("name", &name, NAME_MAX)),
        email: changes.email.map(|email| check_email(&mut validator, email.as_deref())),
        phone: changes.phone.map(|phone| validator.optional("phone", phone.as_deref(), PHONE_MAX)),
        company: changes.company.map(|company| validator.optional("company", company.as_deref(), NAME_MAX)),
        status: changes.status,
        notes: changes.notes.map(|notes| validator.optional("notes", notes.as_deref(), NOTES_MAX)),
        owner_id: changes.owner_id,
    };
    validator.ok(edit)
}

fn check_email(validator: &mut Validator, email: Option<&str>) -> Option<String> {
    let email = email.filter(|email| !email.trim().is_empty())?;
    Some(validator.email("email", email))
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
    if let (CustomerCommand::Create(draft), None) = (command, state) {
        caller.may_set_owner(draft.owner_id)?;
        return Ok(vec![CustomerEvent::Created(created(draft, caller, id, now))]);
    }
    let customer = visible(state, caller)?;
    match command {
        CustomerCommand::Create(_) => Err(Error::internal("a second creation of one customer")),
        CustomerCommand::Change(edit) => {
            caller.may_set_owner(edit.owner_id)?;
            Ok(change(customer, edit, now).into_iter().collect())
        }
        CustomerCommand::Delete { saga_id } => {
            let after = Customer { deleted_at: Some(now), ..touched(customer, now) };
            Ok(vec![CustomerEvent::Deleted { after, saga_id: *saga_id }])
        }
        CustomerCommand::HandOver { from, to } => {
            let edit = CustomerEdit { owner_id: Some(*to), ..CustomerEdit::default() };
            let moved = (customer.owner_id == *from).then(|| change(customer, &edit, now));
            Ok(moved.flatten().into_iter().collect())
        }
    }
}

/// The customer, if it is not deleted and the caller may see it.
///
/// # Errors
/// `not_found`.
pub fn visible<'a>(state: Option<&'a Customer>, caller: &Caller) -> Result<&'a Customer, Error> {
    let seen = state.filter(|customer| customer.deleted_at.is_none() && caller.sees(customer.owner_id));
    seen.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

fn created(draft: &CustomerDraft, caller: &Caller, id: Id, now: Timestamp) -> Customer {
    Customer {
        id,
        version: 1,
        created_at: now,
        updated_at: now,
        name: draft.name.clone(),
        email: draft.email.clone(),
        phone: draft.phone.clone(),
        company: draft.company.clone(),
        status: draft.status,
        notes: draft.notes.clone(),
        owner_id: draft.owner_id.unwrap_or(caller.user_id),
        deleted_at: None,
    }
}

fn touched(customer: &Customer, now: Timestamp) -> Customer {
    Customer { version: customer.version + 1, updated_at: now, ..customer.clone() }
}

/// Returns `None` if every field has its wanted value already.
fn change(customer: &Customer, edit: &CustomerEdit, now: Timestamp) -> Option<CustomerEvent> {
    let mut after = touched(customer, now);
    let mut changed = Vec::new();
    set(&mut after.name, edit.name.clone(), "name", &mut changed);
    set(&mut after.email, edit.email.clone(), "email", &mut changed);
    set(&mut after.phone, edit.phone.clone(), "phone", &mut changed);
    set(&mut after.company, edit.company.clone(), "company", &mut changed);
    set(&mut after.status, edit.status, "status", &mut changed);
    set(&mut after.notes, edit.notes.clone(), "notes", &mut changed);
    set(&mut after.owner_id, edit.owner_id, "owner_id", &mut changed);
    let previous_owner_id = (after.owner_id != customer.owner_id).then_some(customer.owner_id);
    (!changed.is_empty()).then_some(CustomerEvent::Updated { after, changed, previous_owner_id })
}

impl StateAfter for CustomerEvent {
    type State = Customer;

    fn after(&self) -> &Customer {
        match self {
            Self::Created(after) | Self::Updated { after, .. } | Self::Deleted { after, .. } => after,
        }
    }
}

impl DomainEvent for CustomerEvent {
    fn event_type(&self) -> EventType {
        match self {
            Self::Created(_) => catalogue::CUSTOMER_CREATED,
            Self::Updated { .. } => catalogue::CUSTOMER_UPDATED,
            Self::Deleted { .. } => catalogue::CUSTOMER_DELETED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let payload = |customer: &Customer| CustomerPayload {
            customer: customer.clone(),
            changed: Vec::new(),
            previous_owner_id: None,
            saga_id: None,
        };
        raw(&match self {
            Self::Created(after) => payload(after),
            Self::Deleted { after, saga_id } => CustomerPayload { saga_id: Some(*saga_id), ..payload(after) },
            Self::Updated { after, changed, previous_owner_id } => CustomerPayload {
                changed: changed.iter().map(|name| (*name).to_owned()).collect(),
                previous_owner_id: *previous_owner_id,
                ..payload(after)
            },
        })
    }
}
