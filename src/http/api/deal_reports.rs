//! `/api/reports/deals`: the funnel, the forecast, and what became of deals.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::error::HttpResult;
use crate::http::extract::{Authenticated, Params};
use crate::http::period::{StatsParams, days, moments};
use crate::http::state::Gateway;
use domain::deal::reports::{
    DealOutcomes, ForecastMonth, FunnelStage, ReadDealForecast, ReadDealFunnel, ReadDealOutcomes,
};
use domain::report::period;
use domain::report::period::Span;
use kernel::caller::Caller;
use kernel::day::Day;
use kernel::error::Error;
use kernel::ids::Id;

/// Whose figures, and of which days.
#[derive(Clone, Copy)]
pub struct Asked {
    pub caller: Caller,
    pub owner_id: Option<Id>,
    pub zone: Tz,
}

/// A funnel.
#[derive(Serialize, ToSchema)]
pub struct Funnel {
    #[schema(value_type = String, format = Date)]
    pub from: NaiveDate,
    /// Included.
    #[schema(value_type = String, format = Date)]
    pub to: NaiveDate,
    /// QUALIFY, PROPOSE, NEGOTIATE and WON.
    pub stages: Vec<FunnelStage>,
}

/// How far the deals have come that were created in the period, and those of the period before.
#[derive(Serialize, ToSchema)]
pub struct FunnelView {
    pub period: Funnel,
    /// Null at the beginning of time.
    #[schema(required)]
    pub before: Option<Funnel>,
}

/// What is expected in the period, and what of it is won.
#[derive(Serialize, ToSchema)]
pub struct ForecastView {
    #[schema(value_type = String, format = Date)]
    pub from: NaiveDate,
    /// Included.
    #[schema(value_type = String, format = Date)]
    pub to: NaiveDate,
    /// By month and currency; months without a deal are left out.
    pub months: Vec<ForecastMonth>,
}

/// What became of the deals of a period.
#[derive(Serialize, ToSchema)]
pub struct Outcomes {
    #[schema(value_type = String, format = Date)]
    pub from: NaiveDate,
    /// Included.
    #[schema(value_type = String, format = Date)]
    pub to: NaiveDate,
    #[serde(flatten)]
    pub outcomes: DealOutcomes,
}

/// What became of the deals that were won or lost in the period, and of those of the period before.
#[derive(Serialize, ToSchema)]
pub struct OutcomesView {
    pub period: Outcomes,
    /// Null at the beginning of time.
    #[schema(required)]
    pub before: Option<Outcomes>,
}

/// The funnel of these days.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn read_funnel(gateway: &Gateway, asked: Asked, (from, to): Span) -> Result<Funnel, Error> {
    let Asked { caller, owner_id, zone } = asked;
    let (begin, end) = moments(from, to, zone);
    let read = ReadDealFunnel { caller, owner_id, from: begin, to: end };
    Ok(Funnel { from, to, stages: gateway.opportunity.service.ask(read).await? })
}

/// What is expected in these days.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn read_forecast(gateway: &Gateway, asked: Asked, (from, to): Span) -> Result<ForecastView, Error> {
    let Asked { caller, owner_id, .. } = asked;
    let day = |day: NaiveDate| Day::of(day).ok_or_else(|| Error::parameter("from", "invalid_value"));
    let read = ReadDealForecast { caller, owner_id, from: day(from)?, to: day(to)? };
    Ok(ForecastView { from, to, months: gateway.opportunity.service.ask(read).await? })
}

/// What became of the deals that were won or lost in these days.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn read_outcomes(gateway: &Gateway, asked: Asked, (from, to): Span) -> Result<Outcomes, Error> {
    let Asked { caller, owner_id, zone } = asked;
    let (begin, end) = moments(from, to, zone);
    let read = ReadDealOutcomes { caller, owner_id, from: begin, to: end };
    Ok(Outcomes { from, to, outcomes: gateway.opportunity.service.ask(read).await? })
}

fn asked(gateway: &Gateway, auth: &Authenticated, params: &StatsParams) -> Result<(Asked, Span), Error> {
    let zone = params.zone(&auth.user.user);
    let span = days(params, zone, gateway.clock.now())?;
    Ok((Asked { caller: auth.caller, owner_id: params.owner_id, zone }, span))
}

/// How far deals have come, by the time of their creation, beside the period before
///
/// SALES see their own. Before whole months come as many months, before other days as many days.
#[utoipa::path(tag = "reports", params(StatsParams), responses((status = 200, body = FunnelView)))]
#[get("/reports/deals/funnel")]
pub async fn funnel(gateway: Data<Gateway>, auth: Authenticated, params: Params<StatsParams>) -> HttpResult {
    let (asked, span) = asked(&gateway, &auth, &params.0)?;
    let before = match period::before(span) {
        Some(before) => Some(read_funnel(&gateway, asked, before).await?),
        None => None,
    };
    Ok(HttpResponse::Ok().json(FunnelView { period: read_funnel(&gateway, asked, span).await?, before }))
}

/// What is expected by month and currency, by the expected day
///
/// SALES see their own.
#[utoipa::path(tag = "reports", params(StatsParams), responses((status = 200, body = ForecastView)))]
#[get("/reports/deals/forecast")]
pub async fn forecast(
    gateway: Data<Gateway>,
    auth: Authenticated,
    params: Params<StatsParams>,
) -> HttpResult {
    let (asked, span) = asked(&gateway, &auth, &params.0)?;
    Ok(HttpResponse::Ok().json(read_forecast(&gateway, asked, span).await?))
}

/// What became of deals, by the time at which they were won or lost, beside the period before
///
/// SALES see their own. Before whole months come as many months, before other days as many days.
#[utoipa::path(tag = "reports", params(StatsParams), responses((status = 200, body = OutcomesView)))]
#[get("/reports/deals/outcomes")]
pub async fn outcomes(
    gateway: Data<Gateway>,
    auth: Authenticated,
    params: Params<StatsParams>,
) -> HttpResult {
    let (asked, span) = asked(&gateway, &auth, &params.0)?;
    let before = match period::before(span) {
        Some(before) => Some(read_outcomes(&gateway, asked, before).await?),
        None => None,
    };
    Ok(HttpResponse::Ok().json(OutcomesView { period: read_outcomes(&gateway, asked, span).await?, before }))
}
