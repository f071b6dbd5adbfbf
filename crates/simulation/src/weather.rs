//! How bad the network, the database and Redis are at the moment.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::chance;

/// How bad all is; clones share it.
#[derive(Clone, Default)]
pub struct Weather(Arc<Mutex<Conditions>>);

/// Chances are so many in ten thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The longest usual delay of a statement, in milliseconds.
    pub database_delay: u64,
    /// Statements that are slow, by up to three seconds.
    pub slow_statements: u64,
    /// Connections to the database that break before a statement,
    pub lost_statements: u64,
    /// and after one that has taken effect.
    pub lost_answers: u64,
    /// The longest usual delay of a message, in milliseconds.
    pub message_delay: u64,
    pub slow_messages: u64,
    pub lost_messages: u64,
    pub doubled_messages: u64,
    /// Reads of Redis that do not see its last changes.
    pub stale_reads: u64,
}

impl Conditions {
    /// Nothing is lost or slow.
    pub const FAIR: Self = Self {
        database_delay: 1,
        slow_statements: 0,
        lost_statements: 0,
        lost_answers: 0,
        message_delay: 1,
        slow_messages: 0,
        lost_messages: 0,
        doubled_messages: 0,
        stale_reads: 0,
    };
}

impl Weather {
    pub fn get(&self) -> Conditions {
        *self.0.lock().expect("no panic under this lock")
    }

    pub fn set(&self, conditions: Conditions) {
        *self.0.lock().expect("no panic under this lock") = conditions;
    }

    /// The delay of a statement.
    pub fn database_delay(&self) -> Duration {
        let Conditions { database_delay, slow_statements, .. } = self.get();
        delay(database_delay, slow_statements)
    }

    /// The delay of a message.
    pub fn message_delay(&self) -> Duration {
        let Conditions { message_delay, slow_messages, .. } = self.get();
        delay(message_delay, slow_messages)
    }
}

fn delay(usual: u64, slow: u64) -> Duration {
    if chance::happens(slow) { chance::millis(100, 3_000) } else { chance::millis(0, usual) }
}
