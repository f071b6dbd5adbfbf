//! `/customers/{id}`: a customer, what goes with it, and what became of it.

use crate::http::error::HttpResult;
use crate::http::paging::onwards;
use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use askama::Template;

use crate::http::api::activities::ActivityParams;
use crate::http::console::kit::attachments::AttachmentsView;
use crate::http::console::kit::comments::{CommentsView, Piece};
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::{Form, is_mendable, why};
use crate::http::console::kit::form_data::Posted;
use crate::http::console::kit::frame::redirect;
use crate::http::console::kit::frame::{Frame, Outcome, html, ok};
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::References;
use crate::http::console::kit::once::once;
use crate::http::console::kit::record_pages;
use crate::http::console::kit::record_pages::{EditPage, ListPage};
use crate::http::console::kit::resume::Sent;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::{Edit, Removal, list_params};
use crate::http::console::kit::timeline::Timeline;
use crate::http::console::pages::approvals;
use crate::http::console::pages::customers::{Customers, details};
use crate::http::console::pages::deals;
use crate::http::console::pages::deals::{DealRow, Deals};
use crate::http::console::pages::duplicates::{MatchRow, matching};
use crate::http::console::pages::meetings;
use crate::http::console::pages::meetings::{MeetingRow, Meetings};
use crate::http::console::pages::sagas::counted;
use crate::http::console::pages::tasks;
use crate::http::console::pages::tasks::{TaskRow, Tasks};
use crate::http::extract::PathId;
use crate::http::state::Gateway;
use approvals::{ApprovalRow, Approvals};
use domain::approval::messages::ApprovalFilter;
use domain::comment::messages::RecordRef;
use domain::customer::messages::{ChangeCustomer, DeleteCustomer};
use domain::customer::record::Customer;
use domain::customer::record::CustomerChanges;
use domain::meeting::messages::MeetingFilter;
use domain::report::messages::ReadActivity;
use domain::saga::messages::PreviewCustomerDeletion;
use domain::search::record::RecordType;
use domain::task::messages::TaskFilter;
use kernel::context::Context;
use kernel::error::Error;
use kernel::ids::Id;

#[derive(Template)]
#[template(path = "customer.html")]
struct CustomerPage {
    f: Frame,
    customer: Customer,
    owner: String,
    details: Vec<Field>,
    matches: Vec<MatchRow>,
    deals: Vec<DealRow>,
    meetings: Vec<MeetingRow>,
    tasks: Vec<TaskRow>,
    approvals: Vec<ApprovalRow>,
    /// The forms of what is added to the customer.
    new_task: Form,
    new_deal: Form,
    new_meeting: Form,
    new_approval: Form,
    timeline: Timeline,
    comments: CommentsView,
    attachments: AttachmentsView,
}

#[get("/customers/{id}")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, me: SessionUser, id: PathId) -> HttpResult {
    let caller = me.caller();
    let customer = match gateway.customers.find(caller, id.0).await {
        Ok(customer) => (*customer).clone(),
        // Links to a merged customer lead to the other one.
        Err(Error { merged_into: Some(into), .. }) => return Ok(redirect(&format!("/customers/{into}"))),
        Err(error) => return Err(error.into()),
    };
    let f = me.frame("customers").await;
    let of = Some(customer.id);
    let record = RecordRef { r#type: RecordType::Customer, id: customer.id };
    let meetings = MeetingFilter { customer_id: of, ..MeetingFilter::default() };
    let tasks = TaskFilter { customer_id: of, ..TaskFilter::default() };
    let approvals = ApprovalFilter { customer_id: of, ..ApprovalFilter::default() };
    let references = References::default().users([customer.owner_id]);
    let names = lookups::load(&gateway, caller, references).await?;
    let (params, _): (ActivityParams, _) = list_params(&request)?;
    let page = onwards(params.page(|keyset| keyset.sort == "-id")?)?;
    let events = ReadActivity { caller, customer_id: customer.id, page };
    let events = gateway.analytics.service.ask(events).await?;
    Ok(ok(&CustomerPage {
        owner: names.user(&f, customer.owner_id),
        details: details(Some(&customer)),
        matches: matching(&me, &f, customer.id).await?,
        deals: deals::of_customer(&me, &f, customer.id).await?,
        meetings: meetings::recent(&me, &f, meetings).await?,
        tasks: tasks::recent(&me, &f, tasks, &[]).await?,
        approvals: approvals::recent(&me, &f, approvals).await?,
        new_task: form_of::<Tasks>(&me, &f, &customer).await?,
        new_deal: form_of::<Deals>(&me, &f, &customer).await?,
        new_meeting: form_of::<Meetings>(&me, &f, &customer).await?,
        new_approval: form_of::<Approvals>(&me, &f, &customer).await?,
        timeline: Timeline::of(&me, &f, &address(&customer), events).await?,
        attachments: AttachmentsView::of(&me, &f, record).await?,
        comments: CommentsView::beside(&me, &f, record, customer.owner_id).await?,
        customer,
        f,
    }))
}

