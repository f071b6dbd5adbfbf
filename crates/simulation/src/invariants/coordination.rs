//! Leases and schedules.

use crate::database::server::Changed;
use crate::model::{Held, broken};
use crate::time;

/// What is known of schedules.
#[derive(Default)]
pub struct Coordination {
    /// Occurrences that were claimed.
    claims: u64,
    /// Runs that were begun.
    runs: u64,
}

impl Coordination {
    pub fn commit(&mut self, changed: &[Changed]) -> Held {
        for change in changed {
            match change.table {
                "nodes" => Self::lease(change)?,
                "schedules" if change.before.is_some() => {
                    self.claims += 1;
                    if change.int("last_occurrence") <= change.int_before("last_occurrence") {
                        return broken("an occurrence is claimed once", change.text("id"));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn lease(change: &Changed) -> Held {
        let (Some(before), Some(after)) = (&change.before, &change.after) else { return Ok(()) };
        let is_other = change.value(before, "incarnation") != change.value(after, "incarnation");
        // A statement's time is that of its transaction's begin: it may be a little before.
        if is_other && change.int_before("expires_at") > time::now() {
            return broken("a lease is not taken over while it lasts", change.text("id"));
        }
        Ok(())
    }

    /// A job runs.
    pub fn job_ran(&mut self) -> Held {
        self.runs += 1;
        if self.runs > self.claims {
            let what = format!("{} runs of {} occurrences", self.runs, self.claims);
            return broken("a schedule fires once per due time", what);
        }
        Ok(())
    }
}
