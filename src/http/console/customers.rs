//! `/customers`: the list, and new ones.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use askama::Template;

use crate::domain::customer::messages::{CreateCustomer, ListCustomers};
use crate::domain::customer::record::{Customer, CustomerStatus};
use crate::http::api::customers::CustomerParams;
use crate::http::console::field::{Choice, Field};
use crate::http::console::form::{Form, is_mendable};
use crate::http::console::frame::{Frame, html, ok};
use crate::http::console::names;
use crate::http::console::names::References;
use crate::http::console::posted::{Fields, Posted};
use crate::http::console::see;
use crate::http::console::shown::{asked, narrowed, status_of};
use crate::http::console::visitor::Visitor;
use crate::http::paging::next_address;
use crate::http::state::Gateway;
use crate::persistence::customers::SORTS;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kernel::page::Page;

/// A customer of the list.
struct Row {
    customer: Customer,
    owner: String,
}

/// What the list is narrowed to.
struct Asked {
    q: String,
    status: String,
    owner_id: String,
    sort: String,
}

impl Asked {
    fn anything(&self) -> bool {
        !(self.q.is_empty() && self.status.is_empty() && self.owner_id.is_empty())
    }
}

/// An address that a customer has already: that customer, and what was to be registered.
struct Duplicate {
    /// How many have it.
    count: i64,
    email: String,
    /// What was typed, to register it none the less.
    typed: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "customers.html")]
struct CustomersPage {
    f: Frame,
    rows: Vec<Row>,
    total: i64,
    next: Option<String>,
    is_first: bool,
    asked: Asked,
    owners: Vec<Choice>,
    sorts: [&'static str; 6],
    statuses: [CustomerStatus; 3],
    form: Form,
    duplicate: Option<Duplicate>,
}

/// The fields of a customer; `owners` is empty for those who may not name one.
pub fn fields(frame: &Frame, owners: Vec<Choice>, customer: Option<&Customer>) -> Vec<Field> {
    let statuses = CustomerStatus::ALL.map(|status| Choice {
        value: status.as_str().to_owned(),
        label: frame.word("status", status.as_str()),
    });
    let status = customer.map_or(CustomerStatus::default(), |customer| customer.status);
    let of = |read: fn(&Customer) -> Option<&String>| customer.and_then(read);
    let mut fields = vec![
        Field::text("name").required().holding_some(customer.map(|customer| &customer.name)),
        Field::email("email").holding_some(of(|customer| customer.email.as_ref())),
        Field::text("company").more().holding_some(of(|customer| customer.company.as_ref())),
        Field::phone("phone").more().holding_some(of(|customer| customer.phone.as_ref())),
        Field::choice("status", statuses.into()).required().more().holding(status.as_str()),
        Field::area("notes").more().holding_some(of(|customer| customer.notes.as_ref())),
    ];
    if !owners.is_empty() {
        let me = frame.who.as_ref().map(|who| who.id);
        let owner = customer.map(|customer| customer.owner_id).or(me);
        fields.push(Field::choice("owner_id", owners).required().more().holding_some(owner));
    }
    fields
}

async fn new_form(gateway: &Gateway, frame: &Frame, visitor: &Visitor) -> Result<Form, Error> {
    let owners = names::owners(gateway, frame, visitor.caller()).await?;
    Ok(Form::new("new-customer", "/customers", "submit-create", fields(frame, owners, None)))
}

#[get("/customers")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, visitor: Visitor) -> HttpResult {
    let f = visitor.frame("customers").await;
    let form = new_form(&gateway, &f, &visitor).await?;
    Ok(ok(&list(&gateway, &request, &visitor, f, form).await?))
}

