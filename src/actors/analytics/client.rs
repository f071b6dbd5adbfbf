//! The client of the analytics service.

use kernel::context::Context;
use kernel::error::Error;
use runtime::service::{Peer, Service};

use crate::actors::analytics::service::AnalyticsService;
use domain::notification::messages::{
    ListNotifications, ReadAllNotifications, ReadCount, ReadProgress, Which,
};
use domain::user::record::User;
use kernel::caller::Caller;
use kernel::ids::Id;
use kernel::page::PageRequest;
use kernel::scopes::Scopes;

/// The handle of other services to this one, with its circuit breaker.
pub type AnalyticsPeer = Peer<AnalyticsService>;

/// Sends messages to the service.
#[derive(Clone)]
pub struct AnalyticsClient {
    pub service: Service<AnalyticsService>,
}

impl AnalyticsClient {
    /// How many notifications of a user are neither read nor archived.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn unread(&self, user: &User) -> Result<i64, Error> {
        let page = PageRequest::first(1).counted();
        let caller = Caller { user_id: user.id, role: user.role, session_id: Id::nil(), scopes: Scopes::ALL };
        let page = self.service.ask(ListNotifications { caller, which: Which::Unread, page }).await?;
        Ok(page.total.unwrap_or(0))
    }

    /// Marks the caller's unread notifications as read, batch by batch, from the newest to the oldest; later ones
    /// stay unread.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`: notifications that are marked by then stay marked.
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
