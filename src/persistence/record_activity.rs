//! The events about one record. They are read from the log itself, so that what was acknowledged is there.

use std::cmp::Reverse;

use domain::activity;
use domain::events::{COMMENT_CREATED, SeenBy, row_of};
use kernel::event::{EventRecord, EventType};
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use store::db::{Db, StoreError};
use store::log;
use store::sql::Sql;
use store::table::Dialect;

/// The types of events about what stands beside a record. These words are the index's (`events_about`).
const BESIDE: &str = "type IN ('comment.created', 'comment.updated', 'comment.deleted', 'attachment.added', \
                      'attachment.removed')";

/// The events about a record, its comments and attachments, newest first; with a `viewer`, only those of which the viewer is or was the owner (the rule
/// of [`Audience`](domain::audience::Audience)). `of_type` is a type of the record's own events: all have their owner in the
/// same place.
pub async fn page(
    db: &Db,
    record: Id,
    of_type: EventType,
    viewer: Option<Id>,
    request: &PageRequest,
) -> Result<Page<EventRecord>, StoreError> {
    let seen = |sql: Sql, of_type| match viewer {
        Some(viewer) => sql.filter(&is_owner(db.dialect(), of_type), [viewer.to_string().into()]),
        None => sql,
    };
    let own = |sql: Sql| seen(sql.filter("subject = ?", [record.into()]), of_type);
    let beside =
        |sql: Sql| seen(sql.filter("partition_key = ?", [record.into()]).filter(BESIDE, []), COMMENT_CREATED);
    let before = request.after.as_ref().and_then(activity::place);
    let newest = |sql: Sql, order: &str| {
        let tail = sql.filter_some("slice_seq < ?", before).push(order, []);
        log::read(db, tail.limit(request.limit + 1))
    };
    // Each in the order of its index, which is the order of the partition.
    let mut events = newest(own(Sql::default()), " ORDER BY sequence DESC").await?;
    events.extend(newest(beside(Sql::default()), " ORDER BY slice_seq DESC").await?);
    events.sort_by_key(|event| Reverse(event.partition_seq));
    events.truncate(usize::try_from(request.limit + 1).unwrap_or(0));
    let count = || Sql::new("SELECT CAST(count(*) AS TEXT) FROM events");
    let total = match request.count {
        true => Some(db.number(own(count())).await? + db.number(beside(count())).await?),
        false => None,
    };
    let events = events.iter().map(EventRecord::from).collect();
    Ok(Page::cut(events, request.limit, activity::keyset, total))
}

/// The condition that `?` is the owner of an event's record, or was it until the event.
fn is_owner(dialect: Dialect, of_type: EventType) -> String {
    match row_of(of_type).map(|row| row.seen_by) {
        Some(SeenBy::Owner { record, field, previous }) => {
            let now = dialect.text_in("data", &[record, field]);
            let before = previous.map(|previous| dialect.text_in("data", &[previous]));
            format!("? IN ({now}, {})", before.as_deref().unwrap_or("NULL"))
        }
        // Nobody owns it.
        _ => "? IS NULL".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::events::{TASK_CREATED, USER_LOGIN};

    #[test]
    fn the_owner_of_an_event_is_where_the_catalogue_says() {
        let sqlite = "? IN (data ->> '$.task.assignee_id', data ->> '$.previous_assignee_id')";
        assert_eq!(is_owner(Dialect::Sqlite, TASK_CREATED), sqlite);
        let postgres = "? IN (data #>> '{task,assignee_id}', data #>> '{previous_assignee_id}')";
        assert_eq!(is_owner(Dialect::Postgres, TASK_CREATED), postgres);
        assert_eq!(is_owner(Dialect::Sqlite, USER_LOGIN), "? IS NULL");
    }
}
