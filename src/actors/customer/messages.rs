//! What others may ask of the customer service.

use std::collections::HashMap;
use std::sync::Arc;

use actix::Message;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::domain::{Customer, CustomerStatus};
use crate::actors::context::{Caller, Context};
use crate::actors::fields::{Change, present, some};
use crate::actors::page::{Page, PageRequest};
use crate::actors::refusal::Refusal;
use crate::actors::shapes::{Line, Name, Notes, OptionalEmail, Phone};
use crate::clock::Timestamp;
use crate::ids::Id;
use crate::persistence::customers::{CustomerCounts, sort_name};
use crate::persistence::paging::Sort;

/// A new customer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCustomer {
    #[schema(value_type = Name)]
    pub name: String,
    #[schema(value_type = Option<OptionalEmail>)]
    pub email: Option<String>,
    #[schema(value_type = Option<Phone>)]
    pub phone: Option<String>,
    #[schema(value_type = Option<Line>)]
    pub company: Option<String>,
    pub status: Option<CustomerStatus>,
    #[schema(value_type = Option<Notes>)]
    pub notes: Option<String>,
    /// The caller if absent; only MANAGER and ADMIN name another.
    pub owner_id: Option<Id>,
}

/// Changes of a customer; absent fields stay as they are, null clears.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerChanges {
    #[schema(value_type = Name, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub name: Option<String>,
    #[schema(value_type = Option<OptionalEmail>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub email: Change<String>,
    #[schema(value_type = Option<Phone>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub phone: Change<String>,
    #[schema(value_type = Option<Line>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub company: Change<String>,
    #[schema(value_type = CustomerStatus, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub status: Option<CustomerStatus>,
    #[schema(value_type = Option<Notes>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub notes: Change<String>,
    #[schema(value_type = Id, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub owner_id: Option<Id>,
}

#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "Result<Arc<Customer>, Refusal>")]
pub struct CreateCustomer {
    pub customer: NewCustomer,
    /// Accept an address that another customer has (`X-Allow-Duplicate`).
    pub allow_duplicate: bool,
    pub context: Context,
}

#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "Result<Arc<Customer>, Refusal>")]
pub struct ChangeCustomer {
    pub id: Id,
    pub changes: CustomerChanges,
    pub allow_duplicate: bool,
    pub context: Context,
}

/// Deletes a customer, with the saga that deletes what refers to it; answers with the saga's id.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "Result<Id, Refusal>")]
pub struct DeleteCustomer {
    pub id: Id,
    pub context: Context,
}

/// Whether a customer exists and the caller may see it: asked by people and by other services.
#[derive(Clone, Message, Serialize, Deserialize)]
#[rtype(result = "Result<Arc<Customer>, Refusal>")]
pub struct FindCustomer {
    pub id: Id,
    pub caller: Caller,
}

/// A customer that is or was the caller's to see: a record may name one that is gone.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "Result<Option<Arc<Customer>>, Refusal>")]
pub struct RecallCustomer {
    pub id: Id,
    pub caller: Caller,
}

/// What a list of customers is narrowed to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CustomerFilter {
    /// In name, company or email, literally, whatever the case.
    pub q: Option<String>,
    pub status: Option<CustomerStatus>,
    pub owner_id: Option<Id>,
    pub created_from: Option<Timestamp>,
    pub created_to: Option<Timestamp>,
}

#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "Result<Page<Customer>, Refusal>")]
pub struct ListCustomers {
    pub caller: Caller,
    pub filter: CustomerFilter,
    #[serde(with = "sort_name")]
    pub sort: Sort,
    pub page: PageRequest,
}

/// How many live customers each owner has.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "Result<HashMap<Id, i64>, Refusal>")]
pub struct CountByOwner;

/// The service's statistics of what the caller may see.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "Result<CustomerCounts, Refusal>")]
pub struct CustomerStats {
    pub caller: Caller,
    pub owner_id: Option<Id>,
    pub from: Timestamp,
    pub to: Timestamp,
}
