//! What others have changed in a user's records since the user has last looked (SPEC §10).

use std::time::Duration;

use crate::actors::analytics::activity::ActivityConsumer;
use crate::actors::analytics::service::AnalyticsService;
use crate::persistence::news as queries;
use domain::report::messages::{MarkNewsSeen, News, ReadNews};
use kernel::error::Error;
use kernel::event::EventRecord;
use runtime::consumer::Consumer;
use store::log;
use store::unit_of_work::UnitOfWork;

/// What somebody is shown who has never looked: that of this time.
const FIRST_LOOK: Duration = Duration::from_hours(24 * 14);
/// How much earlier an event may have been made than one that stands before it in the log: the time of a commit, and what
/// the clocks of nodes differ by.
const OUT_OF_ORDER: Duration = Duration::from_mins(10);

impl AnalyticsService {
    pub(super) async fn read_news(&self, read: ReadNews) -> Result<News, Error> {
        let user = read.caller.user_id;
        // Before the events: what is applied meanwhile is shown, and shown again.
        let position = queries::applied(&self.db, ActivityConsumer::NAME, ActivityConsumer::TYPES).await?;
        let seen = queries::seen(&self.db, user).await?;
        let from = match seen {
            Some(seen) => queries::time_of(&self.db, seen).await?.map(|time| time.minus(OUT_OF_ORDER)),
            None => None,
        };
        let from = from.unwrap_or_else(|| self.clock.now().minus(FIRST_LOOK));
        let mut events = queries::news(&self.db, user, seen, from, read.limit + 1).await?;
        let limit = usize::try_from(read.limit).unwrap_or(0);
        let more = events.len() > limit;
        events.truncate(limit);
        Ok(News { events: events.iter().map(EventRecord::from).collect(), more, position })
    }

    pub(super) async fn mark_seen(&self, mark: MarkNewsSeen) -> Result<i64, Error> {
        let position = mark.position.clamp(0, log::head(&self.db).await?);
        let writes = vec![queries::seen_write(mark.context.caller.user_id, position)];
        self.journal.commit(UnitOfWork { writes, ..UnitOfWork::default() }).await?;
        Ok(position)
    }
}