async fn list(
    gateway: &Gateway,
    request: &HttpRequest,
    visitor: &Visitor,
    f: Frame,
    form: Form,
) -> Result<CustomersPage, Error> {
    let (params, given): (CustomerParams, Fields) = asked(request)?;
    let sort = params.order()?;
    let mut page = params.page(|keyset| sort.fits(keyset))?;
    page.count = true;
    let is_first = page.after.is_none();
    let asked = ListCustomers { caller: visitor.caller(), filter: params.into(), sort, page };
    let Page { items, next, total } = gateway.customers.service.ask(asked).await?;
    Ok(CustomersPage {
        rows: rows(gateway, &f, visitor, items).await?,
        total: total.unwrap_or(0),
        next: next.map(|next| next_address(request, &next)),
        is_first,
        asked: Asked {
            q: narrowed(&given, "q"),
            status: narrowed(&given, "status"),
            owner_id: narrowed(&given, "owner_id"),
            sort: sort.name.to_owned(),
        },
        owners: names::owners(gateway, &f, visitor.caller()).await?,
        sorts: SORTS.map(|sort| sort.name),
        statuses: CustomerStatus::ALL,
        form,
        duplicate: None,
        f,
    })
}

async fn rows(
    gateway: &Gateway,
    frame: &Frame,
    visitor: &Visitor,
    customers: Vec<Customer>,
) -> Result<Vec<Row>, Error> {
    let references = References::default().users(customers.iter().map(|customer| customer.owner_id));
    let names = names::load(gateway, visitor.caller(), references).await?;
    let row = |customer: Customer| Row { owner: names.user(frame, customer.owner_id), customer };
    Ok(customers.into_iter().map(row).collect())
}

#[post("/customers")]
pub async fn create(
    gateway: Data<Gateway>,
    request: HttpRequest,
    visitor: Visitor,
    posted: Posted,
) -> HttpResult {
    let f = visitor.frame("customers").await;
    let (form, posted) = (new_form(&gateway, &f, &visitor).await?, posted.0);
    let made = match form.read(&posted, f.zone) {
        Err(error) => Err(error),
        Ok(customer) => {
            let allow_duplicate = posted.get("allow_duplicate") == Some("true");
            let create = CreateCustomer { customer, allow_duplicate, context: visitor.context(None) };
            gateway.customers.service.ask(create).await
        }
    };
    match made {
        Ok(_) => Ok(see("/customers?done=registered")),
        Err(error) if error.code == ErrorCode::DuplicateCustomer => {
            there_already(&gateway, &request, &visitor, f, (form, &posted), &error).await
        }
        Err(error) if is_mendable(&error) => {
            let form = form.refused(&posted, &error, &f);
            let page = list(&gateway, &request, &visitor, f, form).await?;
            Ok(html(status_of(Some(&error)), &page))
        }
        Err(error) => Err(error.into()),
    }
}

/// The list with the customer who has the address already. It shows one, however many there are, and none is made:
/// whoever registers the same customer again finds the customer, once.
async fn there_already(
    gateway: &Gateway,
    request: &HttpRequest,
    visitor: &Visitor,
    f: Frame,
    (form, posted): (Form, &Fields),
    error: &Error,
) -> HttpResult {
    let typed = form.fields.iter().filter_map(|field| Some((field.name, posted.get(field.name)?.to_owned())));
    let duplicate = Duplicate {
        count: error.candidates.len() as i64,
        email: posted.get("email").unwrap_or_default().trim().to_lowercase(),
        typed: typed.collect(),
    };
    let mut page = list(gateway, request, visitor, f, form).await?;
    page.rows = rows(gateway, &page.f, visitor, first_of(gateway, visitor, &error.candidates).await?).await?;
    (page.next, page.total) = (None, page.rows.len() as i64);
    page.duplicate = Some(duplicate);
    Ok(html(status_of(Some(error)), &page))
}

async fn first_of(gateway: &Gateway, visitor: &Visitor, candidates: &[Id]) -> Result<Vec<Customer>, Error> {
    let Some(id) = candidates.first() else { return Ok(Vec::new()) };
    let found = gateway.customers.find(visitor.caller(), *id).await?;
    Ok(vec![(*found).clone()])
}
