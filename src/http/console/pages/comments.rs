//! `/{records}/{id}/comments`: all comments on a record, and the forms that add, edit and delete one.

use actix_web::{get, post};
use askama::Template;

use crate::http::api::comments::CommentParams;
use crate::http::beside;
use crate::http::console::kit::comments::{
    CommentsView, Piece, RecordAt, edit_form, names_of, people, with_mentions,
};
use crate::http::console::kit::form::{Form, is_mendable};
use crate::http::console::kit::form_data::Posted;
use crate::http::console::kit::frame::{Frame, Outcome, html, ok, redirect};
use crate::http::console::kit::merge;
use crate::http::console::kit::once::once;
use crate::http::console::kit::resume::{Again, Sent};
use crate::http::console::kit::return_to::done_at;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::list_params;
use crate::http::error::HttpResult;
use crate::http::extract::PartId;
use domain::comment::messages::{
    AddComment, COMMENTS_NEWEST_FIRST, ChangeComment, DeleteComment, FindComment, RecordRef,
};
use domain::comment::record::{CommentChanges, NewComment};
use domain::search::record::RecordType;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

#[derive(Template)]
#[template(path = "comments_page.html")]
struct CommentsPage {
    f: Frame,
    /// What the record is called, and its page.
    title: String,
    record: String,
    comments: CommentsView,
}

#[derive(Template)]
#[template(path = "comment_page.html")]
struct CommentPage {
    f: Frame,
    form: Form,
    people: Vec<(Id, String)>,
    back: String,
}

/// What a record is called, and the user who sees it, whatever the role.
///
/// # Errors
/// `not_found`, `unavailable`, `overloaded`.
pub async fn about(me: &SessionUser, record: RecordRef) -> Result<(String, Id), Error> {
    let (gateway, caller, id) = (&me.gateway, me.caller(), record.id);
    Ok(match record.r#type {
        RecordType::Customer => {
            let customer = gateway.customers.find(caller, id).await?;
            (customer.name.clone(), customer.owner_id)
        }
        RecordType::Meeting => {
            let meeting = gateway.sales.find(caller, id).await?;
            (meeting.title.clone(), meeting.owner_id)
        }
        RecordType::Task => {
            let task = gateway.sales.find_task(caller, id).await?;
            (task.title.clone(), task.assignee_id)
        }
        RecordType::Approval => {
            let approval = gateway.opportunity.find(caller, id).await?;
            (approval.title.clone(), approval.requester_id)
        }
        RecordType::Deal => {
            let deal = gateway.opportunity.find_deal(caller, id).await?;
            (deal.title.clone(), deal.owner_id)
        }
    })
}

/// The entry of the navigation for records of a type.
pub fn section(record: RecordRef) -> &'static str {
    match record.r#type {
        RecordType::Customer => "customers",
        RecordType::Meeting => "meetings",
        RecordType::Task => "tasks",
        RecordType::Approval => "approvals",
        RecordType::Deal => "deals",
    }
}

async fn page(me: &SessionUser, record: RecordRef) -> Result<CommentsPage, Error> {
    let f = me.frame(section(record)).await;
    let (title, owner) = about(me, record).await?;
    let (params, _): (CommentParams, _) = list_params(&me.request)?;
    let page = params.page(|keyset| COMMENTS_NEWEST_FIRST.fits(keyset))?;
    let comments = CommentsView::of(me, &f, record, owner, page).await?;
    Ok(CommentsPage { f, title, record: beside::path(record), comments })
}

#[get("/{records:customers|meetings|tasks|approvals|deals}/{id}/comments")]
pub async fn index(me: SessionUser, at: RecordAt) -> HttpResult {
    Ok(ok(&page(&me, at.0).await?))
}

