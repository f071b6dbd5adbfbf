//! `/admin/audit`: the event log (MANAGER, ADMIN).

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;

use super::frame::{Frame, ok};
use super::shown::{asked, narrowed};
use super::timeline::{self, Entry};
use super::visitor::Visitor;
use crate::actors::catalogue;
use crate::actors::page::Page;
use crate::actors::refusal::Refusal;
use crate::http::audit::{AuditParams, find};
use crate::http::paging::next_address;
use crate::http::state::Gateway;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    f: Frame,
    entries: Vec<Entry>,
    next: Option<String>,
    is_first: bool,
    event_type: String,
    types: &'static [&'static str],
}

#[get("/admin/audit")]
pub async fn index(
    gateway: Data<Gateway>,
    request: HttpRequest,
    visitor: Visitor,
) -> Result<HttpResponse, Refusal> {
    let f = visitor.frame("admin").await;
    let (params, given): (AuditParams, _) = asked(&request)?;
    let is_first = params.cursor.is_none();
    let Page { items, next, .. } = find(&gateway, &visitor.caller(), params).await?;
    Ok(ok(&AuditPage {
        entries: timeline::entries(&gateway, &f, &items).await?,
        next: next.map(|next| next_address(&request, &next)),
        is_first,
        event_type: narrowed(&given, "type"),
        types: catalogue::ALL,
        f,
    }))
}
