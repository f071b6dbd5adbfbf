//! The messages of the customer service.

use serde::{Deserialize, Serialize};

use crate::customer::record::CustomerStatus;
use crate::customer::record::{CustomerChanges, NewCustomer};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};

#[derive(Clone, Serialize, Deserialize)]
pub struct CreateCustomer {
    pub customer: NewCustomer,
    /// Accept an address that another customer has (`X-Allow-Duplicate`).
    pub allow_duplicate: bool,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct ChangeCustomer {
    pub id: Id,
    pub changes: CustomerChanges,
    pub allow_duplicate: bool,
    pub context: Context,
}

/// Deletes a customer, and starts the saga that deletes the records which refer to it. The answer is the saga's id.
#[derive(Clone, Serialize, Deserialize)]
pub struct DeleteCustomer {
    pub id: Id,
    pub context: Context,
}

/// Finds a customer that the caller may see, for users and for other services.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindCustomer {
    pub id: Id,
    pub caller: Caller,
}

/// The most customers that one [`FindCustomers`] may name.
pub const FIND_CUSTOMERS_MAX: usize = 200;

/// Finds the names of the customers that the caller may see or could see, deleted ones too: a record may name a deleted
/// customer. The answer leaves out the others.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindCustomers {
    pub ids: Vec<Id>,
    pub caller: Caller,
}

/// What records show of a customer that they refer to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerName {
    pub id: Id,
    pub name: String,
    pub is_deleted: bool,
}

/// The filter of a list of customers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CustomerFilter {
    /// Words of the name, kana, company or email (see [`Words`](kernel::search::Words)).
    pub q: Option<String>,
    pub status: Option<CustomerStatus>,
    pub owner_id: Option<Id>,
    pub created_from: Option<Timestamp>,
    pub created_to: Option<Timestamp>,
}

/// The orders that `?sort=` may name; the first is the default.
pub const SORTS: [Sort; 6] = [
    Sort::time("-created_at", "created_at", true),
    Sort::time("created_at", "created_at", false),
    Sort::by_name("name", "name_order", false),
    Sort::by_name("-name", "name_order", true),
    Sort::time("-updated_at", "updated_at", true),
    Sort::time("updated_at", "updated_at", false),
];

kernel::sort_names!(SORTS);

#[derive(Clone, Serialize, Deserialize)]
pub struct ListCustomers {
    pub caller: Caller,
    pub filter: CustomerFilter,
    #[serde(with = "sort_name")]
    pub sort: Sort,
    pub page: PageRequest,
}

/// How many live customers each owner has.
#[derive(Clone, Serialize, Deserialize)]
pub struct CountByOwner;

/// Statistics of the customers that the caller may see.
#[derive(Clone, Serialize, Deserialize)]
pub struct CustomerStats {
    pub caller: Caller,
    pub owner_id: Option<Id>,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Counts of customers.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerCounts {
    pub total: i64,
    pub new: i64,
    pub deleted: i64,
    pub by_status: Vec<(String, i64)>,
}
