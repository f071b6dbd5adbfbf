//! `/tasks`: what is to be done by when.

use std::time::Duration;

use actix_web::{get, post};
use askama::Template;

use crate::http::api::tasks::TaskParams;
use crate::http::console::kit::cell::{Cell, Cells};
use crate::http::console::kit::chips::{Chip, hidden_filters};
use crate::http::console::kit::choice::Source;
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::Form;
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::list_file;
use crate::http::console::kit::listing::{Listing, ask};
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::{CustomerLink, References};
use crate::http::console::kit::record_pages;
use crate::http::console::kit::record_pages::{EMBEDDED_ROWS, ListPage, NewForm, new_form};
use crate::http::console::kit::resume::Sent;
use crate::http::console::kit::return_to::kept;
use crate::http::console::kit::search;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::{list_params, narrowed};
use crate::http::console::kit::typed::local;
use crate::http::error::HttpResult;
use domain::lists::ListName;
use domain::task::messages::{CreateTask, ListTasks, SORTS, TaskFilter};
use domain::task::postponed::Postponement;
use domain::task::record::{NewTask, Task, TaskStatus};
use domain::task::rules::alert_horizon;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kernel::page::{Keyset, Page, PageRequest, Sort};

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

    /// The days to which the menu offers to put it off.
    pub fn days(&self) -> [Postponement; 3] {
        Postponement::ALL
    }
}

impl Cells for TaskRow {
    fn cell(&self, column: &str, f: &Frame) -> Cell {
        let Self { task, customer, assignee, .. } = self;
        match column {
            "title" => Cell::text(&task.title),
            "due_at" => Cell::Time(task.due_at),
            "status" => Cell::text(f.word("task", task.status.as_str())),
            "customer_id" => Cell::some(customer.as_ref().map(|customer| &customer.name)),
            "assignee_id" => Cell::Person(task.assignee_id, assignee.clone()),
            "completed_at" => Cell::moment(task.completed_at),
            "notes" => Cell::some(task.notes.as_ref()),
            "created_at" => Cell::Time(task.created_at),
            "updated_at" => Cell::Time(task.updated_at),
            _ => Cell::Nothing,
        }
    }
}

#[derive(Template)]
#[template(path = "tasks.html")]
pub struct TasksPage {
    f: Frame,
    rows: Vec<TaskRow>,
    list: Listing,
    /// the filter of the list: open tasks unless another status is given.
    status: String,
    assignee: Field,
    chips: Vec<Chip>,
    q: String,
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

/// Tasks with the names of whom they refer to.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn rows(me: &SessionUser, frame: &Frame, tasks: Vec<Task>) -> Result<Vec<TaskRow>, Error> {
    let references = References::default()
        .customers(tasks.iter().filter_map(|task| task.customer_id))
        .users(tasks.iter().map(|task| task.assignee_id));
    let names = lookups::load(&me.gateway, me.caller(), references).await?;
    let row = |task: Task| TaskRow {
        customer: task.customer_id.and_then(|id| names.customer(id)),
        assignee: names.user(frame, task.assignee_id),
        due: due(&task, frame),
        task,
    };
    Ok(tasks.into_iter().map(row).collect())
}

/// The first tasks that a filter leaves, and those of `kept`.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn recent(
    me: &SessionUser,
    frame: &Frame,
    filter: TaskFilter,
    kept: &[Id],
) -> Result<Vec<TaskRow>, Error> {
    let asked = PageRequest::first(EMBEDDED_ROWS);
    let sort = SORTS[0];
    let list = ListTasks { caller: me.caller(), filter, sort, page: asked.clone() };
    let mut page = me.gateway.sales.service.ask(list).await?;
    keep(me, kept, &mut page, (&sort, &asked)).await?;
    rows(me, frame, page.items).await
}

/// Adds to a page of tasks those that it keeps (see [`return_to`](crate::http::console::kit::return_to)), where they stood.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn keep(
    me: &SessionUser,
    kept: &[Id],
    page: &mut Page<Task>,
    (sort, asked): (&Sort, &PageRequest),
) -> Result<(), Error> {
    let place = |task: &Task| (task.due_at, task.id);
    let comes = |one: (Timestamp, Id), other: (Timestamp, Id)| match sort.descending {
        true => other.cmp(&one),
        false => one.cmp(&other),
    };
    let row = |keyset: &Option<Keyset>| {
        keyset.as_ref().and_then(|row| Some((Timestamp::parse(&row.value)?, row.id)))
    };
    let (begin, end) = (row(&asked.after), row(&asked.before));
    for id in kept {
        if page.items.iter().any(|task| task.id == *id) {
            continue;
        }
        let task = match me.gateway.sales.find_task(me.caller(), *id).await {
            Ok(task) => (*task).clone(),
            Err(error) if error.code == ErrorCode::NotFound => continue,
            Err(error) => return Err(error),
        };
        let of_task = place(&task);
        let at = page.items.partition_point(|other| comes(place(other), of_task).is_lt());
        let is_before = match begin {
            Some(begin) => comes(of_task, begin).is_le(),
            None => at == 0 && page.prev.is_some(),
        };
        let is_after = match end {
            Some(end) => comes(of_task, end).is_ge(),
            None => at == page.items.len() && page.next.is_some(),
        };
        if !is_before && !is_after {
            page.items.insert(at, task);
        }
    }
    Ok(())
}

