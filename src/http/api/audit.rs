//! `/api/audit`: the event log, for those who answer for it.

use crate::http::error::HttpResult;
use crate::http::paging::onwards;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use utoipa::openapi::{Object, ObjectBuilder, Type};

use crate::actors::operations::messages::{AuditFilter, EventView, NEWEST_FIRST, ReadAuditLog, ReadEvent};
use crate::http::extract::{Authenticated, NoParams, Params, PathId};
use crate::http::paging;
use crate::http::paging::list_params;
use crate::http::state::Gateway;
use domain::events as catalogue;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::cloud_event::CloudEvent;
use kernel::error::Error;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use kernel::page::Page;

list_params! {
    /// Which events; all that is given must hold.
    AuditParams {
        /// A type of the catalogue, `customer.created`.
        #[param(schema_with = event_types, example = "customer.created")]
        r#type: String,
        subject: Id,
        actor_id: Id,
        from: Timestamp,
        to: Timestamp,
    }
}

fn event_types() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(catalogue::CATALOGUE.0.iter().map(|event_type| event_type.name())))
        .build()
}

/// The event log, newest first (MANAGER, ADMIN)
#[utoipa::path(tag = "audit", params(AuditParams), responses((status = 200, body = Vec<CloudEvent>)))]
#[get("/audit/events")]
pub async fn events(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    params: Params<AuditParams>,
) -> HttpResult {
    let page = find(&gateway, auth.caller, params.0).await?;
    Ok(paging::list(&request, &page.view(CloudEvent::from)))
}

/// An event of the log, and what it changed of its record, from what to what (MANAGER, ADMIN)
#[utoipa::path(tag = "audit", params(("id" = Id, Path)), responses((status = 200, body = EventView)))]
#[get("/audit/events/{id}")]
pub async fn event(
    gateway: Data<Gateway>,
    auth: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    let reading = gateway.operations.ask(ReadEvent { caller: auth.caller, id: id.0 }).await?;
    Ok(HttpResponse::Ok().json(EventView::from(&reading)))
}

/// The events asked for.
///
/// # Errors
/// `forbidden`, `invalid_parameter`, `invalid_cursor`, `unavailable`.
pub async fn find(
    gateway: &Gateway,
    caller: Caller,
    params: AuditParams,
) -> Result<Page<LoggedEvent>, Error> {
    let page = onwards(params.page(|keyset| keyset.sort == NEWEST_FIRST)?)?;
    let filter = AuditFilter {
        event_type: params.r#type,
        subject: params.subject,
        actor_id: params.actor_id,
        from: params.from,
        to: params.to,
    };
    gateway.operations.ask(ReadAuditLog { caller, filter, page }).await
}
