//! `/api/audit`: the event log, for those who answer for it.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use utoipa::openapi::{Object, ObjectBuilder, Type};

use super::extract::{Params, Signed};
use super::paging::{self, list_params};
use super::state::Gateway;
use crate::actors::catalogue;
use crate::actors::cloud_event::CloudEvent;
use crate::actors::context::{Caller, Role};
use crate::actors::event::LoggedEvent;
use crate::actors::page::{Keyset, Page};
use crate::actors::refusal::Refusal;
use crate::clock::Timestamp;
use crate::ids::Id;
use crate::persistence::log::{self, AuditFilter};

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
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(catalogue::ALL.iter().copied())).build()
}

const NEWEST_FIRST: &str = "-id";

/// The event log, newest first (MANAGER, ADMIN)
#[utoipa::path(tag = "audit", params(AuditParams), responses((status = 200, body = Vec<CloudEvent>)))]
#[get("/audit/events")]
pub async fn events(
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Signed,
    params: Params<AuditParams>,
) -> Result<HttpResponse, Refusal> {
    let Page { items, next, total } = find(&gateway, &signed.caller, params.0).await?;
    let items = items.iter().map(CloudEvent::from).collect();
    Ok(paging::list(&request, &Page { items, next, total }))
}

/// The events asked for.
///
/// # Errors
/// `forbidden`, `invalid_parameter`, `invalid_cursor`, `unavailable`.
pub async fn find(
    gateway: &Gateway,
    caller: &Caller,
    params: AuditParams,
) -> Result<Page<LoggedEvent>, Refusal> {
    caller.require(&[Role::Manager, Role::Admin])?;
    let page = params.page(|keyset| keyset.sort == NEWEST_FIRST)?;
    if params.r#type.as_deref().is_some_and(|wanted| catalogue::intern(wanted).is_none()) {
        return Err(Refusal::parameter("type", "invalid_choice"));
    }
    let filter = AuditFilter {
        event_type: params.r#type,
        subject: params.subject,
        actor_id: params.actor_id,
        from: params.from,
        to: params.to,
    };
    let found = log::audit(&gateway.db, &filter, page.after.map(|key| key.id), page.limit + 1).await?;
    let total = if page.count { Some(log::audit_count(&gateway.db, &filter).await?) } else { None };
    let key =
        |event: &LoggedEvent| Keyset { sort: NEWEST_FIRST.into(), value: String::new(), id: event.event.id };
    Ok(Page::cut(found, page.limit, key, total))
}
