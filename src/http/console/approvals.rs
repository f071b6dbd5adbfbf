//! `/approvals`: requests, and decisions on them.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use askama::Template;

use crate::domain::approval::messages::{
    ApprovalFilter, DecideApproval, Decision, ListApprovals, NewApprover, OptionalComment, RequestApproval,
    RequiredComment,
};
use crate::domain::approval::record::{Approval, ApprovalStatus};
use crate::domain::approval::rules::{Action, permitted};
use crate::http::api::approvals::ApprovalParams;
use crate::http::console::field::{Choice, Field};
use crate::http::console::form::{Form, is_mendable, why};
use crate::http::console::frame::{Frame, html, ok};
use crate::http::console::names;
use crate::http::console::names::{CustomerLink, Names, References};
use crate::http::console::posted::{Fields, Posted};
use crate::http::console::see;
use crate::http::console::shown::{asked, narrowed, status_of};
use crate::http::console::visitor::Visitor;
use crate::http::extract::PathId;
use crate::http::paging::next_address;
use crate::http::state::Gateway;
use crate::persistence::approvals::NEWEST_FIRST;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};

/// Approvals on a customer's page.
const SOME: i64 = 20;
/// Currencies to choose from; the API takes every one of ISO 4217.
const CURRENCIES: [&str; 6] = ["JPY", "USD", "EUR", "GBP", "CNY", "KRW"];

/// An approval of a list.
pub struct ApprovalRow {
    pub approval: Approval,
    pub customer: Option<CustomerLink>,
    pub requester: String,
    /// Whom it waits for; every MANAGER if nobody.
    pub approver: Option<String>,
}

#[derive(Template)]
#[template(path = "approvals.html")]
struct ApprovalsPage {
    f: Frame,
    rows: Vec<ApprovalRow>,
    next: Option<String>,
    is_first: bool,
    status: String,
    statuses: [ApprovalStatus; 4],
    form: Form,
}

fn references(approvals: &[Approval]) -> References {
    let users = |it: &Approval| [Some(it.requester_id), it.approver_id, it.decided_by];
    References::default()
        .customers(approvals.iter().map(|approval| approval.customer_id))
        .users(approvals.iter().flat_map(users).flatten())
}

fn row(names: &Names, f: &Frame, approval: Approval) -> ApprovalRow {
    ApprovalRow {
        customer: names.customer(approval.customer_id),
        requester: names.user(f, approval.requester_id),
        approver: approval.approver_id.map(|id| names.user(f, id)),
        approval,
    }
}

async fn rows(
    gateway: &Gateway,
    f: &Frame,
    visitor: &Visitor,
    approvals: Vec<Approval>,
) -> Result<Vec<ApprovalRow>, Error> {
    let names = names::load(gateway, visitor.caller(), references(&approvals)).await?;
    Ok(approvals.into_iter().map(|approval| row(&names, f, approval)).collect())
}

/// The newest approvals that a filter leaves.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn some(
    gateway: &Gateway,
    f: &Frame,
    visitor: &Visitor,
    filter: ApprovalFilter,
) -> Result<Vec<ApprovalRow>, Error> {
    let page = PageRequest { limit: SOME, after: None, count: false };
    let asked = ListApprovals { caller: visitor.caller(), filter, page };
    rows(gateway, f, visitor, gateway.opportunity.service.ask(asked).await?.items).await
}

async fn new_form(gateway: &Gateway, visitor: &Visitor, customer: Option<Id>) -> Result<Form, Error> {
    let customers = names::customers(gateway, visitor.caller(), customer).await?;
    let approvers = names::approvers(gateway, visitor.caller(), visitor.caller().user_id).await?;
    let currency = |code: &&str| Choice { value: (*code).to_owned(), label: (*code).to_owned() };
    let fields = vec![
        Field::choice("customer_id", customers).required().holding_some(customer),
        Field::text("title").required(),
        Field::number("amount").required(),
        Field::choice("currency", CURRENCIES.iter().map(currency).collect()).required().holding("JPY"),
        Field::area("reason").more(),
        Field::choice("approver_id", approvers).more(),
    ];
    Ok(Form::new("new-approval", "/approvals", "submit-request", fields))
}

#[get("/approvals")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, visitor: Visitor) -> HttpResult {
    let f = visitor.frame("approvals").await;
    Ok(ok(&list(&gateway, &request, &visitor, f, None).await?))
}

async fn list(
    gateway: &Gateway,
    request: &HttpRequest,
    visitor: &Visitor,
    f: Frame,
    form: Option<Form>,
) -> Result<ApprovalsPage, Error> {
    let (params, given): (ApprovalParams, _) = asked(request)?;
    let page = params.page(|keyset| NEWEST_FIRST.fits(keyset))?;
    let is_first = page.after.is_none();
    let ApprovalParams { status, customer_id, requester_id, approver_id, .. } = params;
    let filter = ApprovalFilter { status, customer_id, requester_id, approver_id };
    let asked = ListApprovals { caller: visitor.caller(), filter, page };
    let Page { items, next, .. } = gateway.opportunity.service.ask(asked).await?;
    let form = match form {
        Some(form) => form,
        None => new_form(gateway, visitor, customer_id).await?,
    };
    Ok(ApprovalsPage {
        rows: rows(gateway, &f, visitor, items).await?,
        next: next.map(|next| next_address(request, &next)),
        is_first,
        status: narrowed(&given, "status"),
        statuses: ApprovalStatus::ALL,
        form,
        f,
    })
}

