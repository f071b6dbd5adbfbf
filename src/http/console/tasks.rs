//! `/tasks`: what is to be done by when.

use crate::http::error::HttpResult;
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use askama::Template;

use crate::domain::task::messages::{ChangeTask, CreateTask, DeleteTask, ListTasks, TaskChanges, TaskFilter};
use crate::domain::task::record::{Task, TaskStatus};
use crate::domain::task::rules::alert_horizon;
use crate::http::api::tasks::TaskParams;
use crate::http::console::field::{Choice, Field, local};
use crate::http::console::form::{Form, is_mendable};
use crate::http::console::frame::{Frame, html, ok};
use crate::http::console::names;
use crate::http::console::names::{CustomerLink, References};
use crate::http::console::posted::Posted;
use crate::http::console::see;
use crate::http::console::shown::{Edit, asked, narrowed, status_of};
use crate::http::console::visitor::Visitor;
use crate::http::extract::PathId;
use crate::http::paging::next_address;
use crate::http::state::Gateway;
use crate::persistence::tasks::DUE_FIRST;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};

/// Tasks on a customer's page.
const SOME: i64 = 20;
/// What the form of a new task begins with.
const DUE_IN: Duration = Duration::from_hours(24);

/// A task of a list.
pub struct TaskRow {
    pub task: Task,
    pub customer: Option<CustomerLink>,
    pub assignee: String,
    /// How its time stands: `overdue`, `soon`, `later` or `done`.
    pub due: &'static str,
}

impl TaskRow {
    pub fn is_open(&self) -> bool {
        self.task.status == TaskStatus::Open
    }
}

#[derive(Template)]
#[template(path = "tasks.html")]
struct TasksPage {
    f: Frame,
    rows: Vec<TaskRow>,
    next: Option<String>,
    is_first: bool,
    /// What the list is narrowed to; open ones unless somebody asks for others.
    status: String,
    assignee_id: String,
    assignees: Vec<Choice>,
    form: Form,
}

fn due(task: &Task, frame: &Frame) -> &'static str {
    match task.status {
        TaskStatus::Done => "done",
        TaskStatus::Open if task.due_at < frame.now => "overdue",
        TaskStatus::Open if task.due_at <= alert_horizon(frame.now) => "soon",
        TaskStatus::Open => "later",
    }
}

async fn rows(
    gateway: &Gateway,
    frame: &Frame,
    visitor: &Visitor,
    tasks: Vec<Task>,
) -> Result<Vec<TaskRow>, Error> {
    let references = References::default()
        .customers(tasks.iter().filter_map(|task| task.customer_id))
        .users(tasks.iter().map(|task| task.assignee_id));
    let names = names::load(gateway, visitor.caller(), references).await?;
    let row = |task: Task| TaskRow {
        customer: task.customer_id.and_then(|id| names.customer(id)),
        assignee: names.user(frame, task.assignee_id),
        due: due(&task, frame),
        task,
    };
    Ok(tasks.into_iter().map(row).collect())
}

/// The first tasks that a filter leaves.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn some(
    gateway: &Gateway,
    frame: &Frame,
    visitor: &Visitor,
    filter: TaskFilter,
) -> Result<Vec<TaskRow>, Error> {
    let page = PageRequest { limit: SOME, after: None, count: false };
    let asked = ListTasks { caller: visitor.caller(), filter, page };
    rows(gateway, frame, visitor, gateway.sales.service.ask(asked).await?.items).await
}

async fn fields(
    gateway: &Gateway,
    frame: &Frame,
    visitor: &Visitor,
    task: Option<&Task>,
    chosen: Option<Id>,
) -> Result<Vec<Field>, Error> {
    let chosen = task.map_or(chosen, |task| task.customer_id);
    let customers = names::customers(gateway, visitor.caller(), chosen).await?;
    let due_at = task.map_or(frame.now.plus(DUE_IN), |task| task.due_at);
    let mut fields = vec![
        Field::text("title").required().holding_some(task.map(|task| &task.title)),
        Field::moment("due_at").required().holding(local(due_at, frame.zone)),
        Field::choice("customer_id", customers).holding_some(chosen),
        Field::area("notes").more().holding_some(task.and_then(|task| task.notes.as_ref())),
    ];
    let people = names::owners(gateway, frame, visitor.caller()).await?;
    if !people.is_empty() {
        let assignee = task.map_or(visitor.caller().user_id, |task| task.assignee_id);
        fields.push(Field::choice("assignee_id", people).required().more().holding(assignee.to_string()));
    }
    Ok(fields)
}

async fn new_form(
    gateway: &Gateway,
    frame: &Frame,
    visitor: &Visitor,
    customer: Option<Id>,
) -> Result<Form, Error> {
    let fields = fields(gateway, frame, visitor, None, customer).await?;
    Ok(Form::new("new-task", "/tasks", "submit-add", fields))
}

#[get("/tasks")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, visitor: Visitor) -> HttpResult {
    let f = visitor.frame("tasks").await;
    Ok(ok(&list(&gateway, &request, &visitor, f, None).await?))
}

