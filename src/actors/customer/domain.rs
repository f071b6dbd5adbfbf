//! The rules of customers. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::messages::{CustomerChanges, NewCustomer};
use crate::actors::context::Caller;
use crate::actors::fields::{Faults, set};
use crate::actors::refusal::{Code, Refusal};
use crate::clock::Timestamp;
use crate::ids::Id;

pub const NAME_MAX: usize = 200;
pub const PHONE_MAX: usize = 50;
pub const NOTES_MAX: usize = 10_000;

/// How far along a customer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum CustomerStatus {
    #[default]
    Lead,
    Active,
    Dormant,
}

impl CustomerStatus {
    pub const ALL: [Self; 3] = [Self::Lead, Self::Active, Self::Dormant];

    /// As the API and the database write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lead => "LEAD",
            Self::Active => "ACTIVE",
            Self::Dormant => "DORMANT",
        }
    }
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Customer {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub name: String,
    #[schema(required)]
    pub email: Option<String>,
    #[schema(required)]
    pub phone: Option<String>,
    #[schema(required)]
    pub company: Option<String>,
    pub status: CustomerStatus,
    #[schema(required)]
    pub notes: Option<String>,
    pub owner_id: Id,
    /// Set in events of a deleted customer; the API shows none of those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub deleted_at: Option<Timestamp>,
}

/// What can be done to a customer.
#[derive(Debug)]
pub enum CustomerCommand {
    Create(CustomerDraft),
    Change(CustomerEdit),
    /// With the saga that deletes what refers to it.
    Delete {
        saga_id: Id,
    },
    /// Goes from one who is gone to their heir.
    Inherit {
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
/// `invalid_fields` with every fault.
pub fn check_new(new: NewCustomer) -> Result<CustomerDraft, Refusal> {
    let mut faults = Faults::default();
    let draft = CustomerDraft {
        name: faults.required("name", &new.name, NAME_MAX),
        email: check_email(&mut faults, new.email.as_deref()),
        phone: faults.optional("phone", new.phone.as_deref(), PHONE_MAX),
        company: faults.optional("company", new.company.as_deref(), NAME_MAX),
        status: new.status.unwrap_or_default(),
        notes: faults.optional("notes", new.notes.as_deref(), NOTES_MAX),
        owner_id: new.owner_id,
    };
    faults.ok(draft)
}

/// Checks changes of a customer.
///
/// # Errors
/// `invalid_fields` with every fault.
pub fn check_changes(changes: CustomerChanges) -> Result<CustomerEdit, Refusal> {
    let mut faults = Faults::default();
    let edit = CustomerEdit {
        name: changes.name.map(|name| faults.required("name", &name, NAME_MAX)),
        email: changes.email.map(|email| check_email(&mut faults, email.as_deref())),
        phone: changes.phone.map(|phone| faults.optional("phone", phone.as_deref(), PHONE_MAX)),
        company: changes.company.map(|company| faults.optional("company", company.as_deref(), NAME_MAX)),
        status: changes.status,
        notes: changes.notes.map(|notes| faults.optional("notes", notes.as_deref(), NOTES_MAX)),
        owner_id: changes.owner_id,
    };
    faults.ok(edit)
}

fn check_email(faults: &mut Faults, email: Option<&str>) -> Option<String> {
    let email = email.filter(|email| !email.trim().is_empty())?;
    Some(faults.email("email", email))
}

/// What a command leads to.
///
/// # Errors
/// `not_found` also for what the caller may not see, `forbidden`.
pub fn decide(
    state: Option<&Customer>,
    command: &CustomerCommand,
    caller: &Caller,
    id: Id,
    now: Timestamp,
) -> Result<Vec<CustomerEvent>, Refusal> {
    if let (CustomerCommand::Create(draft), None) = (command, state) {
        caller.may_set_owner(draft.owner_id)?;
        return Ok(vec![CustomerEvent::Created(created(draft, caller, id, now))]);
    }
    let customer = visible(state, caller)?;
    match command {
        CustomerCommand::Create(_) => Err(Refusal::new(Code::Internal)),
        CustomerCommand::Change(edit) => {
            caller.may_set_owner(edit.owner_id)?;
            Ok(change(customer, edit, now).into_iter().collect())
        }
        CustomerCommand::Delete { saga_id } => {
            let after = Customer { deleted_at: Some(now), ..touched(customer, now) };
            Ok(vec![CustomerEvent::Deleted { after, saga_id: *saga_id }])
        }
        CustomerCommand::Inherit { from, to } => {
            let edit = CustomerEdit { owner_id: Some(*to), ..CustomerEdit::default() };
            let moved = (customer.owner_id == *from).then(|| change(customer, &edit, now));
            Ok(moved.flatten().into_iter().collect())
        }
    }
}

/// The customer, if it lives and the caller may see it.
///
/// # Errors
/// `not_found`.
pub fn visible<'a>(state: Option<&'a Customer>, caller: &Caller) -> Result<&'a Customer, Refusal> {
    let seen = state.filter(|customer| customer.deleted_at.is_none() && caller.sees(customer.owner_id));
    seen.ok_or_else(|| Refusal::new(Code::NotFound))
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

/// Nothing, if every field has its wanted value already.
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
