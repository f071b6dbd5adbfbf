//! `/api/approvals`.

use crate::http::error::HttpResult;
use std::collections::BTreeMap;

use actix_web::{get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actors::opportunity::service::OpportunityService;
use crate::http::api::activities;
use crate::http::api::activities::ActivityParams;
use crate::http::api::resource;
use crate::http::api::resource::{ApiRequest, resource};
use crate::http::extract::{Body, NoParams, OptionalBody, Params, PathId};
use crate::http::paging::{list_params, order};
use crate::http::period::StatsParams;
use domain::approval::messages::ApprovalCounts;
use domain::approval::messages::{
    ApprovalFilter, ApprovalStats, DecideApproval, Decision, ListApprovals, NewApprover, OptionalComment,
    ReadApprovalActivity, RequestApproval, RequiredComment, SORTS,
};
use domain::approval::record::NewApproval;
use domain::approval::record::{Approval, ApprovalStatus};
use kernel::cloud_event::CloudEvent;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::page::Sort;
use kernel::search::Words;

resource!(Approval, "approvals", opportunity.service => OpportunityService);

list_params! {
    /// Which approvals; the newest come first.
    ApprovalParams {
        /// Words of the title, reason or comment, or of the customer's name, in any order.
        #[param(max_length = 200, pattern = r"^[^\x00]*$")]
        q: String,
        status: ApprovalStatus,
        customer_id: Id,
        deal_id: Id,
        requester_id: Id,
        approver_id: Id,
        #[param(inline, value_type = Option<SortName>)]
        sort: String,
    }
}

/// The orders of the list; `-` for descending.
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
}

impl ApprovalParams {
    /// The order asked for.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn order(&self) -> Result<Sort, Error> {
        order(&SORTS, self.sort.as_deref())
    }
}

impl From<ApprovalParams> for ApprovalFilter {
    fn from(params: ApprovalParams) -> Self {
        let ApprovalParams { q, status, customer_id, deal_id, requester_id, approver_id, .. } = params;
        Self { q, status, customer_id, deal_id, requester_id, approver_id, awaits: None }
    }
}

/// List approvals: a page as JSON, or all that the filters leave as CSV
#[utoipa::path(
    tag = "approvals",
    params(ApprovalParams),
    responses((status = 200, content((Vec<Approval> = "application/json"), (String = "text/csv"))))
)]
#[get("/approvals")]
pub async fn list(api: ApiRequest, params: Params<ApprovalParams>) -> HttpResult {
    let params = params.0;
    let sort = params.order()?;
    let page = params.page(|keyset| sort.fits(keyset))?;
    Words::parse(params.q.as_deref())?;
    let filter = ApprovalFilter::from(params);
    let caller = api.auth.caller;
    resource::list::<Approval, _>(api, page, move |page| ListApprovals {
        caller,
        filter: filter.clone(),
        sort,
        page,
    })
    .await
}

/// Request an approval
#[utoipa::path(tag = "approvals", request_body = NewApproval, responses((status = 201, body = Approval)))]
#[post("/approvals")]
pub async fn create(api: ApiRequest, _: Params<NoParams>, body: Body<NewApproval>) -> HttpResult {
    let Body { value: approval, digest } = body;
    resource::create::<Approval, _>(&api, &digest, |context| RequestApproval { approval, context }).await
}

/// Read an approval
#[utoipa::path(tag = "approvals", params(("id" = Id, Path)), responses((status = 200, body = Approval)))]
#[get("/approvals/{id}")]
pub async fn read(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    resource::record(api.gateway.opportunity.find(api.auth.caller, id.0).await)
}

/// Approve what is pending
#[utoipa::path(
    tag = "approvals",
    params(("id" = Id, Path)),
    request_body = Option<OptionalComment>,
    responses((status = 200, body = Approval))
)]
#[patch("/approvals/{id}/approve")]
pub async fn approve(
    api: ApiRequest,
    id: PathId,
    _: Params<NoParams>,
    body: OptionalBody<OptionalComment>,
) -> HttpResult {
    let Body { value, digest } = body.0;
    decide(&api, id.0, Decision::Approve(value), &digest).await
}

/// Reject what is pending, and say why
#[utoipa::path(
    tag = "approvals",
    params(("id" = Id, Path)),
    request_body = RequiredComment,
    responses((status = 200, body = Approval))
)]
#[patch("/approvals/{id}/reject")]
pub async fn reject(
    api: ApiRequest,
    id: PathId,
    _: Params<NoParams>,
    body: Body<RequiredComment>,
) -> HttpResult {
    decide(&api, id.0, Decision::Reject(body.value), &body.digest).await
}

/// Cancel what is pending
#[utoipa::path(
    tag = "approvals",
    params(("id" = Id, Path)),
    request_body = Option<OptionalComment>,
    responses((status = 200, body = Approval))
)]
#[patch("/approvals/{id}/cancel")]
pub async fn cancel(
    api: ApiRequest,
    id: PathId,
    _: Params<NoParams>,
    body: OptionalBody<OptionalComment>,
) -> HttpResult {
    let Body { value, digest } = body.0;
    decide(&api, id.0, Decision::Cancel(value), &digest).await
}

/// Let what is pending wait for somebody else
#[utoipa::path(
    tag = "approvals",
    params(("id" = Id, Path)),
    request_body = NewApprover,
    responses((status = 200, body = Approval))
)]
#[patch("/approvals/{id}/reassign")]
pub async fn reassign(
    api: ApiRequest,
    id: PathId,
    _: Params<NoParams>,
    body: Body<NewApprover>,
) -> HttpResult {
    decide(&api, id.0, Decision::Reassign(body.value), &body.digest).await
}

async fn decide(api: &ApiRequest, id: Id, decision: Decision, digest: &[u8]) -> HttpResult {
    resource::execute::<Approval, _>(api, digest, |context| DecideApproval { id, decision, context }).await
}

/// The events about an approval that the caller may see, newest first
#[utoipa::path(
    tag = "approvals",
    params(("id" = Id, Path), ActivityParams),
    responses((status = 200, body = Vec<CloudEvent>))
)]
#[get("/approvals/{id}/activity")]
pub async fn activity(api: ApiRequest, id: PathId, params: Params<ActivityParams>) -> HttpResult {
    let page = params.0.of_record()?;
    let timeline = ReadApprovalActivity { id: id.0, caller: api.auth.caller, page };
    Ok(activities::list(&api, api.gateway.opportunity.service.ask(timeline).await?))
}

/// Counts of approvals.
#[derive(Serialize, ToSchema)]
pub struct ApprovalStatsView {
    pending: i64,
    approved: i64,
    rejected: i64,
    cancelled: i64,
    /// By currency, in its minor unit.
    approved_amount: BTreeMap<String, i64>,
}

impl From<ApprovalCounts> for ApprovalStatsView {
    fn from(counts: ApprovalCounts) -> Self {
        Self {
            pending: counts.pending,
            approved: counts.approved,
            rejected: counts.rejected,
            cancelled: counts.cancelled,
            approved_amount: counts.approved_amount,
        }
    }
}

/// The service's statistics
#[utoipa::path(tag = "approvals", params(StatsParams), responses((status = 200, body = ApprovalStatsView)))]
#[get("/approvals/stats")]
pub async fn stats(api: ApiRequest, params: Params<StatsParams>) -> HttpResult {
    let caller = api.auth.caller;
    let of = |from, to, owner_id| ApprovalStats { caller, owner_id, from, to };
    resource::stats::<Approval, _, ApprovalStatsView>(&api, &params.0, of).await
}
