//! The promises of SPEC §8.1 and §8.2 as queries: each finds the rows that break it.

use kernel::event::EventType;
use kizuna::app::consumers::CONSUMERS;
use runtime::consumer::ConsumerSpec;
use store::sql::Sql;
use store::{Db, cursors};

use crate::deleted_records;

/// A promise and the rows that break it.
const PROMISES: [(&str, &str); 30] = [
    (
        "a customer has its event",
        "SELECT c.id FROM customers AS c LEFT JOIN events AS e ON e.subject = c.id AND e.type = 'customer.created'
         WHERE e.id IS NULL",
    ),
    (
        "customer.created has its customer",
        "SELECT e.id FROM events AS e LEFT JOIN customers AS c ON c.id = e.subject
         WHERE e.type = 'customer.created' AND c.id IS NULL",
    ),
    (
        "a customer's version counts its events",
        "SELECT c.id FROM customers AS c WHERE c.version <> (SELECT count(*) FROM events AS e WHERE e.subject = c.id)",
    ),
    ("a request is one customer", "SELECT name FROM customers GROUP BY name HAVING count(*) > 1"),
    (
        "an approval has its event",
        "SELECT a.id FROM approvals AS a LEFT JOIN events AS e ON e.subject = a.id AND e.type = 'approval.requested'
         WHERE e.id IS NULL",
    ),
    ("a request is one approval", "SELECT title FROM approvals GROUP BY title HAVING count(*) > 1"),
    (
        "sales has every customer as it is",
        "SELECT c.id FROM customers AS c LEFT JOIN sales_customers AS r ON r.id = c.id AND r.version = c.version
         WHERE r.id IS NULL",
    ),
    (
        "sales has no other customer",
        "SELECT r.id FROM sales_customers AS r LEFT JOIN customers AS c ON c.id = r.id WHERE c.id IS NULL",
    ),
    (
        "opportunity has every customer as it is",
        "SELECT c.id FROM customers AS c LEFT JOIN opportunity_customers AS r ON r.id = c.id AND r.version = c.version
         WHERE r.id IS NULL",
    ),
    (
        "opportunity has no other customer",
        "SELECT r.id FROM opportunity_customers AS r LEFT JOIN customers AS c ON c.id = r.id WHERE c.id IS NULL",
    ),
    (
        "new customers are counted once",
        "SELECT 1 AS one WHERE (SELECT coalesce(sum(value), 0) FROM daily_metrics WHERE metric = 'customers_created')
                    <> (SELECT count(*) FROM customers)",
    ),
    (
        "meetings are counted once",
        "SELECT 1 AS one WHERE (SELECT coalesce(sum(value), 0) FROM daily_metrics WHERE metric = 'meetings_created')
                    <> (SELECT count(*) FROM meetings)",
    ),
    (
        "logins are counted once",
        "SELECT 1 AS one WHERE (SELECT coalesce(sum(value), 0) FROM daily_metrics WHERE metric = 'logins')
                    <> (SELECT count(*) FROM events WHERE type = 'user.login')",
    ),
    (
        "what a customer's events are stands in its activity",
        "SELECT e.id FROM events AS e LEFT JOIN customer_activity AS a ON a.id = e.id AND a.customer_id = e.subject
         WHERE e.type IN ('customer.created', 'customer.updated', 'customer.deleted', 'customer.merged', 'customer.restored') AND a.id IS NULL",
    ),
    (
        "nothing else stands there but meetings, tasks, approvals, deals, comments and attachments",
        "SELECT a.id FROM customer_activity AS a LEFT JOIN events AS e ON e.id = a.id
         WHERE e.id IS NULL OR NOT (e.type LIKE 'customer.%' OR e.type LIKE 'meeting.%' OR e.type LIKE 'task.%'
                                    OR e.type LIKE 'approval.%' OR e.type LIKE 'deal.%' OR e.type LIKE 'comment.%' OR e.type LIKE 'attachment.%')",
    ),
    (
        "what is about an approval or a deal stands there",
        "SELECT e.id FROM events AS e LEFT JOIN customer_activity AS a ON a.id = e.id
         WHERE (e.type LIKE 'approval.%' OR e.type LIKE 'deal.%') AND a.id IS NULL",
    ),
    (
        "a new customer and a requested approval are one notification",
        "SELECT e.subject FROM events AS e LEFT JOIN notifications AS n ON n.subject_id = e.subject AND n.kind = e.type
         WHERE e.type IN ('customer.created', 'approval.requested') GROUP BY e.subject HAVING count(n.id) <> 1",
    ),
    (
        "an alert is one notification",
        "SELECT e.subject FROM events AS e WHERE e.type = 'task.due_soon' GROUP BY e.subject HAVING count(*) <>
         (SELECT count(*) FROM notifications AS n WHERE n.subject_id = e.subject AND n.kind = 'task.due_soon')",
    ),
    (
        "requests, verdicts, finished tasks and deals are counted once",
        "SELECT m.metric FROM (SELECT 'approvals_requested' AS metric, 'approval.requested' AS type
                         UNION ALL SELECT 'approvals_approved', 'approval.approved'
                         UNION ALL SELECT 'approvals_rejected', 'approval.rejected'
                         UNION ALL SELECT 'deals_created', 'deal.created'
                         UNION ALL SELECT 'deals_won', 'deal.won'
                         UNION ALL SELECT 'deals_lost', 'deal.lost'
                         UNION ALL SELECT 'tasks_completed', 'task.completed') AS m
         WHERE (SELECT coalesce(sum(d.value), 0) FROM daily_metrics AS d WHERE d.metric = m.metric)
            <> (SELECT count(*) FROM events AS e WHERE e.type = m.type)",
    ),
    (
        "a notification is one event",
        "SELECT n.id FROM notifications AS n LEFT JOIN events AS e ON e.subject = n.id AND e.type = 'notification.created'
         GROUP BY n.id HAVING count(e.id) <> 1",
    ),
    (
        // The previews of an import are its versions too, but no events.
        "a subject's versions have no gap, but an import's",
        "SELECT subject FROM events WHERE type NOT LIKE 'import.%'
         GROUP BY subject HAVING min(sequence) <> 1 OR max(sequence) <> count(*)",
    ),
    (
        "a slice's numbers have no gap",
        "SELECT s.slice FROM slices AS s LEFT JOIN events AS e ON e.slice = s.slice GROUP BY s.slice, s.last_seq
         HAVING count(e.id) <> s.last_seq OR coalesce(min(e.slice_seq), 1) <> 1
             OR coalesce(max(e.slice_seq), 0) <> s.last_seq",
    ),
    (
        "the log's numbers have no gap",
        "SELECT h.id FROM log_head AS h WHERE h.last_seq <> (SELECT count(*) FROM events)
             OR h.last_seq <> (SELECT coalesce(max(log_seq), 0) FROM events)
             OR 0 <> (SELECT count(*) FROM events WHERE log_seq IS NULL OR log_seq < 1)",
    ),
    (
        "a slice's events are in the order of the log's numbers",
        "SELECT e.id FROM events AS e JOIN events AS n ON n.slice = e.slice AND n.slice_seq = e.slice_seq + 1
         WHERE n.log_seq <= e.log_seq",
    ),
    (
        "a task's version counts its events",
        "SELECT t.id FROM tasks AS t WHERE t.version <> (SELECT count(*) FROM events AS e WHERE e.subject = t.id)",
    ),
    ("a request is one task", "SELECT title FROM tasks GROUP BY title HAVING count(*) > 1"),
    (
        "a task has one alert at most, as long as its due time stays",
        "SELECT subject FROM events WHERE type = 'task.due_soon' GROUP BY subject HAVING count(*) > 1",
    ),
    (
        "tallies and the changes that wait count every record once",
        "SELECT kind FROM (
            SELECT kind, value, count FROM tallies WHERE scope = '*' AND bucket = 'E'
            UNION ALL SELECT kind, value, count FROM tally_changes
            UNION ALL SELECT kind, value, -count FROM tallied
         ) AS c GROUP BY kind, value HAVING sum(count) <> 0",
    ),
    ("a request is one comment", "SELECT text FROM customers_comments GROUP BY text HAVING count(*) > 1"),
    ("no event is parked", "SELECT id FROM parked_events"),
];

