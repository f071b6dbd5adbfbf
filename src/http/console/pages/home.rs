//! `/`: one's open deals, what is due, what awaits one's decision, and what others have changed.

use actix_web::{get, post};
use askama::Template;
use serde_json::Value;

use crate::http::console::kit::form_data::{Fields, Posted};
use crate::http::console::kit::frame::{Frame, ok, redirect};
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::{CustomerLink, References};
use crate::http::console::kit::return_to::kept;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::timeline;
use crate::http::console::kit::timeline::Entry;
use crate::http::console::pages::approvals;
use crate::http::console::pages::approvals::ApprovalRow;
use crate::http::console::pages::deals;
use crate::http::console::pages::deals::DealRow;
use crate::http::console::pages::tasks;
use crate::http::console::pages::tasks::TaskRow;
use crate::http::error::HttpResult;
use crate::http::period::{moments, today};
use domain::approval::messages::ApprovalFilter;
use domain::approval::record::ApprovalStatus;
use domain::approval::rules::can_approve;
use domain::deal::messages::{DealFilter, SORTS as DEAL_SORTS};
use domain::report::messages::{MarkNewsSeen, ReadNews};
use domain::task::messages::TaskFilter;
use domain::task::record::TaskStatus;
use kernel::error::Error;
use kernel::event::EventRecord;
use kernel::ids::Id;

/// The open deals that the page shows, at most.
const DEALS_SHOWN: i64 = 10;
/// The changes that the page shows, at most.
const NEWS_SHOWN: i64 = 20;

/// What has changed.
struct NewsRow {
    entry: Entry,
    customer: Option<CustomerLink>,
}

struct NewsPart {
    rows: Vec<NewsRow>,
    more: bool,
    position: i64,
}

/// A part is `None` while its service is away.
#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    f: Frame,
    me: Id,
    tasks: Option<Vec<TaskRow>>,
    deals: Option<Vec<DealRow>>,
    decides: bool,
    approvals: Option<Vec<ApprovalRow>>,
    news: Option<NewsPart>,
}

#[get("/")]
pub async fn index(me: SessionUser) -> HttpResult {
    let f = me.frame("home").await;
    let (user, decides) = (me.caller().user_id, can_approve(me.caller().role));
    let day = today(f.zone, f.now);
    let due = TaskFilter {
        status: Some(TaskStatus::Open),
        assignee_id: Some(user),
        due_before: Some(moments(day, day, f.zone).1),
        ..TaskFilter::default()
    };
    let waiting = ApprovalFilter {
        status: Some(ApprovalStatus::Pending),
        awaits: Some(user),
        ..ApprovalFilter::default()
    };
    let approvals =
        async { if decides { approvals::recent(&me, &f, waiting).await } else { Ok(Vec::new()) } };
    let kept = kept(&Fields::parsed(me.request.query_string().as_bytes()));
    let tasks = tasks::recent(&me, &f, due, &kept);
    let open = DealFilter { owner_id: Some(user), open: true, ..DealFilter::default() };
    // The first expected first.
    let deals = deals::first(&me, &f, open, DEAL_SORTS[5], DEALS_SHOWN);
    let (tasks, approvals, deals, news) = tokio::join!(tasks, approvals, deals, news(&me, &f));
    let page = HomePage {
        me: user,
        tasks: if_there(tasks)?,
        deals: if_there(deals)?,
        decides,
        approvals: if_there(approvals)?,
        news: if_there(news)?,
        f,
    };
    Ok(ok(&page))
}

/// A part of the page; the page is shown without one whose service is away.
fn if_there<T>(part: Result<T, Error>) -> Result<Option<T>, Error> {
    match part {
        Ok(part) => Ok(Some(part)),
        Err(error) if error.is_passing() => {
            tracing::warn!(%error, "a part of the home page is missing");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn news(me: &SessionUser, f: &Frame) -> Result<NewsPart, Error> {
    let read = ReadNews { caller: me.caller(), limit: NEWS_SHOWN };
    let news = me.gateway.analytics.service.ask(read).await?;
    let customers: Vec<Option<Id>> = news.events.iter().map(customer_of).collect();
    let references = References::default().customers(customers.iter().flatten().copied());
    let (entries, names) = tokio::join!(
        timeline::entries(&me.gateway, f, me.caller(), &news.events),
        lookups::load(&me.gateway, me.caller(), references)
    );
    let names = names?;
    let row = |(entry, customer): (Entry, Option<Id>)| NewsRow {
        customer: customer.and_then(|id| names.customer(id)),
        entry,
    };
    let rows = entries?.into_iter().zip(customers).map(row).collect();
    Ok(NewsPart { rows, more: news.more, position: news.position })
}

/// The customer whom an event is about.
fn customer_of(event: &EventRecord) -> Option<Id> {
    if event.r#type.starts_with("customer.") {
        return Some(event.subject);
    }
    let data: serde_json::Map<String, Value> = serde_json::from_str(event.data.get()).ok()?;
    let mut ids = data.values().filter_map(|record| record.get("customer_id")?.as_str());
    ids.next().and_then(Id::parse)
}

#[post("/news/seen")]
pub async fn seen(me: SessionUser, posted: Posted) -> HttpResult {
    let position = posted.0.get("position").and_then(|text| text.parse().ok()).unwrap_or(0);
    me.gateway.analytics.service.ask(MarkNewsSeen { position, context: me.context(None) }).await?;
    Ok(redirect("/?done=seen"))
}
