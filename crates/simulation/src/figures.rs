//! The table of what clusters of many nodes have shown.

use std::time::Duration;

use crate::world::large::{Figures, figures};

/// A line of the table: what it shows, and how.
type Line = (&'static str, fn(&Figures) -> String);

fn millis(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

fn kilobytes(bytes: u64) -> String {
    format!("{:.1} kB", bytes as f64 / 1_000.0)
}

/// A figure of each event.
fn each(total: u64, figures: &Figures) -> f64 {
    total as f64 / figures.events
}

const LINES: [Line; 14] = [
    ("nodes that work for consumers", |it| it.working.to_string()),
    ("partitions of the busiest node", |it| it.most.to_string()),
    ("partitions of others that moved when it died", |it| it.moved.to_string()),
    ("its death was known to all after", |it| millis(it.noticed)),
    ("longest time from an event to its last effect", |it| millis(it.delays[0])),
    ("the same when the busiest node dies", |it| millis(it.delays[1])),
    ("the same when a tenth of the nodes dies, but one at least", |it| millis(it.delays[2])),
    ("at rest: statements a second, of all nodes", |it| it.database_at_rest.requests.to_string()),
    ("at rest: answered by the database a second", |it| kilobytes(it.database_at_rest.sent)),
    ("at rest: commands to Redis a second", |it| it.redis_at_rest.requests.to_string()),
    ("events a second", |it| format!("{:.0}", it.events)),
    ("statements for an event, beyond those at rest", |it| format!("{:.1}", each(it.database.requests, it))),
    ("answered by the database for an event", |it| kilobytes(each(it.database.sent, it) as u64)),
    ("sent by Redis for an event", |it| kilobytes(each(it.redis.sent, it) as u64)),
];

/// Watches clusters of so many nodes, and prints the table; false if a promise was broken.
pub fn table(nodes: &[usize]) -> bool {
    let mut shown = Vec::new();
    for count in nodes {
        match figures(*count) {
            Ok(figures) => shown.push(figures),
            Err(violation) => {
                println!("FAILED with {count} nodes: {}: {}", violation.invariant, violation.what);
                return false;
            }
        }
    }
    let counts: Vec<String> = shown.iter().map(|it| it.nodes.to_string()).collect();
    println!("| Nodes | {} |\n|---{}|", counts.join(" | "), "|--:".repeat(counts.len()));
    for (name, line) in LINES {
        let cells: Vec<String> = shown.iter().map(line).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
    true
}
