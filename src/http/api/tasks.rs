//! `/api/tasks`.

use crate::http::error::HttpResult;
use actix_web::{delete, get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actors::sales::service::SalesService;
use crate::http::answer;
use crate::http::answer::Deleted;
use crate::http::api::activities;
use crate::http::api::activities::ActivityParams;
use crate::http::api::resource;
use crate::http::api::resource::{ApiRequest, resource};
use crate::http::extract::{Body, NoParams, Params, PathId};
use crate::http::paging::{list_params, order};
use crate::http::period::StatsParams;
use domain::task::messages::TaskCounts;
use domain::task::messages::{
    ChangeTask, CreateTask, DeleteTask, ListTasks, ReadTaskActivity, SORTS, TaskFilter, TaskStats,
};
use domain::task::record::{NewTask, TaskChanges};
use domain::task::record::{Task, TaskStatus};
use kernel::clock::Timestamp;
use kernel::cloud_event::CloudEvent;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::page::Sort;
use kernel::search::Words;

resource!(Task, "tasks", sales.service => SalesService);

list_params! {
    /// Which tasks; what is due first comes first.
    TaskParams {
        /// Words of the title or notes, or of the customer's name, in any order.
        #[param(max_length = 200, pattern = r"^[^\x00]*$")]
        q: String,
        status: TaskStatus,
        assignee_id: Id,
        customer_id: Id,
        /// Due before this moment, itself excluded.
        due_before: Timestamp,
        #[param(inline, value_type = Option<SortName>)]
        sort: String,
    }
}

/// The orders of the list; `-` for descending.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes `sort` in the OpenAPI document")]
enum SortName {
    #[schema(rename = "due_at")]
    DueAt,
    #[schema(rename = "-due_at")]
    DueAtDescending,
}

impl TaskParams {
    /// The order asked for.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn order(&self) -> Result<Sort, Error> {
        order(&SORTS, self.sort.as_deref())
    }
}

impl From<TaskParams> for TaskFilter {
    fn from(params: TaskParams) -> Self {
        let TaskParams { q, status, assignee_id, customer_id, due_before, .. } = params;
        Self { q, status, assignee_id, customer_id, due_before }
    }
}

/// List tasks: a page as JSON, or all that the filters leave as CSV
#[utoipa::path(
    tag = "tasks",
    params(TaskParams),
    responses((status = 200, content((Vec<Task> = "application/json"), (String = "text/csv"))))
)]
#[get("/tasks")]
pub async fn list(api: ApiRequest, params: Params<TaskParams>) -> HttpResult {
    let params = params.0;
    let sort = params.order()?;
    let page = params.page(|keyset| sort.fits(keyset))?;
    Words::parse(params.q.as_deref())?;
    let filter = TaskFilter::from(params);
    let caller = api.auth.caller;
    resource::list::<Task, _>(api, page, move |page| ListTasks { caller, filter: filter.clone(), sort, page })
        .await
}

/// Create a task
#[utoipa::path(tag = "tasks", request_body = NewTask, responses((status = 201, body = Task)))]
#[post("/tasks")]
pub async fn create(api: ApiRequest, _: Params<NoParams>, body: Body<NewTask>) -> HttpResult {
    let Body { value: task, digest } = body;
    resource::create::<Task, _>(&api, &digest, |context| CreateTask { task, context }).await
}

/// Read a task
#[utoipa::path(tag = "tasks", params(("id" = Id, Path)), responses((status = 200, body = Task)))]
#[get("/tasks/{id}")]
pub async fn read(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    resource::record(api.gateway.sales.find_task(api.auth.caller, id.0).await)
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
pub async fn change(api: ApiRequest, id: PathId, _: Params<NoParams>, body: Body<TaskChanges>) -> HttpResult {
    let change = ChangeTask { id: id.0, changes: body.value, context: api.auth.context() };
    resource::record(api.gateway.sales.service.ask(change).await)
}

/// Delete a task
#[utoipa::path(tag = "tasks", params(("id" = Id, Path)), responses((status = 200, body = Deleted)))]
#[delete("/tasks/{id}")]
pub async fn remove(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    api.gateway.sales.service.ask(DeleteTask { id: id.0, context: api.auth.context() }).await?;
    Ok(answer::deleted(id.0))
}

/// The events about a task that the caller may see, newest first
#[utoipa::path(
    tag = "tasks",
    params(("id" = Id, Path), ActivityParams),
    responses((status = 200, body = Vec<CloudEvent>))
)]
#[get("/tasks/{id}/activity")]
pub async fn activity(api: ApiRequest, id: PathId, params: Params<ActivityParams>) -> HttpResult {
    let page = params.0.of_record()?;
    let timeline = ReadTaskActivity { id: id.0, caller: api.auth.caller, page };
    Ok(activities::list(&api, api.gateway.sales.service.ask(timeline).await?))
}

/// Counts of tasks: open ones now, done ones of the period, and how many of the open ones are overdue now.
#[derive(Serialize, ToSchema)]
pub struct TaskStatsView {
    open: i64,
    done: i64,
    overdue: i64,
}

impl From<TaskCounts> for TaskStatsView {
    fn from(counts: TaskCounts) -> Self {
        Self { open: counts.open, done: counts.done, overdue: counts.overdue }
    }
}

/// The service's statistics
#[utoipa::path(tag = "tasks", params(StatsParams), responses((status = 200, body = TaskStatsView)))]
#[get("/tasks/stats")]
pub async fn stats(api: ApiRequest, params: Params<StatsParams>) -> HttpResult {
    let caller = api.auth.caller;
    let of = |from, to, owner_id| TaskStats { caller, owner_id, from, to };
    resource::stats::<Task, _, TaskStatsView>(&api, &params.0, of).await
}
