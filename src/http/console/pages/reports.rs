//! `/reports`: the sales summary, the figures of each day, and lists to take away as CSV.

use crate::http::error::HttpResult;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, get};
use askama::Template;
use chrono::NaiveDate;

use crate::http::api::resource;
use crate::http::console::kit::chart::{Bars, Line, bars, line};
use crate::http::console::kit::choice::Source;
use crate::http::console::kit::field::Field;
use crate::http::console::kit::frame::{Frame, api_word, ok, redirect};
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::References;
use crate::http::console::kit::search;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::list_params;
use crate::http::period::{StatsParams, days, each_day, moments, today};
use crate::http::state::Gateway;
use domain::approval::messages as approval;
use domain::approval::messages::{ApprovalFilter, ListApprovals};
use domain::approval::record::Approval;
use domain::customer::messages::{CustomerFilter, ListCustomers, SORTS};
use domain::customer::record::Customer;
use domain::deal::messages as deal;
use domain::deal::messages::{DealFilter, ListDeals};
use domain::deal::record::Deal;
use domain::meeting::messages as meeting;
use domain::meeting::messages::{ListMeetings, MeetingFilter};
use domain::meeting::record::Meeting;
use domain::report::messages::DayMetrics;
use domain::report::messages::{ReadMetrics, ReadSummary};
use domain::report::messages::{SalesSummary, Section};
use domain::task::messages as task;
use domain::task::messages::{ListTasks, TaskFilter};
use domain::task::record::Task;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};

/// The lists that can be taken away.
const FILES: [&str; 5] = ["customers", "meetings", "tasks", "approvals", "deals"];