async fn list(
    gateway: &Gateway,
    request: &HttpRequest,
    visitor: &Visitor,
    f: Frame,
    form: Option<Form>,
) -> Result<TasksPage, Error> {
    let (params, given): (TaskParams, _) = asked(request)?;
    let page = params.page(|keyset| DUE_FIRST.fits(keyset))?;
    let is_first = page.after.is_none();
    let TaskParams { status, assignee_id, customer_id, due_before, .. } = params;
    let status = status.unwrap_or_default();
    let filter = TaskFilter { status: Some(status), assignee_id, customer_id, due_before };
    let asked = ListTasks { caller: visitor.caller(), filter, page };
    let Page { items, next, .. } = gateway.sales.service.ask(asked).await?;
    let form = match form {
        Some(form) => form,
        None => new_form(gateway, &f, visitor, customer_id).await?,
    };
    Ok(TasksPage {
        rows: rows(gateway, &f, visitor, items).await?,
        next: next.map(|next| next_address(request, &next)),
        is_first,
        status: status.as_str().to_owned(),
        assignee_id: narrowed(&given, "assignee_id"),
        assignees: names::owners(gateway, &f, visitor.caller()).await?,
        form,
        f,
    })
}

#[post("/tasks")]
pub async fn create(
    gateway: Data<Gateway>,
    request: HttpRequest,
    visitor: Visitor,
    posted: Posted,
) -> HttpResult {
    let f = visitor.frame("tasks").await;
    let (form, posted) = (new_form(&gateway, &f, &visitor, None).await?, posted.0);
    let made = match form.read(&posted, f.zone) {
        Err(error) => Err(error),
        Ok(task) => gateway.sales.service.ask(CreateTask { task, context: visitor.context(None) }).await,
    };
    match made {
        Ok(_) => Ok(see("/tasks?done=added")),
        Err(error) if is_mendable(&error) => {
            let form = form.refused(&posted, &error, &f);
            let page = list(&gateway, &request, &visitor, f, Some(form)).await?;
            Ok(html(status_of(Some(&error)), &page))
        }
        Err(error) => Err(error.into()),
    }
}

async fn form(gateway: &Gateway, frame: &Frame, visitor: &Visitor, task: &Task) -> Result<Form, Error> {
    let mut fields = fields(gateway, frame, visitor, Some(task), None).await?;
    fields.iter_mut().for_each(|field| field.more = false);
    let action = format!("/tasks/{}", task.id);
    Ok(Form::new("task", action, "submit-save", fields).of_version(task.version))
}

fn editor(f: Frame, task: &Task, form: Form) -> Edit {
    let title = f.with("task-edit", &task.title);
    let removal = Some(format!("/tasks/{}/delete", task.id));
    Edit { f, title, form, back: "/tasks".to_owned(), removal, asks: false }
}

#[get("/tasks/{id}")]
pub async fn edit(gateway: Data<Gateway>, visitor: Visitor, id: PathId) -> HttpResult {
    let task = gateway.sales.find_task(visitor.caller(), id.0).await?;
    let f = visitor.frame("tasks").await;
    let form = form(&gateway, &f, &visitor, &task).await?;
    Ok(editor(f, &task, form).answer(None))
}

#[post("/tasks/{id}")]
pub async fn change(gateway: Data<Gateway>, visitor: Visitor, id: PathId, posted: Posted) -> HttpResult {
    let task = gateway.sales.find_task(visitor.caller(), id.0).await?;
    let f = visitor.frame("tasks").await;
    let (form, posted) = (form(&gateway, &f, &visitor, &task).await?, posted.0);
    let changed = match form.read_changes(&posted, f.zone) {
        Err(error) => Err(error),
        Ok(changes) => {
            let change = ChangeTask { id: id.0, changes, context: visitor.context(posted.version()) };
            gateway.sales.service.ask(change).await
        }
    };
    match changed {
        Ok(_) => Ok(see("/tasks?done=saved")),
        Err(error) if is_mendable(&error) => {
            let form = form.refused(&posted, &error, &f);
            Ok(editor(f, &task, form).answer(Some(&error)))
        }
        Err(error) => Err(error.into()),
    }
}

/// One click on a list: done, or open again.
#[post("/tasks/{id}/status")]
pub async fn set_status(gateway: Data<Gateway>, visitor: Visitor, id: PathId, posted: Posted) -> HttpResult {
    let status = if posted.0.get("status") == Some("OPEN") { TaskStatus::Open } else { TaskStatus::Done };
    let changes = TaskChanges { status: Some(status), ..TaskChanges::default() };
    let marked = ChangeTask { id: id.0, changes, context: visitor.context(None) };
    gateway.sales.service.ask(marked).await?;
    Ok(see(posted.0.back("back").unwrap_or("/tasks")))
}

#[post("/tasks/{id}/delete")]
pub async fn remove(gateway: Data<Gateway>, visitor: Visitor, id: PathId, posted: Posted) -> HttpResult {
    let delete = DeleteTask { id: id.0, context: visitor.context(posted.0.version()) };
    gateway.sales.service.ask(delete).await?;
    Ok(see("/tasks?done=removed"))
}
