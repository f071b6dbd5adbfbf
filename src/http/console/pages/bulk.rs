//! `/customers/bulk`, `/meetings/bulk`, `/tasks/bulk`, `/deals/bulk`: many records are changed together. What to change is chosen first, then what
//! that would do is shown, then it is done: three answers to one form.

use actix_web::post;
use askama::Template;
use serde::de::DeserializeOwned;

use crate::http::console::kit::choice::{Choice, Source};
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::{Form, is_mendable, why_each};
use crate::http::console::kit::form_data::{Fields, Posted};
use crate::http::console::kit::frame::{Frame, Outcome, api_word, html, redirect};
use crate::http::console::kit::once::once;
use crate::http::console::kit::saved_views::Settings;
use crate::http::console::kit::search;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::error::HttpResult;
use domain::bulk::change::{
    BulkChange, CustomersChange, DealsChange, MeetingsChange, Selection, TasksChange, check,
};
use domain::bulk::messages::{
    ChangeCustomers, ChangeDeals, ChangeMeetings, ChangeTasks, PreviewCustomers, PreviewDeals,
    PreviewMeetings, PreviewTasks,
};
use domain::bulk::progress::BulkPreview;
use domain::customer::record::CustomerStatus;
use domain::deal::stage::DealStage;
use domain::task::record::TaskStatus;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kernel::validation::Rules;

/// What becomes of the records of a list, as a form asks for it.
trait BulkPage: BulkChange + Rules + DeserializeOwned {
    /// The fields that may be set.
    fn inputs(f: &Frame) -> Vec<Field>;

    /// The filter that the page has when its address does not name one.
    fn standing() -> Option<(&'static str, &'static str)> {
        None
    }

    async fn preview(self, me: &SessionUser, selection: Selection) -> Result<BulkPreview, Error>;

    async fn start(self, me: &SessionUser, selection: Selection, context: Context) -> Result<Id, Error>;
}

/// What the change would do, for people.
struct Shown {
    changed: i64,
    unchanged: i64,
    refused: i64,
    /// What goes with deleted records: a kind and how many.
    with: Vec<(String, i64)>,
}

#[derive(Template)]
#[template(path = "bulk.html")]
struct BulkView {
    f: Frame,
    list: &'static str,
    /// Where one came from.
    back: String,
    /// What the form carries on: which records they are.
    carried: Vec<(String, String)>,
    /// How many were ticked; `None`: all of the list.
    ticked: Option<i64>,
    form: Form,
    is_delete: bool,
    shown: Option<Shown>,
    problem: Option<String>,
}

