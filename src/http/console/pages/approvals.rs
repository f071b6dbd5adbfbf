//! `/approvals`: requests, and decisions on them.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{get, post};
use askama::Template;

use crate::http::api::approvals::ApprovalParams;
use crate::http::console::kit::attachments::AttachmentsView;
use crate::http::console::kit::cell::{Cell, Cells};
use crate::http::console::kit::chips::{Chip, hidden_filters};
use crate::http::console::kit::choice::Choice;
use crate::http::console::kit::choice::Source;
use crate::http::console::kit::comments::{CommentsView, Piece};
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::{Form, is_mendable, why};
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::redirect;
use crate::http::console::kit::frame::{Frame, Outcome, html, ok};
use crate::http::console::kit::list_file;
use crate::http::console::kit::listing::{Listing, ask};
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::{CustomerLink, Names, References};
use crate::http::console::kit::once::once;
use crate::http::console::kit::record_pages;
use crate::http::console::kit::record_pages::{EMBEDDED_ROWS, ListPage, NewForm, new_form};
use crate::http::console::kit::record_view::wanted;
use crate::http::console::kit::resume::{Again, Sent};
use crate::http::console::kit::search;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::{list_params, narrowed};
use crate::http::console::kit::timeline::Timeline;
use crate::http::extract::PathId;
use crate::http::state::Gateway;
use domain::approval::messages::{
    ApprovalFilter, DecideApproval, Decision, ListApprovals, NewApprover, OptionalComment,
    ReadApprovalActivity, RequestApproval, RequiredComment, SORTS,
};
use domain::approval::record::NewApproval;
use domain::approval::record::{Approval, ApprovalStatus};
use domain::approval::rules::{Action, permitted};
use domain::comment::messages::RecordRef;
use domain::lists::ListName;
use domain::money::CURRENCY_DEFAULT;
use domain::search::record::RecordType;
use kernel::context::Context;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::page::PageRequest;

/// Currencies to choose from; the API takes every one of ISO 4217.
const CURRENCIES: [&str; 6] = ["JPY", "USD", "EUR", "GBP", "CNY", "KRW"];

/// The choice of a currency. One that a record has already is among them.
pub fn currency_field(current: Option<&str>) -> Field {
    let other = current.filter(|code| !CURRENCIES.contains(code));
    let codes = CURRENCIES.into_iter().chain(other);
    let choices = codes.map(|code| Choice { value: code.to_owned(), label: code.to_owned() });
    Field::choice("currency", choices.collect()).required().holding(current.unwrap_or(CURRENCY_DEFAULT))
}

/// An approval of a list.
pub struct ApprovalRow {
    pub approval: Approval,
    pub customer: Option<CustomerLink>,
    pub requester: String,
    /// Whom it waits for; every MANAGER if nobody.
    pub approver: Option<String>,
    pub decided_by: Option<String>,
}

impl Cells for ApprovalRow {
    fn cell(&self, column: &str, f: &Frame) -> Cell {
        let Self { approval, customer, requester, approver, decided_by } = self;
        match column {
            "title" => Cell::text(&approval.title),
            "amount" => Cell::Money(approval.amount, approval.currency.clone()),
            "status" => Cell::text(f.word("approval", approval.status.as_str())),
            "customer_id" => Cell::some(customer.as_ref().map(|customer| &customer.name)),
            "requester_id" => Cell::Person(approval.requester_id, requester.clone()),
            "approver_id" => match (approval.approver_id, approver) {
                (Some(id), Some(name)) => Cell::Person(id, name.clone()),
                _ => Cell::text(f.t("approver-everyone")),
            },
            "created_at" => Cell::Time(approval.created_at),
            "updated_at" => Cell::Time(approval.updated_at),
            "reason" => Cell::some(approval.reason.as_ref()),
            "decided_by" => Cell::some_person(approval.decided_by, decided_by.as_ref()),
            "decided_at" => Cell::moment(approval.decided_at),
            "comment" => Cell::some(approval.comment.as_ref()),
            _ => Cell::Nothing,
        }
    }
}

#[derive(Template)]
#[template(path = "approvals.html")]
pub struct ApprovalsPage {
    f: Frame,
    rows: Vec<ApprovalRow>,
    list: Listing,
    status: String,
    statuses: [ApprovalStatus; 4],
    chips: Vec<Chip>,
    q: String,
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
        decided_by: approval.decided_by.map(|id| names.user(f, id)),
        approval,
    }
}

