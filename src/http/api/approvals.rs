//! `/api/approvals`.

use crate::http::error::HttpResult;
use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::approval::messages::{
    ApprovalFilter, ApprovalStats, DecideApproval, Decision, ListApprovals, NewApproval, NewApprover,
    OptionalComment, RequestApproval, RequiredComment,
};
use crate::domain::approval::record::{Approval, ApprovalStatus};
use crate::http::answer;
use crate::http::export;
use crate::http::export::Export;
use crate::http::extract::{Authenticated, Body, NoParams, OptionalBody, Params, PathId};
use crate::http::idempotency::{Shape, once};
use crate::http::paging::list_params;
use crate::http::period::{StatsParams, stats_period};
use crate::http::state::Gateway;
use crate::persistence::approvals::NEWEST_FIRST;
use kernel::ids::Id;

const PATH: &str = "/api/approvals";

list_params! {
    /// Which approvals; the newest come first.
    ApprovalParams {
        status: ApprovalStatus,
        customer_id: Id,
        requester_id: Id,
        approver_id: Id,
    }
}

impl Export for Approval {
    const NAME: &'static str = "approvals";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "version",
        "created_at",
        "updated_at",
        "customer_id",
        "title",
        "amount",
        "currency",
        "reason",
        "status",
        "requester_id",
        "approver_id",
        "decided_by",
        "decided_at",
        "comment",
    ];
}

/// List approvals: a page as JSON, or all that the filters leave as CSV
#[utoipa::path(
    tag = "approvals",
    params(ApprovalParams),
    responses((status = 200, content((Vec<Approval> = "application/json"), (String = "text/csv"))))
)]
#[get("/approvals")]
pub async fn list(
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Authenticated,
    params: Params<ApprovalParams>,
) -> HttpResult {
    let page = params.0.page(|keyset| NEWEST_FIRST.fits(keyset))?;
    let ApprovalParams { status, customer_id, requester_id, approver_id, .. } = params.0;
    let filter = ApprovalFilter { status, customer_id, requester_id, approver_id };
    export::answer(&request, page, move |page| {
        let (gateway, filter) = (gateway.clone(), filter.clone());
        let asked = ListApprovals { caller: signed.caller, filter, page };
        async move { gateway.opportunity.service.ask(asked).await }
    })
    .await
}

/// Request an approval
#[utoipa::path(tag = "approvals", request_body = NewApproval, responses((status = 201, body = Approval)))]
#[post("/approvals")]
pub async fn create(
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Authenticated,
    _: Params<NoParams>,
    body: Body<NewApproval>,
) -> HttpResult {
    let Body { value: approval, digest } = body;
    once(&gateway, &request, &signed, &digest, Shape::created(PATH), async |context| {
        let made = gateway.opportunity.service.ask(RequestApproval { approval, context }).await?;
        Ok(answer::created(PATH, made.id, made.version, &*made))
    })
    .await
}

/// Read an approval
#[utoipa::path(tag = "approvals", params(("id" = Id, Path)), responses((status = 200, body = Approval)))]
#[get("/approvals/{id}")]
pub async fn read(
    gateway: Data<Gateway>,
    signed: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    let approval = gateway.opportunity.find(signed.caller, id.0).await?;
    Ok(answer::record(approval.version, &*approval))
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
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Authenticated,
    id: PathId,
    _: Params<NoParams>,
    body: OptionalBody<OptionalComment>,
) -> HttpResult {
    let Body { value, digest } = body.0;
    decide(&gateway, &request, &signed, id.0, Decision::Approve(value), &digest).await
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
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Authenticated,
    id: PathId,
    _: Params<NoParams>,
    body: Body<RequiredComment>,
) -> HttpResult {
    decide(&gateway, &request, &signed, id.0, Decision::Reject(body.value), &body.digest).await
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
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Authenticated,
    id: PathId,
    _: Params<NoParams>,
    body: OptionalBody<OptionalComment>,
) -> HttpResult {
    let Body { value, digest } = body.0;
    decide(&gateway, &request, &signed, id.0, Decision::Cancel(value), &digest).await
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
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Authenticated,
    id: PathId,
    _: Params<NoParams>,
    body: Body<NewApprover>,
) -> HttpResult {
    decide(&gateway, &request, &signed, id.0, Decision::Reassign(body.value), &body.digest).await
}

async fn decide(
    gateway: &Gateway,
    request: &HttpRequest,
    signed: &Authenticated,
    id: Id,
    decision: Decision,
    digest: &[u8],
) -> HttpResult {
    once(gateway, request, signed, digest, Shape::OK, async |context| {
        let after = gateway.opportunity.service.ask(DecideApproval { id, decision, context }).await?;
        Ok(answer::record(after.version, &*after))
    })
    .await
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

/// The service's statistics
#[utoipa::path(tag = "approvals", params(StatsParams), responses((status = 200, body = ApprovalStatsView)))]
#[get("/approvals/stats")]
pub async fn stats(gateway: Data<Gateway>, signed: Authenticated, params: Params<StatsParams>) -> HttpResult {
    let (from, to) = stats_period(&params.0, gateway.clock.now())?;
    let asked = ApprovalStats { caller: signed.caller, owner_id: params.0.owner_id, from, to };
    let counts = gateway.opportunity.service.ask(asked).await?;
    Ok(HttpResponse::Ok().json(ApprovalStatsView {
        pending: counts.pending,
        approved: counts.approved,
        rejected: counts.rejected,
        cancelled: counts.cancelled,
        approved_amount: counts.approved_amount,
    }))
}
