//! `/admin/audit`: the event log (MANAGER, ADMIN).

use actix_web::web::Data;
use actix_web::{HttpRequest, get};
use askama::Template;
use chrono_tz::Tz;
use kernel::event::EventRecord;

use crate::http::api::audit::{AuditParams, find};
use crate::http::console::kit::choice::{Choice, Source};
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::{Frame, ok, redirect};
use crate::http::console::kit::listing::Pager;
use crate::http::console::kit::search;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::{narrowed, params_of};
use crate::http::console::kit::timeline;
use crate::http::console::kit::timeline::Entry;
use crate::http::error::HttpResult;
use crate::http::period::{moments, parse_day};
use crate::http::state::Gateway;
use domain::events as catalogue;
use kernel::error::Error;

/// The days that the list is of, both included; the API takes moments under these names.
const DAYS: [&str; 2] = ["from", "to"];

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    f: Frame,
    entries: Vec<Entry>,
    pager: Pager,
    event_type: String,
    types: Vec<(String, Vec<Choice>)>,
    actor: Field,
    from: String,
    to: String,
    /// The id of the only record that is shown.
    subject: String,
}

#[get("/admin/audit")]
pub async fn index(gateway: Data<Gateway>, request: HttpRequest, me: SessionUser) -> HttpResult {
    if let Some(address) = search::settled_address(&me, &[("actor_id", Source::People)]).await? {
        return Ok(redirect(&address));
    }
    let f = me.frame("admin").await;
    let given = Fields::parsed(request.query_string().as_bytes());
    let params = audit_params(&given, f.zone)?;
    let is_first = params.cursor.is_none();
    let page = find(&gateway, me.caller(), params).await?;
    let pager = Pager::of(&request, is_first, &page);
    let events: Vec<EventRecord> = page.items.iter().map(EventRecord::from).collect();
    Ok(ok(&AuditPage {
        entries: timeline::entries(&gateway, &f, me.caller(), &events).await?,
        pager,
        event_type: narrowed(&given, "type"),
        types: types(&f),
        actor: search::filter(&me, &given, "actor_id", Source::People).await?,
        from: narrowed(&given, "from"),
        to: narrowed(&given, "to"),
        subject: narrowed(&given, "subject"),
        f,
    }))
}

/// The API's parameters, with the days as moments.
fn audit_params(given: &Fields, zone: Tz) -> Result<AuditParams, Error> {
    let day = |name: &str| match given.get(name).filter(|text| !text.is_empty()) {
        Some(text) => parse_day(text).map(Some).ok_or_else(|| Error::parameter(name, "invalid_value")),
        None => Ok(None),
    };
    let (from, to) = (day("from")?, day("to")?);
    let rest: Fields = given.pairs().filter(|(name, _)| !DAYS.contains(name)).collect();
    Ok(AuditParams {
        from: from.map(|day| moments(day, day, zone).0),
        to: to.map(|day| moments(day, day, zone).1),
        ..params_of(&rest)?
    })
}

/// The types of events to choose from, in groups of one kind of record.
fn types(f: &Frame) -> Vec<(String, Vec<Choice>)> {
    let mut groups: Vec<(String, Vec<Choice>)> = Vec::new();
    for event_type in catalogue::CATALOGUE.0 {
        let name = event_type.name();
        // `customers.reassigned` is about customers, as `customer.created` is.
        let kind = name.split('.').next().unwrap_or_default().trim_end_matches('s');
        let label = f.word("audit-group", kind);
        let choice = Choice { value: name.to_owned(), label: f.word("event", name) };
        match groups.iter_mut().find(|(known, _)| *known == label) {
            Some((_, choices)) => choices.push(choice),
            None => groups.push((label, vec![choice])),
        }
    }
    groups
}