/// The promises about comments.
pub const COMMENTS: [(&str, &str); 2] = [
    (
        "a comment's version counts its events",
        "SELECT c.id FROM (SELECT id, version FROM customers_comments UNION ALL SELECT id, version FROM meetings_comments
         UNION ALL SELECT id, version FROM tasks_comments UNION ALL SELECT id, version FROM approvals_comments
         UNION ALL SELECT id, version FROM deals_comments) AS c
         WHERE c.version <> (SELECT count(*) FROM events AS e WHERE e.subject = c.id)",
    ),
    (
        "whom a comment concerns is notified of it once",
        "SELECT e.subject FROM events AS e WHERE e.type LIKE 'comment.%' GROUP BY e.subject
         HAVING sum(json_array_length(e.data -> 'notify')) <>
         (SELECT count(*) FROM notifications AS n WHERE n.data ->> 'comment_id' = CAST(e.subject AS TEXT))",
    ),
];

/// Checks that every consumer is at the end of the log and every promise is kept; else returns which one is not.
pub async fn kept(db: &Db) -> Result<(), String> {
    let before = events(db).await?;
    for ConsumerSpec { name: consumer, types, .. } in CONSUMERS {
        let lag = cursors::lag(db, consumer, types).await.map_err(|error| error.to_string())?;
        if lag > 0 {
            return Err(format!("{consumer} lags by {lag}"));
        }
        none(db, &format!("{consumer} counts what it applied"), &miscounted(consumer, types)).await?;
    }
    if events(db).await? > before {
        return Err(GROWS.to_owned());
    }
    for (promise, broken) in PROMISES.iter().chain(&COMMENTS).chain(&deleted_records::PROMISES) {
        none(db, promise, broken).await?;
    }
    Ok(())
}

/// One consumer after the other is asked: what a later one has just done, an earlier one may still have to apply.
pub const GROWS: &str = "the log grows";

/// How many events there are.
///
/// # Errors
/// The database's, as text.
pub async fn events(db: &Db) -> Result<i64, String> {
    let sum = Sql::new("SELECT CAST(coalesce(sum(last_seq), 0) AS TEXT) FROM slices");
    db.number(sum).await.map_err(|error| error.to_string())
}

/// Cursors whose `applied` is not the number of their events up to their position.
fn miscounted(consumer: &str, types: &[EventType]) -> String {
    let types = types.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    format!(
        "SELECT c.id FROM consumer_cursors AS c WHERE c.consumer = '{consumer}' AND c.applied <>
         (SELECT count(*) FROM events AS e WHERE e.slice = c.slice AND e.slice_seq <= c.position AND e.type IN ({types}))"
    )
}

async fn none(db: &Db, promise: &str, broken: &str) -> Result<(), String> {
    let count = Sql::new(format!("SELECT CAST(count(*) AS TEXT) FROM ({broken}) AS broken"));
    match db.number(count).await {
        Ok(0) => Ok(()),
        Ok(count) => Err(format!("{promise}: {count} times not")),
        Err(error) => Err(format!("{promise}: {error}")),
    }
}
