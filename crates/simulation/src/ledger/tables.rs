//! The tables of the world: those of the store, as its migrations make them, and those of the ledger.

use kernel::event::PARTITIONS;
use store::cursors::{CURSORS, PARKED};
use store::idempotency::IDEMPOTENCY_KEYS;
use store::leases::NODES;
use store::log;
use store::schedules::SCHEDULES;
use store::table::{Kind, OnConflict, Table};

use crate::database::server::{Server, TableSpec};
use crate::ledger::account::ACCOUNTS;
use crate::ledger::note::NOTES;
use crate::ledger::transfer::TRANSFERS;
use crate::sql::value::Value;

/// That an event took effect in a consumer, and how often.
pub static EFFECTS: Table = Table {
    name: "effects",
    columns: &[
        ("id", Kind::Text),
        ("consumer", Kind::Text),
        ("event_id", Kind::Id),
        ("subject", Kind::Id),
        ("sequence", Kind::Int),
        ("count", Kind::Int),
    ],
    on_conflict: OnConflict::Add("count"),
    fence: "count",
};

/// What a consumer has added up for each account: its version is the number of events.
pub static TALLIES: Table = Table {
    name: "totals",
    columns: &[("id", Kind::Id), ("version", Kind::Int), ("sum", Kind::Int)],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

fn spec(table: &Table, unique: &[&[&'static str]]) -> TableSpec {
    TableSpec {
        name: table.name,
        columns: table.columns.iter().map(|(name, _)| *name).collect(),
        unique: unique.iter().map(|columns| columns.to_vec()).collect(),
    }
}

/// All tables.
pub fn all() -> Vec<TableSpec> {
    let mut nodes = spec(&NODES, &[]);
    nodes.columns.push("expires_at");
    vec![
        spec(&log::PARTITIONS, &[]),
        spec(&log::LOG_HEAD, &[]),
        spec(&log::EVENTS, &[&["slice", "slice_seq"], &["subject", "sequence"], &["log_seq"]]),
        spec(&CURSORS, &[]),
        spec(&PARKED, &[&["consumer", "event_id"]]),
        spec(&IDEMPOTENCY_KEYS, &[]),
        spec(&SCHEDULES, &[]),
        nodes,
        spec(&ACCOUNTS, &[]),
        spec(&TRANSFERS, &[]),
        spec(&NOTES, &[]),
        spec(&EFFECTS, &[]),
        spec(&TALLIES, &[]),
    ]
}

/// A server with these tables and the rows that migrations put into them.
pub fn server() -> Server {
    let server = Server::new(&all());
    for partition in 0..PARTITIONS {
        server.insert(log::PARTITIONS.name, vec![Value::Int(partition), Value::Int(0)]);
    }
    server.insert(log::LOG_HEAD.name, vec![Value::Int(log::LOG_HEAD_ID), Value::Int(0)]);
    server
}
