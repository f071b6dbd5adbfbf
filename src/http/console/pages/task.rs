//! `/tasks/{id}`: a task, what happened to it, and the form that changes it in its place.

use std::sync::Arc;

use actix_web::{get, post};
use askama::Template;
use chrono_tz::Tz;

use crate::http::console::kit::attachments::AttachmentsView;
use crate::http::console::kit::comments::{CommentsView, Piece};
use crate::http::console::kit::form::Form;
use crate::http::console::kit::form_data::Posted;
use crate::http::console::kit::frame::{Frame, redirect};
use crate::http::console::kit::record_pages;
use crate::http::console::kit::record_pages::{EditPage, RecordPage};
use crate::http::console::kit::record_view::{RecordView, Shown, wanted};
use crate::http::console::kit::resume::Sent;
use crate::http::console::kit::return_to::keeping;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::timeline::Timeline;
use crate::http::console::pages::tasks;
use crate::http::console::pages::tasks::{TaskRow, Tasks};
use crate::http::error::HttpResult;
use crate::http::extract::PathId;
use domain::comment::messages::RecordRef;
use domain::search::record::RecordType;
use domain::task::messages::{ChangeTask, DeleteTask, ReadTaskActivity};
use domain::task::postponed::Postponement;
use domain::task::record::{Task, TaskChanges, TaskStatus};
use kernel::context::Context;
use kernel::error::Error;
use kernel::ids::Id;

#[derive(Template)]
#[template(path = "task.html")]
pub struct TaskPage {
    f: Frame,
    row: TaskRow,
    view: RecordView,
    comments: CommentsView,
    attachments: AttachmentsView,
}

fn address(task: &Task) -> String {
    format!("/tasks/{}", task.id)
}

async fn page(me: &SessionUser, f: Frame, task: &Task, shown: Shown) -> Result<TaskPage, Error> {
    let read = ReadTaskActivity { id: task.id, caller: me.caller(), page: wanted(me)? };
    let events = me.gateway.sales.service.ask(read).await?;
    let timeline = Timeline::of(me, &f, &address(task), events).await?;
    let view = RecordView::new(address(task), task.version, shown, timeline);
    let row = tasks::rows(me, &f, vec![task.clone()]).await?.remove(0);
    let record = RecordRef { r#type: RecordType::Task, id: task.id };
    let comments = CommentsView::beside(me, &f, record, task.assignee_id).await?;
    let attachments = AttachmentsView::of(me, &f, record).await?;
    Ok(TaskPage { f, row, view, comments, attachments })
}

impl EditPage for Tasks {
    const FORM: &'static str = "task";
    type Changes = TaskChanges;
    type EditView = TaskPage;

    async fn find(me: &SessionUser, id: Id) -> Result<Arc<Task>, Error> {
        me.gateway.sales.find_task(me.caller(), id).await
    }

    fn action(task: &Task) -> String {
        format!("{}/edit", address(task))
    }

    async fn view_of(me: &SessionUser, f: Frame, task: &Task, form: Form) -> Result<TaskPage, Error> {
        page(me, f, task, Shown::Form(form)).await
    }

    async fn change(
        me: &SessionUser,
        task: &Task,
        changes: TaskChanges,
        context: Context,
    ) -> Result<String, Error> {
        me.gateway.sales.service.ask(ChangeTask { id: task.id, changes, context }).await?;
        Ok(format!("{}?done=saved", address(task)))
    }
}

impl RecordPage for Tasks {
    const LIST: &str = "/tasks";

    async fn page(
        me: &SessionUser,
        f: Frame,
        task: &Task,
        problem: Option<String>,
    ) -> Result<TaskPage, Error> {
        page(me, f, task, Shown::Fields { problem }).await
    }

    async fn delete(me: &SessionUser, id: Id, context: Context) -> Result<(), Error> {
        me.gateway.sales.service.ask(DeleteTask { id, context }).await.map(drop)
    }
}

#[get("/tasks/{id}")]
pub async fn index(me: SessionUser, id: PathId) -> HttpResult {
    record_pages::show::<Tasks>(me, id, None).await
}

#[get("/tasks/{id}/edit")]
pub async fn edit(me: SessionUser, id: PathId) -> HttpResult {
    record_pages::edit::<Tasks>(me, id).await
}

#[post("/tasks/{id}/edit")]
pub async fn change(me: SessionUser, id: PathId, sent: Sent) -> HttpResult {
    record_pages::change::<Tasks>(me, id, sent).await
}

/// One click where the task stands: done, or open again. It leads back to the page with the click.
#[post("/tasks/{id}/status")]
pub async fn set_status(me: SessionUser, id: PathId, posted: Posted) -> HttpResult {
    let (status, done) = match posted.0.get("status") {
        Some("OPEN") => (TaskStatus::Open, "reopened"),
        _ => (TaskStatus::Done, "completed"),
    };
    let changes = TaskChanges { status: Some(status), ..TaskChanges::default() };
    me.gateway.sales.service.ask(ChangeTask { id: id.0, changes, context: me.context(None) }).await?;
    Ok(redirect(&keeping(posted.0.back("back").unwrap_or("/tasks"), id.0, done)))
}

/// Puts an open task off where it stands, and leads back to the page with the menu.
#[post("/tasks/{id}/postpone")]
pub async fn postpone(me: SessionUser, id: PathId, posted: Posted) -> HttpResult {
    let to = posted.0.get("to").and_then(Postponement::parse);
    let to = to.ok_or_else(|| Error::field("to", "invalid_choice"))?;
    let task = me.gateway.sales.find_task(me.caller(), id.0).await?;
    let zone = me.principal.user.user.time_zone.parse().unwrap_or(Tz::UTC);
    let due_at = to.of(task.due_at, me.gateway.clock.now(), zone);
    let changes = TaskChanges { due_at: Some(due_at), ..TaskChanges::default() };
    me.gateway
        .sales
        .service
        .ask(ChangeTask { id: id.0, changes, context: me.context(Some(task.version)) })
        .await?;
    Ok(redirect(&keeping(posted.0.back("back").unwrap_or("/tasks"), id.0, "postponed")))
}

#[post("/tasks/{id}/delete")]
pub async fn remove(me: SessionUser, id: PathId, posted: Posted) -> HttpResult {
    record_pages::remove::<Tasks>(me, id, posted).await
}
