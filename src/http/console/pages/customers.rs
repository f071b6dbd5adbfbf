//! `/customers`: the list, and new ones.

use actix_web::{get, post};
use askama::Template;

use crate::http::api::customers::CustomerParams;
use crate::http::console::kit::cell::{Cell, Cells};
use crate::http::console::kit::chips::{Chip, hidden_filters};
use crate::http::console::kit::choice::Choice;
use crate::http::console::kit::choice::Source;
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::Form;
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::list_file;
use crate::http::console::kit::listing::{Listing, ask};
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::References;
use crate::http::console::kit::record_pages;
use crate::http::console::kit::record_pages::{ListPage, NewForm, new_form};
use crate::http::console::kit::resume::Sent;
use crate::http::console::kit::search;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::{list_params, narrowed};
use crate::http::error::HttpResult;
use domain::customer::messages::{CreateCustomer, CustomerFilter, ListCustomers};
use domain::customer::record::NewCustomer;
use domain::customer::record::{Customer, CustomerStatus};
use domain::lists::ListName;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kernel::text_key::key;

/// A customer of the list.
pub struct Row {
    pub customer: Customer,
    pub owner: String,
}

impl Cells for Row {
    fn cell(&self, column: &str, f: &Frame) -> Cell {
        let Self { customer, owner } = self;
        match column {
            "name" => Cell::text(&customer.name),
            "kana" => Cell::some(customer.kana.as_ref()),
            "company" => Cell::some(customer.company.as_ref()),
            "email" => Cell::some(customer.email.as_ref()),
            "phone" => Cell::some(customer.phone.as_ref()),
            "status" => Cell::text(f.word("status", customer.status.as_str())),
            "owner_id" => Cell::Person(customer.owner_id, owner.clone()),
            "created_at" => Cell::Time(customer.created_at),
            "updated_at" => Cell::Time(customer.updated_at),
            "notes" => Cell::some(customer.notes.as_ref()),
            _ => Cell::Nothing,
        }
    }
}

/// What the list is narrowed to.
struct Asked {
    q: String,
    status: String,
    owner: Field,
}

impl Asked {
    fn anything(&self) -> bool {
        !(self.q.is_empty() && self.status.is_empty() && self.owner.value.is_empty())
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
pub struct CustomersPage {
    f: Frame,
    rows: Vec<Row>,
    total: i64,
    list: Listing,
    asked: Asked,
    statuses: [CustomerStatus; 3],
    chips: Vec<Chip>,
    form: Form,
    duplicate: Option<Duplicate>,
}

/// The pages of customers.
pub struct Customers;

/// What is known of a customer besides the name, the status and the owner: in forms, and on the customer's own page.
pub fn details(customer: Option<&Customer>) -> Vec<Field> {
    let of = |read: fn(&Customer) -> Option<&String>| customer.and_then(read);
    vec![
        Field::text("kana").holding_some(of(|customer| customer.kana.as_ref())),
        Field::email("email").holding_some(of(|customer| customer.email.as_ref())),
        Field::text("company").more().holding_some(of(|customer| customer.company.as_ref())),
        Field::phone("phone").more().holding_some(of(|customer| customer.phone.as_ref())),
        Field::area("notes").more().holding_some(of(|customer| customer.notes.as_ref())),
    ]
}

impl ListPage for Customers {
    const LIST_NAME: Option<ListName> = Some(ListName::Customers);
    const SECTION: &'static str = "customers";
    const DONE: &'static str = "registered";
    const NEW: NewForm = NewForm { id: "new-customer", action: "/customers", submit: "submit-create" };
    type Record = Customer;
    type New = NewCustomer;
    type View = CustomersPage;
    const FILTERS: &'static [(&'static str, Source)] = &[("owner_id", Source::People)];

    async fn fields(
        me: &SessionUser,
        f: &Frame,
        customer: Option<&Customer>,
        _: Option<Id>,
    ) -> Result<Vec<Field>, Error> {
        let statuses = CustomerStatus::ALL.map(|status| Choice {
            value: status.as_str().to_owned(),
            label: f.word("status", status.as_str()),
        });
        let status = customer.map_or(CustomerStatus::default(), |customer| customer.status);
        let mut fields =
            vec![Field::text("name").required().holding_some(customer.map(|customer| &customer.name))];
        fields.extend(details(customer));
        fields.push(Field::choice("status", statuses.into()).required().more().holding(status.as_str()));
        if f.sees_all_owners() {
            let owner = customer.map_or(me.caller().user_id, |customer| customer.owner_id);
            let names = lookups::load(&me.gateway, me.caller(), References::default().users([owner])).await?;
            let field = Field::search("owner_id", Source::People).choosing(names.user_choice(owner));
            fields.push(field.required().more());
        }
        Ok(fields)
    }

