//! Flow 5: the scan for tasks that are due soon. Whether an alert goes out is decided by the task's child
//! (`domain.rs`); the scan only finds whom to ask, so one that is repeated or broken off does no harm.

use futures_util::{StreamExt, stream};

use crate::actors::sales::client::SalesClient;
use crate::actors::sales::service::SalesService;
use crate::domain::task::messages::{AlertDueTasks, DueTask};
use crate::domain::task::rules::{TaskCommand, alert_horizon};
use crate::persistence::tasks as queries;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

/// Tasks of one message, which must end well within the service's deadline.
const BATCH: usize = 256;
/// Tasks asked at the same time: they share commits, and leave room for people's requests.
const AT_ONCE: usize = 32;

impl SalesService {
    /// Asks the next batch of due tasks for their alerts.
    pub(in crate::actors::sales) async fn alert_due(
        &self,
        scan: AlertDueTasks,
    ) -> Result<Option<DueTask>, Error> {
        let horizon = alert_horizon(self.clock.now());
        let mut due = queries::unalerted(&self.db, horizon, scan.after.as_ref(), BATCH as i64).await?;
        let asked = due.iter().map(|task| self.alert(task.id, &scan.context));
        stream::iter(asked).buffer_unordered(AT_ONCE).collect::<()>().await;
        let is_full = due.len() == BATCH;
        Ok(due.pop().filter(|_| is_full))
    }

    /// One that fails holds no other up: the next scan finds it again.
    async fn alert(&self, id: Id, context: &Context) {
        match self.tasks.execute(id, TaskCommand::AlertDue, context.clone()).await {
            Ok(_) => {}
            Err(error) if error.code == ErrorCode::NotFound => {} // deleted since it was found
            Err(error) => tracing::warn!(task = %id, %error, "a due alert waits for the next scan"),
        }
    }
}

impl SalesClient {
    /// Sends the alerts of all tasks that are due soon and have had none for their due time, batch by batch.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`: what is left is the next scan's.
    pub async fn alert_due(&self) -> Result<(), Error> {
        let context = Context::system();
        let mut after = None;
        loop {
            after = self.service.ask(AlertDueTasks { after, context: context.clone() }).await?;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}
