//! What the gateway holds of subscriptions: the service, and what wakes requests that wait for events.

use runtime::service::Local;

use crate::actors::subscriptions::service::SubscriptionService;
use crate::actors::subscriptions::watch::LogWatch;

/// Reads the log for readers outside; clones share it.
#[derive(Clone)]
pub struct EventsClient {
    pub service: Local<SubscriptionService>,
    pub watch: LogWatch,
}
