//! `/api/reports`.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};

use super::extract::{Params, Signed};
use super::period::{StatsParams, days};
use super::state::Gateway;
use crate::actors::analytics::messages::ReadMetrics;
use crate::actors::refusal::Refusal;
use crate::persistence::analytics::DayMetrics;

/// The figures of each day, oldest first
#[utoipa::path(tag = "reports", params(StatsParams), responses((status = 200, body = Vec<DayMetrics>)))]
#[get("/reports/metrics")]
pub async fn metrics(
    gateway: Data<Gateway>,
    signed: Signed,
    params: Params<StatsParams>,
) -> Result<HttpResponse, Refusal> {
    let (from, to) = days(&params.0, gateway.clock.now())?;
    let asked = ReadMetrics { caller: signed.caller, owner_id: params.0.owner_id, from, to };
    Ok(HttpResponse::Ok().json(gateway.analytics.ask(asked).await?))
}
