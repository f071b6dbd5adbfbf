//! `/customers/{id}`: a customer, what goes with it, and what became of it.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use askama::Template;

use crate::domain::approval::messages::ApprovalFilter;
use crate::domain::customer::messages::{ChangeCustomer, DeleteCustomer};
use crate::domain::customer::record::Customer;
use crate::domain::meeting::messages::MeetingFilter;
use crate::domain::report::messages::ReadActivity;
use crate::domain::saga::messages::PreviewCustomerDeletion;
use crate::domain::task::messages::TaskFilter;
use crate::http::api::customers::ActivityParams;
use crate::http::console::customers::fields;
use crate::http::console::form::{Form, is_mendable, why};
use crate::http::console::frame::{Frame, html, ok};
use crate::http::console::meetings;
use crate::http::console::meetings::MeetingRow;
use crate::http::console::names::References;
use crate::http::console::posted::Posted;
use crate::http::console::sagas::counted;
use crate::http::console::shown::{Edit, Removal, asked, status_of};
use crate::http::console::tasks;
use crate::http::console::tasks::TaskRow;
use crate::http::console::timeline;
use crate::http::console::timeline::Entry;
use crate::http::console::visitor::Visitor;
use crate::http::console::{approvals, names, see};
use crate::http::extract::PathId;
use crate::http::paging::next_address;
use crate::http::state::Gateway;
use approvals::ApprovalRow;
use kernel::error::Error;
use kernel::page::Page;

#[derive(Template)]
#[template(path = "customer.html")]
struct CustomerPage {
    f: Frame,
    customer: Customer,
    owner: String,
    meetings: Vec<MeetingRow>,
    tasks: Vec<TaskRow>,
    approvals: Vec<ApprovalRow>,
    activity: Vec<Entry>,
    older: Option<String>,
}

#[get("/customers/{id}")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, visitor: Visitor, id: PathId) -> HttpResult {
    let caller = visitor.caller();
    let customer = (*gateway.customers.find(caller, id.0).await?).clone();
    let f = visitor.frame("customers").await;
    let of = Some(customer.id);
    let meetings = MeetingFilter { customer_id: of, ..MeetingFilter::default() };
    let tasks = TaskFilter { customer_id: of, ..TaskFilter::default() };
    let approvals = ApprovalFilter { customer_id: of, ..ApprovalFilter::default() };
    let references = References::default().users([customer.owner_id]);
    let names = names::load(&gateway, caller, references).await?;
    let (params, _): (ActivityParams, _) = asked(&request)?;
    let page = params.page(|keyset| keyset.sort == "-id")?;
    let Page { items, next, .. } =
        gateway.analytics.service.ask(ReadActivity { caller, customer_id: customer.id, page }).await?;
    Ok(ok(&CustomerPage {
        owner: names.user(&f, customer.owner_id),
        meetings: meetings::some(&gateway, &f, &visitor, meetings).await?,
        tasks: tasks::some(&gateway, &f, &visitor, tasks).await?,
        approvals: approvals::some(&gateway, &f, &visitor, approvals).await?,
        activity: timeline::entries(&gateway, &f, caller, &items).await?,
        older: next.map(|next| next_address(&request, &next)),
        customer,
        f,
    }))
}

fn address(customer: &Customer) -> String {
    format!("/customers/{}", customer.id)
}

async fn form(
    gateway: &Gateway,
    frame: &Frame,
    visitor: &Visitor,
    customer: &Customer,
) -> Result<Form, Error> {
    let owners = names::owners(gateway, frame, visitor.caller()).await?;
    let mut fields = fields(frame, owners, Some(customer));
    // There is room for all of it on a page of its own.
    fields.iter_mut().for_each(|field| field.more = false);
    let action = format!("{}/edit", address(customer));
    Ok(Form::new("customer", action, "submit-save", fields).of_version(customer.version))
}

fn editor(f: Frame, customer: &Customer, form: Form) -> Edit {
    let title = f.with("customer-edit", &customer.name);
    let removal = Some(format!("{}/delete", address(customer)));
    Edit { f, title, form, back: address(customer), removal, asks: true }
}

#[get("/customers/{id}/edit")]
pub async fn edit(gateway: Data<Gateway>, visitor: Visitor, id: PathId) -> HttpResult {
    let customer = gateway.customers.find(visitor.caller(), id.0).await?;
    let f = visitor.frame("customers").await;
    let form = form(&gateway, &f, &visitor, &customer).await?;
    Ok(editor(f, &customer, form).answer(None))
}

#[post("/customers/{id}/edit")]
pub async fn change(gateway: Data<Gateway>, visitor: Visitor, id: PathId, posted: Posted) -> HttpResult {
    let customer = gateway.customers.find(visitor.caller(), id.0).await?;
    let f = visitor.frame("customers").await;
    let (form, posted) = (form(&gateway, &f, &visitor, &customer).await?, posted.0);
    let changed = match form.read_changes(&posted, f.zone) {
        Err(error) => Err(error),
        Ok(changes) => {
            let context = visitor.context(posted.version());
            let change = ChangeCustomer { id: id.0, changes, allow_duplicate: false, context };
            gateway.customers.service.ask(change).await
        }
    };
    match changed {
        Ok(after) => Ok(see(&format!("{}?done=saved", address(&after)))),
        Err(error) if is_mendable(&error) => {
            let form = form.refused(&posted, &error, &f);
            Ok(editor(f, &customer, form).answer(Some(&error)))
        }
        Err(error) => Err(error.into()),
    }
}

async fn removal(
    gateway: &Gateway,
    visitor: &Visitor,
    customer: &Customer,
    error: Option<&Error>,
) -> HttpResult {
    let f = visitor.frame("customers").await;
    let preview = PreviewCustomerDeletion { id: customer.id, caller: visitor.caller() };
    let preview = gateway.sagas.ask(preview).await?;
    let page = Removal {
        title: f.with("customer-removal", &customer.name),
        about: f.t("customer-removal-about"),
        counts: counted(&preview.counts),
        action: format!("{}/delete", address(customer)),
        version: customer.version,
        back: address(customer),
        problem: error.map(|error| why(&f, error)),
        successors: Vec::new(),
        successor: String::new(),
        approver: None,
        f,
    };
    Ok(html(status_of(error), &page))
}

#[get("/customers/{id}/delete")]
pub async fn ask_removal(gateway: Data<Gateway>, visitor: Visitor, id: PathId) -> HttpResult {
    let customer = gateway.customers.find(visitor.caller(), id.0).await?;
    removal(&gateway, &visitor, &customer, None).await
}

#[post("/customers/{id}/delete")]
pub async fn remove(gateway: Data<Gateway>, visitor: Visitor, id: PathId, posted: Posted) -> HttpResult {
    let delete = DeleteCustomer { id: id.0, context: visitor.context(posted.0.version()) };
    match gateway.customers.service.ask(delete).await {
        Ok(saga) => Ok(see(&format!("/sagas?done=deleted#saga-{saga}"))),
        Err(error) if is_mendable(&error) => {
            let customer = gateway.customers.find(visitor.caller(), id.0).await?;
            removal(&gateway, &visitor, &customer, Some(&error)).await
        }
        Err(error) => Err(error.into()),
    }
}