#[post("/approvals")]
pub async fn create(
    gateway: Data<Gateway>,
    request: HttpRequest,
    visitor: Visitor,
    posted: Posted,
) -> HttpResult {
    let f = visitor.frame("approvals").await;
    let (form, posted) = (new_form(&gateway, &visitor, None).await?, posted.0);
    let made = match form.read(&posted, f.zone) {
        Err(error) => Err(error),
        Ok(approval) => {
            let asked = RequestApproval { approval, context: visitor.context(None) };
            gateway.opportunity.service.ask(asked).await
        }
    };
    match made {
        Ok(after) => Ok(see(&format!("/approvals/{}?done=requested", after.id))),
        Err(error) if is_mendable(&error) => {
            let form = form.refused(&posted, &error, &f);
            let page = list(&gateway, &request, &visitor, f, Some(form)).await?;
            Ok(html(status_of(Some(&error)), &page))
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "approval.html")]
struct ApprovalPage {
    f: Frame,
    row: ApprovalRow,
    decided_by: Option<String>,
    /// Which decisions are the caller's to make.
    can_decide: bool,
    can_cancel: bool,
    can_reassign: bool,
    approvers: Vec<Choice>,
    /// What was said, if it was refused.
    comment: String,
    comment_error: Option<String>,
    problem: Option<String>,
}

async fn shown(gateway: &Gateway, visitor: &Visitor, id: Id) -> Result<ApprovalPage, Error> {
    let f = visitor.frame("approvals").await;
    let caller = visitor.caller();
    let approval = gateway.opportunity.find(caller, id).await?;
    let may = |action| permitted(Some(&approval), action, &caller).is_ok();
    let names = names::load(gateway, caller, references(std::slice::from_ref(&*approval))).await?;
    let can_reassign = may(Action::Reassign);
    Ok(ApprovalPage {
        can_decide: may(Action::Approve),
        can_cancel: may(Action::Cancel),
        can_reassign,
        approvers: if can_reassign {
            names::approvers(gateway, caller, approval.requester_id).await?
        } else {
            Vec::new()
        },
        decided_by: approval.decided_by.map(|id| names.user(&f, id)),
        row: row(&names, &f, (*approval).clone()),
        comment: String::new(),
        comment_error: None,
        problem: None,
        f,
    })
}

#[get("/approvals/{id}")]
pub async fn show(gateway: Data<Gateway>, visitor: Visitor, id: PathId) -> HttpResult {
    Ok(ok(&shown(&gateway, &visitor, id.0).await?))
}

/// What the button says that was pressed.
fn decision(posted: &Fields) -> Result<Decision, Error> {
    let comment = posted.get("comment").unwrap_or_default().to_owned();
    Ok(match posted.get("decision") {
        Some("approve") => Decision::Approve(OptionalComment { comment: Some(comment) }),
        Some("reject") => Decision::Reject(RequiredComment { comment }),
        Some("cancel") => Decision::Cancel(OptionalComment { comment: Some(comment) }),
        Some("reassign") => {
            let approver = posted.id("approver_id");
            let approver_id = approver.ok_or_else(|| Error::field("approver_id", "required"))?;
            Decision::Reassign(NewApprover { approver_id })
        }
        _ => return Err(Error::field("decision", "invalid_choice")),
    })
}

#[post("/approvals/{id}")]
pub async fn decide(gateway: Data<Gateway>, visitor: Visitor, id: PathId, posted: Posted) -> HttpResult {
    let posted = posted.0;
    let decided = match decision(&posted) {
        Err(error) => Err(error),
        Ok(decision) => {
            let decide = DecideApproval { id: id.0, decision, context: visitor.context(posted.version()) };
            gateway.opportunity.service.ask(decide).await
        }
    };
    match decided {
        Ok(_) => Ok(see(&format!("/approvals/{}?done=decided", id.0))),
        Err(error) if is_mendable(&error) => {
            let mut page = shown(&gateway, &visitor, id.0).await?;
            page.comment = posted.get("comment").unwrap_or_default().to_owned();
            let form = Form::new("decision", "", "", vec![Field::area("comment")]);
            let form = form.refused(&posted, &error, &page.f);
            page.comment_error = form.fields.into_iter().find_map(|field| field.error);
            page.problem =
                form.problem.or_else(|| page.comment_error.is_none().then(|| why(&page.f, &error)));
            Ok(html(status_of(Some(&error)), &page))
        }
        Err(error) => Err(error.into()),
    }
}
