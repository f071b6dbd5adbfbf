//! How the rest of Kizuna talks to the analytics service.

use kernel::context::Context;
use kernel::error::Error;
use runtime::service::{Peer, Service};

use crate::actors::analytics::service::AnalyticsService;
use crate::domain::notification::messages::{ReadAllNotifications, ReadCount, ReadProgress};

/// Another service's way to this one, through its circuit breaker.
pub type AnalyticsPeer = Peer<AnalyticsService>;

/// Sends messages to the service.
#[derive(Clone)]
pub struct AnalyticsClient {
    pub service: Service<AnalyticsService>,
}

impl AnalyticsClient {
    /// Marks as read what the caller has unread, batch by batch, from the newest to the oldest; what comes
    /// meanwhile stays unread.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`: what is marked by then stays so.
    pub async fn read_all(&self, context: Context) -> Result<ReadCount, Error> {
        let (mut after, mut so_far) = (None, 0);
        loop {
            let batch = ReadAllNotifications { after, so_far, context: context.clone() };
            let ReadProgress { count, next } = self.service.ask(batch).await?;
            if next.is_none() {
                return Ok(ReadCount { count });
            }
            (after, so_far) = (next, count);
        }
    }
}
