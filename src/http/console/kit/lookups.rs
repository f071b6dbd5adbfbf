//! Names for ids: records refer to users and customers by id, pages show names. A page loads all the names that it
//! needs at once.

use std::collections::{BTreeSet, HashMap};

use crate::http::console::kit::choice::Choice;
use crate::http::console::kit::frame::Frame;
use crate::http::state::Gateway;
use domain::customer::messages::{CustomerName, FIND_CUSTOMERS_MAX, FindCustomers};
use domain::user::messages::{FIND_USERS_MAX, FindUsers, UserName};
use kernel::caller::Caller;
use kernel::error::Error;
use kernel::ids::Id;

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

    /// A user's name, unless the user was deleted.
    pub fn live_user(&self, id: Id) -> Option<String> {
        self.users.get(&id).filter(|user| !user.is_deleted).map(|user| user.name.clone())
    }

    /// A user as a choice of a form.
    pub fn user_choice(&self, id: Id) -> Option<Choice> {
        self.live_user(id).map(|label| Choice { value: id.to_string(), label })
    }

    /// A customer as a choice of a form.
    pub fn customer_choice(&self, id: Id) -> Option<Choice> {
        self.customer(id).map(|customer| Choice { value: id.to_string(), label: customer.name })
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
