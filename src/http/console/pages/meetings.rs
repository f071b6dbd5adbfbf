//! `/meetings`.

use actix_web::{get, post};
use askama::Template;

use crate::http::api::meetings::MeetingParams;
use crate::http::console::kit::cell::{Cell, Cells};
use crate::http::console::kit::chips::{Chip, hidden_filters};
use crate::http::console::kit::choice::Source;
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::Form;
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::list_file;
use crate::http::console::kit::listing::{Listing, ask};
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::{CustomerLink, References};
use crate::http::console::kit::record_pages;
use crate::http::console::kit::record_pages::{EMBEDDED_ROWS, ListPage, NewForm, new_form};
use crate::http::console::kit::resume::Sent;
use crate::http::console::kit::search;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::{list_params, narrowed};
use crate::http::console::kit::typed::local;
use crate::http::error::HttpResult;
use domain::lists::ListName;
use domain::meeting::messages::{CreateMeeting, ListMeetings, MeetingFilter, SORTS};
use domain::meeting::record::{Meeting, NewMeeting};
use kernel::context::Context;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::page::PageRequest;

/// A meeting of a list.
pub struct MeetingRow {
    pub meeting: Meeting,
    pub customer: Option<CustomerLink>,
    pub owner: String,
}

impl Cells for MeetingRow {
    fn cell(&self, column: &str, f: &Frame) -> Cell {
        let Self { meeting, customer, owner } = self;
        match column {
            "title" => Cell::text(&meeting.title),
            "met_at" => Cell::Time(meeting.met_at),
            "duration_minutes" => {
                meeting.duration_minutes.map_or(Cell::Nothing, |n| Cell::text(f.number(&n)))
            }
            "customer_id" => Cell::some(customer.as_ref().map(|customer| &customer.name)),
            "location" => Cell::some(meeting.location.as_ref()),
            "notes" => Cell::some(meeting.notes.as_ref()),
            "outcome" => Cell::some(meeting.outcome.as_ref()),
            "owner_id" => Cell::Person(meeting.owner_id, owner.clone()),
            "created_at" => Cell::Time(meeting.created_at),
            "updated_at" => Cell::Time(meeting.updated_at),
            _ => Cell::Nothing,
        }
    }
}

#[derive(Template)]
#[template(path = "meetings.html")]
pub struct MeetingsPage {
    f: Frame,
    rows: Vec<MeetingRow>,
    list: Listing,
    /// What the list is narrowed to.
    owner: Field,
    customer: Field,
    chips: Vec<Chip>,
    q: String,
    form: Form,
}

/// Meetings with the names of whom they refer to.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn rows(me: &SessionUser, frame: &Frame, meetings: Vec<Meeting>) -> Result<Vec<MeetingRow>, Error> {
    let references = References::default()
        .customers(meetings.iter().map(|meeting| meeting.customer_id))
        .users(meetings.iter().map(|meeting| meeting.owner_id));
    let names = lookups::load(&me.gateway, me.caller(), references).await?;
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
pub async fn recent(
    me: &SessionUser,
    frame: &Frame,
    filter: MeetingFilter,
) -> Result<Vec<MeetingRow>, Error> {
    let page = PageRequest::first(EMBEDDED_ROWS);
    let asked = ListMeetings { caller: me.caller(), filter, sort: SORTS[0], page };
    rows(me, frame, me.gateway.sales.service.ask(asked).await?.items).await
}

/// The pages of meetings.
pub struct Meetings;