/// Adds a comment, once for each form.
#[post("/{records:customers|meetings|tasks|approvals|deals}/{id}/comments")]
pub async fn add(me: SessionUser, at: RecordAt, sent: Sent) -> HttpResult {
    let record = at.0;
    let found = page(&me, record).await;
    let mut page = found.map_err(|error| Again::missing(sent.again, error))?;
    if let Some(again) = sent.again {
        again.show(&mut page.comments.form, &sent.fields, &page.f);
        page.comments.people = people(&sent.fields);
        return Ok(html(Outcome(again.error().as_ref()), &page));
    }
    let posted = with_mentions(&sent.fields);
    let added = match page.comments.form.read::<NewComment>(&posted, page.f.zone) {
        Err(error) => Err(error),
        Ok(comment) => {
            let add = once(&me, &posted, async |context| {
                Ok(beside::ask(&me.gateway, record, AddComment { record, comment, context }).await?.id)
            });
            add.await
        }
    };
    match added {
        Ok(id) => {
            let back = posted.back("back").unwrap_or(&page.record);
            Ok(redirect(&format!("{}#comment-{id}", done_at(back, "commented"))))
        }
        Err(error) if is_mendable(&error) => {
            page.comments.form.refuse(&sent.fields, &error, &page.f);
            page.comments.people = people(&sent.fields);
            Ok(html(Outcome(Some(&error)), &page))
        }
        Err(error) => Err(error.into()),
    }
}

/// The page of the form that edits a comment of one's own, and the comment's version.
async fn form_of(me: &SessionUser, at: RecordAt, id: Id) -> Result<(CommentPage, i64), Error> {
    let record = at.0;
    let find = FindComment { record, id, caller: me.caller() };
    let comment = beside::ask(&me.gateway, record, find).await?;
    let (_, owner) = about(me, record).await?;
    let names = names_of(me, std::iter::once(&*comment)).await?;
    let back = beside::path(record);
    let (form, people) = edit_form(format!("{back}/comments/{id}"), owner, &comment, &names);
    Ok((CommentPage { f: me.frame(section(record)).await, form, people, back }, comment.version))
}

#[get("/{records:customers|meetings|tasks|approvals|deals}/{id}/comments/{part_id}")]
pub async fn edit(me: SessionUser, at: RecordAt, part: PartId) -> HttpResult {
    Ok(ok(&form_of(&me, at, part.id).await?.0))
}

#[post("/{records:customers|meetings|tasks|approvals|deals}/{id}/comments/{part_id}")]
pub async fn change(me: SessionUser, at: RecordAt, part: PartId, sent: Sent) -> HttpResult {
    let (record, id) = (at.0, part.id);
    let found = form_of(&me, at, id).await;
    let (mut page, version) = found.map_err(|error| Again::missing(sent.again, error))?;
    let before = std::mem::replace(&mut page.people, people(&sent.fields));
    if let Some(again) = sent.again {
        again.show(&mut page.form, &sent.fields, &page.f);
        return Ok(html(Outcome(again.error().as_ref()), &page));
    }
    let Some(changed) = merge::settled(&page.form.fields, &sent.fields, version) else {
        page.people.extend(before);
        page.form.oppose(&sent.fields, version, &page.f);
        return Ok(html(Outcome(Some(&Error::new(ErrorCode::StaleVersion))), &page));
    };
    let posted = with_mentions(&sent.fields);
    let done = match page.form.read_changes::<CommentChanges>(&posted, page.f.zone, &changed) {
        Err(error) => Err(error),
        Ok(changes) => {
            let change = ChangeComment { record, id, changes, context: me.context(Some(version)) };
            beside::ask(&me.gateway, record, change).await
        }
    };
    match done {
        Ok(_) => {
            let address = format!("{}?comment={id}", page.back);
            Ok(redirect(&format!("{}#comment-{id}", done_at(&address, "saved"))))
        }
        Err(error) if is_mendable(&error) => {
            page.form.refuse(&sent.fields, &error, &page.f);
            Ok(html(Outcome(Some(&error)), &page))
        }
        Err(error) => Err(error.into()),
    }
}

#[post("/{records:customers|meetings|tasks|approvals|deals}/{id}/comments/{part_id}/delete")]
pub async fn remove(me: SessionUser, at: RecordAt, part: PartId, posted: Posted) -> HttpResult {
    let (record, id) = (at.0, part.id);
    once(&me, &posted.0, async |context| {
        beside::ask(&me.gateway, record, DeleteComment { record, id, context }).await
    })
    .await?;
    let record = beside::path(record);
    Ok(redirect(&done_at(posted.0.back("back").unwrap_or(&record), "removed")))
}
