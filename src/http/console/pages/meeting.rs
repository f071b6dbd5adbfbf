//! `/meetings/{id}`: a meeting, what happened to it, and the form that changes it in its place.

use std::sync::Arc;

use actix_web::{get, post};
use askama::Template;

use crate::http::console::kit::attachments::AttachmentsView;
use crate::http::console::kit::comments::{CommentsView, Piece};
use crate::http::console::kit::form::Form;
use crate::http::console::kit::form_data::Posted;
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::record_pages;
use crate::http::console::kit::record_pages::{EditPage, RecordPage};
use crate::http::console::kit::record_view::{RecordView, Shown, wanted};
use crate::http::console::kit::resume::Sent;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::timeline::Timeline;
use crate::http::console::pages::meetings;
use crate::http::console::pages::meetings::{MeetingRow, Meetings};
use crate::http::error::HttpResult;
use crate::http::extract::PathId;
use domain::comment::messages::RecordRef;
use domain::meeting::messages::{ChangeMeeting, DeleteMeeting, ReadMeetingActivity};
use domain::meeting::record::{Meeting, MeetingChanges};
use domain::search::record::RecordType;
use kernel::context::Context;
use kernel::error::Error;
use kernel::ids::Id;

#[derive(Template)]
#[template(path = "meeting.html")]
pub struct MeetingPage {
    f: Frame,
    row: MeetingRow,
    view: RecordView,
    comments: CommentsView,
    attachments: AttachmentsView,
}

fn address(meeting: &Meeting) -> String {
    format!("/meetings/{}", meeting.id)
}

async fn page(me: &SessionUser, f: Frame, meeting: &Meeting, shown: Shown) -> Result<MeetingPage, Error> {
    let read = ReadMeetingActivity { id: meeting.id, caller: me.caller(), page: wanted(me)? };
    let events = me.gateway.sales.service.ask(read).await?;
    let timeline = Timeline::of(me, &f, &address(meeting), events).await?;
    let view = RecordView::new(address(meeting), meeting.version, shown, timeline);
    let row = meetings::rows(me, &f, vec![meeting.clone()]).await?.remove(0);
    let record = RecordRef { r#type: RecordType::Meeting, id: meeting.id };
    let comments = CommentsView::beside(me, &f, record, meeting.owner_id).await?;
    let attachments = AttachmentsView::of(me, &f, record).await?;
    Ok(MeetingPage { f, row, view, comments, attachments })
}

impl EditPage for Meetings {
    const FORM: &'static str = "meeting";
    type Changes = MeetingChanges;
    type EditView = MeetingPage;

    async fn find(me: &SessionUser, id: Id) -> Result<Arc<Meeting>, Error> {
        me.gateway.sales.find(me.caller(), id).await
    }

    fn action(meeting: &Meeting) -> String {
        format!("{}/edit", address(meeting))
    }

    async fn view_of(
        me: &SessionUser,
        f: Frame,
        meeting: &Meeting,
        form: Form,
    ) -> Result<MeetingPage, Error> {
        page(me, f, meeting, Shown::Form(form)).await
    }

    async fn change(
        me: &SessionUser,
        meeting: &Meeting,
        changes: MeetingChanges,
        context: Context,
    ) -> Result<String, Error> {
        me.gateway.sales.service.ask(ChangeMeeting { id: meeting.id, changes, context }).await?;
        Ok(format!("{}?done=saved", address(meeting)))
    }
}

impl RecordPage for Meetings {
    const LIST: &str = "/meetings";

    async fn page(
        me: &SessionUser,
        f: Frame,
        meeting: &Meeting,
        problem: Option<String>,
    ) -> Result<MeetingPage, Error> {
        page(me, f, meeting, Shown::Fields { problem }).await
    }

    async fn delete(me: &SessionUser, id: Id, context: Context) -> Result<(), Error> {
        me.gateway.sales.service.ask(DeleteMeeting { id, context }).await.map(drop)
    }
}

#[get("/meetings/{id}")]
pub async fn index(me: SessionUser, id: PathId) -> HttpResult {
    record_pages::show::<Meetings>(me, id, None).await
}

#[get("/meetings/{id}/edit")]
pub async fn edit(me: SessionUser, id: PathId) -> HttpResult {
    record_pages::edit::<Meetings>(me, id).await
}

#[post("/meetings/{id}/edit")]
pub async fn change(me: SessionUser, id: PathId, sent: Sent) -> HttpResult {
    record_pages::change::<Meetings>(me, id, sent).await
}

#[post("/meetings/{id}/delete")]
pub async fn remove(me: SessionUser, id: PathId, posted: Posted) -> HttpResult {
    record_pages::remove::<Meetings>(me, id, posted).await
}