async fn rows(me: &SessionUser, f: &Frame, approvals: Vec<Approval>) -> Result<Vec<ApprovalRow>, Error> {
    let names = lookups::load(&me.gateway, me.caller(), references(&approvals)).await?;
    Ok(approvals.into_iter().map(|approval| row(&names, f, approval)).collect())
}

/// The newest approvals that a filter leaves.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn recent(me: &SessionUser, f: &Frame, filter: ApprovalFilter) -> Result<Vec<ApprovalRow>, Error> {
    let page = PageRequest::first(EMBEDDED_ROWS);
    let asked = ListApprovals { caller: me.caller(), filter, sort: SORTS[0], page };
    rows(me, f, me.gateway.opportunity.service.ask(asked).await?.items).await
}

/// The list of approvals.
pub struct Approvals;

impl ListPage for Approvals {
    const LIST_NAME: Option<ListName> = Some(ListName::Approvals);
    const SECTION: &'static str = "approvals";
    const DONE: &'static str = "requested";
    const NEW: NewForm = NewForm { id: "new-approval", action: "/approvals", submit: "submit-request" };
    type Record = Approval;
    type New = NewApproval;
    type View = ApprovalsPage;

    async fn fields(
        me: &SessionUser,
        _: &Frame,
        _: Option<&Approval>,
        customer: Option<Id>,
    ) -> Result<Vec<Field>, Error> {
        let references = References::default().customers(customer);
        let names = lookups::load(&me.gateway, me.caller(), references).await?;
        Ok(vec![
            Field::search("customer_id", Source::Customers)
                .required()
                .choosing(customer.and_then(|id| names.customer_choice(id))),
            Field::text("title").required(),
            Field::amount("amount").required().hint("amount-hint"),
            currency_field(None),
            Field::area("reason").more(),
            Field::search("approver_id", Source::ApproversOf(me.caller().user_id)).more(),
        ])
    }

    async fn view(me: &SessionUser, f: Frame, form: Option<Form>) -> Result<ApprovalsPage, Error> {
        let (params, given): (ApprovalParams, _) = list_params(&me.request)?;
        let sort = params.order()?;
        let mut asked = params.page(|keyset| sort.fits(keyset))?;
        let (caller, filter) = (me.caller(), ApprovalFilter::from(params));
        let customer_id = filter.customer_id;
        let list = |page| ListApprovals { caller, filter: filter.clone(), sort, page };
        let page = ask(&mut asked, |page| me.gateway.opportunity.service.ask(list(page))).await?;
        let form = match form {
            Some(form) => form,
            None => new_form::<Self>(me, &f, customer_id).await?,
        };
        Ok(ApprovalsPage {
            chips: hidden_filters(me, &f, &given, &["q", "status"]).await?,
            list: Listing::of(me, ListName::Approvals, &given, &sort, (&asked, &page)).await?,
            rows: rows(me, &f, page.items).await?,
            status: narrowed(&given, "status"),
            statuses: ApprovalStatus::ALL,
            q: narrowed(&given, "q"),
            form,
            f,
        })
    }

    async fn create(
        me: &SessionUser,
        approval: NewApproval,
        _: &Fields,
        context: Context,
    ) -> Result<Id, Error> {
        Ok(me.gateway.opportunity.service.ask(RequestApproval { approval, context }).await?.id)
    }

    fn made(id: Id) -> String {
        format!("/approvals/{id}")
    }
}

#[get("/approvals")]
pub async fn index(me: SessionUser) -> HttpResult {
    record_pages::index::<Approvals>(me).await
}

/// The list as a file, with the columns and in the language of its reader.
#[get("/approvals.csv")]
pub async fn file(me: SessionUser) -> HttpResult {
    let (params, given): (ApprovalParams, Fields) = list_params(&me.request)?;
    let sort = params.order()?;
    let filter = ApprovalFilter::from(params);
    list_file::answer(me, ListName::Approvals, &given, move |reader, page| {
        let list = ListApprovals { caller: reader.me.caller(), filter: filter.clone(), sort, page };
        async move {
            let mut page = reader.me.gateway.opportunity.service.ask(list).await?;
            let items = std::mem::take(&mut page.items);
            Ok(page.holding(rows(&reader.me, &reader.f, items).await?))
        }
    })
    .await
}

#[post("/approvals")]
pub async fn create(me: SessionUser, sent: Sent) -> HttpResult {
    record_pages::create::<Approvals>(me, sent).await
}