/// A service's part of the summary.
struct Part {
    name: &'static str,
    /// `live`, `cached` or `unavailable`.
    source: String,
    as_of: Option<Timestamp>,
    /// A label and a figure.
    figures: Vec<(&'static str, String)>,
    bars: Option<Bars>,
}

/// A figure over the days.
struct Course {
    name: &'static str,
    line: Line,
}

#[derive(Template)]
#[template(path = "reports.html")]
struct ReportsPage {
    f: Frame,
    from: NaiveDate,
    to: NaiveDate,
    owner: Field,
    /// Days back from today, to choose by one click, and where each begins.
    spans: Vec<(i64, NaiveDate)>,
    today: NaiveDate,
    /// The zone whose days they are.
    zone: &'static str,
    parts: [Part; 4],
    courses: Vec<Course>,
    /// The days of the courses, in a row.
    labels: String,
    days: Vec<DayMetrics>,
    files: [&'static str; 5],
}

/// The figures of a day: a name and how to read it.
type Figure = (&'static str, fn(&DayMetrics) -> i64);

const FIGURES: [Figure; 11] = [
    ("customers_created", |day| day.customers_created),
    ("customers_deleted", |day| day.customers_deleted),
    ("meetings_created", |day| day.meetings_created),
    ("tasks_completed", |day| day.tasks_completed),
    ("approvals_requested", |day| day.approvals_requested),
    ("approvals_approved", |day| day.approvals_approved),
    ("approvals_rejected", |day| day.approvals_rejected),
    ("deals_created", |day| day.deals_created),
    ("deals_won", |day| day.deals_won),
    ("deals_lost", |day| day.deals_lost),
    ("logins", |day| day.logins),
];

#[get("/reports")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, me: SessionUser) -> HttpResult {
    if let Some(address) = search::settled_address(&me, &[("owner_id", Source::People)]).await? {
        return Ok(redirect(&address));
    }
    let f = me.frame("reports").await;
    let (params, given): (StatsParams, _) = list_params(&request)?;
    let (caller, owner_id) = (me.caller(), params.owner_id);
    let zone = params.zone(me.user());
    let (from, to) = days(&params, zone, f.now)?;
    let (begin, end) = moments(from, to, zone);
    let summary =
        gateway.analytics.service.ask(ReadSummary { caller, owner_id, from: begin, to: end }).await?;
    let asked = ReadMetrics { caller, owner_id, days: each_day(from, to, zone) };
    let days = gateway.analytics.service.ask(asked).await?;
    let course = |(name, read): &Figure| {
        let values: Vec<i64> = days.iter().map(read).collect();
        Course { name, line: line(&values) }
    };
    let today = today(zone, f.now);
    let back = |count: i64| (count, today - chrono::Days::new(count as u64 - 1));
    Ok(ok(&ReportsPage {
        from,
        to,
        owner: search::filter(&me, &given, "owner_id", Source::People).await?,
        spans: [7, 30, 90].map(back).into(),
        today,
        zone: zone.name(),
        parts: parts(&gateway, &f, caller, &summary).await?,
        courses: FIGURES.iter().map(course).collect(),
        labels: days.iter().map(|day| f.day(&day.date)).collect::<Vec<_>>().join("|"),
        days,
        files: FILES,
        f,
    }))
}

fn part<T>(name: &'static str, section: &Section<T>) -> Part {
    Part { name, source: api_word(&section.source), as_of: section.as_of, figures: Vec::new(), bars: None }
}

async fn parts(
    gateway: &Gateway,
    f: &Frame,
    caller: Caller,
    summary: &SalesSummary,
) -> Result<[Part; 4], Error> {
    let SalesSummary { customers, meetings, tasks, approvals, .. } = summary;
    let mut parts = [
        part("customers", customers),
        part("meetings", meetings),
        part("tasks", tasks),
        part("approvals", approvals),
    ];
    let bar = |label: String, value: i64| (label, value, f.number(&value));
    if let Some(figures) = &customers.figures {
        parts[0].figures = vec![
            ("total", f.number(&figures.total)),
            ("new", f.number(&figures.new)),
            ("deleted", f.number(&figures.deleted)),
        ];
        let by = figures.by_status.iter().map(|(status, count)| bar(f.word("status", status), *count));
        parts[0].bars = Some(bars(by.collect()));
    }
    if let Some(figures) = &meetings.figures {
        parts[1].figures = vec![("total", f.number(&figures.total))];
        let references = References::default().users(figures.by_owner.keys().copied());
        let names = lookups::load(gateway, caller, references).await?;
        let by = figures.by_owner.iter().map(|(owner, count)| bar(names.user(f, *owner), *count));
        let mut by: Vec<_> = by.collect();
        by.sort_by_key(|(_, count, _)| -count);
        parts[1].bars = Some(bars(by));
    }
    if let Some(figures) = &tasks.figures {
        let by = [("open", figures.open), ("done", figures.done), ("overdue", figures.overdue)];
        parts[2].bars = Some(bars(by.map(|(name, count)| bar(f.word("summary", name), count)).into()));
    }
    if let Some(figures) = &approvals.figures {
        parts[3].figures = figures
            .approved_amount
            .iter()
            .map(|(code, sum)| ("approved_amount", f.money(sum, code)))
            .collect();
        let by = [
            ("PENDING", figures.pending),
            ("APPROVED", figures.approved),
            ("REJECTED", figures.rejected),
            ("CANCELLED", figures.cancelled),
        ];
        parts[3].bars = Some(bars(by.map(|(name, count)| bar(f.word("approval", name), count)).into()));
    }
    Ok(parts)
}

/// A whole list as CSV, as the API makes it.
#[get("/reports/{file}.csv")]
pub async fn download(gateway: Data<Gateway>, me: SessionUser, file: Path<String>) -> HttpResult {
    let caller = me.caller();
    match file.as_str() {
        "customers" => {
            let list =
                move |page| ListCustomers { caller, filter: CustomerFilter::default(), sort: SORTS[0], page };
            resource::file::<Customer, _>(gateway, list).await
        }
        "meetings" => {
            let list = move |page| ListMeetings {
                caller,
                filter: MeetingFilter::default(),
                sort: meeting::SORTS[0],
                page,
            };
            resource::file::<Meeting, _>(gateway, list).await
        }
        "tasks" => {
            let list =
                move |page| ListTasks { caller, filter: TaskFilter::default(), sort: task::SORTS[0], page };
            resource::file::<Task, _>(gateway, list).await
        }
        "approvals" => {
            let list = move |page| ListApprovals {
                caller,
                filter: ApprovalFilter::default(),
                sort: approval::SORTS[0],
                page,
            };
            resource::file::<Approval, _>(gateway, list).await
        }
        "deals" => {
            let list =
                move |page| ListDeals { caller, filter: DealFilter::default(), sort: deal::SORTS[0], page };
            resource::file::<Deal, _>(gateway, list).await
        }
        _ => Err(Error::new(ErrorCode::NotFound).into()),
    }
}
