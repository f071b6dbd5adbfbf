//! The aggregate: its state, its command, its event, and the rule between them. Pure.

use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::event::{DomainEvent, EventType, StateAfter, Versioned, raw};
use kernel::ids::Id;
use kizuna_runtime::entity::Aggregate;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::table::{Kind, OnConflict, Table};

/// The type of its events, and who produces them.
pub const ADDED: EventType = EventType::new("counter.added", "/services/counter");

/// The counters' table; that of the sum has the same columns.
pub static COUNTERS: Table = table("counters");
pub static TOTALS: Table = table("totals");

const fn table(name: &'static str) -> Table {
    let columns = &[("id", Kind::Id), ("version", Kind::Int), ("value", Kind::Int)];
    Table { name, columns, on_conflict: OnConflict::Replace, fence: "version" }
}

/// Its state: what is stored and loaded.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Counter {
    pub id: Id,
    pub version: i64,
    pub value: i64,
}

/// The command that it takes.
pub struct Add(pub i64);

/// The event that comes of it, with the state after it.
#[derive(Serialize, Deserialize)]
pub struct Added {
    pub by: i64,
    pub counter: Counter,
}

impl Versioned for Counter {
    fn version(&self) -> i64 {
        self.version
    }
}

impl StateAfter for Added {
    type State = Counter;

    fn after(&self) -> &Counter {
        &self.counter
    }
}

impl DomainEvent for Added {
    fn event_type(&self) -> EventType {
        ADDED
    }

    fn data(&self) -> Box<RawValue> {
        raw(self)
    }
}

impl Aggregate for Counter {
    const KIND: &'static str = "counter";
    const TABLE: &'static Table = &COUNTERS;
    type State = Self;
    type Command = Add;
    type Event = Added;

    /// The rule: no counter falls below zero. Nothing is read or written here.
    fn decide(
        state: Option<&Self>,
        Add(by): &Add,
        _: &Caller,
        id: Id,
        _: Timestamp,
    ) -> Result<Vec<Added>, Error> {
        let (version, value) = state.map_or((0, 0), |counter| (counter.version, counter.value));
        if value + by < 0 {
            return Err(Error::field("by", "below_zero"));
        }
        Ok(vec![Added { by: *by, counter: Counter { id, version: version + 1, value: value + by } }])
    }
}
