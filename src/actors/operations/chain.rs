//! Why an event happened: from the effect back to the request, step by step.

use std::collections::BTreeSet;

use domain::chain::{self, Rule};
use kernel::error::{Error, ErrorCode};
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use store::{Db, log};

/// A step of a chain: an event, and what made it of the next one.
#[derive(Clone, Debug)]
pub struct ChainStep {
    pub event: LoggedEvent,
    pub rule: Rule,
}

/// The event, the one that caused it, and so on to the first; at most [`chain::STEPS_MAX`].
///
/// # Errors
/// `not_found`, `unavailable`.
pub async fn of(db: &Db, id: Id) -> Result<Vec<ChainStep>, Error> {
    let mut steps: Vec<ChainStep> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut event = find(db, id).await?.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    loop {
        seen.insert(event.event.id);
        // A cause is always older than its effect, so there is no circle; but a log is only data.
        let next = event.event.causation_id.filter(|cause| !seen.contains(cause));
        let cause = match next {
            Some(cause) => find(db, cause).await?,
            None => None,
        };
        let of = cause.as_ref().map(|cause| cause.event.event_type);
        let rule = chain::rule(event.event.event_type, of, event.event.actor_id.is_some());
        steps.push(ChainStep { event, rule });
        match cause {
            Some(cause) if steps.len() < chain::STEPS_MAX => event = cause,
            _ => return Ok(steps),
        }
    }
}

async fn find(db: &Db, id: Id) -> Result<Option<LoggedEvent>, Error> {
    Ok(log::by_ids(db, &[id]).await?.into_iter().next())
}
