//! `/{records}/{id}/attachments`: the attachments of a record, their content, and the forms that attach and remove one.

use std::cell::Cell;

use actix_web::web::Payload;
use actix_web::{get, post};
use askama::Template;

use crate::actors::uploads::Purpose;
use crate::http::beside;
use crate::http::console::kit::attachments::AttachmentsView;
use crate::http::console::kit::comments::RecordAt;
use crate::http::console::kit::form::why;
use crate::http::console::kit::form_data::{Fields, Posted};
use crate::http::console::kit::frame::{Frame, Outcome, html, ok, redirect};
use crate::http::console::kit::once::once;
use crate::http::console::kit::return_to::done_at;
use crate::http::console::kit::session::{FormOf, form_of};
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::pages::comments::{about, section};
use crate::http::error::HttpResult;
use crate::http::extract::PartId;
use crate::http::uploads;
use crate::http::uploads::{Received, receive};
use crate::i18n;
use crate::i18n::Param;
use domain::attachment::messages::{AddAttachment, CheckAttachable, FindAttachment, RemoveAttachment};
use domain::comment::messages::RecordRef;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

#[derive(Template)]
#[template(path = "attachments_page.html")]
struct AttachmentsPage {
    f: Frame,
    /// What the record is called, and its page.
    title: String,
    record: String,
    attachments: AttachmentsView,
}

async fn page(me: &SessionUser, record: RecordRef) -> Result<AttachmentsPage, Error> {
    let f = me.frame(section(record)).await;
    let (title, _) = about(me, record).await?;
    let attachments = AttachmentsView::of(me, &f, record).await?;
    Ok(AttachmentsPage { f, title, record: beside::path(record), attachments })
}

#[get("/{records:customers|meetings|tasks|approvals|deals}/{id}/attachments")]
pub async fn index(me: SessionUser, at: RecordAt) -> HttpResult {
    Ok(ok(&page(&me, at.0).await?))
}

/// Attaches a file, once for each form.
#[post("/{records:customers|meetings|tasks|approvals|deals}/{id}/attachments")]
pub async fn attach(me: SessionUser, at: RecordAt, payload: Payload) -> HttpResult {
    let record = at.0;
    match attached(&me, record, payload).await {
        Ok((back, id)) => {
            let back = back.unwrap_or_else(|| beside::path(record));
            Ok(redirect(&format!("{}#attachment-{id}", done_at(&back, "attached"))))
        }
        Err(error) if uploads::is_of_file(&error) => {
            let mut page = page(&me, record).await?;
            page.attachments.problem = Some(said(&page.f, &error));
            Ok(html(Outcome(Some(&error)), &page))
        }
        Err(error) => Err(error.into()),
    }
}

/// The page to go back to, and the attachment.
async fn attached(
    me: &SessionUser,
    record: RecordRef,
    payload: Payload,
) -> Result<(Option<String>, Id), Error> {
    let caller = me.caller();
    beside::ask(&me.gateway, record, CheckAttachable { record, caller }).await?;
    // The form's token stands before its file.
    let is_ours = |fields: &[(String, String)]| {
        let fields: Fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        match form_of(&me.gateway, fields.token(), &caller) {
            FormOf::ThisSession => Ok(()),
            FormOf::OtherSession | FormOf::Nobody => Err(Error::new(ErrorCode::Forbidden)),
        }
    };
    let Received { fields, upload } =
        receive(&me.request, payload.into_inner(), &caller, (Purpose::Attachment, record.id), is_ours)
            .await?;
    let fields: Fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let fields = fields.with("file", format!("{} {}", upload.sha256, upload.name));
    let was_sent = Cell::new(false);
    let added = once(me, &fields, async |context| {
        was_sent.set(true);
        let add = AddAttachment { record, upload: upload.id, context };
        Ok(beside::ask(&me.gateway, record, add).await?.id)
    })
    .await;
    if !was_sent.get() {
        uploads::give_up(&me.gateway, upload.id).await;
    }
    Ok((fields.back("back").map(str::to_owned), added?))
}

/// What was wrong with the file.
fn said(f: &Frame, error: &Error) -> String {
    let Some(fault) = error.fields.first() else { return why(f, error) };
    let params: Vec<_> = fault.limit.iter().map(|limit| ("limit", Param::Number(*limit))).collect();
    let text = i18n::text(f.locale, &format!("field-{}", fault.code), None, &params);
    text.unwrap_or_else(|| why(f, error))
}

#[get("/{records:customers|meetings|tasks|approvals|deals}/{id}/attachments/{part_id}")]
pub async fn content(me: SessionUser, at: RecordAt, part: PartId) -> HttpResult {
    let find = FindAttachment { record: at.0, id: part.id, caller: me.caller() };
    let found = beside::ask(&me.gateway, at.0, find).await?;
    Ok(uploads::content(&me.gateway, &me.request, &found))
}

#[post("/{records:customers|meetings|tasks|approvals|deals}/{id}/attachments/{part_id}/delete")]
pub async fn remove(me: SessionUser, at: RecordAt, part: PartId, posted: Posted) -> HttpResult {
    let (record, id) = (at.0, part.id);
    once(&me, &posted.0, async |context| {
        beside::ask(&me.gateway, record, RemoveAttachment { record, id, context }).await
    })
    .await?;
    let record = beside::path(record);
    Ok(redirect(&done_at(posted.0.back("back").unwrap_or(&record), "removed")))
}