    async fn view(me: &SessionUser, f: Frame, form: Option<Form>) -> Result<CustomersPage, Error> {
        let (params, given): (CustomerParams, Fields) = list_params(&me.request)?;
        let sort = params.order()?;
        let mut asked = params.page(|keyset| sort.fits(keyset))?.counted();
        let (caller, filter) = (me.caller(), CustomerFilter::from(params));
        let list = |page| ListCustomers { caller, filter: filter.clone(), sort, page };
        let page = ask(&mut asked, |page| me.gateway.customers.service.ask(list(page))).await?;
        let form = match form {
            Some(form) => form,
            None => new_form::<Self>(me, &f, None).await?,
        };
        Ok(CustomersPage {
            chips: hidden_filters(me, &f, &given, &["q", "status", "owner_id"]).await?,
            list: Listing::of(me, ListName::Customers, &given, &sort, (&asked, &page)).await?,
            total: page.total.unwrap_or(0),
            rows: rows(me, &f, page.items).await?,
            asked: Asked {
                q: narrowed(&given, "q"),
                status: narrowed(&given, "status"),
                owner: search::filter(me, &given, "owner_id", Source::People).await?,
            },
            statuses: CustomerStatus::ALL,
            form,
            duplicate: None,
            f,
        })
    }

    async fn create(
        me: &SessionUser,
        customer: NewCustomer,
        posted: &Fields,
        context: Context,
    ) -> Result<Id, Error> {
        let allow_duplicate = posted.get("allow_duplicate") == Some("true");
        let message = CreateCustomer { customer, allow_duplicate, context };
        Ok(me.gateway.customers.service.ask(message).await?.id)
    }

    fn made(_: Id) -> String {
        "/customers".to_owned()
    }

    async fn refused(
        me: &SessionUser,
        f: Frame,
        (form, posted): (Form, &Fields),
        error: &Error,
    ) -> Result<CustomersPage, Error> {
        match error.code {
            ErrorCode::DuplicateCustomer => there_already(me, f, (form, posted), error).await,
            _ => {
                let form = form.refused(posted, error, &f);
                Self::view(me, f, Some(form)).await
            }
        }
    }
}

/// Customers with the names of their owners.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn rows(me: &SessionUser, f: &Frame, customers: Vec<Customer>) -> Result<Vec<Row>, Error> {
    let references = References::default().users(customers.iter().map(|customer| customer.owner_id));
    let names = lookups::load(&me.gateway, me.caller(), references).await?;
    let row = |customer: Customer| Row { owner: names.user(f, customer.owner_id), customer };
    Ok(customers.into_iter().map(row).collect())
}

#[get("/customers")]
pub async fn index(me: SessionUser) -> HttpResult {
    record_pages::index::<Customers>(me).await
}

/// The list as a file, with the columns and in the language of its reader.
#[get("/customers.csv")]
pub async fn file(me: SessionUser) -> HttpResult {
    let (params, given): (CustomerParams, Fields) = list_params(&me.request)?;
    let sort = params.order()?;
    let filter = CustomerFilter::from(params);
    list_file::answer(me, ListName::Customers, &given, move |reader, page| {
        let list = ListCustomers { caller: reader.me.caller(), filter: filter.clone(), sort, page };
        async move {
            let mut page = reader.me.gateway.customers.service.ask(list).await?;
            let items = std::mem::take(&mut page.items);
            Ok(page.holding(rows(&reader.me, &reader.f, items).await?))
        }
    })
    .await
}

#[post("/customers")]
pub async fn create(me: SessionUser, sent: Sent) -> HttpResult {
    record_pages::create::<Customers>(me, sent).await
}

/// The list with the customer who has the address already. It shows one, however many there are, and none is made:
/// whoever registers the same customer again finds the customer, once.
async fn there_already(
    me: &SessionUser,
    f: Frame,
    (form, posted): (Form, &Fields),
    error: &Error,
) -> Result<CustomersPage, Error> {
    let typed = form.fields.iter().filter_map(|field| Some((field.name, posted.get(field.name)?.to_owned())));
    let duplicate = Duplicate {
        count: error.candidates.len() as i64,
        email: key(posted.get("email").unwrap_or_default()),
        typed: typed.collect(),
    };
    let mut page = Customers::view(me, f, Some(form)).await?;
    page.rows = rows(me, &page.f, first_of(me, &error.candidates).await?).await?;
    (page.list.pager.next, page.total) = (None, page.rows.len() as i64);
    page.duplicate = Some(duplicate);
    Ok(page)
}

async fn first_of(me: &SessionUser, candidates: &[Id]) -> Result<Vec<Customer>, Error> {
    let Some(id) = candidates.first() else { return Ok(Vec::new()) };
    let found = me.gateway.customers.find(me.caller(), *id).await?;
    Ok(vec![(*found).clone()])
}
