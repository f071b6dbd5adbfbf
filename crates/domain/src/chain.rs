//! Why an event happened: what made it, by its type and by the type of the event that caused it. Pure.
//!
//! An event names the event that caused it, and not what made it of that one. Here is the table that does.

use kernel::event::EventType;
use serde::Serialize;
use utoipa::ToSchema;

use crate::events::{
    CUSTOMERS_CHANGED, CUSTOMERS_IMPORTED, DEALS_CHANGED, DEALS_IMPORTED, MEETINGS_CHANGED,
    MEETINGS_IMPORTED, NOTIFICATION_CREATED, NOTIFICATION_READ, SAGA_COMPLETED, SAGA_STARTED, TASK_DUE_SOON,
    TASKS_CHANGED, TASKS_IMPORTED,
};

/// The most steps of a chain. The longest that the services make has fewer than ten, but for the batches of a large import.
pub const STEPS_MAX: usize = 50;

/// What kind of thing made an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RuleKind {
    /// A request to the API or the console: `correlationid` is its id.
    Request,
    /// A job at fixed times.
    Schedule,
    /// A consumer of the log, on hearing of the event before.
    Consumer,
    /// Kizuna itself, without a cause.
    System,
}

/// What made an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Rule {
    pub kind: RuleKind,
    /// The consumer or the job.
    #[schema(required, example = "analytics.notifications")]
    pub name: Option<&'static str>,
}

/// The job that finds tasks that are due.
const DUE_ALERTS: &str = "sales.due_alerts";

/// Events with which a step of many records begins or goes on.
const BATCHES: [EventType; 10] = [
    SAGA_STARTED,
    SAGA_COMPLETED,
    CUSTOMERS_CHANGED,
    CUSTOMERS_IMPORTED,
    MEETINGS_CHANGED,
    MEETINGS_IMPORTED,
    TASKS_CHANGED,
    TASKS_IMPORTED,
    DEALS_CHANGED,
    DEALS_IMPORTED,
];

/// For each producer the consumer that works in batches, and the one that follows deletions, merges and their undo.
const CONSUMERS: [(&str, &str, &str); 5] = [
    ("/services/sagas", "sagas.progress", "sagas.progress"),
    ("/services/customer", "customer.batches", "customer.departures"),
    ("/services/sales", "sales.batches", "sales.departures"),
    ("/services/opportunity", "opportunity.batches", "opportunity.departures"),
    ("/services/analytics", "analytics.departures", "analytics.departures"),
];

/// What made an event of this type; `cause`: the type of the event that caused it, `has_actor`: whether a user did.
pub fn rule(effect: EventType, cause: Option<EventType>, has_actor: bool) -> Rule {
    let Some(cause) = cause else { return first(effect, has_actor) };
    let consumer = |name| Rule { kind: RuleKind::Consumer, name: Some(name) };
    if effect == NOTIFICATION_CREATED || effect == NOTIFICATION_READ {
        return consumer("analytics.notifications");
    }
    let row = CONSUMERS.iter().find(|(source, ..)| *source == effect.source());
    match row {
        Some((_, batches, _)) if BATCHES.contains(&cause) => consumer(batches),
        Some((_, _, deletions)) => consumer(deletions),
        None => Rule { kind: RuleKind::System, name: None },
    }
}

fn first(effect: EventType, has_actor: bool) -> Rule {
    if effect == TASK_DUE_SOON {
        return Rule { kind: RuleKind::Schedule, name: Some(DUE_ALERTS) };
    }
    Rule { kind: if has_actor { RuleKind::Request } else { RuleKind::System }, name: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{
        CUSTOMER_CREATED, CUSTOMER_DELETED, CUSTOMER_UPDATED, EVENTS, MEETINGS_DELETED, SAGA_STEP_COMPLETED,
        USER_DELETED,
    };

    fn name(effect: EventType, cause: EventType) -> Option<&'static str> {
        rule(effect, Some(cause), false).name
    }

    #[test]
    fn an_effect_names_the_consumer_that_made_it() {
        assert_eq!(name(NOTIFICATION_CREATED, CUSTOMER_CREATED), Some("analytics.notifications"));
        assert_eq!(name(CUSTOMER_UPDATED, USER_DELETED), Some("customer.departures"));
        assert_eq!(name(CUSTOMER_UPDATED, SAGA_STARTED), Some("customer.batches"));
        assert_eq!(name(MEETINGS_DELETED, CUSTOMER_DELETED), Some("sales.departures"));
        assert_eq!(name(SAGA_STEP_COMPLETED, MEETINGS_DELETED), Some("sagas.progress"));
    }

    #[test]
    fn what_has_no_cause_is_a_request_or_a_job() {
        assert_eq!(rule(CUSTOMER_CREATED, None, true).kind, RuleKind::Request);
        assert_eq!(rule(CUSTOMER_CREATED, None, false).kind, RuleKind::System);
        assert_eq!(rule(TASK_DUE_SOON, None, false).name, Some(DUE_ALERTS));
    }

    #[test]
    fn every_event_of_a_service_with_a_cause_has_a_consumer() {
        for row in EVENTS {
            // They hear of no event.
            let beside =
                ["/services/auth", "/services/comments", "/services/attachments", "/services/gateway"];
            let made = name(row.event_type, USER_DELETED);
            assert_eq!(made.is_none(), beside.contains(&row.event_type.source()), "{}", row.event_type);
        }
    }
}
