//! `/admin/audit`: the event log (MANAGER, ADMIN).

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, get};
use askama::Template;
use kernel::event::{EventRecord, EventType};

use crate::http::api::audit::{AuditParams, find};
use crate::http::console::kit::frame::{Frame, ok};
use crate::http::console::kit::listing::Pager;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::{list_params, narrowed};
use crate::http::console::kit::timeline;
use crate::http::console::kit::timeline::Entry;
use crate::http::state::Gateway;
use domain::events as catalogue;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    f: Frame,
    entries: Vec<Entry>,
    pager: Pager,
    event_type: String,
    types: &'static [EventType],
}

#[get("/admin/audit")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, me: SessionUser) -> HttpResult {
    let f = me.frame("admin").await;
    let (params, given): (AuditParams, _) = list_params(&request)?;
    let is_first = params.cursor.is_none();
    let page = find(&gateway, me.caller(), params).await?;
    let pager = Pager::of(&request, is_first, &page);
    let events: Vec<EventRecord> = page.items.iter().map(EventRecord::from).collect();
    Ok(ok(&AuditPage {
        entries: timeline::entries(&gateway, &f, me.caller(), &events).await?,
        pager,
        event_type: narrowed(&given, "type"),
        types: catalogue::CATALOGUE.0,
        f,
    }))
}
