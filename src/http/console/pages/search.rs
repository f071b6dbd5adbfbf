//! The console's search: its page, which needs no scripts, and the answers to its dialog.

use std::collections::HashMap;

use actix_web::{HttpResponse, get};
use askama::Template;
use futures_util::future::join_all;
use serde::Serialize;

use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::{Frame, ok};
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::References;
use crate::http::console::kit::places;
use crate::http::console::kit::places::Place;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::error::HttpResult;
use crate::http::search::{Everything, everywhere};
use domain::search::messages::HITS_MAX;
use domain::search::record::{Hit, RecordType};
use kernel::error::Error;
use kernel::ids::Id;
use kernel::search::{Words, within_limits};

/// The records that the dialog shows.
const SHOWN: i64 = 12;
/// The records opened last that it shows, at most.
const RECENT_MAX: usize = 8;

/// The page of a record.
fn address(record_type: RecordType, id: Id) -> String {
    let list = match record_type {
        RecordType::Customer => "customers",
        RecordType::Meeting => "meetings",
        RecordType::Task => "tasks",
        RecordType::Approval => "approvals",
        RecordType::Deal => "deals",
    };
    format!("/{list}/{id}")
}

/// The types that could not be searched, as people read them.
fn missing(f: &Frame, types: &[RecordType]) -> Option<String> {
    let names: Vec<String> = types.iter().map(|one| f.word("type", one.as_str())).collect();
    (!names.is_empty()).then(|| f.with("search-missing", &names.join(&f.t("list-separator"))))
}

/// A line of the page.
struct Line {
    href: String,
    title: String,
    subtitle: Option<String>,
    kind: String,
}

#[derive(Template)]
#[template(path = "found.html")]
struct SearchPage {
    f: Frame,
    q: String,
    records: Vec<Line>,
    places: Vec<&'static Place>,
    missing: Option<String>,
}

fn line(f: &Frame, hit: Hit) -> Line {
    Line {
        href: address(hit.record_type, hit.id),
        title: hit.title,
        subtitle: hit.subtitle,
        kind: f.word("type", hit.record_type.as_str()),
    }
}

#[get("/search")]
pub async fn index(me: SessionUser) -> HttpResult {
    let given = Fields::parsed(me.request.query_string().as_bytes());
    let q = given.get("q").unwrap_or_default().trim().to_owned();
    let words = Words::parse(Some(&q))?;
    let f = me.frame("search").await;
    let found = match words.is_empty() {
        true => Everything { hits: Vec::new(), missing: Vec::new() },
        false => everywhere(&me.gateway, me.caller(), &q, Some(HITS_MAX)).await?,
    };
    let mut places = places::actions(&f, &words);
    places.extend(places::pages(&f, &words));
    Ok(ok(&SearchPage {
        missing: missing(&f, &found.missing),
        records: found.hits.into_iter().map(|hit| line(&f, hit)).collect(),
        places,
        q,
        f,
    }))
}

/// An entry of the dialog.
#[derive(Serialize)]
struct Entry {
    title: String,
    detail: String,
    /// The page to go to, or the address of the form of the page to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    href: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<&'static str>,
}

