//! `/meetings`.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use askama::Template;

use crate::domain::meeting::messages::{
    ChangeMeeting, CreateMeeting, DeleteMeeting, ListMeetings, MeetingFilter,
};
use crate::domain::meeting::record::Meeting;
use crate::http::api::meetings::MeetingParams;
use crate::http::console::field::{Choice, Field, local};
use crate::http::console::form::{Form, is_mendable};
use crate::http::console::frame::{Frame, html, ok};
use crate::http::console::names;
use crate::http::console::names::{CustomerLink, References};
use crate::http::console::posted::Posted;
use crate::http::console::see;
use crate::http::console::shown::{Edit, asked, narrowed, status_of};
use crate::http::console::visitor::Visitor;
use crate::http::extract::PathId;
use crate::http::paging::next_address;
use crate::http::state::Gateway;
use crate::persistence::meetings::LATEST_FIRST;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};

/// Meetings on a customer's page.
const SOME: i64 = 20;

/// A meeting of a list.
pub struct MeetingRow {
    pub meeting: Meeting,
    pub customer: Option<CustomerLink>,
    pub owner: String,
}

#[derive(Template)]
#[template(path = "meetings.html")]
struct MeetingsPage {
    f: Frame,
    rows: Vec<MeetingRow>,
    next: Option<String>,
    is_first: bool,
    /// What the list is narrowed to.
    owner_id: String,
    customer_id: String,
    owners: Vec<Choice>,
    customers: Vec<Choice>,
    form: Form,
}

async fn rows(
    gateway: &Gateway,
    frame: &Frame,
    visitor: &Visitor,
    meetings: Vec<Meeting>,
) -> Result<Vec<MeetingRow>, Error> {
    let references = References::default()
        .customers(meetings.iter().map(|meeting| meeting.customer_id))
        .users(meetings.iter().map(|meeting| meeting.owner_id));
    let names = names::load(gateway, visitor.caller(), references).await?;
    let row = |meeting: Meeting| MeetingRow {
        customer: names.customer(meeting.customer_id),
        owner: names.user(frame, meeting.owner_id),
        meeting,
    };
    Ok(meetings.into_iter().map(row).collect())
}

/// The latest meetings that a filter leaves.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn some(
    gateway: &Gateway,
    frame: &Frame,
    visitor: &Visitor,
    filter: MeetingFilter,
) -> Result<Vec<MeetingRow>, Error> {
    let page = PageRequest { limit: SOME, after: None, count: false };
    let asked = ListMeetings { caller: visitor.caller(), filter, page };
    rows(gateway, frame, visitor, gateway.sales.service.ask(asked).await?.items).await
}

/// The fields of a meeting, new or there already.
async fn fields(
    gateway: &Gateway,
    frame: &Frame,
    visitor: &Visitor,
    meeting: Option<&Meeting>,
    chosen: Option<Id>,
) -> Result<Vec<Field>, Error> {
    let chosen = meeting.map(|meeting| meeting.customer_id).or(chosen);
    let customers = names::customers(gateway, visitor.caller(), chosen).await?;
    let met_at = meeting.map_or(frame.now, |meeting| meeting.met_at);
    let of = |read: fn(&Meeting) -> Option<&String>| meeting.and_then(read);
    let mut fields = vec![
        Field::choice("customer_id", customers).required().holding_some(chosen),
        Field::text("title").required().holding_some(meeting.map(|meeting| &meeting.title)),
        Field::moment("met_at").required().holding(local(met_at, frame.zone)),
        Field::number("duration_minutes").holding_some(meeting.and_then(|meeting| meeting.duration_minutes)),
        Field::text("location").holding_some(of(|meeting| meeting.location.as_ref())),
        Field::area("notes").more().holding_some(of(|meeting| meeting.notes.as_ref())),
        Field::area("outcome").more().holding_some(of(|meeting| meeting.outcome.as_ref())),
    ];
    let owners = names::owners(gateway, frame, visitor.caller()).await?;
    if !owners.is_empty() {
        let owner = meeting.map_or(visitor.caller().user_id, |meeting| meeting.owner_id);
        fields.push(Field::choice("owner_id", owners).required().more().holding(owner.to_string()));
    }
    Ok(fields)
}

#[get("/meetings")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, visitor: Visitor) -> HttpResult {
    let f = visitor.frame("meetings").await;
    Ok(ok(&list(&gateway, &request, &visitor, f, None).await?))
}

