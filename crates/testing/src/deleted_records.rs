//! The promises about deletions (SPEC §5, flows 7 and 8) as queries: each finds the rows that break it.

use std::time::Duration;

use kizuna::persistence::discarded;

use crate::app::TestApp;

/// What happens when deleted records can't come back any more.
///
/// # Panics
/// When none is deleted.
pub async fn purge(app: &TestApp) {
    let later = app.clock.now().plus(Duration::from_secs(1));
    let purged = discarded::purge(&app.db, later, 1_000).await.expect("the database answers");
    assert!(purged > 0, "nothing was deleted");
}

/// A promise and the rows that break it, once every saga has ended.
pub const PROMISES: [(&str, &str); 12] = [
    ("every saga ends", "SELECT id FROM sagas WHERE status <> 'completed'"),
    (
        "no live customer is a deleted user's",
        "SELECT r.id FROM customers AS r JOIN users AS u ON u.id = r.owner_id
         WHERE r.deleted_at IS NULL AND u.deleted_at IS NOT NULL",
    ),
    (
        "no live meeting is a deleted user's",
        "SELECT r.id FROM meetings AS r JOIN users AS u ON u.id = r.owner_id
         WHERE r.deleted_at IS NULL AND u.deleted_at IS NOT NULL",
    ),
    (
        "no live deal is a deleted user's",
        "SELECT r.id FROM deals AS r JOIN users AS u ON u.id = r.owner_id
         WHERE r.deleted_at IS NULL AND u.deleted_at IS NOT NULL",
    ),
    (
        "no live task is a deleted user's",
        "SELECT r.id FROM tasks AS r JOIN users AS u ON u.id = r.assignee_id
         WHERE r.deleted_at IS NULL AND u.deleted_at IS NOT NULL",
    ),
    (
        "no pending approval is requested by or waits for a deleted user",
        "SELECT r.id FROM approvals AS r JOIN users AS u ON u.id IN (r.requester_id, r.approver_id)
         WHERE r.status = 'PENDING' AND u.deleted_at IS NOT NULL",
    ),
    ("nobody is to decide on their own request", "SELECT id FROM approvals WHERE status = 'PENDING' AND approver_id = requester_id"),
    (
        "a deleted customer has no live meeting or task, open deal or pending approval",
        "SELECT c.id FROM customers AS c WHERE c.deleted_at IS NOT NULL AND
         ( EXISTS (SELECT 1 FROM meetings AS m WHERE m.customer_id = c.id AND m.deleted_at IS NULL)
        OR EXISTS (SELECT 1 FROM tasks AS t WHERE t.customer_id = c.id AND t.deleted_at IS NULL)
        OR EXISTS (SELECT 1 FROM deals AS d WHERE d.customer_id = c.id AND d.deleted_at IS NULL AND d.closed_at IS NULL)
        OR EXISTS (SELECT 1 FROM approvals AS a WHERE a.customer_id = c.id AND a.status = 'PENDING'))",
    ),
    (
        "a deleted customer's notifications are archived",
        "SELECT n.id FROM notifications AS n JOIN customers AS c ON c.id = n.customer_id
         WHERE c.deleted_at IS NOT NULL AND n.archived_at IS NULL",
    ),
    (
        "comments of a deleted record are noted, to go when it can't come back",
        "SELECT c.id FROM customers_comments AS c JOIN customers AS r ON r.id = c.record_id WHERE r.deleted_at IS NOT NULL AND r.merged_into IS NULL
         AND NOT EXISTS (SELECT 1 FROM discarded_records AS d WHERE d.id = r.id)
         UNION ALL
         SELECT c.id FROM meetings_comments AS c JOIN meetings AS r ON r.id = c.record_id WHERE r.deleted_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM discarded_records AS d WHERE d.id = r.id)
         UNION ALL
         SELECT c.id FROM tasks_comments AS c JOIN tasks AS r ON r.id = c.record_id WHERE r.deleted_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM discarded_records AS d WHERE d.id = r.id)
         UNION ALL
         SELECT c.id FROM deals_comments AS c JOIN deals AS r ON r.id = c.record_id WHERE r.deleted_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM discarded_records AS d WHERE d.id = r.id)",
    ),
    (
        "attachments of a deleted record are noted, to go when it can't come back",
        "SELECT c.id FROM customers_attachments AS c JOIN customers AS r ON r.id = c.record_id WHERE r.deleted_at IS NOT NULL AND r.merged_into IS NULL
         AND NOT EXISTS (SELECT 1 FROM discarded_records AS d WHERE d.id = r.id)
         UNION ALL
         SELECT c.id FROM meetings_attachments AS c JOIN meetings AS r ON r.id = c.record_id WHERE r.deleted_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM discarded_records AS d WHERE d.id = r.id)
         UNION ALL
         SELECT c.id FROM tasks_attachments AS c JOIN tasks AS r ON r.id = c.record_id WHERE r.deleted_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM discarded_records AS d WHERE d.id = r.id)
         UNION ALL
         SELECT c.id FROM deals_attachments AS c JOIN deals AS r ON r.id = c.record_id WHERE r.deleted_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM discarded_records AS d WHERE d.id = r.id)",
    ),
    (
        "a step is closed once",
        "SELECT correlation_id FROM events WHERE type IN ('customers.reassigned', 'meetings.reassigned', 'meetings.deleted',
             'tasks.deleted', 'approvals.reassigned', 'approvals.cancelled', 'deals.reassigned', 'deals.closed',
             'meetings.moved', 'tasks.moved', 'approvals.moved', 'deals.moved', 'customers.restored', 'meetings.restored',
             'tasks.restored', 'approvals.restored', 'deals.restored')
         GROUP BY correlation_id, type HAVING count(*) <> 1",
    ),
];
