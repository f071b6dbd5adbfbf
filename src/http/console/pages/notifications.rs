//! `/notifications`: one's own.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use askama::Template;

use crate::actors::analytics::view::{NotificationView, Reader};
use crate::http::api::notifications::NotificationParams;
use crate::http::console::kit::form_data::Posted;
use crate::http::console::kit::frame::redirect;
use crate::http::console::kit::frame::{Frame, ok};
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::{list_params, narrowed};
use crate::http::extract::PathId;
use crate::http::paging::next_address;
use crate::http::state::Gateway;
use domain::notification::messages::{ListNotifications, MarkNotification, NEWEST_FIRST};
use domain::notification::rules::NotificationCommand;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::page::Page;

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
        let known = ["customer", "meeting", "task", "approval"].contains(&subject.r#type.as_str());
        let href = known.then(|| format!("/{}s/{}", subject.r#type, subject.id));
        Self { id, created_at, title, body, href, read_at, archived_at }
    }
}

#[derive(Template)]
#[template(path = "notifications.html")]
struct NotificationsPage {
    f: Frame,
    rows: Vec<Row>,
    next: Option<String>,
    is_first: bool,
    unread_only: bool,
}

#[get("/notifications")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, me: SessionUser) -> HttpResult {
    let f = me.frame("notifications").await;
    let (params, given): (NotificationParams, _) = list_params(&request)?;
    let page = params.page(|keyset| NEWEST_FIRST.fits(keyset))?;
    let is_first = page.after.is_none();
    let unread_only = narrowed(&given, "unread") == "true";
    let asked = ListNotifications { caller: me.caller(), unread_only, page };
    let Page { items, next, .. } = gateway.analytics.service.ask(asked).await?;
    let reader = Reader::of(me.user(), None);
    let rows = items.into_iter().map(|notification| NotificationView::new(notification, &reader).into());
    Ok(ok(&NotificationsPage {
        rows: rows.collect(),
        next: next.map(|next| next_address(&request, &next)),
        is_first,
        unread_only,
        f,
    }))
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