async fn list(
    gateway: &Gateway,
    request: &HttpRequest,
    visitor: &Visitor,
    f: Frame,
    form: Option<Form>,
) -> Result<MeetingsPage, Error> {
    let (params, given): (MeetingParams, _) = asked(request)?;
    let page = params.page(|keyset| LATEST_FIRST.fits(keyset))?;
    let is_first = page.after.is_none();
    let MeetingParams { customer_id, owner_id, from, to, .. } = params;
    let filter = MeetingFilter { customer_id, owner_id, from, to };
    let asked = ListMeetings { caller: visitor.caller(), filter, page };
    let Page { items, next, .. } = gateway.sales.service.ask(asked).await?;
    let form = match form {
        Some(form) => form,
        None => new_form(gateway, &f, visitor, customer_id).await?,
    };
    Ok(MeetingsPage {
        rows: rows(gateway, &f, visitor, items).await?,
        next: next.map(|next| next_address(request, &next)),
        is_first,
        owner_id: narrowed(&given, "owner_id"),
        customer_id: narrowed(&given, "customer_id"),
        owners: names::owners(gateway, &f, visitor.caller()).await?,
        customers: names::customers(gateway, visitor.caller(), customer_id).await?,
        form,
        f,
    })
}

async fn new_form(
    gateway: &Gateway,
    frame: &Frame,
    visitor: &Visitor,
    customer: Option<Id>,
) -> Result<Form, Error> {
    let fields = fields(gateway, frame, visitor, None, customer).await?;
    Ok(Form::new("new-meeting", "/meetings", "submit-record", fields))
}

#[post("/meetings")]
pub async fn create(
    gateway: Data<Gateway>,
    request: HttpRequest,
    visitor: Visitor,
    posted: Posted,
) -> HttpResult {
    let f = visitor.frame("meetings").await;
    let (form, posted) = (new_form(&gateway, &f, &visitor, None).await?, posted.0);
    let made = match form.read(&posted, f.zone) {
        Err(error) => Err(error),
        Ok(meeting) => {
            let create = CreateMeeting { meeting, context: visitor.context(None) };
            gateway.sales.service.ask(create).await
        }
    };
    match made {
        Ok(_) => Ok(see("/meetings?done=recorded")),
        Err(error) if is_mendable(&error) => {
            let form = form.refused(&posted, &error, &f);
            let page = list(&gateway, &request, &visitor, f, Some(form)).await?;
            Ok(html(status_of(Some(&error)), &page))
        }
        Err(error) => Err(error.into()),
    }
}

async fn form(gateway: &Gateway, frame: &Frame, visitor: &Visitor, meeting: &Meeting) -> Result<Form, Error> {
    let mut fields = fields(gateway, frame, visitor, Some(meeting), None).await?;
    fields.iter_mut().for_each(|field| field.more = false);
    let action = format!("/meetings/{}", meeting.id);
    Ok(Form::new("meeting", action, "submit-save", fields).of_version(meeting.version))
}

fn editor(f: Frame, meeting: &Meeting, form: Form) -> Edit {
    let title = f.with("meeting-edit", &meeting.title);
    let removal = Some(format!("/meetings/{}/delete", meeting.id));
    Edit { f, title, form, back: "/meetings".to_owned(), removal, asks: false }
}

#[get("/meetings/{id}")]
pub async fn edit(gateway: Data<Gateway>, visitor: Visitor, id: PathId) -> HttpResult {
    let meeting = gateway.sales.find(visitor.caller(), id.0).await?;
    let f = visitor.frame("meetings").await;
    let form = form(&gateway, &f, &visitor, &meeting).await?;
    Ok(editor(f, &meeting, form).answer(None))
}

#[post("/meetings/{id}")]
pub async fn change(gateway: Data<Gateway>, visitor: Visitor, id: PathId, posted: Posted) -> HttpResult {
    let meeting = gateway.sales.find(visitor.caller(), id.0).await?;
    let f = visitor.frame("meetings").await;
    let (form, posted) = (form(&gateway, &f, &visitor, &meeting).await?, posted.0);
    let changed = match form.read_changes(&posted, f.zone) {
        Err(error) => Err(error),
        Ok(changes) => {
            let change = ChangeMeeting { id: id.0, changes, context: visitor.context(posted.version()) };
            gateway.sales.service.ask(change).await
        }
    };
    match changed {
        Ok(_) => Ok(see("/meetings?done=saved")),
        Err(error) if is_mendable(&error) => {
            let form = form.refused(&posted, &error, &f);
            Ok(editor(f, &meeting, form).answer(Some(&error)))
        }
        Err(error) => Err(error.into()),
    }
}

#[post("/meetings/{id}/delete")]
pub async fn remove(gateway: Data<Gateway>, visitor: Visitor, id: PathId, posted: Posted) -> HttpResult {
    let delete = DeleteMeeting { id: id.0, context: visitor.context(posted.0.version()) };
    gateway.sales.service.ask(delete).await?;
    Ok(see("/meetings?done=removed"))
}
