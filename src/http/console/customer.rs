//! `/customers/{id}`: a customer, what goes with it, and what became of it.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;

use super::customers::{fields, owners};
use super::form::{Form, is_mendable, why};
use super::frame::{Frame, html, ok};
use super::meetings::{self, MeetingRow};
use super::posted::Posted;
use super::sagas::counted;
use super::shown::{Edit, Removal, asked, status_of};
use super::tasks::{self, TaskRow};
use super::timeline::{self, Entry};
use super::visitor::Visitor;
use super::{approvals, names, see};
use crate::actors::analytics::messages::ReadActivity;
use crate::actors::customer::domain::Customer;
use crate::actors::customer::messages::{ChangeCustomer, DeleteCustomer};
use crate::actors::opportunity::messages::ApprovalFilter;
use crate::actors::page::Page;
use crate::actors::refusal::Refusal;
use crate::actors::sagas::messages::PreviewCustomerDeletion;
use crate::actors::sales::messages::MeetingFilter;
use crate::actors::sales::tasks::messages::TaskFilter;
use crate::http::customers::ActivityParams;
use crate::http::extract::PathId;
use crate::http::paging::next_address;
use crate::http::state::Gateway;
use approvals::ApprovalRow;

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
pub async fn index(
    gateway: Data<Gateway>,
    request: HttpRequest,
    visitor: Visitor,
    id: PathId,
) -> Result<HttpResponse, Refusal> {
    let customer = (*gateway.customers.find(visitor.caller(), id.0).await?).clone();
    let f = visitor.frame("customers").await;
    let of = Some(customer.id);
    let meetings = MeetingFilter { customer_id: of, ..MeetingFilter::default() };
    let tasks = TaskFilter { customer_id: of, ..TaskFilter::default() };
    let approvals = ApprovalFilter { customer_id: of, ..ApprovalFilter::default() };
    let (params, _): (ActivityParams, _) = asked(&request)?;
    let page = params.page(|keyset| keyset.sort == "-id")?;
    let Page { items, next, .. } =
        gateway.analytics.ask(ReadActivity { customer_id: customer.id, page }).await?;
    Ok(ok(&CustomerPage {
        owner: names::user(&gateway, &f, customer.owner_id).await?,
        meetings: meetings::some(&gateway, &f, &visitor, meetings).await?,
        tasks: tasks::some(&gateway, &f, &visitor, tasks).await?,
        approvals: approvals::some(&gateway, &f, &visitor, approvals).await?,
        activity: timeline::entries(&gateway, &f, &items).await?,
        older: next.map(|next| next_address(&request, &next)),
        customer,
        f,
    }))
}

fn address(customer: &Customer) -> String {
    format!("/customers/{}", customer.id)
}

async fn form(gateway: &Gateway, frame: &Frame, customer: &Customer) -> Result<Form, Refusal> {
    let owners = owners(gateway, frame).await?;
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
pub async fn edit(gateway: Data<Gateway>, visitor: Visitor, id: PathId) -> Result<HttpResponse, Refusal> {
    let customer = gateway.customers.find(visitor.caller(), id.0).await?;
    let f = visitor.frame("customers").await;
    let form = form(&gateway, &f, &customer).await?;
    Ok(editor(f, &customer, form).answer(None))
}

#[post("/customers/{id}/edit")]
pub async fn change(
    gateway: Data<Gateway>,
    visitor: Visitor,
    id: PathId,
    posted: Posted,
) -> Result<HttpResponse, Refusal> {
    let customer = gateway.customers.find(visitor.caller(), id.0).await?;
    let f = visitor.frame("customers").await;
    let (form, posted) = (form(&gateway, &f, &customer).await?, posted.0);
    let changed = match form.read_changes(&posted, f.zone) {
        Err(refusal) => Err(refusal),
        Ok(changes) => {
            let context = visitor.context(posted.version());
            let change = ChangeCustomer { id: id.0, changes, allow_duplicate: false, context };
            gateway.customers.service.ask(change).await
        }
    };
    match changed {
        Ok(after) => Ok(see(&format!("{}?done=saved", address(&after)))),
        Err(refusal) if is_mendable(&refusal) => {
            let form = form.refused(&posted, &refusal, &f);
            Ok(editor(f, &customer, form).answer(Some(&refusal)))
        }
        Err(refusal) => Err(refusal),
    }
}

async fn removal(
    gateway: &Gateway,
    visitor: &Visitor,
    customer: &Customer,
    refusal: Option<&Refusal>,
) -> Result<HttpResponse, Refusal> {
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
        problem: refusal.map(|refusal| why(&f, refusal)),
        heirs: Vec::new(),
        heir: String::new(),
        approver: None,
        f,
    };
    Ok(html(status_of(refusal), &page))
}

#[get("/customers/{id}/delete")]
pub async fn ask_removal(
    gateway: Data<Gateway>,
    visitor: Visitor,
    id: PathId,
) -> Result<HttpResponse, Refusal> {
    let customer = gateway.customers.find(visitor.caller(), id.0).await?;
    removal(&gateway, &visitor, &customer, None).await
}

#[post("/customers/{id}/delete")]
pub async fn remove(
    gateway: Data<Gateway>,
    visitor: Visitor,
    id: PathId,
    posted: Posted,
) -> Result<HttpResponse, Refusal> {
    let delete = DeleteCustomer { id: id.0, context: visitor.context(posted.0.version()) };
    match gateway.customers.service.ask(delete).await {
        Ok(saga) => Ok(see(&format!("/sagas?done=deleted#saga-{saga}"))),
        Err(refusal) if is_mendable(&refusal) => {
            let customer = gateway.customers.find(visitor.caller(), id.0).await?;
            removal(&gateway, &visitor, &customer, Some(&refusal)).await
        }
        Err(refusal) => Err(refusal),
    }
}
