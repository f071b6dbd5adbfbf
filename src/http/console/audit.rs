//! `/admin/audit`: the event log (MANAGER, ADMIN).

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, get};
use askama::Template;
use kernel::event::{EventRecord, EventType};

use crate::domain::events as catalogue;
use crate::http::api::audit::{AuditParams, find};
use crate::http::console::frame::{Frame, ok};
use crate::http::console::shown::{asked, narrowed};
use crate::http::console::timeline;
use crate::http::console::timeline::Entry;
use crate::http::console::visitor::Visitor;
use crate::http::paging::next_address;
use crate::http::state::Gateway;
use kernel::page::Page;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    f: Frame,
    entries: Vec<Entry>,
    next: Option<String>,
    is_first: bool,
    event_type: String,
    types: &'static [EventType],
}

#[get("/admin/audit")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, visitor: Visitor) -> HttpResult {
    let f = visitor.frame("admin").await;
    let (params, given): (AuditParams, _) = asked(&request)?;
    let is_first = params.cursor.is_none();
    let Page { items, next, .. } = find(&gateway, visitor.caller(), params).await?;
    let events: Vec<EventRecord> = items.iter().map(EventRecord::from).collect();
    Ok(ok(&AuditPage {
        entries: timeline::entries(&gateway, &f, visitor.caller(), &events).await?,
        next: next.map(|next| next_address(&request, &next)),
        is_first,
        event_type: narrowed(&given, "type"),
        types: catalogue::CATALOGUE.0,
        f,
    }))
}
