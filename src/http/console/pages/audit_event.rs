//! `/admin/audit/{id}`: an event of the log, and what it changed of its record (MANAGER, ADMIN).

use actix_web::get;
use actix_web::web::Data;
use askama::Template;
use kernel::event::EventRecord;
use serde_json::Value;

use crate::actors::operations::messages::{AuditFilter, EventReading, ReadAuditLog, ReadChain, ReadEvent};
use crate::http::console::kit::changes::{Change, Values, references};
use crate::http::console::kit::frame::{Frame, ok, redirect};
use crate::http::console::kit::lookups;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::timeline;
use crate::http::console::kit::timeline::Entry;
use crate::http::error::HttpResult;
use crate::http::extract::PathId;
use crate::http::state::Gateway;
use domain::api_key::record::ApiKeyPayload;
use domain::chain::{Rule, RuleKind};
use kernel::caller::Caller;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kernel::page::PageRequest;

/// Events of a notification or a process that are looked at for the first.
const EVENTS_MAX: i64 = 200;

/// Kinds of records that have a page, by the first word of their events' types, and where it is.
const PAGES: [(&str, &str); 6] = [
    ("customer", "/customers"),
    ("meeting", "/meetings"),
    ("task", "/tasks"),
    ("approval", "/approvals"),
    ("user", "/admin/users"),
    ("saga", "/sagas"),
];

#[derive(Template)]
#[template(path = "audit_event.html")]
struct EventPage {
    f: Frame,
    entry: Entry,
    event: EventRecord,
    /// The page of the record, unless it was deleted.
    record: Option<String>,
    changes: Vec<Change>,
    /// What the API key that acted is called.
    key_name: Option<String>,
    /// The whole data, in lines.
    data: String,
    /// How it came to this, from the event back to its beginning.
    why: Vec<Why>,
}

/// A step of the way back.
struct Why {
    entry: Entry,
    /// What made it.
    rule: String,
}

#[get("/admin/audit/{id}")]
pub async fn index(gateway: Data<Gateway>, me: SessionUser, id: PathId) -> HttpResult {
    let f = me.frame("admin").await;
    let reading = gateway.operations.ask(ReadEvent { caller: me.caller(), id: id.0 }).await?;
    let event = EventRecord::from(&reading.event);
    let entry = timeline::entries(&gateway, &f, me.caller(), std::slice::from_ref(&event)).await?.pop();
    let entry = entry.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    let names = lookups::load(&gateway, me.caller(), references(&reading.changes)).await?;
    let kind = kind(&event.r#type);
    let values = Values { f: &f, names: &names, kind, currency: currency(&reading) };
    let changes = reading.changes.iter().map(|change| values.change(change)).collect();
    let data: Value = serde_json::from_str(event.data.get()).unwrap_or_default();
    Ok(ok(&EventPage {
        record: page(kind, event.subject).filter(|_| !event.r#type.ends_with(".deleted")),
        data: serde_json::to_string_pretty(&data).unwrap_or_default(),
        why: why(&gateway, &me, &f, id.0).await?,
        changes,
        key_name: key_name(&gateway, me.caller(), event.api_key_id).await,
        entry,
        event,
        f,
    }))
}

/// The name of a key, from the log: a revoked key has one, too.
async fn key_name(gateway: &Gateway, caller: Caller, key: Option<Id>) -> Option<String> {
    let filter = AuditFilter { subject: Some(key?), ..AuditFilter::default() };
    let read = ReadAuditLog { caller, filter, page: PageRequest::first(1) };
    let event = gateway.operations.ask(read).await.ok()?.items.into_iter().next()?;
    let data: ApiKeyPayload = event.payload().ok()?;
    Some(data.api_key.name)
}

async fn why(gateway: &Gateway, me: &SessionUser, f: &Frame, id: Id) -> Result<Vec<Why>, Error> {
    let steps = gateway.operations.ask(ReadChain { caller: me.caller(), id }).await?;
    let events: Vec<EventRecord> = steps.iter().map(|step| EventRecord::from(&step.event)).collect();
    let entries = timeline::entries(gateway, f, me.caller(), &events).await?;
    let rule = |rule: &Rule| match rule.kind {
        RuleKind::Request => f.t("why-request"),
        RuleKind::Schedule => f.t("why-schedule"),
        RuleKind::Consumer => f.with("why-consumer", rule.name.unwrap_or_default()),
        RuleKind::System => f.t("why-system"),
    };
    Ok(entries.into_iter().zip(&steps).map(|(entry, step)| Why { entry, rule: rule(&step.rule) }).collect())
}

/// Leads to the first event of a record, which says why there is such a record: a notification, a process.
#[get("/admin/audit/of/{id}")]
pub async fn first_of(gateway: Data<Gateway>, me: SessionUser, id: PathId) -> HttpResult {
    let filter = AuditFilter { subject: Some(id.0), ..AuditFilter::default() };
    let page = PageRequest::first(EVENTS_MAX);
    let events = gateway.operations.ask(ReadAuditLog { caller: me.caller(), filter, page }).await?;
    let first = events.items.last().ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    Ok(redirect(&format!("/admin/audit/{}#why", first.event.id)))
}

/// The first word of an event's type: the kind of its record.
fn kind(event_type: &str) -> &str {
    event_type.split('.').next().unwrap_or_default()
}

fn page(kind: &str, id: Id) -> Option<String> {
    PAGES.iter().find(|(known, _)| *known == kind).map(|(_, path)| format!("{path}/{id}"))
}

/// The currency of the record after the event.
fn currency(reading: &EventReading) -> String {
    let record = domain::changes::record(&reading.event.event.data, reading.event.event.subject);
    let code = record.and_then(|record| record.get("currency")?.as_str().map(str::to_owned));
    code.unwrap_or_default()
}
