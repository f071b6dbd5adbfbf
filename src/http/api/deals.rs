//! `/api/deals`.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, delete, get, patch, post};
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::{IntoParams, ToSchema};

use crate::actors::opportunity::service::OpportunityService;
use crate::http::answer;
use crate::http::answer::Deleted;
use crate::http::api::activities;
use crate::http::api::activities::ActivityParams;
use crate::http::api::resource;
use crate::http::api::resource::{ApiRequest, resource};
use crate::http::error::HttpResult;
use crate::http::extract::{Body, NoParams, Params, PathId};
use crate::http::paging::{list_params, order};
use domain::deal::messages::{
    ChangeDeal, CreateDeal, DealCounts, DealFilter, DealStats, DealSums, DeleteDeal, ListDeals, REASON_SHOWN,
    ReadDealActivity, SORTS,
};
use domain::deal::record::{Deal, DealChanges, NewDeal};
use domain::deal::stage::DealStage;
use domain::money::is_currency;
use kernel::clock::Timestamp;
use kernel::cloud_event::CloudEvent;
use kernel::day::Day;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::page::Sort;
use kernel::search::Words;
use kernel::text_schemas;

resource!(Deal, "deals", opportunity.service => OpportunityService);

list_params! {
    /// Which deals; the newest come first.
    DealParams {
        /// Words of the title or of the reason of the loss, or of the customer's name, in any order.
        #[param(max_length = 200, pattern = r"^[^\x00]*$")]
        q: String,
        stage: DealStage,
        customer_id: Id,
        owner_id: Id,
        /// The first day on which they are expected.
        #[param(value_type = Option<String>, format = Date, pattern = "^(?!0000)")]
        expected_from: Day,
        /// The last day on which they are expected, included.
        #[param(value_type = Option<String>, format = Date, pattern = "^(?!0000)")]
        expected_to: Day,
        /// The first moment of their creation.
        created_from: Timestamp,
        /// The moment before which they were created.
        created_to: Timestamp,
        /// The first moment at which they were won or lost.
        closed_from: Timestamp,
        /// The moment before which they were won or lost.
        closed_to: Timestamp,
        /// Only those that are neither won nor lost.
        open: bool,
        #[param(value_type = Option<text_schemas::Currency>)]
        currency: CurrencyCode,
        /// The reason of the loss, by its first 200 characters.
        #[param(value_type = Option<String>, max_length = 200, pattern = r"^[^\x00]*$")]
        lost_reason: ReasonText,
        /// Those that have been in this stage or a later one; LOST is none.
        reached: DealStage,
        #[param(inline, value_type = Option<SortName>)]
        sort: String,
    }
}

/// A code of ISO 4217.
#[derive(Debug)]
pub struct CurrencyCode(String);

impl<'de> Deserialize<'de> for CurrencyCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        if is_currency(&code) { Ok(Self(code)) } else { Err(de::Error::custom("not a currency")) }
    }
}

/// As much of a reason as reports tell apart.
#[derive(Debug)]
pub struct ReasonText(String);

impl<'de> Deserialize<'de> for ReasonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_short = text.chars().count() <= REASON_SHOWN;
        if is_short && !text.contains('\0') {
            Ok(Self(text))
        } else {
            Err(de::Error::custom("too long, or with NUL"))
        }
    }
}

/// The orders of the list; `-` for descending. Deals that are expected on no day come after all others.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes `sort` in the OpenAPI document")]
enum SortName {
    #[schema(rename = "created_at")]
    CreatedAt,
    #[schema(rename = "-created_at")]
    CreatedAtDescending,
    #[schema(rename = "amount")]
    Amount,
    #[schema(rename = "-amount")]
    AmountDescending,
    #[schema(rename = "expected_on")]
    ExpectedOn,
    #[schema(rename = "-expected_on")]
    ExpectedOnDescending,
}

impl DealParams {
    /// The order asked for.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn order(&self) -> Result<Sort, Error> {
        order(&SORTS, self.sort.as_deref())
    }
}

impl From<DealParams> for DealFilter {
    fn from(params: DealParams) -> Self {
        let DealParams { q, stage, customer_id, owner_id, expected_from, expected_to, reached, .. } = params;
        Self {
            q,
            stage,
            customer_id,
            owner_id,
            expected_from,
            expected_to,
            open: params.open.unwrap_or(false),
            created_from: params.created_from,
            created_to: params.created_to,
            closed_from: params.closed_from,
            closed_to: params.closed_to,
            currency: params.currency.map(|code| code.0),
            lost_reason: params.lost_reason.map(|reason| reason.0),
            reached,
        }
    }
}