/// The pages of tasks.
pub struct Tasks;

impl ListPage for Tasks {
    const LIST_NAME: Option<ListName> = Some(ListName::Tasks);
    const SECTION: &'static str = "tasks";
    const DONE: &'static str = "added";
    const NEW: NewForm = NewForm { id: "new-task", action: "/tasks", submit: "submit-add" };
    type Record = Task;
    type New = NewTask;
    type View = TasksPage;
    const FILTERS: &'static [(&'static str, Source)] = &[("assignee_id", Source::People)];

    async fn fields(
        me: &SessionUser,
        f: &Frame,
        task: Option<&Task>,
        customer: Option<Id>,
    ) -> Result<Vec<Field>, Error> {
        let chosen = task.map_or(customer, |task| task.customer_id);
        let assignee = task.map_or(me.caller().user_id, |task| task.assignee_id);
        let references = References::default().customers(chosen).users([assignee]);
        let names = lookups::load(&me.gateway, me.caller(), references).await?;
        let due_at = task.map_or(f.now.plus(DUE_IN), |task| task.due_at);
        let mut fields = vec![
            Field::text("title").required().holding_some(task.map(|task| &task.title)),
            Field::moment("due_at").required().holding(local(due_at, f.zone)),
            Field::search("customer_id", Source::Customers)
                .choosing(chosen.and_then(|id| names.customer_choice(id))),
            Field::area("notes").more().holding_some(task.and_then(|task| task.notes.as_ref())),
        ];
        if f.sees_all_owners() {
            let field = Field::search("assignee_id", Source::People).choosing(names.user_choice(assignee));
            fields.push(field.required().more());
        }
        Ok(fields)
    }

    async fn view(me: &SessionUser, f: Frame, form: Option<Form>) -> Result<TasksPage, Error> {
        let (params, given): (TaskParams, _) = list_params(&me.request)?;
        let sort = params.order()?;
        let mut asked = params.page(|keyset| sort.fits(keyset))?;
        let status = params.status.unwrap_or_default();
        let filter = TaskFilter { status: Some(status), ..TaskFilter::from(params) };
        let (caller, customer_id) = (me.caller(), filter.customer_id);
        let list = |page| ListTasks { caller, filter: filter.clone(), sort, page };
        let mut page = ask(&mut asked, |page| me.gateway.sales.service.ask(list(page))).await?;
        let listing = Listing::of(me, ListName::Tasks, &given, &sort, (&asked, &page)).await?;
        keep(me, &kept(&given), &mut page, (&sort, &asked)).await?;
        let form = match form {
            Some(form) => form,
            None => new_form::<Self>(me, &f, customer_id).await?,
        };
        Ok(TasksPage {
            chips: hidden_filters(me, &f, &given, &["q", "status", "assignee_id"]).await?,
            list: listing,
            rows: rows(me, &f, page.items).await?,
            status: status.as_str().to_owned(),
            assignee: search::filter(me, &given, "assignee_id", Source::People).await?,
            q: narrowed(&given, "q"),
            form,
            f,
        })
    }

    async fn create(me: &SessionUser, task: NewTask, _: &Fields, context: Context) -> Result<Id, Error> {
        Ok(me.gateway.sales.service.ask(CreateTask { task, context }).await?.id)
    }

    fn made(_: Id) -> String {
        "/tasks".to_owned()
    }
}

#[get("/tasks")]
pub async fn index(me: SessionUser) -> HttpResult {
    record_pages::index::<Tasks>(me).await
}

/// The list as a file, with the columns and in the language of its reader.
#[get("/tasks.csv")]
pub async fn file(me: SessionUser) -> HttpResult {
    let (params, given): (TaskParams, Fields) = list_params(&me.request)?;
    let sort = params.order()?;
    let filter = TaskFilter { status: Some(params.status.unwrap_or_default()), ..TaskFilter::from(params) };
    list_file::answer(me, ListName::Tasks, &given, move |reader, page| {
        let list = ListTasks { caller: reader.me.caller(), filter: filter.clone(), sort, page };
        async move {
            let mut page = reader.me.gateway.sales.service.ask(list).await?;
            let items = std::mem::take(&mut page.items);
            Ok(page.holding(rows(&reader.me, &reader.f, items).await?))
        }
    })
    .await
}

#[post("/tasks")]
pub async fn create(me: SessionUser, sent: Sent) -> HttpResult {
    record_pages::create::<Tasks>(me, sent).await
}