impl ListPage for Meetings {
    const LIST_NAME: Option<ListName> = Some(ListName::Meetings);
    const SECTION: &'static str = "meetings";
    const DONE: &'static str = "recorded";
    const NEW: NewForm = NewForm { id: "new-meeting", action: "/meetings", submit: "submit-record" };
    type Record = Meeting;
    type New = NewMeeting;
    type View = MeetingsPage;
    const FILTERS: &'static [(&'static str, Source)] =
        &[("customer_id", Source::Customers), ("owner_id", Source::People)];

    async fn fields(
        me: &SessionUser,
        f: &Frame,
        meeting: Option<&Meeting>,
        customer: Option<Id>,
    ) -> Result<Vec<Field>, Error> {
        let chosen = meeting.map(|meeting| meeting.customer_id).or(customer);
        let owner = meeting.map_or(me.caller().user_id, |meeting| meeting.owner_id);
        let references = References::default().customers(chosen).users([owner]);
        let names = lookups::load(&me.gateway, me.caller(), references).await?;
        let met_at = meeting.map_or(f.now, |meeting| meeting.met_at);
        let minutes = meeting.and_then(|meeting| meeting.duration_minutes);
        let of = |read: fn(&Meeting) -> Option<&String>| meeting.and_then(read);
        let mut fields = vec![
            Field::search("customer_id", Source::Customers)
                .required()
                .choosing(chosen.and_then(|id| names.customer_choice(id))),
            Field::text("title").required().holding_some(meeting.map(|meeting| &meeting.title)),
            Field::moment("met_at").required().holding(local(met_at, f.zone)),
            Field::number("duration_minutes").holding_some(minutes),
            Field::text("location").holding_some(of(|meeting| meeting.location.as_ref())),
            Field::area("notes").more().holding_some(of(|meeting| meeting.notes.as_ref())),
            Field::area("outcome").more().holding_some(of(|meeting| meeting.outcome.as_ref())),
        ];
        if f.sees_all_owners() {
            let field = Field::search("owner_id", Source::People).choosing(names.user_choice(owner));
            fields.push(field.required().more());
        }
        Ok(fields)
    }

    async fn view(me: &SessionUser, f: Frame, form: Option<Form>) -> Result<MeetingsPage, Error> {
        let (params, given): (MeetingParams, _) = list_params(&me.request)?;
        let sort = params.order()?;
        let mut asked = params.page(|keyset| sort.fits(keyset))?;
        let (caller, filter) = (me.caller(), MeetingFilter::from(params));
        let customer_id = filter.customer_id;
        let list = |page| ListMeetings { caller, filter: filter.clone(), sort, page };
        let page = ask(&mut asked, |page| me.gateway.sales.service.ask(list(page))).await?;
        let form = match form {
            Some(form) => form,
            None => new_form::<Self>(me, &f, customer_id).await?,
        };
        Ok(MeetingsPage {
            chips: hidden_filters(me, &f, &given, &["q", "customer_id", "owner_id"]).await?,
            list: Listing::of(me, ListName::Meetings, &given, &sort, (&asked, &page)).await?,
            rows: rows(me, &f, page.items).await?,
            owner: search::filter(me, &given, "owner_id", Source::People).await?,
            customer: search::filter(me, &given, "customer_id", Source::Customers).await?,
            q: narrowed(&given, "q"),
            form,
            f,
        })
    }

    async fn create(
        me: &SessionUser,
        meeting: NewMeeting,
        _: &Fields,
        context: Context,
    ) -> Result<Id, Error> {
        Ok(me.gateway.sales.service.ask(CreateMeeting { meeting, context }).await?.id)
    }

    fn made(_: Id) -> String {
        "/meetings".to_owned()
    }
}

#[get("/meetings")]
pub async fn index(me: SessionUser) -> HttpResult {
    record_pages::index::<Meetings>(me).await
}

/// The list as a file, with the columns and in the language of its reader.
#[get("/meetings.csv")]
pub async fn file(me: SessionUser) -> HttpResult {
    let (params, given): (MeetingParams, Fields) = list_params(&me.request)?;
    let sort = params.order()?;
    let filter = MeetingFilter::from(params);
    list_file::answer(me, ListName::Meetings, &given, move |reader, page| {
        let list = ListMeetings { caller: reader.me.caller(), filter: filter.clone(), sort, page };
        async move {
            let mut page = reader.me.gateway.sales.service.ask(list).await?;
            let items = std::mem::take(&mut page.items);
            Ok(page.holding(rows(&reader.me, &reader.f, items).await?))
        }
    })
    .await
}

#[post("/meetings")]
pub async fn create(me: SessionUser, sent: Sent) -> HttpResult {
    record_pages::create::<Meetings>(me, sent).await
}