fn choices<const N: usize>(f: &Frame, family: &str, words: [&'static str; N]) -> Vec<Choice> {
    words.map(|word| Choice { value: word.to_owned(), label: f.word(family, word) }).into()
}

fn of_people(f: &Frame, name: &'static str) -> Option<Field> {
    f.sees_all_owners().then(|| Field::search(name, Source::People))
}

impl BulkPage for CustomersChange {
    fn inputs(f: &Frame) -> Vec<Field> {
        let statuses = CustomerStatus::ALL.map(CustomerStatus::as_str);
        let status = Field::choice("status", choices(f, "status", statuses));
        [status].into_iter().chain(of_people(f, "owner_id")).collect()
    }

    async fn preview(self, me: &SessionUser, selection: Selection) -> Result<BulkPreview, Error> {
        me.gateway.sagas.ask(PreviewCustomers { selection, change: self, caller: me.caller() }).await
    }

    async fn start(self, me: &SessionUser, selection: Selection, context: Context) -> Result<Id, Error> {
        me.gateway.customers.service.ask(ChangeCustomers { selection, change: self, context }).await
    }
}

impl BulkPage for MeetingsChange {
    fn inputs(f: &Frame) -> Vec<Field> {
        of_people(f, "owner_id").into_iter().collect()
    }

    async fn preview(self, me: &SessionUser, selection: Selection) -> Result<BulkPreview, Error> {
        me.gateway.sagas.ask(PreviewMeetings { selection, change: self, caller: me.caller() }).await
    }

    async fn start(self, me: &SessionUser, selection: Selection, context: Context) -> Result<Id, Error> {
        me.gateway.sales.service.ask(ChangeMeetings { selection, change: self, context }).await
    }
}

impl BulkPage for TasksChange {
    fn inputs(f: &Frame) -> Vec<Field> {
        let statuses = [TaskStatus::Open, TaskStatus::Done].map(TaskStatus::as_str);
        let status = Field::choice("status", choices(f, "task", statuses));
        [status, Field::moment("due_at")].into_iter().chain(of_people(f, "assignee_id")).collect()
    }

    fn standing() -> Option<(&'static str, &'static str)> {
        Some(("status", TaskStatus::default().as_str()))
    }

    async fn preview(self, me: &SessionUser, selection: Selection) -> Result<BulkPreview, Error> {
        me.gateway.sagas.ask(PreviewTasks { selection, change: self, caller: me.caller() }).await
    }

    async fn start(self, me: &SessionUser, selection: Selection, context: Context) -> Result<Id, Error> {
        me.gateway.sales.service.ask(ChangeTasks { selection, change: self, context }).await
    }
}

impl BulkPage for DealsChange {
    fn inputs(f: &Frame) -> Vec<Field> {
        let stage = Field::choice("stage", choices(f, "stage", DealStage::ALL.map(DealStage::as_str)));
        let reason = Field::text("lost_reason").hint("deal-reason-hint");
        [stage, reason, Field::day("expected_on")].into_iter().chain(of_people(f, "owner_id")).collect()
    }

    async fn preview(self, me: &SessionUser, selection: Selection) -> Result<BulkPreview, Error> {
        me.gateway.sagas.ask(PreviewDeals { selection, change: self, caller: me.caller() }).await
    }

    async fn start(self, me: &SessionUser, selection: Selection, context: Context) -> Result<Id, Error> {
        me.gateway.opportunity.service.ask(ChangeDeals { selection, change: self, context }).await
    }
}

/// What the form carries of itself: which records, and from what list.
fn carried(posted: &Fields) -> Vec<(String, String)> {
    let ours = |name: &str| ["which", "query", "ids"].contains(&name);
    posted
        .pairs()
        .filter(|(name, _)| ours(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The change that the form asks for: of the fields that hold something.
fn change_of<C: BulkPage>(form: &Form, posted: &Fields, f: &Frame) -> Result<C, Error> {
    if posted.get("act") == Some("delete") {
        return Ok(C::deletion());
    }
    let given = form.fields.iter().map(|field| field.name);
    let given = given.filter(|name| posted.get(name).is_some_and(|value| !value.trim().is_empty())).collect();
    form.read_changes(posted, f.zone, &given)
}

/// The records that the form means.
fn selection_of<C: BulkPage>(posted: &Fields, change: &C) -> Result<Selection, Error> {
    if posted.get("which") == Some("filter") {
        let query = Fields::parsed(posted.get("query").unwrap_or_default().as_bytes());
        let standing = C::standing().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let filter = standing.into_iter().chain(Settings::of(C::LIST, &query).filter).collect();
        return check(None, Some(filter), change);
    }
    let ids = posted.pairs().filter(|(name, _)| *name == "ids").filter_map(|(_, value)| Id::parse(value));
    check(Some(ids.collect()), None, change)
}

async fn answer<C: BulkPage>(me: SessionUser, posted: Posted) -> HttpResult {
    let f = me.frame(C::LIST.as_str()).await;
    let action = format!("/{}/bulk", C::LIST.as_str());
    let mut form = Form::new("bulk-change", action, "", C::inputs(&f));
    let posted = search::settle(&me, &mut form.fields, posted.0).await?;
    let step = posted.get("step").unwrap_or_default().to_owned();
    let ticked = posted.pairs().filter(|(name, _)| *name == "ids").count() as i64;
    let is_filter = posted.get("which") == Some("filter");
    let mut view = BulkView {
        list: C::LIST.as_str(),
        back: format!("/{}?{}", C::LIST.as_str(), posted.get("query").unwrap_or_default()),
        carried: carried(&posted),
        ticked: (!is_filter).then_some(ticked),
        is_delete: posted.get("act") == Some("delete"),
        shown: None,
        problem: None,
        form,
        f,
    };
    if step.is_empty() {
        if ticked == 0 && !is_filter {
            view.problem = Some(view.f.t("bulk-none"));
        }
        return Ok(html(Outcome(None), &view));
    }
    view.form.fill(&posted);
    let asked = change_of::<C>(&view.form, &posted, &view.f)
        .and_then(|change| Ok((selection_of(&posted, &change)?, change)));
    let done = match asked {
        Ok((selection, change)) if step == "apply" => {
            let saga = once(&me, &posted, async |context| change.start(&me, selection, context).await);
            saga.await.map(Some)
        }
        Ok((selection, change)) => change.preview(&me, selection).await.map(|preview| {
            let BulkPreview { would, with } = preview;
            view.shown = Some(Shown {
                changed: would.changed,
                unchanged: would.unchanged,
                refused: would.refused,
                with: with.iter().filter(|(_, n)| **n > 0).map(|(kind, n)| (api_word(kind), *n)).collect(),
            });
            None
        }),
        Err(error) => Err(error),
    };
    match done {
        Ok(Some(saga)) => Ok(redirect(&format!("/sagas?done=bulk-started#saga-{saga}"))),
        Ok(None) => {
            search::name_chosen(&me, &mut view.form.fields).await?;
            Ok(html(Outcome(None), &view))
        }
        Err(error) if is_mendable(&error) => {
            search::name_chosen(&me, &mut view.form.fields).await?;
            view.problem = Some(match error.code {
                ErrorCode::InvalidFields => why_each(&view.f, &error),
                _ => crate::http::console::kit::form::why(&view.f, &error),
            });
            Ok(html(Outcome(Some(&error)), &view))
        }
        Err(error) => Err(error.into()),
    }
}

#[post("/customers/bulk")]
pub async fn customers(me: SessionUser, posted: Posted) -> HttpResult {
    answer::<CustomersChange>(me, posted).await
}

#[post("/meetings/bulk")]
pub async fn meetings(me: SessionUser, posted: Posted) -> HttpResult {
    answer::<MeetingsChange>(me, posted).await
}

#[post("/tasks/bulk")]
pub async fn tasks(me: SessionUser, posted: Posted) -> HttpResult {
    answer::<TasksChange>(me, posted).await
}

#[post("/deals/bulk")]
pub async fn deals(me: SessionUser, posted: Posted) -> HttpResult {
    answer::<DealsChange>(me, posted).await
}
