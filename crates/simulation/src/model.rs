//! A plain model of what the world promises. It looks at every commit when that has taken effect, at every answer, and at
//! every event that a node publishes, and says which promise was broken first.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

use kernel::event::LoggedEvent;
use kernel::ids::Id;
use tokio::sync::Notify;

use crate::database::server::Changed;
use crate::invariants::aggregates::Aggregates;
use crate::invariants::coordination::Coordination;
use crate::invariants::effects::Effects;
use crate::invariants::log::Log;
use crate::sql::value::Value;
use crate::time;

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub invariant: &'static str,
    pub what: String,
    /// Microseconds since the world's begin.
    pub at: i64,
}

/// What an invariant says: it holds, or why it does not.
pub type Held = Result<(), (&'static str, String)>;

/// An invariant that does not hold.
pub fn broken(invariant: &'static str, what: impl Into<String>) -> Held {
    Err((invariant, what.into()))
}

/// The model; clones are the same one.
#[derive(Clone, Default)]
pub struct Model(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    violated: Notify,
}

/// What the model knows.
#[derive(Default)]
pub struct State {
    pub log: Log,
    pub aggregates: Aggregates,
    pub effects: Effects,
    pub coordination: Coordination,
    /// The greatest version of each record that a client was told of.
    acknowledged: BTreeMap<Id, i64>,
    /// The requests that were acknowledged.
    requests: BTreeSet<String>,
    pub violation: Option<Violation>,
    trace: Trace,
    pub commits: u64,
    /// Whether all that happens is printed.
    pub is_told: bool,
}

/// A hash of all that has happened (FNV-1a).
struct Trace(u64);

impl Default for Trace {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Trace {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl Hasher for Trace {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.add(bytes);
    }
}

impl State {
    fn commit(&mut self, changed: &[Changed]) -> Held {
        self.log.commit(changed)?;
        self.aggregates.commit(changed, &self.log)?;
        self.effects.commit(changed, &self.log)?;
        self.coordination.commit(changed)
    }

    /// The hash of all that has happened.
    pub fn trace_hash(&self) -> u64 {
        self.trace.0
    }

    /// Notes a changed row down.
    fn changed(&mut self, change: &Changed) {
        let Changed { table, key, after, .. } = change;
        if self.is_told {
            let row = after.iter().flat_map(|row| row.iter());
            let shown: Vec<String> = row.map(Value::json).collect();
            println!("{:>12} {table} {key:?} {}", time::elapsed(), shown.join(" "));
        }
        self.trace.add(&time::elapsed().to_le_bytes());
        self.trace.add(table.as_bytes());
        key.hash(&mut self.trace);
        after.iter().flat_map(|row| row.iter()).for_each(|value| value.hash(&mut self.trace));
    }

    /// Notes down that something happened, for the comparison of two runs.
    pub fn happened(&mut self, what: &str) {
        if self.is_told {
            println!("{:>12} {what}", time::elapsed());
        }
        self.trace.add(&time::elapsed().to_le_bytes());
        self.trace.add(what.as_bytes());
    }
}

impl Model {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("no panic under this lock")
    }

    /// Looks at a commit.
    pub fn commit(&self, changed: &[Changed]) {
        let mut state = self.state();
        state.commits += 1;
        changed.iter().for_each(|change| state.changed(change));
        let held = state.commit(changed);
        drop(state);
        self.expect(held);
    }

    /// Notes a promise down that was broken. Only the first one counts: others may follow from it.
    pub fn expect(&self, held: Held) {
        let Err((invariant, what)) = held else { return };
        let mut state = self.state();
        if state.violation.is_none() {
            state.violation = Some(Violation { invariant, what, at: time::elapsed() });
        }
        drop(state);
        self.0.violated.notify_waiters();
    }

    /// Waits for a broken promise.
    pub async fn until_violated(&self) {
        loop {
            let violated = self.0.violated.notified();
            if self.state().violation.is_some() {
                return;
            }
            violated.await;
        }
    }

    /// A client was told that its request has led to this version of a record.
    pub fn acknowledged(&self, request: &str, record: Id, version: i64) {
        let mut state = self.state();
        state.happened(&format!("acknowledged {request} {record} {version}"));
        let held = if state.log.versions_of(record) < version || !state.log.has_request(request) {
            broken("acknowledged writes are stored", format!("{request}: version {version} of {record}"))
        } else {
            Ok(())
        };
        let known = state.acknowledged.entry(record).or_default();
        *known = (*known).max(version);
        state.requests.insert(request.to_owned());
        drop(state);
        self.expect(held);
    }

    /// The version that a read which begins now has to see, at least.
    pub fn floor(&self, record: Id) -> i64 {
        self.state().acknowledged.get(&record).copied().unwrap_or(0)
    }

    /// A client has read this version of a record; 0 if there was none.
    pub fn read(&self, record: Id, version: i64, floor: i64) {
        let mut state = self.state();
        state.happened(&format!("read {record} {version}"));
        let stored = state.log.versions_of(record);
        drop(state);
        self.expect(if version < floor {
            let what = format!("version {version} of {record} after {floor} was acknowledged");
            broken("reads see acknowledged writes", what)
        } else if version > stored {
            broken("reads see stored writes only", format!("version {version} of {record}, of {stored}"))
        } else {
            Ok(())
        });
    }

    /// A node has published an event to its subscribers.
    pub fn published(&self, event: &LoggedEvent) {
        let held = self.state().log.has(event);
        self.expect(held);
    }

    /// A job has begun to run.
    pub fn job_ran(&self) {
        let held = self.state().coordination.job_ran();
        self.expect(held);
    }

    /// What must be true when all is over.
    pub fn finish(&self) {
        let held = {
            let state = self.state();
            state.aggregates.finish().and_then(|()| state.effects.finish(&state.log)).and_then(|()| {
                let lost = state.requests.iter().find(|request| !state.log.has_request(request));
                lost.map_or(Ok(()), |request| broken("acknowledged writes stay", request.clone()))
            })
        };
        self.expect(held);
    }

    /// Whether all that was begun has ended.
    pub fn is_settled(&self) -> bool {
        let state = self.state();
        state.aggregates.finish().is_ok() && state.effects.finish(&state.log).is_ok()
    }
}
