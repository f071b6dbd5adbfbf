//! Events as people read them: who did what, when.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::http::console::kit::avatar::Avatar;
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::References;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::paging::next_of;
use crate::http::state::Gateway;
use domain::changes;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::event::EventRecord;
use kernel::ids::Id;
use kernel::page::Page;

/// A line of a timeline.
pub struct Entry {
    /// The event's.
    pub id: Id,
    pub time: Timestamp,
    pub event_type: String,
    pub who: String,
    pub avatar: Avatar,
    /// What the record is called.
    pub title: Option<String>,
    /// The fields that were changed, in a row.
    pub changed: String,
    is_beside_customer: bool,
}

impl Entry {
    /// Whether it is about the customer's own record.
    pub fn is_of_customer(&self) -> bool {
        self.event_type.starts_with("customer.") || self.is_beside_customer
    }
}

/// The part of an event's data that a line tells.
#[derive(Default, Deserialize)]
struct Told {
    #[serde(default)]
    changed: Vec<String>,
    #[serde(flatten)]
    records: Map<String, Value>,
}

/// What happened to a record: a page of its events.
pub struct Timeline {
    pub entries: Vec<Entry>,
    /// The address of the page before.
    pub older: Option<String>,
}

impl Timeline {
    /// The timeline of the record whose page has this address.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn of(
        me: &SessionUser,
        f: &Frame,
        address: &str,
        events: Page<EventRecord>,
    ) -> Result<Self, Error> {
        Ok(Self {
            entries: entries(&me.gateway, f, me.caller(), &events.items).await?,
            older: events.next.map(|next| next_of(address, &next)),
        })
    }
}

/// Events as lines, in the order given.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn entries(
    gateway: &Gateway,
    frame: &Frame,
    caller: Caller,
    events: &[EventRecord],
) -> Result<Vec<Entry>, Error> {
    let references = References::default().users(events.iter().filter_map(|event| event.actor_id));
    let names = lookups::load(gateway, caller, references).await?;
    let mut entries = Vec::with_capacity(events.len());
    for event in events {
        let told: Told = serde_json::from_str(event.data.get()).unwrap_or_default();
        let who = match event.actor_id {
            Some(id) => names.user(frame, id),
            None => frame.t("name-system"),
        };
        let changed: Vec<String> = told.changed.iter().map(|field| frame.word("label", field)).collect();
        entries.push(Entry {
            id: event.id,
            time: event.time,
            event_type: event.r#type.to_string(),
            avatar: event.actor_id.map_or_else(Avatar::of_system, |id| Avatar::of(id, &who)),
            who,
            title: title(event, &told),
            changed: changed.join(&frame.t("list-separator")),
            is_beside_customer: told.records.get("record").is_some_and(|record| record["type"] == "customer"),
        });
    }
    Ok(entries)
}

/// The name or title of the record that the event is of, or of another one that its data carries: a comment has none itself.
fn title(event: &EventRecord, told: &Told) -> Option<String> {
    let of =
        |record: &Map<String, Value>| record.get("title").or(record.get("name"))?.as_str().map(str::to_owned);
    let own = changes::record(&event.data, event.subject).as_ref().and_then(of);
    own.or_else(|| told.records.values().filter_map(Value::as_object).find_map(of))
}
