//! `/api/reports/sales-summary` (SPEC §5, flow 6).

use crate::http::error::HttpResult;
use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::extract::{Authenticated, Params};
use crate::http::period::{StatsParams, days, moments};
use crate::http::state::Gateway;
use domain::approval::messages::ApprovalCounts;
use domain::customer::messages::CustomerCounts;
use domain::meeting::messages::MeetingCounts;
use domain::report::messages::ReadSummary;
use domain::report::messages::{SalesSummary, Section, Source};
use domain::task::messages::TaskCounts;
use kernel::clock::Timestamp;
use kernel::ids::Id;

/// The figures of all services. A section whose service is away has the last good ones, or null for every figure if
/// there are none.
#[derive(Serialize, ToSchema)]
pub struct SummaryView {
    #[schema(value_type = String, format = Date)]
    from: NaiveDate,
    /// Included.
    #[schema(value_type = String, format = Date)]
    to: NaiveDate,
    generated_at: Timestamp,
    customers: CustomerSection,
    meetings: MeetingSection,
    tasks: TaskSection,
    approvals: ApprovalSection,
}

/// Live customers now, and those created and deleted in the period.
#[derive(Serialize, ToSchema)]
pub struct CustomerSection {
    source: Source,
    /// When the figures were made; null if there are none.
    #[schema(required)]
    as_of: Option<Timestamp>,
    #[schema(required)]
    total: Option<i64>,
    #[schema(required)]
    new: Option<i64>,
    #[schema(required)]
    deleted: Option<i64>,
    #[schema(required)]
    by_status: Option<BTreeMap<String, i64>>,
}

/// Meetings that took place in the period.
#[derive(Serialize, ToSchema)]
pub struct MeetingSection {
    source: Source,
    /// When the figures were made; null if there are none.
    #[schema(required)]
    as_of: Option<Timestamp>,
    #[schema(required)]
    total: Option<i64>,
    #[schema(required)]
    by_owner: Option<BTreeMap<Id, i64>>,
}

/// Tasks that are open and overdue now, and those done in the period.
#[derive(Serialize, ToSchema)]
pub struct TaskSection {
    source: Source,
    /// When the figures were made; null if there are none.
    #[schema(required)]
    as_of: Option<Timestamp>,
    #[schema(required)]
    open: Option<i64>,
    #[schema(required)]
    done: Option<i64>,
    #[schema(required)]
    overdue: Option<i64>,
}

/// Approvals requested in the period, as they stand now.
#[derive(Serialize, ToSchema)]
pub struct ApprovalSection {
    source: Source,
    /// When the figures were made; null if there are none.
    #[schema(required)]
    as_of: Option<Timestamp>,
    #[schema(required)]
    pending: Option<i64>,
    #[schema(required)]
    approved: Option<i64>,
    #[schema(required)]
    rejected: Option<i64>,
    #[schema(required)]
    cancelled: Option<i64>,
    /// By currency, in its minor unit.
    #[schema(required)]
    approved_amount: Option<BTreeMap<String, i64>>,
}

impl From<Section<CustomerCounts>> for CustomerSection {
    fn from(section: Section<CustomerCounts>) -> Self {
        let counts = section.figures.as_deref();
        Self {
            source: section.source,
            as_of: section.as_of,
            total: counts.map(|counts| counts.total),
            new: counts.map(|counts| counts.new),
            deleted: counts.map(|counts| counts.deleted),
            by_status: counts.map(|counts| counts.by_status.iter().cloned().collect()),
        }
    }
}

impl From<Section<MeetingCounts>> for MeetingSection {
    fn from(section: Section<MeetingCounts>) -> Self {
        let counts = section.figures.as_deref();
        Self {
            source: section.source,
            as_of: section.as_of,
            total: counts.map(|counts| counts.total),
            by_owner: counts.map(|counts| counts.by_owner.clone()),
        }
    }
}

impl From<Section<TaskCounts>> for TaskSection {
    fn from(section: Section<TaskCounts>) -> Self {
        let counts = section.figures.as_deref();
        Self {
            source: section.source,
            as_of: section.as_of,
            open: counts.map(|counts| counts.open),
            done: counts.map(|counts| counts.done),
            overdue: counts.map(|counts| counts.overdue),
        }
    }
}

impl From<Section<ApprovalCounts>> for ApprovalSection {
    fn from(section: Section<ApprovalCounts>) -> Self {
        let counts = section.figures.as_deref();
        Self {
            source: section.source,
            as_of: section.as_of,
            pending: counts.map(|counts| counts.pending),
            approved: counts.map(|counts| counts.approved),
            rejected: counts.map(|counts| counts.rejected),
            cancelled: counts.map(|counts| counts.cancelled),
            approved_amount: counts.map(|counts| counts.approved_amount.clone()),
        }
    }
}

/// The figures of all services
///
/// SALES see their own. A service that is away makes its section `cached` or `unavailable`, and no error of the whole.
#[utoipa::path(tag = "reports", params(StatsParams), responses((status = 200, body = SummaryView)))]
#[get("/reports/sales-summary")]
pub async fn summary(gateway: Data<Gateway>, auth: Authenticated, params: Params<StatsParams>) -> HttpResult {
    let zone = params.0.zone(&auth.user.user);
    let (first, last) = days(&params.0, zone, gateway.clock.now())?;
    let (from, to) = moments(first, last, zone);
    let asked = ReadSummary { caller: auth.caller, owner_id: params.0.owner_id, from, to };
    let SalesSummary { generated_at, customers, meetings, tasks, approvals } =
        gateway.analytics.service.ask(asked).await?;
    Ok(HttpResponse::Ok().json(SummaryView {
        from: first,
        to: last,
        generated_at,
        customers: customers.into(),
        meetings: meetings.into(),
        tasks: tasks.into(),
        approvals: approvals.into(),
    }))
}
