//! The event log: numbered without a gap, in whole, by partition and by record; what it holds stays.

use std::collections::{BTreeMap, HashMap};

use kernel::event::LoggedEvent;
use kernel::ids::Id;

use crate::database::server::Changed;
use crate::model::{Held, broken};

/// An event of the log.
#[derive(Clone, Debug)]
pub struct Logged {
    pub id: String,
    pub kind: String,
    pub subject: String,
    pub sequence: i64,
    pub partition: i64,
    pub partition_seq: i64,
    pub data: String,
}

/// What the log holds.
#[derive(Default)]
pub struct Log {
    /// In the order of commits.
    pub events: Vec<Logged>,
    /// The events of the last commit begin here.
    pub last_commit: usize,
    /// By partition, the places of its events.
    pub partitions: BTreeMap<i64, Vec<usize>>,
    /// By record, the places of its events.
    pub records: HashMap<String, Vec<usize>>,
    /// By request: how many events it has led to by itself.
    requests: HashMap<String, usize>,
}

/// The types of events that a client's command leads to, and not an event.
const OF_CLIENTS: [&str; 5] =
    ["account.opened", "account.added", "transfer.begun", "note.written", "note.erased"];

impl Log {
    /// How many versions of a record were stored.
    pub fn versions_of(&self, record: Id) -> i64 {
        self.records.get(&record.to_string()).map_or(0, |events| events.len() as i64)
    }

    /// Whether a request has led to an event.
    pub fn has_request(&self, request: &str) -> bool {
        self.requests.contains_key(request)
    }

    /// Whether the log has exactly this event.
    pub fn has(&self, event: &LoggedEvent) -> Held {
        let place = event.log_seq.unwrap_or(0) - 1;
        let logged = usize::try_from(place).ok().and_then(|place| self.events.get(place));
        let is_same = logged.is_some_and(|logged| {
            logged.id == event.event.id.to_string()
                && logged.partition == event.partition
                && logged.partition_seq == event.partition_seq
        });
        if is_same {
            return Ok(());
        }
        broken("published events are in the log", format!("{:?} {}", event.log_seq, event.event.id))
    }

    pub fn commit(&mut self, changed: &[Changed]) -> Held {
        self.last_commit = self.events.len();
        let mut new: Vec<&Changed> = Vec::new();
        for change in changed.iter().filter(|change| change.table == "events") {
            if change.before.is_some() {
                return broken("events stay as they are", change.text("id"));
            }
            new.push(change);
        }
        new.sort_by_key(|change| change.int("log_seq"));
        for change in new {
            self.add(change)?;
        }
        for change in changed {
            let (head, what) = match change.table {
                "log_head" => (self.events.len(), "the whole log"),
                "slices" => (self.partitions.get(&change.int("slice")).map_or(0, Vec::len), "a partition"),
                _ => continue,
            };
            if change.int("last_seq") != head as i64 {
                let what = format!("{what} ends at {head}, and its head is {}", change.int("last_seq"));
                return broken("heads of the log are those of its events", what);
            }
        }
        Ok(())
    }

    fn add(&mut self, change: &Changed) -> Held {
        let logged = Logged {
            id: change.text("id"),
            kind: change.text("type"),
            subject: change.text("subject"),
            sequence: change.int("sequence"),
            partition: change.int("slice"),
            partition_seq: change.int("slice_seq"),
            data: change.text("data"),
        };
        let place = self.events.len();
        let of_partition = self.partitions.entry(logged.partition).or_default();
        let of_record = self.records.entry(logged.subject.clone()).or_default();
        of_partition.push(place);
        of_record.push(place);
        if change.int("log_seq") != place as i64 + 1 {
            let what = format!("{} follows {place}", change.int("log_seq"));
            return broken("the log is numbered without a gap", what);
        }
        if logged.partition_seq != of_partition.len() as i64 {
            let what = format!(
                "{} follows {} in {}",
                logged.partition_seq,
                of_partition.len() - 1,
                logged.partition
            );
            return broken("partitions are numbered without a gap", what);
        }
        if logged.sequence != of_record.len() as i64 {
            let what = format!("{} follows {} of {}", logged.sequence, of_record.len() - 1, logged.subject);
            return broken("versions of a record follow each other", what);
        }
        if OF_CLIENTS.contains(&logged.kind.as_str()) {
            let request = change.text("correlation_id");
            let count = self.requests.entry(request.clone()).or_default();
            *count += 1;
            if *count > 1 {
                return broken("a request takes effect once", format!("{request}: {}", logged.kind));
            }
        }
        self.events.push(logged);
        Ok(())
    }
}
