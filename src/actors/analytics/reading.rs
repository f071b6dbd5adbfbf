//! Reading everything at once: each notification is marked by its own child, in batches.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::domain::NotificationCommand;
use super::messages::{ReadAllNotifications, ReadCount, ReadProgress};
use super::service::AnalyticsDesk;
use crate::actors::context::Context;
use crate::actors::event::raw;
use crate::actors::page::PageRequest;
use crate::actors::refusal::{Code, Refusal};
use crate::actors::runtime::service::Service;
use crate::ids::Id;
use crate::persistence::analytics as store;
use crate::persistence::idempotency::IDEMPOTENCY_KEYS;
use crate::persistence::unit::{Rejection, Unit};

/// Notifications of one message, which must end well within the service's deadline.
const BATCH: i64 = 256;
/// Notifications marked at the same time: they share commits, and leave room for people's requests.
const AT_ONCE: usize = 32;

impl AnalyticsDesk {
    /// Marks the next batch; after the last one the answer is kept under the request's key.
    pub(super) async fn read_next(&self, reading: ReadAllNotifications) -> Result<ReadProgress, Refusal> {
        let ReadAllNotifications { after, so_far, context } = reading;
        let page = PageRequest { limit: BATCH, after, count: false };
        let unread = store::notifications(&self.db, context.caller.user_id, true, &page).await?;
        let each = Context { claim: None, if_match: None, ..context.clone() };
        let marks = unread.items.iter().map(|notification| self.read_one(notification.id, &each));
        let marked = stream::iter(marks).buffer_unordered(AT_ONCE);
        let marked: u64 = marked.try_fold(0, async |sum, one| Ok(sum + u64::from(one))).await?;
        let progress = ReadProgress { count: so_far + marked, next: unread.next };
        if progress.next.is_none() {
            self.keep_answer(&context, progress.count).await?;
        }
        Ok(progress)
    }

    /// False if it has gone since it was found.
    async fn read_one(&self, id: Id, context: &Context) -> Result<bool, Refusal> {
        match self.notifications.execute(id, NotificationCommand::Read, context.clone()).await {
            Ok(_) => Ok(true),
            Err(refusal) if refusal.code == Code::NotFound => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    /// The marks were many commits, so the answer is one of its own: who dies before it does the rest when asked again.
    async fn keep_answer(&self, context: &Context, count: u64) -> Result<(), Refusal> {
        let Some(claim) = &context.claim else { return Ok(()) };
        let body = raw(&ReadCount { count });
        let answer = claim.answer(context.caller.user_id, None, body, self.clock.now());
        let unit = Unit { writes: vec![answer.write()], ..Unit::default() };
        match self.journal.commit(unit).await {
            Ok(_) => Ok(()),
            // The same key, committed a moment ago: the gateway reads that first answer.
            Err(Rejection::Stale(table)) if table == IDEMPOTENCY_KEYS.name => {
                Err(Refusal::new(Code::RequestInFlight))
            }
            Err(rejection) => Err(rejection.into()),
        }
    }
}

impl Service<AnalyticsDesk> {
    /// Marks as read what the caller has unread, batch by batch, from the newest to the oldest; what comes
    /// meanwhile stays unread.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`: what is marked by then stays so.
    pub async fn read_all(&self, context: Context) -> Result<ReadCount, Refusal> {
        let (mut after, mut so_far) = (None, 0);
        loop {
            let batch = ReadAllNotifications { after, so_far, context: context.clone() };
            let ReadProgress { count, next } = self.ask(batch).await?;
            if next.is_none() {
                return Ok(ReadCount { count });
            }
            (after, so_far) = (next, count);
        }
    }
}
