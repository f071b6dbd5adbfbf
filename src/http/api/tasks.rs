//! `/api/tasks`.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::task::messages::{
    ChangeTask, CreateTask, DeleteTask, ListTasks, NewTask, TaskChanges, TaskFilter, TaskStats,
};
use crate::domain::task::record::{Task, TaskStatus};
use crate::http::answer;
use crate::http::answer::Deleted;
use crate::http::export;
use crate::http::export::Export;
use crate::http::extract::{Authenticated, Body, NoParams, Params, PathId};
use crate::http::idempotency::{Shape, once};
use crate::http::paging::list_params;
use crate::http::period::{StatsParams, stats_period};
use crate::http::state::Gateway;
use crate::persistence::tasks::DUE_FIRST;
use kernel::clock::Timestamp;
use kernel::ids::Id;

const PATH: &str = "/api/tasks";

list_params! {
    /// Which tasks; what is due first comes first.
    TaskParams {
        status: TaskStatus,
        assignee_id: Id,
        customer_id: Id,
        /// Due before this moment, itself excluded.
        due_before: Timestamp,
    }
}

impl Export for Task {
    const NAME: &'static str = "tasks";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "version",
        "created_at",
        "updated_at",
        "title",
        "due_at",
        "status",
        "completed_at",
        "customer_id",
        "assignee_id",
        "notes",
    ];
}

/// List tasks: a page as JSON, or all that the filters leave as CSV
#[utoipa::path(
    tag = "tasks",
    params(TaskParams),
    responses((status = 200, content((Vec<Task> = "application/json"), (String = "text/csv"))))
)]
#[get("/tasks")]
pub async fn list(
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Authenticated,
    params: Params<TaskParams>,
) -> HttpResult {
    let page = params.0.page(|keyset| DUE_FIRST.fits(keyset))?;
    let TaskParams { status, assignee_id, customer_id, due_before, .. } = params.0;
    let filter = TaskFilter { status, assignee_id, customer_id, due_before };
    export::answer(&request, page, move |page| {
        let (gateway, filter) = (gateway.clone(), filter.clone());
        let asked = ListTasks { caller: signed.caller, filter, page };
        async move { gateway.sales.service.ask(asked).await }
    })
    .await
}

/// Create a task
#[utoipa::path(tag = "tasks", request_body = NewTask, responses((status = 201, body = Task)))]
#[post("/tasks")]
pub async fn create(
    gateway: Data<Gateway>,
    request: HttpRequest,
    signed: Authenticated,
    _: Params<NoParams>,
    body: Body<NewTask>,
) -> HttpResult {
    let Body { value: task, digest } = body;
    once(&gateway, &request, &signed, &digest, Shape::created(PATH), async |context| {
        let made = gateway.sales.service.ask(CreateTask { task, context }).await?;
        Ok(answer::created(PATH, made.id, made.version, &*made))
    })
    .await
}

/// Read a task
#[utoipa::path(tag = "tasks", params(("id" = Id, Path)), responses((status = 200, body = Task)))]
#[get("/tasks/{id}")]
pub async fn read(
    gateway: Data<Gateway>,
    signed: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    let task = gateway.sales.find_task(signed.caller, id.0).await?;
    Ok(answer::record(task.version, &*task))
}

/// Change a task
///
/// DONE completes it, OPEN opens it again.
#[utoipa::path(
    tag = "tasks",
    params(("id" = Id, Path)),
    request_body = TaskChanges,
    responses((status = 200, body = Task))
)]
#[patch("/tasks/{id}")]
pub async fn change(
    gateway: Data<Gateway>,
    signed: Authenticated,
    id: PathId,
    _: Params<NoParams>,
    body: Body<TaskChanges>,
) -> HttpResult {
    let change = ChangeTask { id: id.0, changes: body.value, context: signed.context() };
    let after = gateway.sales.service.ask(change).await?;
    Ok(answer::record(after.version, &*after))
}

/// Delete a task
#[utoipa::path(tag = "tasks", params(("id" = Id, Path)), responses((status = 200, body = Deleted)))]
#[delete("/tasks/{id}")]
pub async fn remove(
    gateway: Data<Gateway>,
    signed: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    gateway.sales.service.ask(DeleteTask { id: id.0, context: signed.context() }).await?;
    Ok(answer::deleted(id.0))
}

/// Counts of tasks: open ones now, done ones of the period, and how many of the open ones are overdue now.
#[derive(Serialize, ToSchema)]
pub struct TaskStatsView {
    open: i64,
    done: i64,
    overdue: i64,
}

/// The service's statistics
#[utoipa::path(tag = "tasks", params(StatsParams), responses((status = 200, body = TaskStatsView)))]
#[get("/tasks/stats")]
pub async fn stats(gateway: Data<Gateway>, signed: Authenticated, params: Params<StatsParams>) -> HttpResult {
    let (from, to) = stats_period(&params.0, gateway.clock.now())?;
    let asked = TaskStats { caller: signed.caller, owner_id: params.0.owner_id, from, to };
    let counts = gateway.sales.service.ask(asked).await?;
    let view = TaskStatsView { open: counts.open, done: counts.done, overdue: counts.overdue };
    Ok(HttpResponse::Ok().json(view))
}
