//! Records: stored together with their events; the sum of all accounts; what a commit was conditioned on.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::database::server::Changed;
use crate::invariants::log::Log;
use crate::model::{Held, broken};

/// What is known of the records.
#[derive(Default)]
pub struct Aggregates {
    /// The sum of all balances, and what was put in from outside.
    balances: i64,
    put_in: i64,
    /// What was taken and not given yet.
    under_way: i64,
    /// Transfers that have not ended.
    open: BTreeSet<String>,
    /// Living notes by title.
    titles: BTreeMap<String, String>,
    erased: BTreeSet<String>,
    /// First answers by key.
    answers: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Moved {
    amount: i64,
    note: Option<String>,
}

impl Aggregates {
    pub fn commit(&mut self, changed: &[Changed], log: &Log) -> Held {
        for change in changed {
            match change.table {
                "accounts" | "transfers" | "notes" => Self::is_of_its_events(change, log)?,
                "idempotency_keys" if change.before.is_some() && change.after.is_some() => {
                    return broken("first answers stay", change.text("id"));
                }
                "idempotency_keys" => {
                    self.answers.insert(change.text("id"));
                }
                _ => {}
            }
            match change.table {
                "accounts" => self.balances += change.int("balance") - change.int_before("balance"),
                "notes" => self.note(change)?,
                _ => {}
            }
        }
        for event in &log.events[log.last_commit..] {
            self.event(&event.kind, &event.subject, &event.data)?;
        }
        if self.balances + self.under_way != self.put_in {
            let what = format!("{} and {} under way, of {}", self.balances, self.under_way, self.put_in);
            return broken("no amount is lost or made", what);
        }
        Ok(())
    }

    fn is_of_its_events(change: &Changed, log: &Log) -> Held {
        let record = change.text("id");
        let events = log.records.get(&record).map_or(0, Vec::len) as i64;
        let new = log.events[log.last_commit..].iter().filter(|event| event.subject == record).count() as i64;
        let (before, after) = (change.int_before("version"), change.int("version"));
        if after == events && after - before == new {
            return Ok(());
        }
        let what =
            format!("{} {record}: from {before} to {after} with {new} of {events} events", change.table);
        broken("a record and its events are committed together", what)
    }

    fn event(&mut self, kind: &str, subject: &str, data: &str) -> Held {
        let moved = || serde_json::from_str::<Moved>(data).expect("the data of an account's event");
        match kind {
            "account.opened" => self.put_in += moved().amount,
            "account.added" => {
                let Moved { amount, note } = moved();
                self.put_in += amount;
                if let Some(note) = note.filter(|note| self.erased.contains(note)) {
                    return broken("a commit finds the rows that it demands", format!("{note} was erased"));
                }
            }
            "account.taken" => self.under_way += moved().amount,
            "account.given" => self.under_way -= moved().amount,
            "transfer.begun" => {
                self.open.insert(subject.to_owned());
            }
            "transfer.ended" if !self.open.remove(subject) => {
                return broken("a saga ends once", subject);
            }
            _ => {}
        }
        Ok(())
    }

    fn note(&mut self, change: &Changed) -> Held {
        let (id, title) = (change.text("id"), change.text("title"));
        if change.text("deleted_at").is_empty() {
            let holder = self.titles.entry(title.clone()).or_insert_with(|| id.clone());
            if *holder != id {
                return broken(
                    "a value that must be absent is taken once",
                    format!("{title}: {holder}, {id}"),
                );
            }
        } else {
            self.titles.remove(&title);
            self.erased.insert(id);
        }
        Ok(())
    }

    /// What must be true when all is over.
    pub fn finish(&self) -> Held {
        match self.open.first() {
            Some(open) => broken("every saga ends", open.clone()),
            None => Ok(()),
        }
    }
}