/// The form of a new record about a customer, which leads back to the customer's page.
async fn form_of<P: ListPage>(me: &SessionUser, f: &Frame, customer: &Customer) -> Result<Form, Error> {
    let form = record_pages::new_form::<P>(me, f, Some(customer.id)).await?;
    Ok(Form { back: Some(address(customer)), ..form })
}

fn address(customer: &Customer) -> String {
    format!("/customers/{}", customer.id)
}

impl EditPage for Customers {
    const FORM: &'static str = "customer";
    type Changes = CustomerChanges;
    type EditView = Edit;

    async fn find(me: &SessionUser, id: Id) -> Result<Arc<Customer>, Error> {
        me.gateway.customers.find(me.caller(), id).await
    }

    fn action(customer: &Customer) -> String {
        format!("{}/edit", address(customer))
    }

    async fn view_of(_: &SessionUser, f: Frame, customer: &Customer, form: Form) -> Result<Edit, Error> {
        let title = f.with("customer-edit", &customer.name);
        let removal = Some(format!("{}/delete", address(customer)));
        Ok(Edit { f, title, form, back: address(customer), removal })
    }

    async fn change(
        me: &SessionUser,
        customer: &Customer,
        changes: CustomerChanges,
        context: Context,
    ) -> Result<String, Error> {
        let message = ChangeCustomer { id: customer.id, changes, allow_duplicate: false, context };
        me.gateway.customers.service.ask(message).await?;
        Ok(format!("{}?done=saved", address(customer)))
    }
}

#[get("/customers/{id}/edit")]
pub async fn edit(me: SessionUser, id: PathId) -> HttpResult {
    record_pages::edit::<Customers>(me, id).await
}

#[post("/customers/{id}/edit")]
pub async fn change(me: SessionUser, id: PathId, sent: Sent) -> HttpResult {
    record_pages::change::<Customers>(me, id, sent).await
}

async fn removal(
    gateway: &Gateway,
    me: &SessionUser,
    customer: &Customer,
    error: Option<&Error>,
) -> HttpResult {
    let f = me.frame("customers").await;
    let preview = PreviewCustomerDeletion { id: customer.id, caller: me.caller() };
    let preview = gateway.sagas.ask(preview).await?;
    let page = Removal {
        title: f.with("customer-removal", &customer.name),
        about: f.t("customer-removal-about"),
        counts: counted(&preview.counts),
        action: format!("{}/delete", address(customer)),
        version: customer.version,
        back: address(customer),
        problem: error.map(|error| why(&f, error)),
        successor: None,
        approver: None,
        f,
    };
    Ok(html(Outcome(error), &page))
}

#[get("/customers/{id}/delete")]
pub async fn ask_removal(gateway: Data<Gateway>, me: SessionUser, id: PathId) -> HttpResult {
    let customer = gateway.customers.find(me.caller(), id.0).await?;
    removal(&gateway, &me, &customer, None).await
}

#[post("/customers/{id}/delete")]
pub async fn remove(gateway: Data<Gateway>, me: SessionUser, id: PathId, posted: Posted) -> HttpResult {
    let deleted = once(&me, &posted.0, async |context| {
        gateway.customers.service.ask(DeleteCustomer { id: id.0, context }).await
    });
    match deleted.await {
        Ok(saga) => Ok(redirect(&format!("/sagas?done=deleted#saga-{saga}"))),
        Err(error) if is_mendable(&error) => {
            let customer = gateway.customers.find(me.caller(), id.0).await?;
            removal(&gateway, &me, &customer, Some(&error)).await
        }
        Err(error) => Err(error.into()),
    }
}
