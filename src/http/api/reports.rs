//! `/api/reports`.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpResponse, get};

use crate::http::extract::{Authenticated, Params};
use crate::http::period::{StatsParams, days, each_day};
use crate::http::state::Gateway;
use domain::report::messages::DayMetrics;
use domain::report::messages::ReadMetrics;

/// The figures of each day, oldest first
///
/// Days are those of `time_zone`.
#[utoipa::path(tag = "reports", params(StatsParams), responses((status = 200, body = Vec<DayMetrics>)))]
#[get("/reports/metrics")]
pub async fn metrics(gateway: Data<Gateway>, auth: Authenticated, params: Params<StatsParams>) -> HttpResult {
    let zone = params.0.zone(&auth.user.user);
    let (from, to) = days(&params.0, zone, gateway.clock.now())?;
    let days = each_day(from, to, zone);
    let asked = ReadMetrics { caller: auth.caller, owner_id: params.0.owner_id, days };
    Ok(HttpResponse::Ok().json(gateway.analytics.service.ask(asked).await?))
}