/// List deals: a page as JSON, or all that the filters leave as CSV
#[utoipa::path(
    tag = "deals",
    params(DealParams),
    responses((status = 200, content((Vec<Deal> = "application/json"), (String = "text/csv"))))
)]
#[get("/deals")]
pub async fn list(api: ApiRequest, params: Params<DealParams>) -> HttpResult {
    let params = params.0;
    let sort = params.order()?;
    let page = params.page(|keyset| sort.fits(keyset))?;
    Words::parse(params.q.as_deref())?;
    let filter = DealFilter::from(params);
    let caller = api.auth.caller;
    resource::list::<Deal, _>(api, page, move |page| ListDeals { caller, filter: filter.clone(), sort, page })
        .await
}

/// Record a deal
#[utoipa::path(tag = "deals", request_body = NewDeal, responses((status = 201, body = Deal)))]
#[post("/deals")]
pub async fn create(api: ApiRequest, _: Params<NoParams>, body: Body<NewDeal>) -> HttpResult {
    let Body { value: deal, digest } = body;
    resource::create::<Deal, _>(&api, &digest, |context| CreateDeal { deal, context }).await
}

/// Read a deal
#[utoipa::path(tag = "deals", params(("id" = Id, Path)), responses((status = 200, body = Deal)))]
#[get("/deals/{id}")]
pub async fn read(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    resource::record(api.gateway.opportunity.find_deal(api.auth.caller, id.0).await)
}

/// Change a deal, or move it to another stage
#[utoipa::path(
    tag = "deals",
    params(("id" = Id, Path)),
    request_body = DealChanges,
    responses((status = 200, body = Deal))
)]
#[patch("/deals/{id}")]
pub async fn change(api: ApiRequest, id: PathId, _: Params<NoParams>, body: Body<DealChanges>) -> HttpResult {
    let change = ChangeDeal { id: id.0, changes: body.value, context: api.auth.context() };
    resource::record(api.gateway.opportunity.service.ask(change).await)
}

/// Delete a deal
#[utoipa::path(tag = "deals", params(("id" = Id, Path)), responses((status = 200, body = Deleted)))]
#[delete("/deals/{id}")]
pub async fn remove(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    api.gateway.opportunity.service.ask(DeleteDeal { id: id.0, context: api.auth.context() }).await?;
    Ok(answer::deleted(id.0))
}

/// The events about a deal that the caller may see, newest first
#[utoipa::path(
    tag = "deals",
    params(("id" = Id, Path), ActivityParams),
    responses((status = 200, body = Vec<CloudEvent>))
)]
#[get("/deals/{id}/activity")]
pub async fn activity(api: ApiRequest, id: PathId, params: Params<ActivityParams>) -> HttpResult {
    let page = params.0.of_record()?;
    let timeline = ReadDealActivity { id: id.0, caller: api.auth.caller, page };
    Ok(activities::list(&api, api.gateway.opportunity.service.ask(timeline).await?))
}

/// Which deals are summed up: the filters of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DealStatsParams {
    /// Words of the title or of the reason of the loss, or of the customer's name, in any order.
    #[param(max_length = 200, pattern = r"^[^\x00]*$")]
    #[serde(default)]
    q: Option<String>,
    #[serde(default)]
    stage: Option<DealStage>,
    #[serde(default)]
    customer_id: Option<Id>,
    /// Whose; SALES see only their own.
    #[serde(default)]
    owner_id: Option<Id>,
    /// The first day on which they are expected.
    #[param(value_type = Option<String>, format = Date, pattern = "^(?!0000)")]
    #[serde(default)]
    expected_from: Option<Day>,
    /// The last day on which they are expected, included.
    #[param(value_type = Option<String>, format = Date, pattern = "^(?!0000)")]
    #[serde(default)]
    expected_to: Option<Day>,
}

/// Sums of deals.
#[derive(Serialize, ToSchema)]
pub struct DealStatsView {
    total: i64,
    /// By stage, each of which is there, and by currency. Amounts are in the currency's minor unit.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, DealSums>>)]
    by_stage: BTreeMap<DealStage, BTreeMap<String, DealSums>>,
}

/// The service's statistics: numbers, amounts and weighted amounts of the deals that there are now
#[utoipa::path(tag = "deals", params(DealStatsParams), responses((status = 200, body = DealStatsView)))]
#[get("/deals/stats")]
pub async fn stats(api: ApiRequest, params: Params<DealStatsParams>) -> HttpResult {
    let DealStatsParams { q, stage, customer_id, owner_id, expected_from, expected_to } = params.0;
    Words::parse(q.as_deref())?;
    let filter =
        DealFilter { q, stage, customer_id, owner_id, expected_from, expected_to, ..DealFilter::default() };
    let asked = DealStats { caller: api.auth.caller, filter };
    let DealCounts { total, by_stage } = api.gateway.opportunity.service.ask(asked).await?;
    Ok(HttpResponse::Ok().json(DealStatsView { total, by_stage }))
}
