//! Marks all notifications of a user as read, in batches; the child of each notification marks it.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::actors::analytics::service::AnalyticsService;
use crate::persistence::analytics as queries;
use domain::notification::messages::{ReadAllNotifications, ReadCount, ReadProgress, Which};
use domain::notification::rules::NotificationCommand;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::event::raw;
use kernel::ids::Id;
use kernel::page::PageRequest;
use store::idempotency::{FirstAnswer, IDEMPOTENCY_KEYS};
use store::unit_of_work::{CommitError, UnitOfWork};

/// Notifications per message, so that it ends well within the service's deadline.
const BATCH: i64 = 256;
/// Notifications marked at the same time: they share commits and leave room for users' requests.
const AT_ONCE: usize = 32;

impl AnalyticsService {
    /// Marks the next batch; after the last one the answer is stored under the request's `Idempotency-Key`.
    pub(super) async fn read_next(&self, reading: ReadAllNotifications) -> Result<ReadProgress, Error> {
        let ReadAllNotifications { after, so_far, context } = reading;
        let page = PageRequest::after(BATCH, after);
        let reader = (context.caller.user_id, context.caller.scopes);
        let unread = queries::readable_notifications(&self.db, reader, Which::Unread, &page).await?;
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

    /// Returns false if the notification is gone.
    async fn read_one(&self, id: Id, context: &Context) -> Result<bool, Error> {
        match self.notifications.execute(id, NotificationCommand::Read, context.clone()).await {
            Ok(_) => Ok(true),
            Err(error) if error.code == ErrorCode::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The marks were many commits, so the answer needs a commit of its own. After a crash before it, the repeated
    /// request does the rest.
    async fn keep_answer(&self, context: &Context, count: u64) -> Result<(), Error> {
        let Some(claim) = &context.claim else { return Ok(()) };
        let body = raw(&ReadCount { count });
        let answer = FirstAnswer::new(claim, context.caller.user_id, None, body, self.clock.now());
        let unit = UnitOfWork { writes: vec![answer.write()], ..UnitOfWork::default() };
        match self.journal.commit(unit).await {
            Ok(_) => Ok(()),
            // Another request with this key was committed a moment ago: the gateway reads its answer.
            Err(CommitError::Stale(table)) if table == IDEMPOTENCY_KEYS.name => {
                Err(Error::new(ErrorCode::RequestInFlight))
            }
            Err(error) => Err(error.into()),
        }
    }
}
