//! Records name people and customers by id; pages by name.

use crate::domain::customer::messages::{CustomerFilter, ListCustomers};
use crate::domain::user::messages::{ListUsers, UserFilter};
use crate::domain::user::record::User;
use crate::http::console::field::Choice;
use crate::http::console::frame::Frame;
use crate::http::state::Gateway;
use crate::persistence::customers::SORTS;
use kernel::caller::{Caller, Role};
use kernel::error::Error;
use kernel::ids::Id;
use kernel::page::PageRequest;

/// UserDirectory or customers to choose from, at most: SPEC §2's longest page.
const CHOICES: i64 = 200;

fn all() -> PageRequest {
    PageRequest { limit: CHOICES, after: None, count: false }
}

/// A user's name, also of one who was deleted.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn user(gateway: &Gateway, frame: &Frame, id: Id) -> Result<String, Error> {
    let user = gateway.auth.recall(id).await?;
    Ok(match user {
        Some(user) if user.is_live() => user.user.name.clone(),
        Some(user) => frame.with("name-deleted", &user.user.name),
        None => frame.t("name-system"),
    })
}

/// The same where there may be nobody.
///
/// # Errors
/// As [`user`].
pub async fn user_if_any(gateway: &Gateway, frame: &Frame, id: Option<Id>) -> Result<Option<String>, Error> {
    match id {
        Some(id) => Ok(Some(user(gateway, frame, id).await?)),
        None => Ok(None),
    }
}

/// A customer as a page links to it.
#[derive(Clone)]
pub struct CustomerLink {
    pub id: Id,
    pub name: String,
}

/// The customer, if the caller may see it.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn customer(gateway: &Gateway, caller: Caller, id: Id) -> Result<Option<CustomerLink>, Error> {
    match gateway.customers.find(caller, id).await {
        Ok(customer) => Ok(Some(CustomerLink { id, name: customer.name.clone() })),
        Err(error) if error.code.status() == 404 => Ok(None),
        Err(error) => Err(error),
    }
}

/// The name that a deleted customer had, if it was the caller's to see.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn departed(gateway: &Gateway, caller: Caller, id: Id) -> Result<Option<String>, Error> {
    let customer = gateway.customers.recall(caller, id).await?;
    Ok(customer.map(|customer| customer.name.clone()))
}

/// Everybody who may be made responsible for something, by name.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn people(gateway: &Gateway, may: impl Fn(&User) -> bool) -> Result<Vec<Choice>, Error> {
    let asked = ListUsers { filter: UserFilter::default(), page: all() };
    let mut users = gateway.auth.service.ask(asked).await?.items;
    users.retain(may);
    users.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(users.into_iter().map(|user| Choice { value: user.id.to_string(), label: user.name }).collect())
}

/// Those who may approve somebody's request.
///
/// # Errors
/// As [`people`].
pub async fn approvers(gateway: &Gateway, requester: Id) -> Result<Vec<Choice>, Error> {
    people(gateway, |user| user.role != Role::Sales && user.id != requester).await
}

/// The caller's customers, by name; `chosen` is among them also where there are more than fit.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn customers(gateway: &Gateway, caller: Caller, chosen: Option<Id>) -> Result<Vec<Choice>, Error> {
    let sort = *SORTS.iter().find(|sort| sort.name == "name").expect("an order of customers");
    let asked = ListCustomers { caller, filter: CustomerFilter::default(), sort, page: all() };
    let found = gateway.customers.service.ask(asked).await?.items;
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
    if let Some(id) = chosen
        && !choices.iter().any(|choice| choice.value == id.to_string())
        && let Some(link) = customer(gateway, caller, id).await?
    {
        choices.insert(0, Choice { value: id.to_string(), label: link.name });
    }
    Ok(choices)
}
