//! `/api/admin/security-log`: sign-ins, refusals, and the ends of sessions (ADMIN).

use std::net::IpAddr;

use actix_web::web::Data;
use actix_web::{HttpRequest, get};
use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{ObjectBuilder, Schema, SchemaFormat, Type};

use crate::http::error::HttpResult;
use crate::http::extract::{Authenticated, Params};
use crate::http::paging;
use crate::http::paging::list_params;
use crate::http::state::Gateway;
use domain::security::messages::{NEWEST_FIRST, ReadSecurityLog, SecurityFilter};
use domain::security::record::{SecurityEntry, SecurityKind};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::page::Page;

list_params! {
    /// Which entries; all that is given must hold.
    SecurityParams {
        kind: SecurityKind,
        /// The user whom it concerns.
        user_id: Id,
        /// The client's address.
        #[param(schema_with = ip_address, example = "192.0.2.1")]
        address: IpAddr,
        from: Timestamp,
        to: Timestamp,
    }
}

fn ip_address() -> Schema {
    let of_format = |format: &str| {
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::Custom(format.into())))
    };
    AnyOfBuilder::new().item(of_format("ipv4")).item(of_format("ipv6")).build().into()
}

/// The security log, newest first (ADMIN): sign-ins, refusals, and the ends of sessions
#[utoipa::path(tag = "admin", params(SecurityParams), responses((status = 200, body = Vec<SecurityEntry>)))]
#[get("/admin/security-log")]
pub async fn security_log(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    params: Params<SecurityParams>,
) -> HttpResult {
    Ok(paging::list(&request, &find(&gateway, auth.caller, params.0).await?))
}

/// The entries asked for.
///
/// # Errors
/// `forbidden`, `invalid_parameter`, `invalid_cursor`, `unavailable`.
pub async fn find(
    gateway: &Gateway,
    caller: Caller,
    params: SecurityParams,
) -> Result<Page<SecurityEntry>, Error> {
    let page = params.page(|keyset| NEWEST_FIRST.fits(keyset))?;
    let SecurityParams { kind, user_id, address, from, to, .. } = params;
    let filter = SecurityFilter { kind, user_id, address, from, to };
    gateway.auth.service.ask(ReadSecurityLog { caller, filter, page }).await
}
