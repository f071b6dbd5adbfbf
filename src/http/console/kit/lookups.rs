//! Names for ids: records refer to users and customers by id, pages show names. A page loads all the names that it
//! needs at once.

use std::collections::{BTreeSet, HashMap};

use crate::http::console::kit::field::Choice;
use crate::http::console::kit::frame::Frame;
use crate::http::state::Gateway;
use domain::approval::rules::may_be_approver;
use domain::customer::messages::{
    CustomerFilter, CustomerName, FIND_CUSTOMERS_MAX, FindCustomers, ListCustomers, SORTS,
};
use domain::user::messages::{FIND_USERS_MAX, FindUsers, ListUsers, UserFilter, UserName};
use domain::user::record::UserView;
use kernel::caller::Caller;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::page::PageRequest;

/// Users or customers to choose from, at most: SPEC §2's longest page.
const CHOICES: i64 = 200;

/// The users and customers that records refer to.
#[derive(Default)]
pub struct References {
    users: BTreeSet<Id>,
    customers: BTreeSet<Id>,
}

impl References {
    pub fn users(mut self, ids: impl IntoIterator<Item = Id>) -> Self {
        self.users.extend(ids);
        self
    }

    pub fn customers(mut self, ids: impl IntoIterator<Item = Id>) -> Self {
        self.customers.extend(ids);
        self
    }
}

/// A customer as a page links to it.
#[derive(Clone)]
pub struct CustomerLink {
    pub id: Id,
    pub name: String,
}

/// The names that a page needs.
pub struct Names {
    users: HashMap<Id, UserName>,
    customers: HashMap<Id, CustomerName>,
}

/// Loads the names of `references`: one question to auth and one to the customer service, whatever their number
/// within a page.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn load(gateway: &Gateway, caller: Caller, references: References) -> Result<Names, Error> {
    let (mut users, mut customers) = (HashMap::new(), HashMap::new());
    let ids: Vec<Id> = references.users.into_iter().collect();
    for ids in ids.chunks(FIND_USERS_MAX) {
        let found = gateway.auth.service.ask(FindUsers { ids: ids.to_vec(), caller }).await?;
        users.extend(found.into_iter().map(|user| (user.id, user)));
    }
    let ids: Vec<Id> = references.customers.into_iter().collect();
    for ids in ids.chunks(FIND_CUSTOMERS_MAX) {
        let found = gateway.customers.service.ask(FindCustomers { ids: ids.to_vec(), caller }).await?;
        customers.extend(found.into_iter().map(|customer| (customer.id, customer)));
    }
    Ok(Names { users, customers })
}

impl Names {
    /// A user's name, also of one who was deleted.
    pub fn user(&self, frame: &Frame, id: Id) -> String {
        match self.users.get(&id) {
            Some(user) if user.is_deleted => frame.with("name-deleted", &user.name),
            Some(user) => user.name.clone(),
            None => frame.t("name-system"),
        }
    }

    /// The customer, unless it is deleted or not the caller's to see.
    pub fn customer(&self, id: Id) -> Option<CustomerLink> {
        let customer = self.customers.get(&id).filter(|customer| !customer.is_deleted)?;
        Some(CustomerLink { id, name: customer.name.clone() })
    }

    /// The customer's name, also of one that was deleted, unless it is not the caller's to see.
    pub fn customer_even_if_deleted(&self, id: Id) -> Option<String> {
        self.customers.get(&id).map(|customer| customer.name.clone())
    }
}

fn all() -> PageRequest {
    PageRequest { limit: CHOICES, after: None, count: false }
}

/// Everybody who may be made responsible for something, by name.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn people(
    gateway: &Gateway,
    caller: Caller,
    may: impl Fn(&UserView) -> bool,
) -> Result<Vec<Choice>, Error> {
    let list = ListUsers { caller, filter: UserFilter::default(), page: all() };
    let mut users = gateway.auth.service.ask(list).await?.items;
    users.retain(may);
    users.sort_by(|one, other| one.name().cmp(other.name()));
    let choice = |user: UserView| Choice { value: user.id().to_string(), label: user.name().to_owned() };
    Ok(users.into_iter().map(choice).collect())
}

/// The people whom the caller may name as responsible for a record: SALES name nobody.
///
/// # Errors
/// As [`people`].
pub async fn owners(gateway: &Gateway, caller: Caller) -> Result<Vec<Choice>, Error> {
    if caller.only_owner().is_none() { people(gateway, caller, |_| true).await } else { Ok(Vec::new()) }
}

/// Those who may approve a request of `requester`.
///
/// # Errors
/// As [`people`].
pub async fn approvers(gateway: &Gateway, caller: Caller, requester: Id) -> Result<Vec<Choice>, Error> {
    people(gateway, caller, |user| may_be_approver(user.id(), user.role(), requester)).await
}

/// The caller's customers, by name; `chosen` is among them also where there are more than fit.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn customers(gateway: &Gateway, caller: Caller, chosen: Option<Id>) -> Result<Vec<Choice>, Error> {
    let sort = *SORTS.iter().find(|sort| sort.name == "name").expect("an order of customers");
    let list = ListCustomers { caller, filter: CustomerFilter::default(), sort, page: all() };
    let found = gateway.customers.service.ask(list).await?.items;
    let mut choices: Vec<Choice> = found
        .into_iter()
        .map(|customer| {
            let label = match &customer.company {
                Some(company) => format!("{} ({company})", customer.name),
                None => customer.name.clone(),
            };
            Choice { value: customer.id.to_string(), label }
        })
        .collect();
    if let Some(id) = chosen.filter(|id| !choices.iter().any(|choice| choice.value == id.to_string())) {
        let names = load(gateway, caller, References::default().customers([id])).await?;
        let link = names.customer(id).map(|link| Choice { value: id.to_string(), label: link.name });
        choices.splice(0..0, link);
    }
    Ok(choices)
}
