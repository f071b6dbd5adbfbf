//! `/notifications`: one's own.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use askama::Template;

use crate::actors::analytics::view::{NotificationView, Reader, Subject};
use crate::http::api::notifications::NotificationParams;
use crate::http::beside;
use crate::http::console::kit::form_data::Posted;
use crate::http::console::kit::frame::redirect;
use crate::http::console::kit::frame::{Frame, ok};
use crate::http::console::kit::listing::Pager;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::{list_params, narrowed};
use crate::http::extract::PathId;
use crate::http::state::Gateway;
use domain::comment::messages::RecordRef;
use domain::notification::messages::{ListNotifications, MarkNotification, NEWEST_FIRST, Which};
use domain::notification::rules::NotificationCommand;
use domain::search::record::RecordType;
use kernel::clock::Timestamp;
use kernel::ids::Id;

struct Row {
    id: Id,
    created_at: Timestamp,
    title: String,
    body: String,
    /// The page of what it is about.
    href: Option<String>,
    read_at: Option<Timestamp>,
    archived_at: Option<Timestamp>,
}

impl Row {
    fn is_archived(&self) -> bool {
        self.archived_at.is_some()
    }

    fn is_unread(&self) -> bool {
        self.read_at.is_none() && !self.is_archived()
    }
}

impl From<NotificationView> for Row {
    fn from(view: NotificationView) -> Self {
        let NotificationView { id, created_at, title, body, subject, read_at, archived_at, .. } = view;
        let href = page_of(&subject, None).map(|_| format!("/notifications/{id}"));
        Self { id, created_at, title, body, href, read_at, archived_at }
    }
}

#[derive(Template)]
#[template(path = "notifications.html")]
struct NotificationsPage {
    f: Frame,
    rows: Vec<Row>,
    pager: Pager,
    /// `unread`, `archived`, or empty: all but archived ones.
    show: String,
}

#[get("/notifications")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, me: SessionUser) -> HttpResult {
    let f = me.frame("notifications").await;
    let (params, given): (NotificationParams, _) = list_params(&request)?;
    let page = params.page(|keyset| NEWEST_FIRST.fits(keyset))?;
    let is_first = page.is_first();
    let (which, show) = match narrowed(&given, "show").as_str() {
        "archived" => (Which::Archived, "archived"),
        "unread" => (Which::Unread, "unread"),
        _ if narrowed(&given, "unread") == "true" => (Which::Unread, "unread"),
        _ => (Which::Kept, ""),
    };
    let asked = ListNotifications { caller: me.caller(), which, page };
    let page = gateway.analytics.service.ask(asked).await?;
    let reader = Reader::of(me.user(), None);
    let pager = Pager::of(&request, is_first, &page);
    let rows = page.items.into_iter().map(|notification| NotificationView::new(notification, &reader).into());
    Ok(ok(&NotificationsPage { rows: rows.collect(), pager, show: show.to_owned(), f }))
}

/// The page of what a notification is about, and the comment that it is of.
fn page_of(subject: &Subject, comment: Option<Id>) -> Option<String> {
    let id = subject.id;
    let page = beside::path(RecordRef { r#type: RecordType::parse(&subject.r#type)?, id });
    Some(match comment {
        Some(comment) => format!("{page}?comment={comment}#comment-{comment}"),
        None => page,
    })
}

/// Opening a notification marks it as read and leads to what it is about.
#[get("/notifications/{id}")]
pub async fn open(gateway: Data<Gateway>, me: SessionUser, id: PathId) -> HttpResult {
    let read = MarkNotification { id: id.0, mark: NotificationCommand::Read, context: me.context(None) };
    let notification = gateway.analytics.service.ask(read).await?;
    let view = NotificationView::new((*notification).clone(), &Reader::of(me.user(), None));
    Ok(redirect(&page_of(&view.subject, view.data.comment_id).unwrap_or_else(|| "/notifications".to_owned())))
}

#[post("/notifications/{id}")]
pub async fn mark(gateway: Data<Gateway>, me: SessionUser, id: PathId, posted: Posted) -> HttpResult {
    let mark = match posted.0.get("mark") {
        Some("archive") => NotificationCommand::Archive,
        _ => NotificationCommand::Read,
    };
    gateway.analytics.service.ask(MarkNotification { id: id.0, mark, context: me.context(None) }).await?;
    Ok(redirect(posted.0.back("back").unwrap_or("/notifications")))
}

#[post("/notifications/read-all")]
pub async fn read_all(gateway: Data<Gateway>, me: SessionUser, _: Posted) -> HttpResult {
    gateway.analytics.read_all(me.context(None)).await?;
    Ok(redirect("/notifications?done=read"))
}
