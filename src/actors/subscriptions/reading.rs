//! Reads the whole log for readers outside, from a cursor on.

use domain::api_key::event_scopes::of_event;
use domain::subscription::messages::{After, LogPage, ReadLog};
use domain::subscription::rules;
use kernel::error::{Error, ErrorCode};
use store::log;

use crate::actors::live::cursor;
use crate::actors::subscriptions::service::SubscriptionService;

/// Events of other types that are looked at for one answer: a reader of a rare type gets an empty page now and then, whose
/// cursor leads past them.
const LOOKED_AT: i64 = 20_000;

/// The next page of the log, with the events that the scopes of the caller's key let it read.
///
/// # Errors
/// `forbidden`, `missing_scope`, `cursor_reset`, `unavailable`.
pub async fn page(service: &SubscriptionService, read: ReadLog) -> Result<LogPage, Error> {
    let ReadLog { caller, after, types, limit } = read;
    rules::may_read(&caller)?;
    let (log_id, head) = (service.log_id().await?, log::head(&service.db).await?);
    let after = match after {
        After::Start => 0,
        After::Now => head,
        After::Cursor(text) => {
            // A number beyond the head is of a log that was lost: events would be missing without a word.
            let known = cursor::decode(log_id, &text).filter(|number| *number <= head);
            known.ok_or_else(|| Error::new(ErrorCode::CursorReset))?
        }
    };
    let upto = head.min(after.saturating_add(LOOKED_AT));
    let mut events = log::window(&service.db, (after, upto), &types, limit).await?;
    let is_full = events.len() as i64 >= limit;
    let last = events.last().and_then(|event| event.log_seq);
    let position = last.filter(|_| is_full).unwrap_or(upto);
    events.retain(|event| caller.scopes.covers(of_event(event)));
    Ok(LogPage { events, cursor: cursor::encode(log_id, position), has_more: position < head })
}