#[derive(Template)]
#[template(path = "approval.html")]
struct ApprovalPage {
    f: Frame,
    row: ApprovalRow,
    timeline: Timeline,
    comments: CommentsView,
    attachments: AttachmentsView,
    /// Which decisions are the caller's to make.
    can_decide: bool,
    can_cancel: bool,
    can_reassign: bool,
    /// The form of a decision, and that of another approver.
    decision: Form,
    reassign: Form,
}

/// `can_decide`: the caller may reject the request, too, which needs a comment.
fn decision_form(approval: &Approval, can_decide: bool) -> Form {
    let action = format!("/approvals/{}", approval.id);
    let comment = Field::area("comment");
    let comment = if can_decide { comment.hint("approval-comment-hint") } else { comment };
    Form::new("decision", action, "", vec![comment]).of_version(approval.version)
}

fn reassign_form(approval: &Approval) -> Form {
    let approver = Field::search("approver_id", Source::ApproversOf(approval.requester_id)).required();
    let action = format!("/approvals/{}", approval.id);
    Form::new("reassign", action, "", vec![approver]).of_version(approval.version)
}

async fn shown(gateway: &Gateway, me: &SessionUser, id: Id) -> Result<ApprovalPage, Error> {
    let f = me.frame("approvals").await;
    let caller = me.caller();
    let approval = gateway.opportunity.find(caller, id).await?;
    let may = |action| permitted(Some(&approval), action, &caller).is_ok();
    let names = lookups::load(gateway, caller, references(std::slice::from_ref(&*approval))).await?;
    let can_reassign = may(Action::Reassign);
    let events = ReadApprovalActivity { id, caller, page: wanted(me)? };
    let events = gateway.opportunity.service.ask(events).await?;
    let record = RecordRef { r#type: RecordType::Approval, id };
    Ok(ApprovalPage {
        can_decide: may(Action::Approve),
        can_cancel: may(Action::Cancel),
        can_reassign,
        timeline: Timeline::of(me, &f, &format!("/approvals/{id}"), events).await?,
        attachments: AttachmentsView::of(me, &f, record).await?,
        comments: CommentsView::beside(me, &f, record, approval.requester_id).await?,
        decision: decision_form(&approval, may(Action::Approve)),
        reassign: reassign_form(&approval),
        row: row(&names, &f, (*approval).clone()),
        f,
    })
}

#[get("/approvals/{id}")]
pub async fn show(gateway: Data<Gateway>, me: SessionUser, id: PathId) -> HttpResult {
    Ok(ok(&shown(&gateway, &me, id.0).await?))
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

/// What the address says was done.
fn done(decision: &Decision) -> &'static str {
    match decision {
        Decision::Approve(_) => "?done=approved",
        Decision::Reject(_) => "?done=rejected",
        Decision::Cancel(_) => "?done=cancelled",
        Decision::Reassign(_) => "?done=reassigned",
    }
}

#[post("/approvals/{id}")]
pub async fn decide(gateway: Data<Gateway>, me: SessionUser, id: PathId, sent: Sent) -> HttpResult {
    let is_reassigned = sent.fields.get("decision") == Some("reassign");
    let shown = shown(&gateway, &me, id.0).await;
    let mut page = shown.map_err(|error| Again::missing(sent.again, error))?;
    let form = if is_reassigned { &mut page.reassign } else { &mut page.decision };
    if let Some(again) = sent.again {
        again.show(form, &sent.fields, &page.f);
        search::name_chosen(&me, &mut form.fields).await?;
        return Ok(html(Outcome(again.error().as_ref()), &page));
    }
    let posted = search::settle(&me, &mut form.fields, sent.fields).await?;
    let decided = match decision(&posted) {
        Err(error) => Err(error),
        Ok(decision) => {
            let done = done(&decision);
            let decided = once(&me, &posted, async |context| {
                gateway.opportunity.service.ask(DecideApproval { id: id.0, decision, context }).await?;
                Ok(id.0)
            });
            decided.await.map(|_| done)
        }
    };
    match decided {
        Ok(done) => Ok(redirect(&format!("/approvals/{}{done}", id.0))),
        Err(error) if is_mendable(&error) => {
            form.refuse(&posted, &error, &page.f);
            if form.problem.is_none() && form.fields.iter().all(|field| field.error.is_none()) {
                form.problem = Some(why(&page.f, &error));
            }
            // It is of the record as the page shows it now.
            form.version = Some(page.row.approval.version);
            search::name_chosen(&me, &mut form.fields).await?;
            Ok(html(Outcome(Some(&error)), &page))
        }
        Err(error) => Err(error.into()),
    }
}