#[derive(Serialize)]
struct Group {
    label: String,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Answer {
    groups: Vec<Group>,
    missing: Option<String>,
}

/// What the dialog shows: for `q`, or while nothing is typed the records that the browser says were opened last, as far
/// as the user may still see them.
#[get("/palette")]
pub async fn palette(me: SessionUser) -> HttpResult {
    let given = Fields::parsed(me.request.query_string().as_bytes());
    let q = within_limits(given.get("q").unwrap_or_default());
    let words = Words::parse(Some(&q))?;
    let f =
        Frame::of(&me.principal.user, me.caller(), "search", me.gateway.clock.now(), String::new(), 0, None);
    let mut groups = Vec::new();
    let mut add = |label: &str, entries: Vec<Entry>| {
        if !entries.is_empty() {
            groups.push(Group { label: f.t(label), entries });
        }
    };
    let (label, found) = match words.is_empty() {
        true => ("palette-recent", recent(&me, given.get("recent").unwrap_or_default()).await?),
        false => ("palette-records", everywhere(&me.gateway, me.caller(), &q, Some(SHOWN)).await?),
    };
    add(label, found.hits.into_iter().map(|hit| of_record(&f, hit)).collect());
    let of_place = |place: &&Place| Entry {
        title: f.t(place.label),
        detail: place.letter.map_or_else(String::new, |letter| format!("g {letter}")),
        href: Some(place.href.to_owned()),
        form: None,
    };
    let mut actions: Vec<Entry> = places::actions(&f, &words).iter().map(of_place).collect();
    if places::is_named("nav-logout", &words) {
        let (title, detail) = (f.t("nav-logout"), String::new());
        actions.push(Entry { title, detail, href: None, form: Some("/logout") });
    }
    add("palette-actions", actions);
    add("palette-pages", places::pages(&f, &words).iter().map(of_place).collect());
    let missing = missing(&f, &found.missing);
    Ok(HttpResponse::Ok().json(Answer { groups, missing }))
}

fn of_record(f: &Frame, hit: Hit) -> Entry {
    let kind = f.word("type", hit.record_type.as_str());
    let detail = match hit.subtitle {
        Some(subtitle) => format!("{kind} · {subtitle}"),
        None => kind,
    };
    Entry { href: Some(address(hit.record_type, hit.id)), title: hit.title, detail, form: None }
}

/// A record that was opened.
struct Opened {
    record_type: RecordType,
    id: Id,
    title: String,
    subtitle: Option<String>,
    customer: Option<Id>,
}

/// The records of `named` (`customer:ID task:ID …`) that the caller may see, in that order.
async fn recent(me: &SessionUser, named: &str) -> Result<Everything, Error> {
    let named = named.split(' ').filter_map(|one| {
        let (name, id) = one.split_once(':')?;
        Some((RecordType::parse(name)?, Id::parse(id)?))
    });
    let found = join_all(named.take(RECENT_MAX).map(|(record_type, id)| opened(me, record_type, id))).await;
    let found: Vec<Opened> = found.into_iter().flatten().collect();
    let references = References::default().customers(found.iter().filter_map(|one| one.customer));
    let names = lookups::load(&me.gateway, me.caller(), references).await?;
    let mut shown: HashMap<Id, String> = HashMap::new();
    shown.extend(found.iter().filter_map(|one| {
        let customer = one.customer?;
        Some((customer, names.customer(customer)?.name))
    }));
    let now = me.gateway.clock.now();
    let hit = |one: Opened| Hit {
        record_type: one.record_type,
        id: one.id,
        title: one.title,
        subtitle: one.subtitle.or_else(|| shown.get(&one.customer?).cloned()),
        created_at: now,
        rank: kernel::rank::Rank::Whole,
    };
    Ok(Everything { hits: found.into_iter().map(hit).collect(), missing: Vec::new() })
}

/// The record, unless the caller may not see it (any more), or its service is away.
async fn opened(me: &SessionUser, record_type: RecordType, id: Id) -> Option<Opened> {
    let (gateway, caller) = (&me.gateway, me.caller());
    let of = |title: &str, customer: Option<Id>, subtitle: Option<String>| Opened {
        record_type,
        id,
        title: title.to_owned(),
        subtitle,
        customer,
    };
    Some(match record_type {
        RecordType::Customer => {
            let customer = gateway.customers.find(caller, id).await.ok()?;
            of(&customer.name, None, customer.company.clone().or_else(|| customer.email.clone()))
        }
        RecordType::Meeting => {
            let meeting = gateway.sales.find(caller, id).await.ok()?;
            of(&meeting.title, Some(meeting.customer_id), None)
        }
        RecordType::Task => {
            let task = gateway.sales.find_task(caller, id).await.ok()?;
            of(&task.title, task.customer_id, None)
        }
        RecordType::Approval => {
            let approval = gateway.opportunity.find(caller, id).await.ok()?;
            of(&approval.title, Some(approval.customer_id), None)
        }
        RecordType::Deal => {
            let deal = gateway.opportunity.find_deal(caller, id).await.ok()?;
            of(&deal.title, Some(deal.customer_id), None)
        }
    })
}
